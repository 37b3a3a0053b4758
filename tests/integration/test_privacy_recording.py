"""The recording that `earmark privacy check` drops is taken away again, whatever people do to it meanwhile."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from earmark.config import load_config
from earmark.paths import platform_home
from earmark.proof.running import prove, recording

from tests.conftest import wait_for
from tests.integration.test_privacy_breaches import daemon, pytestmark, running_proof

__all__ = ["pytestmark"]


@pytest.mark.shows("privacy:moved-meanwhile")
def test_a_recording_of_the_check_that_got_another_name_is_erased_under_that_one(tmp_path: Path) -> None:
    """Before the daemon took it, and after; one that is gone needs no erasing."""
    with daemon(tmp_path) as made:
        home = platform_home({"EARMARK_HOME": str(tmp_path / "home")})
        config = load_config(home.config_file)
        dropped = recording.drop(made.folder)
        wait_for(lambda: dropped.path.with_suffix(".md").exists(), 30, "its note")
        dropped.path.rename(made.folder / "mine.m4a")
        wait_for((made.folder / "mine.md").exists, 30, "the note's move")
        taken, _ = recording.take_away(home, config, dropped)
        made.started[0].send_signal(signal.SIGSTOP)
        left = list(made.folder.iterdir())
        untaken = recording.drop(made.folder)
        untaken.path.rename(made.folder / "mine.m4a")
        removed = recording.take_away(home, config, untaken)
        gone = recording.take_away(home, config, untaken)
    assert (taken, left) == (True, [])
    assert removed == (True, "the daemon had not taken it; the file was removed")
    assert gone == (True, "it was gone before the daemon took it")
    assert list(made.folder.iterdir()) == []


@pytest.mark.shows("privacy:moved-meanwhile")
def test_a_recording_of_the_check_that_somebody_removed_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "MISSED", 0.1)
    with daemon(tmp_path) as made:
        proof = running_proof(made, wait=100)
        made.started[0].send_signal(signal.SIGSTOP)

        def remove() -> None:
            (wait_for(lambda: list(made.folder.glob("*.m4a")), 30)[0]).unlink()

        somebody = threading.Thread(target=remove)
        somebody.start()
        outcomes = list(proof.prove())
        somebody.join()
    assert [o.detail for o in outcomes if o.later] == [
        "not within 100 s: somebody removed it before the daemon took it"
    ]
    (erased,) = [o for o in outcomes if "is erased" in o.claim]
    assert erased.held
