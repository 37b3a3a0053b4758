"""What the pages of `earmark serve` say of one recording and of a search is what notes, `why`, `list` and `search` say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Mark, Segment
from earmark.search.indexing import bring_up_to_date

from tests.integration.test_serve_now import fail, text
from tests.pages_rig import Pages, earmark, serving
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


SAID = (
    r"What is said[^.]*\.|The words[^.]*\.|By words only[^.]*\.|The notes? with .* is not found\.|not read: [^.]*"
    r"|\d+ passages? in \d+ recordings?"
)
"""How sentences begin that `earmark search` says besides passages."""


def said(root: Path, *words: str) -> str:
    done = earmark(root, *words)
    return " ".join((done.stdout + done.stderr).split())


def page_of(pages: Pages, recording: str, query: str = "") -> str:
    answer = pages.get(f"recordings/{recording}{query}")
    assert answer.status == 200, answer.text
    return answer.text


@pytest.mark.shows("serve:warned")
def test_the_page_of_a_recording_warns_of_what_its_note_and_why_warn_of(root: Path) -> None:
    world = World(root)
    segments = (
        Segment(0.0, 2.0, "Sure of this.", 0.9, speaker=1),
        Segment(2.0, 9.5, "Mumbled.", 0.2, mark=Mark.LOW_CONFIDENCE, speaker=2),
        Segment(9.5, 10.0, "Both.", 0.9, speaker=2, overlapped=True),
    )  # fmt: skip
    place = world.record(
        "far.m4a", segments=segments, speakers=("Sarah", "Tom"), speakers_unsure=True, loudest=-60.0, truncated=True,
        declared_duration=99.0,
    )  # fmt: skip
    both = world.record("both.m4a", segments=segments, speakers=("Sarah", "Tom"))
    clear = world.record("clear.m4a")
    note = next(a.path for a in world.ledger.artifacts.of_place(clear) if a.kind == "summary")
    note.write_text(note.read_text() + "\nWords of mine.\n")
    with world.ledger.transaction():
        world.ledger.db.execute("UPDATE artifacts SET state = 'edited' WHERE path = ?", (bytes(note),))
    with serving(root) as pages:
        pages.enter()
        page = text(page_of(pages, place.recording_id))
        for sentence in (
            "Much of this recording was hard to hear (confidence 0.3",
            "Who says what is uncertain in this recording, so nobody is named.",
            "Words in italics with (?) were hard to hear.",
            "The recording breaks off: the file announces 1:39, and 0:10 of it could be read.", "Very quiet (-60 dB)",
            "Mumbled. (?) hard to hear",
        ):  # fmt: skip
            assert sentence in page, sentence
        page = text(page_of(pages, both.recording_id))
        assert "During words in italics with (+) somebody else talks as well." in page
        assert "Both. (+) somebody else talks as well" in page
        page, why = text(page_of(pages, place.recording_id)), said(root, "why", str(place.path))
        for sentence in ("The recording breaks off: the file announces 1:39", "Very quiet (-60 dB)"):
            assert sentence in why
        assert "Sarah" not in page
        other = text(page_of(pages, clear.recording_id))
        for sentence in ("hard to hear", "Very quiet", "uncertain", "breaks off"):
            assert sentence not in other
        assert "clear.md: was edited by you" in other or "clear.md: was changed by you" in other, other


@pytest.mark.shows("serve:goes")
def test_when_a_file_goes_is_said_as_the_plan_says_it_also_of_what_failed_or_is_not_heard_yet(
    root: Path,
) -> None:
    rules: dict[str, Any] = {
        "audio": {"keep_for": "20y"},
        "failed": {"keep_for": "1d"},
        "transcript": {"keep_for": "1d"},
    }
    world = World(root, rules)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(
        "[retention.audio]\nkeep_for = '20y'\n[retention.failed]\nkeep_for = '1d'\n[retention.transcript]\nkeep_for = '1d'\n"
    )
    failed = world.record("failed.m4a", done=False)
    fail(world, failed.recording_id, "no sound in it")
    waits = world.record("waits.m4a", done=False)
    done = world.record("done.m4a")
    gone = world.record("moved.m4a", speech_seconds=0.0)
    with serving(root) as pages:
        pages.enter()
        pages_of = {p.path.name: text(page_of(pages, p.recording_id)) for p in (failed, waits, done, gone)}
    for name, page in pages_of.items():
        assert "not in the ledger any more" not in page, name
    plan = said(root, "retention", "plan", "--json", "--all")
    assert "failed.m4a failed" in pages_of["failed.m4a"]
    for name, sentence in (
        ("failed.m4a", "goes at the next sweep: failed: keep_for 1d (class)"),
        ("waits.m4a", "its transcription is not finished"),
        ("done.m4a", "kept by audio: keep_for 20y (class)"), ("moved.m4a", "quality gate: no speech was found in it"),
    ):  # fmt: skip
        assert sentence in pages_of[name], (name, pages_of[name][-600:])
        assert sentence.partition("next sweep: ")[2] in plan or sentence in plan or "quality" in sentence, (
            plan
        )


@pytest.mark.shows("serve:lengths")
def test_lengths_are_rounded_as_the_list_and_notes_round_them_and_times_are_not(root: Path) -> None:
    world = World(root)
    place = world.record("short.m4a", duration=6.6, segments=(Segment(1.9, 6.5, "a purple walrus", 0.9),))
    with world.ledger.transaction():
        world.ledger.db.execute("UPDATE recordings SET duration = 6.6")
    with serving(root) as pages:
        pages.enter()
        page = page_of(pages, place.recording_id)
        assert "· 0:07 ·" in text(page)
        assert ">0:01</a>" in page
        assert "· 0:07 ·" in text(pages.get("recordings").text)
        assert "0:07" in said(root, "list")


@pytest.mark.shows("serve:silent")
def test_where_no_file_can_be_heard_a_sentence_says_why_and_no_time_is_a_link(root: Path) -> None:
    world = World(root)
    names = ("removed", "replaced", "written", "linked", "shut")
    places = {name: world.record(f"{name}.m4a", said=f"a purple {name}") for name in names}
    first = world.record("a/first.m4a", said="a purple copy")
    copy = world.drop / "b" / "copy.m4a"
    copy.parent.mkdir()
    shutil.copy(first.path, copy)
    world.take_in(copy, said="a purple copy")
    while bring_up_to_date(world.context, 10):
        pass
    places["removed"].path.unlink()
    places["replaced"].path.rename(world.root / "away")
    places["replaced"].path.write_bytes(b"another")
    places["written"].path.write_bytes(b"more" * 900)
    places["linked"].path.rename(world.drop / ".real")
    places["linked"].path.symlink_to(world.drop / ".real")
    places["shut"].path.rename(world.root / "shut")
    places["shut"].path.mkdir()
    first.path.unlink()
    with serving(root) as pages:
        pages.enter()
        found = pages.get("search?q=purple").text
        assert len(re.findall(r'class="time" href="[^"]+/sound/', found)) == 1
        assert found.count("/recordings/") >= len(names) + 1
        for name, place in places.items():
            page = page_of(pages, place.recording_id)
            assert "<audio" not in page, name
            assert "/sound/" not in page, name
            sentence = (
                "Its file is not in the folder any more."
                if name == "removed"
                else "There is no sound: its file "
            )
            assert sentence in page, (name, text(page))
            assert "0:00" in page
        page = page_of(pages, first.recording_id)
        assert "<audio" in page
        assert pages.get(f"sound/{first.recording_id}").body == copy.read_bytes()
        assert "removed.m4a · drop · 0:10 · done, not in the folder any more" in text(
            pages.get("recordings").text
        )


@pytest.mark.shows("serve:silent")
def test_what_lies_in_the_trash_is_said_to_lie_there(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "1d"}})
    place = world.record("old.m4a", said="a purple walrus")
    world.pass_days(2)
    world.let_the_report_be_read()
    world.sweep()
    with serving(root) as pages:
        pages.enter()
        page = text(page_of(pages, place.recording_id))
    assert re.search(
        r"The audio went to the trash on \d{4}-\d\d-\d\d by the rule audio: keep_for 1d", page
    ), page


@pytest.mark.shows("serve:found")
def test_the_page_of_search_says_all_that_search_says_is_not_found(root: Path) -> None:
    world = World(root)
    for folder in ("one", "two"):
        world.record(f"{folder}/talk.m4a", audio=folder.encode() * 900, said=f"a purple walrus {folder}")
    for name in ("three", "four"):
        place = world.record(f"{name}.m4a", said=f"a purple {name}")
        note = next(a.path for a in world.ledger.artifacts.of_place(place) if a.kind == "transcript")
        note.rename(world.root / f"{name}.md")
        if name == "four":
            place.path.unlink()
    with serving(root) as pages:
        pages.enter()
        page = text(pages.get("search?q=purple").text)
        waits = "The words of 4 recordings are not in the index yet, and are not found."
        assert waits in page
        while bring_up_to_date(world.context, 10):
            pass
        page = text(pages.get("search?q=purple").text)
        answer = said(root, "search", "purple")
        for sentence in re.findall(SAID, answer):
            assert sentence in page, (sentence, page)
        assert "one/talk.m4a" in page
        assert "two/talk.m4a" in page
        assert "4 passages in 4 recordings" in page
        assert "file gone: its note is there" in page or "neither file nor note" in page


@pytest.mark.shows("serve:pages")
def test_sizes_are_said_in_the_unit_of_the_commands_and_one_file_is_one(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "1d"}})
    place = world.record("old.m4a", audio=bytes(1_234_567), said="a purple walrus")
    world.pass_days(2)
    world.let_the_report_be_read()
    with serving(root) as pages:
        pages.enter()
        assert " · 1.2 MB · " in text(page_of(pages, place.recording_id))
        world.sweep()
        trash = text(pages.get("trash").text)
        assert "1 file, 1.2 MB. earmark trash restore ID" in trash
        assert "1 file, 1.2 MB, in the trash" in said(root, "trash", "list")
        assert "1 receipt of" in text(pages.get("receipts").text)
