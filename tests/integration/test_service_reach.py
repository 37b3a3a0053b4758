"""Every verb of the service, the doctor and `status`, wherever a machine may stand with its service manager.

The tools of systemd are stand-ins on the PATH that say what the real ones say (systemd 252); all else is real.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import console, doctor, scope, service, status
from earmark.cli.main import app
from earmark.ledger import Ledger
from earmark.service.idle import restarts
from earmark.service.reach import Here
from typer.testing import CliRunner

NOT_BOOTED = (
    "System has not been booted with systemd as init system (PID 1). Can't operate.\n"
    "Failed to connect to bus: Host is down"
)
NO_BUS = "Failed to connect to bus: No medium found"
REFUSED = "Failed to connect to bus: Connection refused"

NONE = "LoadState=not-found\nActiveState=inactive\n"
RUNS = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nResult=success\nMainPID=4711\n"
FAILED = "LoadState=loaded\nActiveState=failed\nUnitFileState=enabled\nResult=exit-code\nExecMainStatus=78\nMainPID=0\n"
MASKED = "LoadState=masked\nActiveState=inactive\nFragmentPath=/dev/null\n"
REMOVED = "LoadState=not-found\nActiveState=active\nMainPID=4711\n"

SYSTEMCTL = """#!/bin/sh
case "$*" in
  "--user show --property=Version"|"--system show --property=Version") words=version ;;
  *show\\ earmark.service*) words=unit ;;
  *) words=done ;;
