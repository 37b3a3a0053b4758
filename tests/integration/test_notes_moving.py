"""An untouched note follows its recording; an edited one stays where its owner knows it."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import pytest
from earmark.domain import Kind
from earmark.notes.moving import follow
from earmark.notes.names import candidates
from earmark.notes.writer import digest

TEXT = "a note\n"
SHA = digest(TEXT)


def moved(old: Path, folder: Path, audio: str = "retro.m4a") -> Path | None:
    return follow(old, folder, candidates(audio, Kind.SUMMARY), SHA)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    path = tmp_path / "a" / "standup.md"
    path.write_text(TEXT)
    return path


def everything(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_note_follows_to_another_name_and_folder(note: Path, tmp_path: Path) -> None:
    assert moved(note, tmp_path / "b") == tmp_path / "b" / "retro.md"
    assert everything(tmp_path) == {"b/retro.md": TEXT}


def test_a_note_that_has_its_name_already_stays(note: Path, tmp_path: Path) -> None:
    assert moved(note, tmp_path / "a", "standup.m4a") == note
    assert everything(tmp_path) == {"a/standup.md": TEXT}


def test_a_note_that_was_edited_stays(note: Path, tmp_path: Path) -> None:
    note.write_text("edited")
    assert moved(note, tmp_path / "b") is None
    assert everything(tmp_path) == {"a/standup.md": "edited"}


def test_a_note_in_the_way_is_not_clobbered(note: Path, tmp_path: Path) -> None:
    (tmp_path / "b" / "retro.md").write_text("mine")
    assert moved(note, tmp_path / "b") == tmp_path / "b" / "retro.m4a.md"
    assert everything(tmp_path) == {"b/retro.m4a.md": TEXT, "b/retro.md": "mine"}


def test_a_move_that_a_crash_cut_in_half_is_finished(note: Path, tmp_path: Path) -> None:
    os.link(note, tmp_path / "b" / "retro.md")
    assert moved(note, tmp_path / "b") == tmp_path / "b" / "retro.md"
    assert everything(tmp_path) == {"b/retro.md": TEXT}


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_a_note_follows_to_another_disk_and_where_there_are_no_hard_links(
    note: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    link = os.link

    def across(*args: object, **kwargs: object) -> None:
        if number == errno.EPERM or "src_dir_fd" not in kwargs:
            raise OSError(number, os.strerror(number))  # a second filesystem is not at hand everywhere
        link(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", across)
    assert moved(note, tmp_path / "b") == tmp_path / "b" / "retro.md"
    assert everything(tmp_path) == {"b/retro.md": TEXT}


def test_stopped_at_any_step_the_note_is_somewhere_and_the_next_call_finishes(tmp_path: Path) -> None:
    class Stopped(BaseException):
        """Stands in for a kill; nothing in `follow` cleans up after itself, so an exception shows the same."""

    for stop_at in itertools.count(1):
        folder = tmp_path / str(stop_at)
        (folder / "b").mkdir(parents=True)
        note = folder / "standup.md"
        note.write_text(TEXT)
        steps: list[str] = []

        def step(name: str, steps: list[str] = steps, stop_at: int = stop_at) -> None:
            steps.append(name)
            if len(steps) == stop_at:
                raise Stopped

        try:
            follow(note, folder / "b", candidates("retro.m4a", Kind.SUMMARY), SHA, step)
        except Stopped:
            assert TEXT in everything(folder).values()
            assert moved(note, folder / "b") == folder / "b" / "retro.md"
            assert everything(folder) == {"b/retro.md": TEXT}
        else:
            assert len(steps) == 4
            return
