"""The first page of `earmark serve` says what `earmark status` says, and the list counts as `earmark list` does."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pytest
from earmark.domain import Segment, Stage
from earmark.files import FileLock
from earmark.report import Reading, Report, Working, write_report

from tests.pages_rig import Pages, earmark, serving
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


def text(page: str) -> str:
    """What a page says, without its tags, each space once."""
    main = page.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def told(root: Path, *words: str) -> str:
    done = earmark(root, *words)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def counted(said: str) -> str:
    match = re.search(r"(\d+ recordings?: \d+ transcribed, \d+ waiting, \d+ failed)", said)
    assert match, said
    return match[1]


def fail(world: World, recording_id: str, why: str) -> None:
    job = world.ledger.jobs.of(recording_id, Stage.TRANSCRIBE)
    assert job is not None
    with world.ledger.transaction():
        world.ledger.db.execute("UPDATE jobs SET state = 'failed', reason = ? WHERE id = ?", (why, job.id))
        world.ledger.db.execute("DELETE FROM jobs WHERE recording_id = ? AND id != ?", (recording_id, job.id))


@pytest.mark.shows("serve:now")
def test_the_first_page_has_the_numbers_and_sentences_of_status_and_says_how_many_more_wait(
    root: Path,
) -> None:
    world = World(root)
    for number in range(130):
        world.record(f"waits/{number:03}.m4a", done=False)
    for number in range(3):
        fail(world, world.record(f"fails/{number}.m4a", done=False).recording_id, "no sound in it")
    away = [world.record(f"away/{number}.m4a", done=False) for number in range(7)]
    with world.ledger.transaction():
        for place in away:
            world.ledger.db.execute(
                "UPDATE places SET gone_at = 1 WHERE recording_id = ?", (place.recording_id,)
            )
    quiet = (Segment(0.0, 9.5, "a purple walrus", 0.9),)
    heard = world.record("quiet.m4a", segments=quiet, loudest=-60.0)
    shutil.copy(heard.path, world.drop / "copy.m4a")
    world.take_in(world.drop / "copy.m4a", segments=quiet, loudest=-60.0)
    claimed = world.place("waits/000.m4a").recording_id
    with world.ledger.transaction():
        world.ledger.db.execute(
            "UPDATE jobs SET state = 'claimed' WHERE recording_id = ? AND stage = 'transcribe'", (claimed,)
        )
    with FileLock(world.context.home.lock_file), serving(root) as pages:
        pages.enter()
        page = text(pages.get("").text)
        status = told(root, "status")
        assert counted(page) == counted(status) == "141 recordings: 1 transcribed, 137 waiting, 3 failed"
        for sentence in (
            "1 recording is very quiet", "no sound in it", "waits for its transcription",
            "its file is not in the folder any more; it goes on when the file is back",
            "the same content as copy.m4a, heard once",
        ):  # fmt: skip
            assert sentence in page, sentence
            assert sentence.partition("copy.m4a")[0] in status, sentence
        shown = len(re.findall(r"(?:waits|away)/\d+\.m4a", page))
        more = [int(n) for n in re.findall(r"and (\d+) more \( earmark list --state waiting \)", page)]
        assert shown == 100
        assert shown + sum(more) == 136
        listed = text(pages.get("recordings").text)
        assert "142 files of 141 recordings" in listed
        assert "142 files of 141 recordings" in told(root, "list")
        assert "3 recordings" in text(pages.get("recordings?folder=fails").text)


@pytest.mark.shows("serve:now")
def test_files_of_equal_names_are_told_apart_and_what_is_being_done_is_a_link(root: Path) -> None:
    world = World(root)
    places = [
        world.record(f"{folder}/talk.m4a", audio=folder.encode() * 900, done=False)
        for folder in ("one", "two")
    ]
    fail(world, places[0].recording_id, "no sound in it")
    report = Report(
        pid=1, version="0", started_at=1.0, folders=(str(world.drop),), config_file="",
        working=(Working(stage="transcribe", file=str(places[1].path), at=30.0, total=60.0),),
        reading=tuple(Reading(file=str(world.drop / "big" / f"{n}.mkv"), at=1, total=2) for n in range(130)),
        being_written=(str(world.drop / "new" / "talk.m4a"),),
    )  # fmt: skip
    write_report(world.context.home.status_file, report)
    with FileLock(world.context.home.lock_file), serving(root) as pages:
        pages.enter()
        page = pages.get("").text
        for place in places:
            name = place.path.relative_to(world.drop)
            assert f'<a href="{pages.base}recordings/{place.recording_id}">{name}</a>' in page
        assert 'aria-label="transcribe two/talk.m4a">50 %</progress>' in page
        assert "new/talk.m4a" in page
        assert "and 30 more large files that wait to be read" in page
        assert is_linked(pages, page)


def is_linked(pages: Pages, page: str) -> bool:
    return all(
        pages.get(to).status == 200 for to in re.findall(rf'href="{pages.base}(recordings/[^"]+)"', page)
    )
