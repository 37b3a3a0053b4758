"""A machine with a real systemd in it, for the journey of the service: Debian in a folder, booted by systemd-nspawn.

What takes minutes (Debian, the packages that earmark needs) is made once and kept in ~/.cache/earmark-systemd or
$EARMARK_SYSTEMD_CACHE; each machine works on an overlay of it, in a mount namespace and control groups of its own. Nothing
of the host but that cache is written; mounts and processes go with the process that booted it, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from earmark import __version__

from tests.conftest import MODELS

ROOT = Path(__file__).resolve().parents[1]
WANTED = "EARMARK_TEST_SYSTEMD"
"""0: no machine is booted. 1: what it is booted from is made where it is not there, which takes minutes."""

PACKAGES = "systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,python3,python3-venv,procps,util-linux,libgomp1,sudo"
SETUP = (
    "python3 -m venv /opt/earmark"
    " && PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels /opt/earmark/bin/pip install --quiet earmark"
    " && /opt/earmark/bin/pip uninstall --quiet --yes earmark && rm -r /opt/wheels"
    " && useradd --create-home --shell /bin/bash alice && ln -s /opt/earmark/bin/earmark /usr/local/bin/earmark"
    " && printf '127.0.0.1 localhost\\n::1 localhost\\n' >/etc/hosts"
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CALLS = "bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self"
"""System calls that nspawn's own filter refuses; without them Landlock looks absent and IPAddressDeny= does nothing."""


def why_not() -> str | None:
    """Why no such machine can be booted here, or None."""
    wanted = os.environ.get(WANTED, "")
    if wanted == "0":
        return f"switched off by {WANTED}=0"
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "booting a systemd takes Linux and root"
    tools = ("systemd-nspawn", "nsenter", "unshare", "setpriv", *(("debootstrap",) if wanted else ()))
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        return f"not on this machine: {', '.join(missing)} (apt-get install debootstrap systemd-container)"
    if not wanted and not _root().is_dir():
        return f"{_root()} is not there; sh scripts/service-journey makes it once (Debian and packages, five minutes)"
    return None


