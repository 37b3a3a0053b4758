"""What is said to be wrong is wrong now: a trouble goes when its folder is well again, gone, or wanted by nobody now."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from earmark.supervisor.stages import transcription

from tests.conftest import wait_for
from tests.daemon_rig import Live, Rig, supervisor

unix = pytest.mark.skipif(sys.platform != "linux", reason="permissions are counted by a thread on Linux only")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@unix
@pytest.mark.shows("durability:troubles-end")
@pytest.mark.parametrize("how", ["its recording goes", "it goes", "it is renamed"])
def test_that_notes_cannot_be_written_in_a_folder_is_over_when_nobody_wants_any_there(
    rig: Rig, how: str
) -> None:
    if how != "it is renamed" and os.geteuid() != 0:
        pytest.skip("only root takes something away out of a folder that may not be written")
    sub = rig.drop("sub/one.m4a", "one").parent
    sub.chmod(0o500)
    with Live(rig, plain=True):
        wait_for(lambda: str(sub) in rig.troubles(), 20)
        if how == "its recording goes":
            (sub / "one.m4a").unlink()
        elif how == "it goes":
            shutil.rmtree(sub)
        else:
            sub.rename(rig.folder / "elsewhere")
            (rig.folder / "elsewhere").chmod(0o700)
        wait_for(lambda: not rig.troubles(), 20)
        if how == "it is renamed":
            wait_for(lambda: len(rig.notes()) == 2, 20)


@unix
@pytest.mark.shows("durability:troubles-end")
def test_a_subfolder_of_a_folder_that_is_away_is_no_trouble_of_its_own(rig: Rig) -> None:
    sub = rig.drop("outer/sub/one.m4a", "one").parent
    sub.chmod(0)
    with Live(rig, plain=True):
        wait_for(lambda: str(sub) in rig.troubles(), 20)
        (rig.folder / "outer").rename(rig.root / "outer")
        wait_for(lambda: not rig.troubles(), 20)
        (rig.root / "outer").rename(rig.folder / "outer")
        wait_for(lambda: str(sub) in rig.troubles(), 20)
        rig.folder.rename(rig.root / "away")
        wait_for(lambda: list(rig.troubles()) == [str(rig.folder)], 20)
        (rig.root / "away").rename(rig.folder)
        wait_for(lambda: list(rig.troubles()) == [str(sub)], 20)
        sub.chmod(0o700)
        wait_for(lambda: not rig.troubles() and len(rig.notes()) == 2, 20)


@unix
@pytest.mark.shows("durability:troubles-end")
def test_what_went_while_nobody_looked_is_no_trouble_at_the_next_start(rig: Rig) -> None:
    sub = rig.drop("sub/one.m4a", "one").parent
    sub.chmod(0)
    with Live(rig, plain=True):
        wait_for(lambda: str(sub) in rig.troubles(), 20)
    sub.chmod(0o700)
    shutil.rmtree(sub)
    assert rig.run_once() == 0
    assert not rig.troubles()


@pytest.mark.shows("durability:troubles-end")
def test_a_trouble_in_a_drop_folder_that_lies_in_another_is_told_once(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    inner = rig.folder / "inner"
    rig.drop("inner/empty.m4a", "")
    config = rig.config()
    with Live(rig) as live:
        live.supervisor.load_config = lambda: (config, (rig.folder, inner))
        live.reload()
        wait_for(lambda: str(inner / "empty.m4a") in rig.troubles(), 20)
        capfd.readouterr()
        for number in range(3):
            rig.drop(f"{number}.m4a", str(number))
            wait_for(lambda n=number: len(rig.notes()) == 2 * (n + 1), 20)  # type: ignore[misc]
        (inner / "empty.m4a").unlink()
        wait_for(lambda: not rig.troubles(), 20)
    assert "refused" not in capfd.readouterr().out


@pytest.mark.shows("durability:troubles-end")
def test_a_model_that_is_there_is_no_trouble_although_nothing_waits_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcription, "AGAIN_SECONDS", 0.2)
    rig.sections["transcription"] = {"model": "nosuch"}
    file = rig.drop("one.m4a", "one")
    with Live(rig) as live:
        wait_for(lambda: transcription.MODEL_TROUBLE in rig.troubles(), 20)
        file.unlink()
        with closing(sqlite3.connect(rig.installed.ledger_file, timeout=10)) as db, db:
            db.execute("DELETE FROM jobs")  # as `earmark forget` does, which would wake this very process
        live.supervisor.load_config = lambda: (Rig(rig.root).config(), (rig.folder,))
        live.reload()
        wait_for(lambda: not rig.troubles(), 20)


@pytest.mark.shows("durability:troubles-end")
def test_a_run_that_left_a_file_out_says_nothing_of_it_when_it_is_gone(rig: Rig) -> None:
    file = rig.drop("closed.m4a", "closed")
    file.chmod(0)
    with Live(rig, plain=True) as live:
        wait_for(lambda: str(file) in rig.troubles() or os.geteuid() != 0, 20)
        file.unlink()
        wait_for(lambda: not rig.troubles(), 20)
        rig.drop("one.m4a", "one")
        wait_for(lambda: len(rig.notes()) == 2, 20)
        wait_for(lambda: any("Watching 1 folder" in said for said in live.notifier.said), 20)
    assert supervisor(rig.installed, (rig.folder,), rig.config(), once=True).run() == 0
