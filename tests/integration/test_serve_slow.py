"""Pages of `earmark serve` that take long keep nobody from the others, and are not made for who has left."""

from __future__ import annotations

import select
import time
from pathlib import Path

import pytest
from earmark.pages.tags import Tags

from tests.integration.test_serve import rows
from tests.pages_rig import serving
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

COUNT = 100
SLOW = """
import time
from earmark.pages import tags
real = tags.Tags.any_has
tags.Tags.any_has = lambda self, notes, tag: time.sleep(0.03) or real(self, notes, tag)
"""
"""As on a disk that takes its time: a page that is narrowed to a tag takes three seconds."""


@pytest.mark.shows("serve:slow")
def test_pages_that_take_long_keep_nobody_from_others_and_are_not_made_for_who_has_left(root: Path) -> None:
    world = World(root)
    for number in range(COUNT):
        world.record(f"{number}.m4a", done=False)
    with serving(root, before=SLOW) as pages:
        pages.enter()
        lines = [pages.line() for _ in range(20)]
        for number, line in enumerate(lines):
            asked = f"GET {pages.base}recordings?tag=t{number} HTTP/1.1\r\nHost: {pages.host}\r\n"
            line.sendall(f"{asked}Cookie: {pages.cookie}\r\n\r\n".encode())
        for path in ("", "recordings", "search?q=walrus", "privacy", "trash", "recordings?folder=drop"):
            assert pages.get(path).status == 200
        assert len(select.select(lines, [], [], 0)[0]) <= 2, "the others were answered before them"
        for line in lines:
            line.close()
        began = time.monotonic()
        assert pages.get("recordings?tag=x").status == 200
        assert time.monotonic() - began < 30, "nobody works for who has left: that would be a minute"


@pytest.mark.shows("serve:slow")
def test_a_note_that_was_changed_has_the_tags_that_it_has_now_whoever_asked_before(root: Path) -> None:
    world = World(root)
    place = world.record("talk.m4a", said="a purple walrus")
    world.record("other.m4a")
    note = next(a.path for a in world.ledger.artifacts.of_place(place) if a.kind == "summary")
    plain = note.read_text()
    with serving(root) as pages:
        pages.enter()

        def found(tag: str) -> list[str]:
            return rows(pages.get(f"recordings?tag={tag}"))

        for tag, shown in (
            ("client", "client"),
            ("a%20b", "a b"),
            ("%23Client", "CLIENT"),
            ("x", "x/y"),
            ("%5cn", "'\\n'"),
        ):
            assert found(tag) == [], tag
            note.write_text(plain.replace("---\n", f"---\ntags: [{shown}]\n", 1))
            assert found(tag) == ["talk.m4a"], tag
            note.write_text(plain)
            assert found(tag) == [], tag
        note.unlink()
        assert found("client") == []


def test_no_more_is_kept_of_notes_than_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from earmark.pages import tags

    monkeypatch.setattr(tags, "KEPT", 3)
    world, kept = World(root), Tags()
    places = [world.record(f"{number}.m4a") for number in range(5)]
    notes = world.ledger.artifacts.note_paths([place.recording_id for place in places])
    assert len(notes) == 10
    assert not kept.any_has(notes, "client")
    assert len(kept._known) <= 3
