"""`[transcription] stay_awake`: what keeps a Mac awake is there while workers work, and no longer. In place of caffeinate a
program that writes down how it was started; that caffeinate does what its manual says, only a Mac can show."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from earmark.config import Config
from earmark.power import CAFFEINATE, awake_command, keep_awake
from earmark.supervisor.awake import does_nothing

from tests.conftest import Installation, wait_for
from tests.daemon_rig import Live, Rig

WRITES_DOWN = """#!{python} -IS
import json, os, signal, sys
found = {{}}
for fd in os.listdir("/proc/self/fd"):
    if os.path.lexists("/proc/self/fd/" + fd):  # the look itself had one
        found[fd] = os.readlink("/proc/self/fd/" + fd)
with open("{folder}/new", "w") as file:
    json.dump([sys.argv[1:], found, dict(os.environ), os.getcwd(), os.getpid()], file)
os.rename("{folder}/new", "{folder}/" + str(os.getpid()))
signal.pause()
"""


class Fake:
    """A caffeinate that counts, in place of that of macOS."""

    def __init__(self, folder: Path, text: str = WRITES_DOWN) -> None:
        folder.mkdir()
        self.folder, self.tool = folder, folder / "caffeinate"
        self.tool.write_text(text.format(python=sys.executable, folder=folder))
        self.tool.chmod(0o755)
        self.keep = partial(keep_awake, tool=str(self.tool), platform="darwin")

    def started(self) -> list[int]:
        return sorted(int(file.name) for file in self.folder.iterdir() if file.name.isdigit())

    def living(self) -> list[int]:
        return [pid for pid in self.started() if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, {"transcription": {"stay_awake": True, "workers": 1}})


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.shows("service:mac-awake")
@pytest.mark.shows("configuration:every-key")
def test_a_mac_is_kept_awake_while_workers_work_and_not_a_moment_longer(rig: Rig, tmp_path: Path) -> None:
    fake = Fake(tmp_path / "fake")
    os.environ["OF_THE_USER"] = "something"
    with (tmp_path / "open").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        with Live(rig, keep_awake=fake.keep) as live:
            wait_for(lambda: live.notifier.said)
            assert fake.started() == [], "nothing waits"
            (rig.folder / "a.wav.pause").touch()
            rig.drop("a.wav", "pause@1")
            (pid,) = wait_for(fake.started)
            rig.drop("b.wav", "another")
            wait_for(lambda: len(rig.events("accepted")) == 2)
            said = json.loads((fake.folder / str(pid)).read_text())
            assert said[0] == ["-s", "-w", str(os.getpid())]
            assert said[1] == dict.fromkeys("012", os.devnull), "nothing of the daemon's is open in it"
            assert {"OF_THE_USER", "HOME"}.isdisjoint(said[2])
            assert said[3] == "/"
            (rig.folder / "a.wav.pause").unlink()
            wait_for(
                lambda: (
                    rig.jobs() == {("transcribe", "done", 1), ("summarize", "done", 1)}
                    and len(rig.notes()) == 4
                )
            )
            wait_for(lambda: not fake.living())
            assert fake.started() == [pid], "one for both recordings"
            (rig.folder / "c.wav.pause").touch()
            rig.drop("c.wav", "pause@1 ")
            wait_for(lambda: len(fake.started()) == 2)
            assert fake.living()
    assert not fake.living(), "it does not outlive the daemon"


@pytest.mark.shows("service:mac-awake")
def test_nobody_is_kept_awake_who_did_not_ask_for_it_nor_anywhere_but_on_a_mac(
    rig: Rig, tmp_path: Path
) -> None:
    fake = Fake(tmp_path / "fake")
    rig.sections["transcription"]["stay_awake"] = False
    rig.drop("a.wav")
    assert rig.run_once(keep_awake=fake.keep) == 0
    assert keep_awake(1, str(fake.tool), "linux") is None
    assert fake.started() == []
    assert not Config().transcription.stay_awake


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/bin/sh\nexit 1\n", "caffeinate ended with exit status 1"),
        (None, "caffeinate cannot be started (No such file or directory)"),
    ],
)
def test_a_caffeinate_that_does_not_stay_is_told_once_and_hinders_nothing(
    rig: Rig, tmp_path: Path, text: str | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    fake, tries = Fake(tmp_path / "fake", text or ""), []
    if text is None:
        fake.tool.unlink()

    def keep(daemon: int) -> subprocess.Popen[bytes] | None:
        tries.append(daemon)
        return fake.keep(daemon)

    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "earmark.context.log.warning",
            lambda name, **facts: (
                told.append(str(facts.get("sentence"))) if name == "not-kept-awake" else None
            ),
            raising=False,
        )
        with Live(rig, keep_awake=keep):
            (rig.folder / "a.wav.pause").touch()
            rig.drop("a.wav", "pause@1")
            wait_for(lambda: told, 20)
            (rig.folder / "a.wav.pause").unlink()
            wait_for(lambda: len(rig.notes()) == 2)
    assert [words in one for one in told] == [True]
    assert len(tries) == 1


@pytest.mark.shows("service:mac-awake")
def test_where_it_does_nothing_the_check_of_the_configuration_says_so(installation: Installation) -> None:
    asks = Config.model_validate({"transcription": {"stay_awake": True}})
    assert does_nothing(Config(), "linux") is None
    assert "which only macOS has" in (does_nothing(asks, "linux") or "")
    assert (
        does_nothing(asks, "darwin")
        == f"[transcription] stay_awake does nothing here: there is no {CAFFEINATE}"
    )
    installation.configure("[transcription]\nstay_awake = true\n")
    done = installation.earmark("config", "check")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1:] == [does_nothing(asks, "linux")]
    assert "caffeinate of macOS" in installation.earmark("privacy", "--format", "md").stdout
    assert awake_command(7) == ("/usr/bin/caffeinate", "-s", "-w", "7")
