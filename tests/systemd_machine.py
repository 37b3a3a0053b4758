"""A machine with a real systemd in it, for the journey of the service: Debian in a folder, booted by systemd-nspawn.

What takes minutes (Debian, the packages that earmark needs) is made once and kept in ~/.cache/earmark-systemd or
$EARMARK_SYSTEMD_CACHE; each machine works on an overlay of it, and nothing of the host but that cache is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from earmark import __version__

ROOT = Path(__file__).resolve().parents[1]
OPT_IN = "EARMARK_TEST_SYSTEMD"
PACKAGES = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3,python3-venv,procps,util-linux,libgomp1,sudo"
SETUP = (
    "python3 -m venv /opt/earmark"
    " && PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels /opt/earmark/bin/pip install --quiet 'earmark[starter]'"
    " && /opt/earmark/bin/pip uninstall --quiet --yes earmark && rm -r /opt/wheels"
    " && useradd --create-home --shell /bin/bash alice && ln -s /opt/earmark/bin/earmark /usr/local/bin/earmark"
    " && printf '127.0.0.1 localhost\\n::1 localhost\\n' >/etc/hosts"
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CALLS = "bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self"
"""System calls that nspawn's own filter refuses; without them Landlock looks absent and IPAddressDeny= does nothing."""


def why_not() -> str | None:
    """Why no such machine can be booted here, or None. Minutes of work, so only where it was asked for."""
    if not os.environ.get(OPT_IN):
        return f"a real systemd is booted only with {OPT_IN}=1 (sh scripts/service-journey)"
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "booting a systemd takes Linux and root"
    missing = [tool for tool in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(tool) is None]
    if missing:
        return f"not on this machine: {', '.join(missing)} (apt-get install debootstrap systemd-container)"
    return None


