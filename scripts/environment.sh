# Sourced by scripts/run and scripts/test; makes .venv and installs earmark into it. POSIX sh, needs only Python.
#
# The caller has set `root` to the repository. The install is editable, so that a `git pull` takes effect at once;
# pip runs again only when pyproject.toml has changed, which also means that a second start needs no network.

venv=$root/.venv
marker=$venv/earmark-installing
log=$venv/earmark-install.log

fail() {
    printf '%s\n' "$@" >&2
    exit 69
}

# Sets `python` to a Python that can make an environment, or ends with a sentence that says what to install.
find_python() {
    without_venv=
    for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
        command -v "$python" >/dev/null 2>&1 || continue
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        # Debian and Ubuntu ship Python without ensurepip, and `venv` then fails halfway.
        "$python" -c 'import venv, ensurepip' 2>/dev/null && return 0
        without_venv=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    done
    [ -z "$without_venv" ] || fail \
        "earmark: $without_venv is here, but without its 'venv' module." \
        "On Debian and Ubuntu: sudo apt install $without_venv-venv; then start this again."
    fail "earmark: Python 3.11 or newer was not found (looked for python3, python3.11 to python3.14)." \
        "On Debian and Ubuntu: sudo apt install python3 python3-venv. On macOS: brew install python, or the" \
        "installer from https://www.python.org/downloads/. If it is somewhere else: PYTHON=/path/to/python3 sh $0"
}

checksum() {
    printf '%s %s\n' "$(cat "$root/pyproject.toml" "$root/requirements.lock" 2>/dev/null | cksum)" "$root"
}

# Shows that something is happening; the first install downloads some 200 MB.
report_progress() {
    waited=0
    while kill -0 "$$" 2>/dev/null; do
        newest=$(sed -n 's/^Collecting \([A-Za-z0-9._-]*\).*/\1/p; s/^Installing collected.*/unpacking/p' "$log" |
            tail -n 1)
        printf '\r\033[K%s: %s s %s' "$1" "$waited" "$newest" >&2
        sleep 1
        waited=$((waited + 1))
    done
}

# install [GROUP]: makes sure that earmark is in .venv, and with a dependency group of pyproject.toml, all of it in the
# versions of requirements.lock.
install() {
    group=${1:-}
    current=yes
    for part in earmark $group; do
        [ "$(cat "$venv/earmark-installed-$part" 2>/dev/null)" = "$(checksum)" ] || current=no
    done
    if [ "$current" = yes ] && [ ! -e "$marker" ] && [ -x "$venv/bin/python" ] &&
        "$venv/bin/python" -c '' 2>/dev/null; then
        return 0
    fi

    if [ -e "$marker" ]; then
        other=$(cat "$marker")
        if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
            printf '%s\n' "earmark: process $other is installing into $venv at this moment; wait until it is done." \
                "If it is not: rm '$marker'" >&2
            exit 75
        fi
        # pip takes a package that it was interrupted in for a whole one, so what is there cannot be trusted.
        rm -rf "$venv"
    fi
    if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        find_python
        rm -rf "$venv"
        mkdir "$venv"
        echo "$$" >"$marker"
        "$python" -m venv "$venv" >"$log" 2>&1 || {
            cat "$log" >&2
            fail "earmark: $python could not make an environment in $venv (its words are above)."
        }
    fi
    echo "$$" >"$marker"

    title="Installing earmark into .venv (once, about a minute)"
    : >"$log"
    if [ -t 2 ]; then
        report_progress "$title" &
        reporter=$!
    else
        printf '%s\n' "$title" >&2
        reporter=
    fi
    status=0
    # An environment that uv made has no pip. PIP_USER from a user's pip.conf makes no sense in an environment.
    {
        "$venv/bin/python" -m pip --version || "$venv/bin/python" -m ensurepip
    } >>"$log" 2>&1 && (
        cd "$root" || exit
        export PIP_USER=0
        set -- install --no-input --disable-pip-version-check --progress-bar off
        if [ -z "$group" ]; then
            "$venv/bin/python" -m pip "$@" --editable .
        else
            # Groups are known to pip from 25.1 on, and Python brings older ones.
            "$venv/bin/python" -m pip "$@" 'pip>=25.1' &&
                "$venv/bin/python" -m pip "$@" --constraint requirements.lock --editable . --group "$group"
        fi
    ) >>"$log" 2>&1 </dev/null || status=$?
    if [ -n "$reporter" ]; then
        kill "$reporter" 2>/dev/null
        wait "$reporter" 2>/dev/null || :
        printf '\r\033[K' >&2
    fi
    if [ "$status" -ne 0 ]; then
        tail -n 40 "$log" >&2
        # pip ended by itself and left whole packages; killed by a signal it did not.
        [ "$status" -gt 128 ] || rm -f "$marker"
        fail "earmark: the install failed with the words above (all of them: $log)." \
            "When the cause is gone (network? disk?), start this again."
    fi
    for part in earmark $group; do
        checksum >"$venv/earmark-installed-$part"
    done
    rm -f "$marker"
}