esac
case "$1" in --system) who=system ;; --user) who=user ;; *) who=other; words=done ;; esac
echo "$*" >>"$FAKES/calls"
if [ -e "$FAKES/$who.refusal" ]; then cat "$FAKES/$who.refusal" >&2; exit 1; fi
cat "$FAKES/$who.$words" 2>/dev/null
exit 0
"""


@dataclass
class World:
    """A machine: what systemctl says of the unit in the user's manager and in the system's, or why it says nothing."""

    user: str = NONE
    system: str = NONE
    user_refusal: str = ""
    system_refusal: str = ""
    booted: bool = True
    binary: bool = True
    bus: bool = True
    unit: str = ""  # what is under the unit's name: "ours", "masked"
    log: str = ""
    marks: tuple[str, ...] = field(default=())


NOTHING_HERE = "No service manager that earmark works with"
NOT_LOGGED_IN = "is not logged in"
ALL = ("install", "uninstall", "status", "restart", "logs", "logs -f")

WORLDS = {
    "no systemd": World(binary=False, booted=False),
    "systemctl, and another first process": World(
        user_refusal=NOT_BOOTED, system_refusal=NOT_BOOTED, booted=False
    ),
    "systemd, and no bus of the user (su, cron)": World(user_refusal=NO_BUS, bus=False),
    "installed, and nobody is logged in": World(user_refusal=NO_BUS, bus=False, unit="ours"),
    "the user's manager does not answer": World(user_refusal=REFUSED),
    "not installed": World(),
    "runs in a degraded manager": World(user=RUNS, unit="ours"),
    "failed": World(user=FAILED, unit="ours"),
    "masked": World(user=MASKED, unit="masked"),
    "its file removed by hand": World(user=REMOVED),
    "the machine's instead": World(system=RUNS),
    "the machine's, and no bus of the user": World(system=RUNS, user_refusal=NO_BUS, bus=False),
    "a log of one that was removed": World(log="it was said\n"),
}

# What each verb ends with, and what it says; "!": what it does not say.
TABLE: dict[str, dict[str, tuple[int, str]]] = {
    "no systemd": {
        **dict.fromkeys(ALL, (66, NOTHING_HERE)),
        "doctor": (0, "· service: " + NOTHING_HERE),
        "earmark status": (0, "start it with: earmark run FOLDER\n"),
    },
    "systemctl, and another first process": {
        **dict.fromkeys(ALL, (66, NOTHING_HERE)),
        "doctor": (0, "· daemon: No daemon runs; earmark run FOLDER\n"),
        "earmark status": (0, "start it with: earmark run FOLDER\n"),
    },
    "systemd, and no bus of the user (su, cron)": {
        **dict.fromkeys(ALL, (66, NOT_LOGGED_IN)),
        "doctor": (0, "loginctl enable-linger"),
        "earmark status": (0, "start it with: earmark run FOLDER\n"),
    },
    "installed, and nobody is logged in": {
        **dict.fromkeys(ALL, (66, NOT_LOGGED_IN)),
        "doctor": (0, "loginctl enable-linger"),
        "earmark status": (0, "not running  the service waits for its manager: no service manager of "),
    },
    "the user's manager does not answer": {
        **dict.fromkeys(ALL, (66, "does not answer (Failed to connect to bus: Connection refused)")),
        "doctor": (0, "does not answer"),
        "earmark status": (0, "start it with: earmark run FOLDER\n"),
    },
    "not installed": {
        "install": (0, "Started it"),
        "uninstall": (0, "nothing to do"),
        **dict.fromkeys(ALL[2:], (66, "not installed: earmark service install FOLDER")),
        "doctor": (0, "· service: No service is installed; earmark service install FOLDER"),
        "earmark status": (0, "earmark run FOLDER, or: earmark service install FOLDER\n"),
    },
    "runs in a degraded manager": {
        "install": (0, "Started it"),
        "uninstall": (0, "Stopped it"),
        "status": (0, "The service runs (pid 4711)"),
        "restart": (0, "Restarted it."),
        "logs": (0, "Nothing is in its log"),
        "logs -f": (0, "Nothing is in its log"),
        "doctor": (0, "✓ service: The service runs"),
        "earmark status": (0, "the service runs (pid 4711), and not on the ledger in "),
    },
    "failed": {
        "install": (0, "Started it"),
        "uninstall": (0, "Stopped it"),
        "status": (1, "because its configuration is wrong"),
        "restart": (0, "Restarted it."),
        "logs": (0, "Nothing is in its log"),
        "logs -f": (0, "Nothing is in its log"),
        "doctor": (1, "✗ service: The service failed, because its configuration is wrong"),
        "earmark status": (0, "not running  the service failed, because its configuration is wrong"),
    },
    "masked": {
        "install": (74, "systemctl --user unmask earmark"),
        "uninstall": (74, "systemctl --user unmask earmark"),
        "status": (1, "systemctl --user unmask earmark"),
        "restart": (74, "systemctl --user unmask earmark"),
        "logs": (0, "Nothing is in its log"),
        "logs -f": (0, "Nothing is in its log"),
        "doctor": (1, "systemctl --user unmask earmark"),
        "earmark status": (0, "systemctl --user unmask earmark"),
    },
    "its file removed by hand": {
        "install": (0, "Started it"),
        "uninstall": (0, "stopped the service and removed what was left"),
        "status": (1, "runs on (pid 4711), and its unit file is gone"),
        "restart": (74, "its unit file is gone"),
        "logs": (0, "Nothing is in its log"),
        "logs -f": (0, "Nothing is in its log"),
        "doctor": (1, "its unit file is gone"),
        "earmark status": (0, "the service runs (pid 4711), and not on the ledger in "),
    },
    "the machine's instead": {
        "install": (0, "Started it"),
        "uninstall": (0, "nothing to do"),
        **dict.fromkeys(ALL[2:], (66, "; the machine's is there: earmark service status --system")),
        "doctor": (
            0,
            "The machine's service runs (pid 4711), with things of its own: sudo earmark --system status",
        ),
        "earmark status": (0, "The machine's service runs (pid 4711)"),
    },
    "the machine's, and no bus of the user": {
        **dict.fromkeys(ALL, (66, "the machine's is there: earmark service status --system")),
        "doctor": (0, "The machine's service runs (pid 4711)"),
        "earmark status": (0, "sudo earmark --system status"),
    },
    "a log of one that was removed": {
        "logs": (0, "it was said"),
        "logs -f": (66, "not installed: earmark service install FOLDER"),
    },
}

ROWS = [(world, verb, *expected) for world, verbs in TABLE.items() for verb, expected in verbs.items()]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which earmark has run."""
    root = tmp_path_factory.mktemp("ran")
    (root / "home/config").mkdir(parents=True)
    (root / "home/state").mkdir(mode=0o700)
    (root / "home/config/config.toml").write_text("[summary]\nendpoint = 'none'\n")
    with Ledger(root / "home/state/ledger.db"):
        pass
    return root / "home"


