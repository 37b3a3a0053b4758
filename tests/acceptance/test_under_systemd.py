"""The life of the service under a real systemd (252, Debian 12): installed, busy, killed, reloaded, upgraded, removed.

Where root and systemd-nspawn are, and the Debian that `sh scripts/service-journey` makes once (which also prints what a
person would see). The tests of a worker share a machine; two workers boot two, which know nothing of each other.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from earmark import __version__

from tests.conftest import QUICK, SAMPLE, wait_for
from tests.systemd_machine import ROOT, Machine, as_version, booted, wheel, why_not

pytestmark = [
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
    pytest.mark.timeout(1500),
    pytest.mark.xdist_group("systemd"),
]

LOGIN = "systemd-run --quiet --uid=alice --unit=alice-login --property=PAMName=login sleep infinity"
SHOW = "systemctl --user show earmark --value -p"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    work = tmp_path_factory.mktemp("machine")
    with booted(work) as made:
        made.install(wheel(work))
        yield made


@pytest.fixture
def alice(machine: Machine) -> Machine:
    """The machine with alice logged in, who has a folder and a quick configuration and nothing else of earmark."""
    machine.run(f"loginctl disable-linger alice; systemctl is-active --quiet alice-login || {LOGIN}")
    machine.until("systemctl --user is-system-running | grep -Eq 'running|degraded'", "alice")
    machine.run("earmark service uninstall; rm -rf .config .local Recordings; mkdir Recordings", "alice")
    machine.run("systemctl --user daemon-reload; systemctl --user reset-failed", "alice")
    configure(machine)
    return machine


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample six times over: four minutes, of which some are heard when it is interrupted."""
    resampler = av.AudioResampler("s16", "mono", 16000)
    with av.open(str(SAMPLE)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    once = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    file = tmp_path_factory.mktemp("long") / "long.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 16000, 0, "NONE", ""))
        out.writeframes(np.tile(once, 6).tobytes())
    return file


def configure(machine: Machine, text: str = QUICK) -> None:
    machine.run(f"mkdir -p .config/earmark && cat >.config/earmark/config.toml <<'END'\n{text}END", "alice")


def status(machine: Machine, command: str = "earmark status --json") -> dict[str, Any]:
    answer = machine.run(command, "root" if command.startswith("sudo") else "alice")
    return dict(json.loads(answer.stdout or "{}"))


def heard_to(machine: Machine) -> float:
    """What the daemon last said of itself, without a verb that would take the processor from it."""
    said = machine.run("cat .local/state/earmark/status.json", "alice").stdout
    working = json.loads(said or "{}").get("working", ())
    return max((float(work["at"]) for work in working if work["stage"] == "transcribe"), default=0.0)


@pytest.mark.shows("service:nothing-installed")
def test_a_service_that_would_watch_nothing_is_refused_before_anything_is_written(alice: Machine) -> None:
    assert "no folder to watch" in alice.says("earmark service install", "alice", code=2)
    assert "does not exist" in alice.says("earmark service install ~/Recordingz", "alice", code=66)
    alice.run("touch file; mkdir -p locked; chmod 0 locked", "alice")
    assert "is not a folder" in alice.says("earmark service install file", "alice", code=2)
    assert "may not be read" in alice.says("earmark service install locked", "alice", code=74)
    assert alice.output("ls -A .config .local 2>/dev/null", "alice") == ".config:\nearmark"
    assert "not installed" in alice.says("earmark service status", "alice", code=66)


@pytest.mark.shows("service:line")
def test_the_first_note_comes_and_the_service_says_how_it_is(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    alice.put(SAMPLE, "/home/alice/Recordings/sample.m4a")
    alice.until("test -e Recordings/sample.md", "alice")
    assert "The service runs (pid " in alice.says("earmark service status", "alice")
    alice.until(f"{SHOW} StatusText | grep -q '^Watching 1 folder$'", "alice")
    alice.says("systemctl --user status earmark | head -8", "alice")
    said = alice.says("earmark service logs", "alice")
    assert "+ sample.m4a" in said
    assert "Ctrl-C" not in said
    findings = alice.says("earmark doctor", "alice")
    assert "✓ service: The service runs" in findings
    assert "· linger: The service stops when you log out" in findings
    alice.says("echo x >Recordings/locked.m4a; chmod 0 Recordings/locked.m4a", "alice")
    reason = "not taken (cannot be read: Permission denied; allow this user to read it)"
    alice.until("earmark why Recordings/locked.m4a | grep -q 'cannot be read'", "alice")
    assert reason in alice.says("earmark why Recordings/locked.m4a", "alice")
    alice.says("rm -f Recordings/locked.m4a; mkdir -m 0 Recordings/dark", "alice")
    reason = "not taken (the folder /home/alice/Recordings/dark may not be looked into"
    assert reason in alice.says("earmark why Recordings/dark/one.m4a", "alice")
    alice.says("rmdir Recordings/dark", "alice")
    alice.until(f"{SHOW} StatusText | grep -q '^Watching 1 folder$'", "alice")
    alice.says("mv Recordings Elsewhere", "alice")
    alice.until(f"{SHOW} StatusText | grep -q 'wrong: /home/alice/Recordings is not there'", "alice")
    assert "wrong: /home/alice/Recordings is not there" in alice.says("earmark service status", "alice")
    alice.says("mv Elsewhere Recordings", "alice")
    alice.until(f"{SHOW} StatusText | grep -q '^Watching 1 folder$'", "alice")


@pytest.mark.shows("service:restart")
def test_a_restart_in_mid_recording_goes_on_where_it_was(alice: Machine, long_recording: Path) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    alice.put(long_recording, "/home/alice/Recordings/long.wav")
    before = wait_for(lambda: at if (at := heard_to(alice)) > 75 else None, 120)
    alice.says("earmark status", "alice")
    alice.says("earmark service restart", "alice")
    after = wait_for(lambda: heard_to(alice), 60)
    assert after >= before - 60  # a minute of audio is what a restart may cost
    alice.until("test -e Recordings/long.md", "alice", seconds=240)
    story = alice.says("earmark why Recordings/long.wav", "alice")
    assert story.count("It was heard: ") == 1
    words = alice.output("cat Recordings/long.transcript.md", "alice")
    assert words.count("budget to Maria") == 6


@pytest.mark.shows("service:killed-or-hung")
def test_a_daemon_that_is_killed_is_back_and_one_that_hangs_is_ended_by_the_watchdog(alice: Machine) -> None:
    alice.run("mkdir -p .config/systemd/user/earmark.service.d", "alice")
    drop_in = "[Service]\\nWatchdogSec=3\\nRestartSec=1\\nTimeoutAbortSec=3\\n"
    alice.run(f"printf '{drop_in}' >.config/systemd/user/earmark.service.d/quick.conf", "alice")
    alice.says("earmark service install ~/Recordings", "alice")
    alice.says(f"kill -KILL $({SHOW} MainPID)", "alice")
    alice.until(f"test $({SHOW} NRestarts) = 1 && systemctl --user is-active -q earmark", "alice")
    hanging = alice.output(f"{SHOW} MainPID", "alice")
    alice.says(f"kill -STOP {hanging}", "alice")
    alice.until(f"test $({SHOW} NRestarts) = 2 && systemctl --user is-active -q earmark", "alice")
    log = alice.says("journalctl --user -u earmark -o cat | grep -i watchdog", "alice")
    assert "Watchdog timeout" in log
    assert "was restarted 2 times" in alice.says("earmark service status", "alice")
    assert "stay in" in alice.says("earmark service uninstall", "alice")


@pytest.mark.shows("service:reload")
def test_a_reload_is_heard_and_a_broken_configuration_changes_nothing(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    configure(alice, QUICK + "[notes]\ntags = ['heard-again']\n")
    alice.says("systemctl --user reload earmark", "alice")
    alice.put(SAMPLE, "/home/alice/Recordings/sample.m4a")
    alice.until("grep -q heard-again Recordings/sample.md", "alice")
    configure(alice, "[intak]\n")
    alice.says("systemctl --user reload earmark", "alice")
    alice.until(f"{SHOW} StatusText | grep -q 'configuration is broken'", "alice")
    assert "✗ daemon: It keeps its old configuration" in alice.says("earmark doctor", "alice", code=1)
    assert alice.output("systemctl --user is-active earmark", "alice") == "active"


@pytest.mark.shows("service:logout")
def test_it_stops_at_logout_starts_at_login_and_stays_if_it_may_linger(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    first = alice.output(f"{SHOW} MainPID", "alice")
    alice.says("systemctl stop alice-login")
    alice.until(f"! test -d /proc/{first}", seconds=60)
    alice.run(LOGIN)
    alice.until("systemctl --user is-active -q earmark", "alice")
    assert alice.output(f"{SHOW} Result", "alice") == "success"
    alice.says("loginctl enable-linger alice")
    assert "✓ linger: The service goes on" in alice.says("earmark doctor | grep linger", "alice")
    second = alice.output(f"{SHOW} MainPID", "alice")
    alice.says("systemctl stop alice-login")
    alice.until("! loginctl list-sessions --no-legend | grep -q alice")
    alice.put(SAMPLE, "/home/alice/Recordings/sample.m4a")
    alice.until("test -e Recordings/sample.md", "alice")
    assert alice.output(f"{SHOW} MainPID", "alice") == second


@pytest.mark.shows("service:upgrade")
def test_after_an_upgrade_the_older_daemon_is_told_from_the_new_command(alice: Machine) -> None:
    now = alice.built
    alice.says("earmark service install ~/Recordings", "alice")
    alice.install(as_version(now, "9.8.7"))
    told = f"the running daemon is earmark {__version__}, and this command is 9.8.7"
    assert told in alice.says("earmark status", "alice")
    assert told in alice.says("earmark doctor", "alice", code=1)
    alice.says("earmark service restart", "alice")
    assert "running daemon is earmark" not in alice.says("earmark status", "alice")
    assert status(alice)["report"]["version"] == "9.8.7"
    alice.install(now)


@pytest.mark.shows("service:nothing-installed")
def test_a_service_that_cannot_start_leaves_nothing_behind(alice: Machine) -> None:
    alice.run("mkdir -p .config/systemd/user/earmark.service.d", "alice")
    drop_in = "[Service]\\nExecStart=\\nExecStart=/bin/false\\n"
    alice.run(f"printf '{drop_in}' >.config/systemd/user/earmark.service.d/broken.conf", "alice")
    before = alice.output("find .config | sort", "alice")
    assert "The service did not start, because" in alice.says(
        "earmark service install ~/Recordings", "alice", code=74
    )
    assert alice.output("find .config | sort", "alice") == before
    alice.until("! systemctl --user --all list-units | grep earmark", "alice", seconds=10)
    alice.run("rm -r .config/systemd", "alice")
    alice.run("setsid earmark run Recordings >/dev/null 2>&1 &", "alice")
    alice.until("earmark status | grep -q running", "alice")
    assert "is running; stop that one first" in alice.says(
        "earmark service install ~/Recordings", "alice", code=75
    )
    assert alice.output("find .config/systemd", "alice") == ""
    alice.says("kill $(earmark status --json | sed -n 's/.*\"pid\": \\([0-9]*\\),/\\1/p')", "alice")
    alice.until("! earmark status | grep -q '● running'", "alice")


@pytest.mark.shows("service:failed")
def test_a_failed_service_is_explained_and_nothing_of_it_is_left_after_uninstall(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    configure(alice, "[intak]\n")
    reason = "because its configuration is wrong"
    assert reason in alice.says("earmark service restart", "alice", code=74)
    assert reason in alice.says("earmark service status", "alice", code=1)
    assert reason in alice.says("earmark doctor", "alice", code=1)
    alice.says("earmark service uninstall", "alice")
    alice.until(
        "! systemctl --user --all list-units | grep earmark", "alice", seconds=10
    )  # it forgets when idle
    assert alice.output("find .config/systemd -type f -o -type l", "alice") == ""


@pytest.mark.shows("service:again")
@pytest.mark.shows("service:downgrade")
def test_installed_again_with_an_odd_folder_and_met_by_a_ledger_of_a_newer_earmark(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    odd = shlex.quote('/home/alice/it\'s 100%h "of" $HOME\n;\\')
    alice.run(f"mkdir -p -- {odd}", "alice")
    said = alice.says(f"earmark service install {odd}", "alice")
    assert (
        "Not watched any more: /home/alice/Recordings; to watch all of them: earmark service install" in said
    )
    alice.run(f"cp /opt/earmark/lib/python3*/site-packages/earmark/sample/sample.m4a {odd}", "alice")
    alice.until(f"test -e {odd}/sample.md", "alice")
    assert "Not watched any more" not in alice.says(f"earmark service install {odd}", "alice")
    newer = "import sqlite3; sqlite3.connect('.local/state/earmark/ledger.db').execute('PRAGMA user_version = 99')"
    alice.says(f'python3 -c "{newer}"', "alice")
    reason = "because a newer earmark wrote its ledger"
    assert reason in alice.says("earmark service restart", "alice", code=74)
    said = alice.says("earmark service status", "alice", code=1)
    assert reason in said
    assert "tries again" not in said
    assert "upgrade earmark" in alice.says("earmark service logs", "alice")
    alice.says("earmark service uninstall", "alice")


@pytest.mark.shows("service:elsewhere")
def test_who_looks_elsewhere_is_told_where_the_service_keeps_its_things(alice: Machine) -> None:
    alice.says("EARMARK_HOME='/home/alice/o f' earmark service install ~/Recordings", "alice")
    said = alice.says("earmark status", "alice", code=66)
    typed = said.split("as its unit says: ")[1].splitlines()[0]
    assert typed == "EARMARK_HOME='/home/alice/o f' earmark status"
    assert "● running" in alice.says(typed, "alice")
    assert "earmark service install" not in said
    assert "keeps its things in /home/alice/o f/state" in alice.says("earmark service status", "alice")
    as_root = alice.says("earmark status", code=66)
    assert "● running" in alice.says(as_root.split("watching /home/alice/Recordings): ")[1].splitlines()[0])
    assert "alice runs earmark" in alice.says("setpriv --reuid=daemon --clear-groups earmark status", code=66)
    alice.says("earmark service uninstall; rm -r 'o f'", "alice")


@pytest.mark.shows("service:no-manager")
def test_without_a_login_every_verb_says_that_and_what_would_help(alice: Machine) -> None:
    alice.says("systemctl stop alice-login user@1000")
    alice.until("! test -e /run/user/1000/bus")
    for verb in ("install ~/Recordings", "uninstall", "logs -f"):
        said = alice.says(f"earmark service {verb}", "alice", code=66)
        assert "because alice is not logged in" in said
    assert alice.output("ls -A .config", "alice") == "earmark"
    findings = alice.says("XDG_RUNTIME_DIR=/run/user/0 earmark doctor", "alice")
    assert "service install" not in findings
    alice.says(said.split("or: sudo ")[1].splitlines()[0])
    alice.until("XDG_RUNTIME_DIR=/run/user/0 earmark service status | grep -q 'earmark service install'; "
                "earmark service status 2>&1 | grep -q 'not installed'", "alice", seconds=20)  # fmt: skip


@pytest.mark.shows("service:access")
def test_notes_are_for_whom_the_recording_is_for_once_the_manager_has_its_group(alice: Machine) -> None:
    alice.says("earmark service install ~/Recordings", "alice")
    alice.says("groupadd family && usermod -aG family alice && chgrp family /home/alice/Recordings")
    findings = alice.says("earmark doctor", "alice", code=1)
    assert "✗ groups: The service started before its user was added to the group family" in findings
    alice.says("systemctl restart user@1000")
    alice.until("systemctl --user is-active -q earmark", "alice")
    assert "groups" not in alice.says("earmark doctor", "alice")
    shutil.copy(SAMPLE, alice.root / "var/opt/sample.m4a")
    alice.says("install -o alice -g family -m 664 /var/opt/sample.m4a /home/alice/Recordings/shared.m4a")
    alice.until("test -e Recordings/shared.md", "alice")
    modes = alice.says("stat -c '%A %U %G %n' Recordings/*", "alice")
    assert re.findall(r"^-rw-rw-r-- alice family .*md$", modes, re.MULTILINE) != []
    assert "alice alice" not in modes
    alice.says("gpasswd --delete alice family && groupdel family && systemctl restart user@1000")


@pytest.mark.shows("service:by-hand")
def test_the_unit_by_hand_works_as_its_header_says(alice: Machine) -> None:
    alice.run("mkdir -p .local/bin && ln -s /opt/earmark/bin/earmark .local/bin/earmark", "alice")
    shutil.copytree(ROOT / "systemd", alice.root / "var/opt/systemd", dirs_exist_ok=True)
    for line in commands(ROOT / "systemd" / "earmark.service")[:2]:
        alice.says(f"cd /var/opt && {line.replace('cp systemd', 'cp /var/opt/systemd')}", "alice")
    alice.put(SAMPLE, "/home/alice/Recordings/sample.m4a")
    alice.until("test -e Recordings/sample.md", "alice")
    assert "was not written by earmark" in alice.says("earmark service uninstall", "alice", code=74)
    alice.says("systemctl --user disable --now earmark && rm .config/systemd/user/earmark.service", "alice")


@pytest.mark.shows("service:system")
def test_the_system_service_as_its_header_says_with_verbs_for_an_administrator(machine: Machine) -> None:
    shutil.copytree(ROOT / "systemd", machine.root / "var/opt/systemd", dirs_exist_ok=True)
    machine.run("rm /usr/local/bin/earmark")
    machine.run("mkdir -p /etc/earmark; cat >/etc/earmark/config.toml <<'END'\n" + QUICK + "END")
    for line in commands(ROOT / "systemd" / "system" / "earmark.service"):
        # What comes over a network is in the machine already.
        if "pip install" not in line and "models download" not in line and not line.startswith("sudo"):
            machine.says(f"cd /var/opt && {line}")
    shutil.copy(SAMPLE, machine.root / "var/opt/sample.m4a")
    machine.run(
        "usermod -aG earmark alice; groupadd family; usermod -aG family earmark; systemctl restart earmark"
    )
    machine.says("install -o alice -g earmark -m 660 /var/opt/sample.m4a /srv/recordings/sample.m4a")
    machine.until("test -e /srv/recordings/sample.md")
    modes = machine.says("stat -c '%a %U %G %n' /srv/recordings/*")
    assert "660 earmark earmark /srv/recordings/sample.md" in modes
    # Of another group of the service's, in a folder that gives its own; alice is not in it and may read her own.
    machine.says("install -o alice -g family -m 640 /var/opt/sample.m4a /srv/recordings/family.m4a")
    machine.says("echo >>/srv/recordings/family.m4a")
    machine.until("test -e /srv/recordings/family.md")
    assert machine.output("stat -c '%a %U %G' /srv/recordings/family.md") == "640 earmark family"
    machine.says("test -r /srv/recordings/family.md", "alice")
    machine.run("groupdel family")
    for line in commands(ROOT / "systemd" / "system" / "earmark.service"):
        if line.startswith("sudo"):
            machine.says(line.split("#")[0].strip())
    findings = machine.says("sudo earmark --system doctor")
    assert "✓ service: The service runs" in findings
    assert "linger" not in findings
    assert "✓ folder /srv/recordings" in findings
    machine.says("sudo earmark --system hold /srv/recordings/sample.m4a")
    assert "see: sudo earmark --system why" in machine.says(
        "sudo earmark --system hold /srv/none.m4a", code=66
    )
    assert "machine's is there: earmark service status --system" in machine.says(
        "sudo earmark service status", code=66
    )
    assert machine.output("find /var/lib/earmark ! -user earmark") == ""
    checked = machine.says("sudo earmark --system privacy check")
    assert "each of" in checked, "root's right to look is kept, though the verbs are the service's"
    assert machine.output("find /var/lib/earmark ! -user earmark") == ""
    pid = machine.output("systemctl show earmark -p MainPID --value")
    mounts = machine.output(f"cat /proc/{pid}/mountinfo")
    assert re.search(r" /etc/earmark ro,", mounts)
    assert machine.output(f"ls /home; nsenter -t {pid} -m ls -A /home") == "alice"
    assert "0.0.0.0/0" in machine.output("systemctl show earmark -p IPAddressDeny")
    assert "sudo earmark --system status" in machine.says("earmark --system status", "alice", code=2)
    assert "sudo earmark --system status" in machine.says("rm -rf .local; earmark status", "alice", code=66)
    machine.says("sudo earmark service restart --system")
    assert "The service runs" in machine.says("earmark service status --system", "alice")
    machine.says(
        "systemctl disable --now earmark; rm /etc/systemd/system/earmark.service; systemctl daemon-reload"
    )


def commands(unit: Path) -> list[str]:
    """What a unit's header tells a person to type."""
    header = unit.read_text().split("\n[Unit]")[0]
    return [line[3:].strip() for line in header.splitlines() if line.startswith("#   ")]