def wheel(folder: Path) -> Path:
    """The wheel of this checkout."""
    _must("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "wheel", ROOT)
    (built,) = (folder / "wheel").glob("earmark-*.whl")
    return built


def as_version(built: Path, version: str) -> Path:
    """The same wheel as if that were its version."""
    other = built.parent / built.name.replace(f"-{__version__}-", f"-{version}-")
    with zipfile.ZipFile(built) as old, zipfile.ZipFile(other, "w") as new:
        for entry in old.infolist():
            name = entry.filename.replace(f"earmark-{__version__}.dist-info", f"earmark-{version}.dist-info")
            data = old.read(entry)
            if name == "earmark/__init__.py" or name.endswith((".dist-info/METADATA", ".dist-info/RECORD")):
                data = data.replace(__version__.encode(), version.encode())
            new.writestr(name, data)
    return other


def _cache() -> Path:
    return Path(os.environ.get("EARMARK_SYSTEMD_CACHE") or Path.home() / ".cache" / "earmark-systemd")


def _root() -> Path:
    """Where Debian with all packages that earmark needs is kept. Other needs, another folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [project["dependencies"], PACKAGES, SETUP]
    return _cache() / f"root-{hashlib.sha256(json.dumps(needs).encode()).hexdigest()[:12]}"


@contextmanager
def base() -> Iterator[Path]:
    """Debian with all packages that earmark needs under /opt/earmark, a user alice, and no earmark. Made where it is not;
    nobody else takes it away meanwhile.
    """
    cache, done = _cache(), _root()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock, done.with_suffix(".used").open("w") as used:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fcntl.flock(used, fcntl.LOCK_SH)
        if not done.is_dir():
            _make(cache, done)
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield done


def _make(cache: Path, done: Path) -> None:
    for old in cache.glob("root-*.used"):
        with old.open("w") as used, contextlib.suppress(BlockingIOError):
            if old != done.with_suffix(".used"):
                fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old.with_suffix(""), ignore_errors=True)
                old.unlink()
    debian = cache / "debian"
    if not debian.is_dir():
        part = cache / "debian.part"
        shutil.rmtree(part, ignore_errors=True)
        _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", part)
        part.rename(debian)
    part = cache / "root.part"
    shutil.rmtree(part, ignore_errors=True)
    _run("cp", "-a", debian, part)
    _must("pip", "wheel", "--quiet", "--wheel-dir", part / "opt" / "wheels", ROOT)
    shutil.copytree(
        MODELS / "tiny.en", part / "opt" / "earmark" / "share" / "earmark" / "models", dirs_exist_ok=True
    )
    _chroot(part, SETUP)
    part.rename(done)


@dataclass
class Machine:
    """A booted machine. `root` is its / as the host sees it; `built` the wheel that is installed in it."""

    root: Path
    leader: int
    built: Path = Path()

    def run(
        self, command: str, user: str = "root", *, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as this user, with what a login gives them; tell it, and what it said, as a person sees it."""
        who = ["env", "-i", f"PATH={PATH}", "LANG=C.UTF-8", "TERM=dumb", "COLUMNS=80", "SYSTEMD_PAGER=cat"]
        if user != "root":
            # As a login would, without a session of its own, which would keep the user's manager running.
            who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *who]
            who += [f"HOME=/home/{user}", f"USER={user}", f"LOGNAME={user}", "XDG_RUNTIME_DIR=/run/user/1000"]
        start = command if user == "root" else f"cd; {command}"
        return subprocess.run(
            [
                "nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C", "--wdns=/", "--",
                *who, "bash", "-c", start,
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
        self.built = built
        shutil.copy(built, self.root / "var/opt" / built.name)
        answer = self.run(
            f"/opt/earmark/bin/pip install -q --no-index --no-deps --force-reinstall /var/opt/{built.name}"
        )
        assert answer.returncode == 0, answer.stderr


@contextmanager
def booted(work: Path) -> Iterator[Machine]:
    """Boot a machine on an overlay in `work`, and take all of it away afterwards."""
    with base() as debian:
        yield from _booted(work, debian)


def _booted(work: Path, debian: Path) -> Iterator[Machine]:
    root, upper, scratch = work / "root", work / "upper", work / "scratch"
    for folder in (root, upper, scratch):
        folder.mkdir()
    quick = upper / "etc/systemd/logind.conf.d/quick.conf"
    quick.parent.mkdir(parents=True)
    quick.write_text("[Login]\nUserStopDelaySec=1\n")  # a logout is one at once
    overlay = f"lowerdir={debian},upperdir={upper},workdir={scratch}"
    nspawn = [
        "systemd-nspawn", "-D", root, "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe",
        f"--system-call-filter={CALLS}",
    ]  # fmt: skip
    groups = [group / f"earmark-{os.getpid()}-{work.name}" for group in _control_groups()]
    moved = " && ".join(f"mkdir {group} && echo $$ >{group}/cgroup.procs" for group in groups)
    mounted = f"mount -t overlay overlay -o {shlex.quote(overlay)} {shlex.quote(str(root))}"
    with (work / "console").open("w") as console:
        container = subprocess.Popen(
            [
                "setpriv", "--pdeathsig", "TERM", "unshare", "--mount", "--propagation", "private",
                "sh", "-c", f"{moved} && {mounted} && exec {shlex.join(map(str, nspawn))}",
            ],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip
    try:
        leader = _leader(container)
        machine = Machine(Path(f"/proc/{leader}/root"), leader)
        machine.until("systemctl is-system-running | grep -Eq 'running|degraded'", seconds=120)
        machine.run('echo "127.0.0.1 $(hostname)" >>/etc/hosts')  # sudo looks it up
        yield machine
        with contextlib.suppress(Exception):
            machine.run("systemctl poweroff --force --force", seconds=20)
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            container.wait(10)
        container.kill()
        container.wait(20)
        for folder in (upper, scratch):
            shutil.rmtree(folder, ignore_errors=True)
        _sweep()


def _sweep() -> None:
    """Take away the control groups in which nothing runs any more, of earlier machines, too, whose starter was killed."""
    for group in (found for at in _control_groups() for found in at.glob("earmark-*")):
        for inner, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # in use, or its last process is on its way out
                Path(inner).rmdir()


def _control_groups() -> list[Path]:
    """Where this process is, in the hierarchies that systemd and nspawn use: two machines in one would be one to systemd."""
    top, found = Path("/sys/fs/cgroup"), []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, name, path = line.split(":", 2)
        mounted = {
            "": top / "unified" if (top / "unified").is_dir() else top,
            "name=systemd": top / "systemd",
        }
        if (number == "0" or name == "name=systemd") and (at := mounted[name]).is_dir():
            found.append(at / path.lstrip("/"))
    return found


def _leader(container: subprocess.Popen[bytes]) -> int:
    """The machine's process 1, as the host numbers it."""
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and container.poll() is None:
        for child in children.read_text().split() if children.exists() else ():
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
