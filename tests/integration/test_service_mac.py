"""The service on a Mac, as far as that can be tried without one: the real command line, and a launchd that really starts
what an agent's file says (tests/fake_launchctl)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from earmark.errors import EnvironmentFault
from earmark.files import is_locked
from earmark.ledger import DaemonLock
from earmark.ledger.lock import holder_pid
from earmark.service import loading
from earmark.service.agent import AgentState, agent_state, told
from earmark.service.agent_install import permissions, require_lasting
from earmark.service.checks import check_folder
from earmark.service.launchd import LABEL, written
from earmark.service.loading import GONE_SECONDS, PAUSE, TRIES, Patience, load, restart, unload
from earmark.service.protected import guard_of, parts_of_program, passing

from tests.a_mac import Mac, a_mac
from tests.conftest import wait_for

TARGET = f"gui/{os.getuid()}/{LABEL}"
PRINT, BOOTOUT, ENABLE = f"print {TARGET}", f"bootout {TARGET}", f"enable {TARGET}"


@pytest.fixture
def real_mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mac]:
    """With the real daemon."""
    made = a_mac(tmp_path, monkeypatch)
    yield made
    made.shut_down()


@pytest.fixture
def mac(real_mac: Mac, monkeypatch: pytest.MonkeyPatch) -> Mac:
    """With a program that stands in for the daemon."""
    return real_mac.with_a_standin(monkeypatch)


@pytest.mark.shows("service:mac")
def test_the_service_comes_runs_tells_starts_anew_and_goes(real_mac: Mac) -> None:
    mac, lock = real_mac, real_mac.lock
    assert mac.says("service", "status") == (
        66,
        "earmark: The service is not installed: earmark service install FOLDER\n",
    )

    code, said = mac.says("service", "install", mac.folder)
    assert (code, said.splitlines()[:3]) == (
        0,
        [
            f"Wrote {mac.agent}.",
            "Started it; it starts again at every login and after a crash.",
            "It stops when you log out.",
        ],
    )
    assert mac.plist()["ProgramArguments"][1:] == ["run", "--service", str(mac.folder)]
    assert is_locked(lock)
    first = mac.pid
    assert mac.says("service", "status")[1].splitlines()[0] == f"● The service runs (pid {first})."
    as_json = json.loads(mac.says("service", "status", "--json")[1])
    assert (as_json["ok"], as_json["sentence"], as_json["pid"]) == (
        True,
        f"The service runs (pid {first}).",
        first,
    )
    wait_for(lambda: "Watching" in mac.says("service", "logs")[1], 20, "its first words")
    code, said = mac.says("doctor")
    wrong = [line for line in said.splitlines() if line.startswith("✗") and "sandbox" not in line]
    assert (wrong, code) == ([], int("✗" in said)), said
    assert f"✓ service: The service runs (pid {first})." in said
    assert f"✓ folder {mac.folder}: " in said

    assert mac.says("service", "restart") == (0, "Restarted it.\n")
    assert mac.pid not in (0, first)
    wait_for(lambda: holder_pid(lock) == mac.pid, 20, "the daemon's start")

    code, said = mac.says("service", "uninstall")
    assert (code, said.splitlines()[0]) == (0, f"Stopped it and removed {mac.agent}.")
    assert (mac.pid, mac.has_it, mac.agent.exists(), is_locked(lock)) == (0, False, False, False)
    assert mac.says("service", "uninstall") == (0, f"There is no {mac.agent}; nothing to do.\n")
    assert mac.says("service", "logs", "-f")[0] == 66
    assert "Watching" in mac.says("service", "logs")[1], "what it said can still be read"


@pytest.mark.shows("macos:install")
@pytest.mark.shows("service:mac-again")
def test_installed_over_one_that_runs_it_waits_until_launchd_has_let_go_and_asks_again_while_it_is_busy(
    mac: Mac,
) -> None:
    other = mac.home / "Other"
    other.mkdir()
    mac.says("service", "install", mac.folder)
    first = mac.pid
    mac.calls()
    mac.tell(bootout=[36], lingers=3, bootstrap=[5, 37])
    code, said = mac.says("service", "install", other)
    assert code == 0, said
    assert "Not watched any more: " + str(mac.folder) in said
    assert mac.pid not in (0, first)
    calls = [call for call in mac.calls() if not call.startswith("print-disabled")]
    after = calls[calls.index(BOOTOUT) + 1 :]
    agent = f"bootstrap gui/{os.getuid()} {mac.agent}"
    assert after[:5] == [PRINT, PRINT, PRINT, PRINT, ENABLE], "it is asked until it does not find it any more"
    assert [call for call in after if call != PRINT] == [ENABLE, agent, agent, agent]


@pytest.mark.shows("macos:install")
@pytest.mark.parametrize("words", ["5: Input/output error", "125: Domain does not support specified action"])
@pytest.mark.shows("service:mac-again")
@pytest.mark.shows("service:nothing-installed")
def test_an_agent_that_launchd_does_not_take_is_said_with_its_words_and_leaves_nothing(
    mac: Mac, words: str
) -> None:
    mac.tell(off="yes")
    mac.tell(bootstrap=[int(words.partition(":")[0])] * 50)
    code, said = mac.says("service", "install", mac.folder)
    assert code == EnvironmentFault.exit_code
    assert f"launchd does not take the service: Bootstrap failed: {words}. " in said
    assert "as root" not in said, "root has another session"
    tries = [call for call in mac.calls() if call.startswith("bootstrap")]
    assert len(tries) == (loading.TRIES if words.startswith("5") else 1)
    assert (mac.agent.parent.exists(), mac.has_it, mac.off) == (False, False, True)
    assert not (mac.root / "kept/state").exists()


@pytest.mark.shows("macos:install")
@pytest.mark.shows("service:nothing-installed")
def test_a_second_install_that_launchd_does_not_take_brings_the_first_one_back(mac: Mac) -> None:
    mac.says("service", "install", mac.folder)
    before, first = mac.agent.read_bytes(), mac.pid
    other = mac.home / "Other"
    other.mkdir()
    mac.tell(bootstrap=[5] * loading.TRIES)
    code, said = mac.says("service", "install", other)
    assert code == EnvironmentFault.exit_code
    assert "launchd does not take the service" in said
    assert "not all is as it was" not in said
    assert mac.agent.read_bytes() == before
    assert mac.pid not in (0, first)
    mac.tell(bootstrap=[5] * loading.TRIES * 2)
    said = mac.says("service", "install", other)[1]
    assert "And not all is as it was: launchd does not take the service" in said
    assert mac.agent.read_bytes() == before
    assert "stopped. To start it: earmark service restart" in mac.says("service", "status")[1]


@pytest.mark.shows("service:changed")
def test_an_agent_that_somebody_wrote_into_is_kept_beside_what_takes_its_place(mac: Mac) -> None:
    assert "was changed" not in mac.says("service", "install", mac.folder)[1]
    mine = mac.agent.read_bytes().replace(b"<integer>10</integer>", b"<integer>5</integer>")
    assert mine != mac.agent.read_bytes()
    mac.agent.write_bytes(mine)
    said = " ".join(mac.says("service", "install", mac.folder)[1].split())
    assert f"{mac.agent} was changed since it was written" in said
    assert mac.agent.read_bytes() != mine
    assert mac.agent.with_name(f"{mac.agent.name}.changed").read_bytes() == mine
    assert "was changed" not in mac.says("service", "uninstall")[1]


@pytest.mark.shows("service:nothing-installed")
def test_a_daemon_that_ends_at_once_is_not_called_started(mac: Mac) -> None:
    (mac.root / "earmark").write_text("#!/bin/sh\nexit 78\n")
    code, said = mac.says("service", "install", mac.folder)
    assert code == EnvironmentFault.exit_code
    assert "The service did not start, because its configuration is wrong or names no folder" in " ".join(
        said.split()
    )
    assert (mac.agent.exists(), mac.has_it) == (False, False)


@pytest.mark.parametrize("switch", ["disabled", "true"])
@pytest.mark.shows("service:mac-off")
def test_a_service_that_was_turned_off_in_the_settings_is_told_turned_on_and_left_on(
    mac: Mac, switch: str
) -> None:
    if switch == "true":
        mac.tell(words="old")
    mac.says("service", "install", mac.folder)
    mac.tell(off="yes")
    said = mac.says("service", "status")
    assert said[0] == 0
    assert (
        "at the next login it does not start: it is turned off (System Settings, General, Login Items"
        in said[1]
    )
    os.kill(mac.pid, 9)
    wait_for(lambda: not mac.pid, 20)
    mac.says("service", "uninstall")
    assert mac.off is False, "an agent of this name that comes later is not refused"
    mac.says("service", "install", mac.folder)
    agent = mac.agent.read_bytes()
    mac.says("service", "uninstall")
    mac.agent.write_bytes(agent)  # booted out, and there at the next login
    mac.tell(off="yes")
    for verb in (["service", "status"], ["doctor"]):
        code, said_again = mac.says(*verb)
        assert (code, "The service does not start, because it is turned off" in said_again) == (1, True)
    assert mac.says("service", "restart") == (0, "Restarted it.\n")
    assert (mac.off, bool(mac.pid)) == (False, True)


def test_a_service_without_its_file_is_told_and_can_be_removed(mac: Mac) -> None:
    mac.says("service", "install", mac.folder)
    mac.agent.unlink()
    code, said = mac.says("service", "status")
    assert (code, f"runs on (pid {mac.pid}), and its file is gone" in said) == (1, True)
    assert mac.says("service", "uninstall")[1] == f"There was no {mac.agent} any more; stopped the service.\n"
    assert (mac.pid, mac.has_it) == (0, False)


def test_beside_a_daemon_in_a_terminal_and_over_somebody_s_own_agent_nothing_is_installed(mac: Mac) -> None:
    (mac.root / "kept/state").mkdir(mode=0o700)
    with DaemonLock(mac.lock):
        code, said = mac.says("service", "install", mac.folder)
    assert (code, "stop that one first" in said, mac.agent.exists()) == (75, True, False)
    mac.agent.parent.mkdir(parents=True)
    mac.agent.write_text("<plist/>")
    for verb in (["install", str(mac.folder)], ["uninstall"]):
        code, said = mac.says("service", *verb)
        assert (code, "was not written by earmark service install" in said) == (
            EnvironmentFault.exit_code,
            True,
        )
    assert mac.agent.read_text() == "<plist/>"
    assert all("print" in call for call in mac.calls())


def test_without_a_session_at_the_screen_each_verb_says_so(mac: Mac) -> None:
    mac.tell(nobody="")
    for verb in (["install", str(mac.folder)], ["status"], ["restart"], ["uninstall"], ["logs"]):
        code, said = mac.says("service", *verb)
        assert (verb, code, "launchd has no session at the screen for this user (Bad request" in said) == (
            verb,
            66,
            True,
        )
    assert "launchd has no session" in mac.says("doctor")[1]


def test_there_is_no_service_of_the_whole_machine_on_a_mac(mac: Mac) -> None:
    for words in (
        "service status --system",
        "service restart --system",
        "--system status",
        "--system service logs",
    ):
        code, said = mac.says(*words.split())
        assert (code, "On a Mac there is no service for the whole machine" in said) == (2, True)


def test_status_names_what_starts_the_service(mac: Mac) -> None:
    mac.says("service", "install", mac.folder)
    os.kill(mac.pid, 9)
    wait_for(lambda: not mac.pid, 20)
    assert (
        "The service failed, because it was ended by a signal (Killed: 9). Its words" in mac.says("status")[1]
    )
    assert mac.says("service", "restart")[0] == 0
    assert mac.pid


# --- launchd's words ---

RUNS = "\tstate = running\n\tpid = 12\n\tlast exit code = 78: EX_CONFIG\n"


@pytest.mark.parametrize(
    ("printed", "ok", "words"),
    [
        (RUNS, True, "The service runs (pid 12)."),
        (
            "\tstate = not running\n\tlast exit code = 0\n",
            True,
            "is stopped. To start it: earmark service restart",
        ),
        ("\tstate = not running\n\tlast exit code = (never exited)\n", True, "is stopped"),
        (
            "\tstate = not running\n\tlast exit code = 70: EX_SOFTWARE\n",
            False,
            "because of a mistake of its own. Its words",
        ),
        (
            "\tstate = spawn scheduled\n\tlast exit code = 78: EX_CONFIG\n",
            False,
            "or launchd could not start it; launchd tries",
        ),
        ("\tstate = not running\n\tlast exit code = 3\n", False, "because it ended with exit status 3"),
        (
            "\tstate = not running\n\tlast terminating signal = Killed: 9\n",
            False,
            "was ended by a signal (Killed: 9)",
        ),
        ("\tstate = not running\n\tjob state = spawn failed\n", False, "launchd could not start its program"),
        ("\tstate = spawn scheduled\n\tlast exit code = (never exited)\n", True, "The service is starting."),
        ("\tstate = SIGTERMed\n\tpid = 12\n", True, "The service is stopping."),
        # Other versions, or somebody's terminal between them and us.
        ("    state = running\n    pid = 12\n        state = active\n", True, "The service runs (pid 12)."),
        ("\tstate = running\r\n\tpid = 12\r\n", True, "The service runs (pid 12)."),
        ("\tstate = xpcproxy\n\tpid = 12\n", True, "The service is starting."),
        ("\tstate = not running\n\tlast exit code = -9\n", False, "was ended by a signal (9)"),
        (
            "\tzustand = aktiv\n",
            False,
            "launchd has the service, and does not say how it is: launchctl print gui/",
        ),
        (
            "\tendpoints = {\n\t\tstate = running\n\t\tpid = 9\n\t}\n\tjob state = exited\n",
            True,
            "is stopped",
        ),
    ],
)
@pytest.mark.shows("service:mac")
def test_what_launchd_prints_of_the_agent_is_told_in_a_sentence(
    mac: Mac, printed: str, ok: bool, words: str
) -> None:
    mac.agent.parent.mkdir(parents=True)
    mac.agent.touch()
    (mac.root / "printed").write_text(f"{TARGET} = {{\n{printed}}}\n")
    (mac.root / "bin/launchctl").write_text(
        f'#!/bin/sh\n[ "$1" = print ] && exec /bin/cat {mac.root}/printed\nexit 1\n'
    )
    found = told(agent_state(mac.agent))
    assert found[0] is ok
    assert words in found[1]


@pytest.mark.parametrize(
    ("line", "off"),
    [
        (f'"{LABEL}" => disabled', True), (f'"{LABEL}" => true', True), (f"{LABEL} => disabled", True),
        (f'"{LABEL}" => enabled', False), (f'"{LABEL}.other" => disabled', False), (f"x.{LABEL} => disabled", False),
    ],
)  # fmt: skip
def test_that_it_is_turned_off_is_known_however_it_is_printed(tmp_path: Path, line: str, off: bool) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        known = command[1] == "print-disabled"
        return subprocess.CompletedProcess(command, 0 if known else 113, f"\t\t{line}\n" if known else "", "")

    assert agent_state(tmp_path, run).off is off


def test_a_launchctl_that_is_not_there_or_says_something_else_is_no_service_that_is_not_installed(
    mac: Mac,
) -> None:
    (mac.root / "bin/launchctl").write_text("#!/bin/sh\necho 'Unrecognized target' >&2\nexit 64\n")
    said = told(agent_state(mac.agent))
    assert said == (False, "launchd cannot be asked about the service (Unrecognized target).")
    (mac.root / "bin/launchctl").unlink()
    assert told(agent_state(mac.agent)) == (
        False,
        "launchd cannot be asked about the service (there is no launchctl).",
    )
    assert told(AgentState(True, loaded=True, state="not running", code=78), mac.root / "gone")[1].startswith(
        f"The service failed, because {mac.root / 'gone'} is not there any more; install the service again"
    )


class AClock:
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        self.time, self.waits = 0.0, 0

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.waits += 1

    @property
    def patience(self) -> Patience:
        return Patience(lambda: self.time, self.sleep)


def test_it_is_not_waited_for_ever_until_launchd_lets_go_or_takes(tmp_path: Path) -> None:
    known = True

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        code, words = {
            "print": (0, "\tstate = SIGTERMed\n") if known else (113, "Could not find service"),
            "bootout": (36, "Boot-out failed: 36: Operation now in progress"),
            "bootstrap": (5, "Bootstrap failed: 5: Input/output error\nTry re-running the command as root"),
        }.get(command[1], (0, ""))  # fmt: skip
        return subprocess.CompletedProcess(command, code, words if code == 0 else "", words)

    clock = AClock()
    with pytest.raises(
        EnvironmentFault, match=r"not let go of the service within 30 s.*36: Operation now in progress"
    ):
        unload(tmp_path / "a", run, clock.patience)
    assert clock.time == GONE_SECONDS
    known, clock = False, AClock()
    with pytest.raises(
        EnvironmentFault, match=r"Bootstrap failed: 5: Input/output error\. It says no more than that"
    ):
        load(tmp_path / "a", run, clock.patience)
    assert (clock.waits, clock.time) == (TRIES - 1, PAUSE * (TRIES - 1))


class Launchd:
    """What launchd has, and what it answers the first times that it is told to do something: an exit status, None for no
    answer in time. `does`: it does it all the same.
    """

    def __init__(self, has: bool, does: bool = False, **answers: list[int | None]) -> None:
        self.has, self.does, self.answers, self.told = has, does, answers, list[str]()

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        verb = command[1]
        if verb == "print":
            code, words = (
                (0, "\tstate = running\n\tpid = 7\n") if self.has else (113, "Could not find service")
            )
            return subprocess.CompletedProcess(command, code, words, words)
        self.told.append(verb)
        later = self.answers.get(verb, [])
        code_said = later.pop(0) if later else 0
        if code_said == 0 or self.does:
            self.has = {"bootstrap": True, "bootout": False}.get(verb, self.has)
        if code_said is None:
            raise subprocess.TimeoutExpired(command, 60)
        return subprocess.CompletedProcess(command, code_said, "", f"failed: {code_said}: Some words")


@pytest.mark.parametrize("busy", [5, 16, 17, 36, 37])
def test_a_launchd_that_is_busy_is_asked_again_whatever_it_is_told_to_do(tmp_path: Path, busy: int) -> None:
    clock, file = AClock(), tmp_path / "a"
    launchd = Launchd(False, bootstrap=[busy, busy])
    load(file, launchd, clock.patience)
    assert (launchd.told, launchd.has) == (["enable", *["bootstrap"] * 3], True)
    launchd = Launchd(True, kickstart=[busy, 113])
    restart(file, launchd, clock.patience)
    assert launchd.told == ["enable", *["kickstart"] * 3]
    launchd = Launchd(True, bootout=[busy, busy])
    unload(file, launchd, clock.patience)
    assert (launchd.told, launchd.has) == (["bootout"] * 3, False)


def test_a_launchctl_that_does_not_answer_in_time_has_done_what_it_was_told_or_not(tmp_path: Path) -> None:
    clock, file = AClock(), tmp_path / "a"
    load(file, Launchd(False, does=True, bootstrap=[None]), clock.patience)
    unload(file, Launchd(True, does=True, bootout=[None]), clock.patience)
    unload(file, launchd := Launchd(True, bootout=[None]), clock.patience)
    assert launchd.told == ["bootout", "bootout"]
    for code, words in (
        (None, r"did not answer.*says no more"),
        (150, "150.*says no more"),
        (125, "at the screen"),
    ):
        with pytest.raises(EnvironmentFault, match=words):
            load(file, Launchd(False, bootstrap=[code]), clock.patience)


def test_an_agent_s_file_says_what_it_starts_and_one_that_is_none_says_nothing(mac: Mac) -> None:
    mac.agent.parent.mkdir(parents=True)
    assert written(mac.agent) is None
    for text in (
        "",
        "<plist/>",
        "<plist><array/></plist>",
        "<plist><dict><key>Label</key><string>x</string></dict></plist>",
        "\0",
        "<plist><dict><key>ProgramArguments</key><array><date>today</date></array></dict></plist>",
        "<?xml version='1.0' encoding='none'?><plist/>",
    ):
        mac.agent.write_text(text)
        assert written(mac.agent) is None, text
    mac.agent.write_text(
        "<plist><dict><key>ProgramArguments</key><array><string>/e</string><string>run</string><string>--service</string>"
        "<string>/a b</string></array></dict></plist>"
    )
    found = written(mac.agent)
    assert found is not None
    assert (found.program, found.folders, found.log_file) == (Path("/e"), (Path("/a b"),), None)


# --- places ---

ADA = Path("/Users/ada")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/Users/ada/Recordings", None),
        ("/Users/ada/Movies/Calls", None),
        ("/Users/ada/Documentation", None),
        ("/Users/ada/Desktop", "the Desktop: macOS asks"),
        ("/users/Ada/documents/Calls", "Documents: macOS asks"),
        ("/System/Volumes/Data/Users/ada/Downloads", "Downloads: macOS asks"),
        ("/Users/ada/Library/Mobile Documents/com~apple~CloudDocs/R", "iCloud Drive: macOS asks"),
        ("/Users/ada/Library/CloudStorage/Dropbox/R", "a cloud service: macOS asks"),
        ("/Volumes/Recorder/FOLDER01", "another volume: macOS asks"),
        ("/Users/ada/Library/Containers/com.apple.QuickTimePlayerX/Data", "an app, which macOS keeps"),
        (
            "/Users/ada/Library/Group Containers/group.com.apple.VoiceMemos.shared/Recordings",
            "apps, which macOS keeps",
        ),
        ("/Users/ada/Pictures/Photos Library.photoslibrary/originals", "a photo library, which macOS keeps"),
        ("/Users/bob/Recordings", "another user's home, which macOS keeps"),
        ("/Users/Shared/Recordings", None),
        ("/Users/adam/Desktop", "another user's home"),
        ("/opt/recordings", None),
    ],
)
@pytest.mark.shows("service:mac-places")
def test_a_folder_that_macos_guards_is_known_by_its_path(path: str, words: str | None) -> None:
    guard = guard_of(Path(path), ADA)
    if words is None:
        assert guard is None
    else:
        assert guard is not None
        assert words in guard.of_a_folder(Path(path))


def test_a_name_with_an_accent_is_the_same_however_it_is_written() -> None:
    assert guard_of(Path("/Users/Rene\u0301/Desktop"), Path("/Users/Ren\xe9")) is not None


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("/Users/ada/.local/share/uv/tools/earmark/bin/earmark", None),
        ("/Users/ada/.local/pipx/venvs/earmark/bin/earmark", None),
        ("/Users/ada/src/earmark/.venv/bin/earmark", None),
        ("/opt/homebrew/bin/earmark", None),
        ("/private/var/folders/zz/x/T/tmp1/bin/earmark", "temporary files"),
        ("/tmp/venv/bin/earmark", "temporary files"),
        ("/session/T/venv/bin/earmark", "temporary files"),
        ("/Users/ada/.cache/uv/archive-v0/x/bin/earmark", "a cache (uvx, pipx run)"),
        ("/Users/ada/Library/Caches/uv/archive-v0/x/bin/earmark", "a cache"),
        ("/Users/ada/.local/pipx/.cache/x/bin/earmark", "a cache"),
        ("/Users/ada/.Trash/venv/bin/earmark", "the Trash"),
        ("/Volumes/Stick/venv/bin/earmark", "a volume that need not be there at login"),
    ],
)
@pytest.mark.shows("service:mac-places")
def test_a_program_that_will_not_be_there_at_the_next_login_is_not_put_into_the_agent(
    program: str, words: str | None
) -> None:
    found = passing(Path(program), ADA, Path("/session/T"))
    assert found is None if words is None else words in (found or "")
    if words is not None:
        with pytest.raises(EnvironmentFault, match="pipx or uv tool"):
            require_lasting(Path(program), {"HOME": str(ADA), "TMPDIR": "/session/T"})


@pytest.mark.shows("service:mac-places")
def test_the_python_that_an_earmark_s_environment_links_to_counts_too(tmp_path: Path) -> None:
    home, venv = tmp_path / "ada", tmp_path / "ada/venv/bin"
    python = home / "Documents/py/bin/python3"
    for folder in (venv, python.parent):
        folder.mkdir(parents=True)
    python.touch()
    (venv / "python").symlink_to(python)
    assert parts_of_program(venv / "earmark") == (venv / "earmark", python)
    (said,) = permissions(venv / "earmark", [], {"HOME": str(home)})
    assert said.startswith(f"{python} lies in Documents, from where macOS may keep launchd from starting it")


@pytest.mark.shows("service:mac-places")
def test_a_guarded_folder_and_a_guarded_program_are_said_by_install_and_doctor_and_are_not_wrong(
    mac: Mac, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = mac.home / "Documents"
    documents.mkdir()
    (mac.home / "calls").symlink_to(documents)
    program = documents / "earmark"
    program.symlink_to(mac.root / "earmark")
    monkeypatch.setattr("earmark.cli.service._executable", lambda: program)
    code, said = mac.says("service", "install", mac.home / "calls")
    assert (code, f"{mac.home / 'calls'} lies in Documents: macOS asks once more" in said) == (0, True)
    assert f"{program} lies in Documents, from where macOS may keep launchd from starting it" in said
    found = check_folder(documents, "darwin")
    assert (found.ok, found.note) == (True, True)
    said = mac.says("doctor")[1]
    assert f"· program: {program} lies in Documents, " in said
    assert f"· folder {mac.home / 'calls'}: It can be read and written from here. " in said


def test_what_the_privacy_settings_refuse_is_told_from_what_permissions_refuse(
    mac: Mac, monkeypatch: pytest.MonkeyPatch
) -> None:
    containers = mac.home / "Library/Containers/x"
    containers.mkdir(parents=True)

    def refused(number: int) -> None:
        def scandir(path: object) -> object:
            raise PermissionError(number, "refused", str(path))

        monkeypatch.setattr("earmark.service.checks.os.scandir", scandir)

    refused(1)  # EPERM
    assert check_folder(containers, "darwin").sentence.endswith(
        "System Settings, Privacy & Security, Full Disk Access."
    )
    assert check_folder(mac.folder, "darwin").sentence.endswith("Privacy & Security, Files and Folders.")
    assert "give this user read and write access" in check_folder(mac.folder, "linux").sentence
    refused(13)  # EACCES
    assert "give this user read and write access" in check_folder(mac.folder, "darwin").sentence