def make(world: World, root: Path, home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Put the machine up in `root`; returns a folder to be watched."""
    fakes, tools, runtime = root / "fakes", root / "bin", root / f"run/user/{os.getuid()}"
    for folder in (fakes, tools, runtime, root / "proc", root / "me/.config/systemd/user", root / "folder"):
        folder.mkdir(parents=True)
    scripts = {
        "systemctl": SYSTEMCTL,
        "busctl": "#!/bin/sh\nexit 1\n",
        "loginctl": "#!/bin/sh\necho yes\n",
        "journalctl": '#!/bin/sh\ncat "$FAKES/log"\ncase "$*" in *--follow*) ;; esac\n',
    }
    for name, text in scripts.items() if world.binary else ():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tools / "cat").symlink_to("/bin/cat")
    for name, words in (("user", world.user), ("system", world.system)):
        (fakes / f"{name}.unit").write_text(words)
        (fakes / f"{name}.version").write_text("Version=252\n")
    for name, words in (("user", world.user_refusal), ("system", world.system_refusal)):
        if words:
            (fakes / f"{name}.refusal").write_text(words)
    (fakes / "log").write_text(world.log)
    if world.booted:
        (root / "booted").mkdir()
    if world.bus:
        (runtime / "bus").touch()
    for mark in world.marks:
        (root / mark).parent.mkdir(parents=True, exist_ok=True)
        (root / mark).touch()
    unit = root / "me/.config/systemd/user/earmark.service"
    if world.unit == "ours":
        unit.write_text("# Written by `earmark service install`\n")
    if world.unit == "masked":
        unit.symlink_to(os.devnull)
    for name in ("SUDO_USER", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    os.environ |= {
        "PATH": str(tools), "HOME": str(root / "me"), "FAKES": str(fakes), "EARMARK_HOME": str(home), "NO_COLOR": "1",
        "COLUMNS": "200",
    }  # fmt: skip
    patch.setattr("earmark.service.elsewhere.manager_environment", lambda _: {"EARMARK_HOME": str(home)})

    def here(**given: Any) -> Here:
        return Here(platform="linux", proc=root / "proc", systemd_booted=root / "booted", root=root, **given)

    for module in (service, doctor, status, scope, console):
        patch.setattr(module, "Here", here)
    return root / "folder"


def say(verb: str, folder: Path) -> tuple[int, str]:
    words = {
        "doctor": ["doctor"],
        "earmark status": ["status"],
        "install": ["service", "install", str(folder)],
    }.get(verb, ["service", *verb.split()])
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.output


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("world", "verb", "code", "words"), ROWS)
@pytest.mark.shows("service:no-manager")
def test_each_verb_says_the_same_of_the_service_manager_wherever_the_machine_stands(
    world: str,
    verb: str,
    code: int,
    words: str,
    tmp_path: Path,
    ledger: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = make(WORLDS[world], tmp_path, ledger, monkeypatch)
    ended, said = say(verb, folder)
    assert words in said
    assert ended == code, said
    if code == 66 and not WORLDS[world].unit:
        assert not (tmp_path / "me/.config/systemd/user/earmark.service").exists()


@pytest.mark.parametrize("world", [name for name, verbs in TABLE.items() if verbs.get("install", (0,))[0]])
@pytest.mark.shows("service:no-manager")
@pytest.mark.shows("decisions:service-manager")
def test_nobody_is_told_to_install_a_service_where_that_does_not_work(
    world: str, tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(WORLDS[world], tmp_path, ledger, monkeypatch)
    for verb in (*ALL, "doctor", "earmark status"):
        assert "service install" not in say(verb, folder)[1], verb


def test_a_service_that_failed_before_its_first_ledger_is_told_by_each_verb_that_finds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(WORLDS["failed"], tmp_path, tmp_path / "new", monkeypatch)
    for verb in ("status", "list"):
        done = CliRunner().invoke(app, [verb])
        assert done.exit_code == 66
        assert "The service failed, because its configuration is wrong" in done.output


def test_a_daemon_is_started_anew_by_what_started_it(
    tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(WORLDS["runs in a degraded manager"], tmp_path, ledger, monkeypatch)
    assert restarts("user", 4711, Here("linux")) == "earmark service restart"
    assert restarts("user", 12, Here("linux")).startswith("end it (Ctrl-C in its terminal, or: kill 12)")


def test_every_verb_is_tried_wherever_a_machine_may_stand() -> None:
    assert set(TABLE) == set(WORLDS)
    for world, verbs in TABLE.items():
        assert world.startswith("a log") or set(verbs) == {*ALL, "doctor", "earmark status"}


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ((), "nohup earmark run FOLDER >/dev/null 2>&1 &"),
        ((".dockerenv",), "as the command of this container: "),
        (("run/.containerenv",), "as the command of this container: "),
        (("run/runit/x",), "in a run script of runit: exec chpst -u USER "),
        (("run/s6/x",), "in a run script of s6: exec s6-setuidgid USER "),
        (("run/openrc/softlevel",), 'command_args="run --service FOLDER"'),
        (("run/crond.pid",), "in crontab -e: @reboot "),
    ],
)
@pytest.mark.shows("service:no-manager")
def test_what_starts_earmark_without_a_service_manager_is_said_where_it_is_so(
    marks: tuple[str, ...], words: str, tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(World(binary=False, booted=False, marks=marks), tmp_path, ledger, monkeypatch)
    said = say("status", folder)[1]
    assert words in said
    assert len(said.splitlines()) == (2 if marks else 1)


def test_what_is_said_to_start_it_in_the_background_starts_it(
    tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(World(binary=False, booted=False), tmp_path, ledger, monkeypatch)
    line = say("status", folder)[1].partition("in the background: ")[2].splitlines()[0]
    (tmp_path / "bin/earmark").write_text('#!/bin/sh\necho "$@" >"$FAKES/started"\n')
    (tmp_path / "bin/earmark").chmod(0o755)
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-c", f"{line.replace('FOLDER', str(folder))} wait"], env={**os.environ, "PATH": path}
    )
    assert done.returncode == 0
    assert (tmp_path / "fakes/started").read_text() == f"run {folder}\n"


@pytest.mark.parametrize("world", ["no systemd", "systemctl, and another first process"])
@pytest.mark.shows("service:no-manager")
def test_the_machine_s_service_is_asked_for_by_the_same_rule(
    world: str, tmp_path: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(WORLDS[world], tmp_path, ledger, monkeypatch)
    for verb in (
        "service status --system",
        "service restart --system",
        "service logs -f --system",
        "--system status",
    ):
        done = CliRunner().invoke(app, verb.split())
        assert (verb, done.exit_code, NOTHING_HERE in done.output) == (verb, 66, True)
        assert "systemd/system/earmark.service" not in done.output
    own = CliRunner().invoke(app, ["status"], env={"EARMARK_HOME": str(tmp_path / "none")})
    assert "--system" not in own.output, "what is said next is said for whom it is about"