def wheel(folder: Path, version: str | None = None) -> Path:
    """The wheel of this checkout; with `version`, as if that were its version."""
    source = ROOT
    if version is not None:
        source = folder / version
        for name in ("daemon", "systemd", "launchd", "pyproject.toml", "README.md", "LICENSE"):
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, source / name)
        for file in ("pyproject.toml", "daemon/earmark/__init__.py"):
            text = (source / file).read_text()
            (source / file).write_text(
                re.sub(rf'(version(?:__)? = )"{re.escape(__version__)}"', rf'\1"{version}"', text, count=1)
            )
            assert version in (source / file).read_text()
    target = folder / f"wheel-{version}"
    _must("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target, source)
    (built,) = target.glob("earmark-*.whl")
    return built


def base() -> Path:
    """Debian with all packages that earmark needs under /opt/earmark, a user alice, and no earmark. Made where it is not."""
    cache = Path(os.environ.get("EARMARK_SYSTEMD_CACHE") or Path.home() / ".cache" / "earmark-systemd")
    needs = (ROOT / "pyproject.toml").read_bytes() + f"{PACKAGES} {SETUP}".encode()
    done = cache / f"root-{hashlib.sha256(needs).hexdigest()[:12]}"
    if done.is_dir():
        return done
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob("root-*"):
        shutil.rmtree(old)
    debian = cache / "debian"
    if not debian.is_dir():
        part = cache / "debian.part"
        shutil.rmtree(part, ignore_errors=True)
        _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", part)
        part.rename(debian)
    part = cache / "root.part"
    shutil.rmtree(part, ignore_errors=True)
    _run("cp", "-a", debian, part)
    _must("pip", "wheel", "--quiet", "--wheel-dir", part / "opt" / "wheels", f"{ROOT}[starter]")
    _chroot(part, SETUP)
    part.rename(done)
    return done


@dataclass
class Machine:
    """A booted machine. `root` is its / as the host sees it."""

    root: Path
    leader: int
    told: bool = True

    def run(
        self, command: str, user: str = "root", *, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as this user, with what a login gives them; tell it, and what it said, as a person sees it."""
        inside = command
        if user != "root":
            uid = self.output(f"id -u {user}") if user != "alice" else "1000"
            inside = f"export XDG_RUNTIME_DIR=/run/user/{uid}; {command}"
        return subprocess.run(
            [
                "nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wdns=/", "--",
                "env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "TERM=dumb", "COLUMNS=80", "SYSTEMD_PAGER=cat",
                *(("su", "-", user, "-c", f"export COLUMNS=80; {inside}") if user != "root" else ("sh", "-c", inside)),
            ],
            capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, errors="replace",
        )  # fmt: skip

    def says(self, command: str, user: str = "root", *, code: int = 0, seconds: float = 120) -> str:
        """What a command prints; fails unless it ends with `code`. For the transcript of the journey, it is printed."""
        answer = self.run(command, user, seconds=seconds)
        words = answer.stdout + answer.stderr
        print(f"{user}{'#' if user == 'root' else '$'} {command}\n{words.rstrip()}\n")  # noqa: T201
        assert answer.returncode == code, f"{command}: exit status {answer.returncode}, not {code}\n{words}"
        return words

    def output(self, command: str, user: str = "root") -> str:
        """The same without telling, whatever the exit status: for waiting."""
        return self.run(command, user).stdout.strip()

    def until(self, condition: str, user: str = "root", seconds: float = 60.0) -> None:
        """Wait until a shell condition holds."""
        deadline = time.monotonic() + seconds
        while self.run(condition, user).returncode != 0:
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {condition}"
            time.sleep(0.2)

    def put(self, file: Path, target: str, owner: str = "alice") -> None:
        """Copy a file in, as if its owner had."""
        shutil.copyfile(file, self.root / "var/opt" / file.name)
        self.run(f"install -o {owner} -g {owner} -m 644 /var/opt/{shlex.quote(file.name)} {target}")

    def install(self, built: Path) -> None:
        """Install this wheel of earmark, over the one that is there."""
        shutil.copy(built, self.root / "var/opt" / built.name)
        answer = self.run(
            f"/opt/earmark/bin/pip install -q --no-index --no-deps --force-reinstall /var/opt/{built.name}"
        )
        assert answer.returncode == 0, answer.stderr


@contextmanager
def booted(work: Path) -> Iterator[Machine]:
    """Boot a machine on an overlay in `work`, and take all of it away afterwards."""
    root, upper, scratch = work / "root", work / "upper", work / "scratch"
    for folder in (root, upper, scratch):
        folder.mkdir()
    _run(
        "mount",
        "-t",
        "overlay",
        "overlay",
        "-o",
        f"lowerdir={base()},upperdir={upper},workdir={scratch}",
        root,
    )
    container = None
    try:
        with (work / "console").open("w") as console:
            container = subprocess.Popen(
                [
                    "systemd-nspawn", "-D", root, "--boot", "--register=no", "--keep-unit", "--private-network",
                    "--console=pipe", f"--system-call-filter={CALLS}",
                ],
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            )  # fmt: skip
        machine = Machine(root, _leader(container))
        machine.until("systemctl is-system-running | grep -Eq 'running|degraded'", seconds=120)
        machine.run('echo "127.0.0.1 $(hostname)" >>/etc/hosts')  # sudo looks it up
        yield machine
    finally:
        if container is not None:
            with contextlib.suppress(Exception):
                machine.run("systemctl poweroff --force --force", seconds=20)
            try:
                container.wait(20)
            except subprocess.TimeoutExpired:
                container.kill()
                container.wait(20)
        subprocess.run(["umount", "-l", root], check=False)
        for folder in (upper, scratch):
            shutil.rmtree(folder, ignore_errors=True)


def _leader(container: subprocess.Popen[bytes]) -> int:
    """The machine's process 1, as the host numbers it."""
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and container.poll() is None:
        for child in children.read_text().split():
            # nspawn's own helper is its child too; the machine is what has a process namespace of its own.
            if Path(f"/proc/{child}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                return int(child)
        time.sleep(0.1)
    raise AssertionError("the machine did not boot; its console says why")


def _must(*pip: object) -> None:
    _run(sys.executable, "-m", *pip)


def _run(*command: object) -> None:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, env={**os.environ, "PIP_USER": "0"}
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def _chroot(root: Path, command: str) -> None:
    _run("chroot", root, "env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "sh", "-c", command)
