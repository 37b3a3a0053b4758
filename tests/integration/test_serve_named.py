"""`earmark serve` with names that are no text, odd ones, and equal ones in several folders."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator

import pytest
from earmark.domain import Segment
from earmark.search.indexing import bring_up_to_date

from tests.conftest import in_memory
from tests.pages_rig import Pages, serving
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

NO_TEXT = os.fsdecode(b"dir-\xe8")
ODD = (
    "a&b=c d?",
    "q#1%41+",
    'say "no"',
    "two\nlines",
    " edge ",
    "日本",
    "turn\u202eed",
    os.fsdecode(b"\xff\xfe"),
)
NAMES = ('Zoë & "Co" <x>', "100% #1?", "Ω+Ω=2Ω")


def crawled(pages: Pages) -> dict[str, str]:
    """Each page that pages lead to, by its path below the base, but not sound."""
    found: dict[str, str] = {}
    left = [""]
    while left:
        path = left.pop()
        if path in found:
            continue
        answer = pages.get(path)
        assert answer.status == 200, (path, answer.text)
        found[path] = answer.text
        for to in re.findall(r'href="([^"#]+)"', answer.text):
            below = html.unescape(to).removeprefix(pages.base)
            if not below.startswith("sound/") and "." not in below.partition("?")[0]:
                left.append(below)
    return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with in_memory() as root:
        world = World(root / NO_TEXT)
        World.made.remove(world)
        world.drop = world.drop.parent / os.fsdecode(b"drop-\xe9")
        world.drop.mkdir()
        world.context.folders = (world.drop,)
        segment = Segment(0.0, 2.0, "The purple walrus.", speaker=1)
        for at, name in enumerate((NO_TEXT, *ODD)):
            speakers = (NAMES[at % len(NAMES)],)
            world.record(f"{name}/{name}.m4a", segments=(segment,), speakers=speakers)
            world.record(f"{name}/fails.m4a", done=False)
        while bring_up_to_date(world.context, 10):
            pass
        yield world
        world.ledger.close()


@pytest.fixture(scope="module")
def pages(world: World) -> Iterator[Pages]:
    with serving(world.root) as found:
        found.enter()
        yield found


@pytest.mark.shows("serve:names")
def test_every_page_is_there_whatever_bytes_a_folder_a_file_or_a_speaker_is_called_by(
    pages: Pages, world: World
) -> None:
    found = crawled(pages)
    narrowed = [path for path in found if path.startswith("recordings?folder=")]
    assert len(narrowed) == 1 + len(ODD)
    for path in narrowed:
        assert len(re.findall(r'<a href="[^"]+/recordings/[0-9a-f]{64}">', found[path])) == 2, path
    spoken = [path for path in found if path.startswith("recordings?speaker=")]
    assert len(spoken) == len(NAMES)
    for path in spoken:
        assert len(re.findall(r'<a href="[^"]+/recordings/[0-9a-f]{64}">', found[path])) == 3, path
    assert r"drop-\udce9/dir-\udce8" in found["recordings"]
    assert r"dir-\udce8.m4a" in found["recordings"]
    assert r"two\nlines" in found["recordings"]


@pytest.mark.shows("serve:names")
def test_a_folder_that_is_typed_as_a_page_shows_it_is_the_one_that_is_meant(pages: Pages) -> None:
    for shown in (r"dir-\udce8", r"drop-\udce9/dir-\udce8", r"two\nlines", r"\udcff\udcfe", r"turn\u202eed"):
        sent = "".join(f"%{byte:02x}" for byte in shown.encode())
        answer = pages.get(f"recordings?folder={sent}")
        assert len(re.findall(r'<a href="[^"]+/recordings/[0-9a-f]{64}">', answer.text)) == 2, shown
        assert f'name="folder" value="{shown}"' in answer.text
    for wrong in ("%ed%a0%80", r"\ud800", "%ff", r"\x00", "%5cU00110000"):
        assert pages.get(f"recordings?folder={wrong}&tag={wrong}&speaker={wrong}").status == 200
        assert pages.get(f"search?q={wrong}").status == 200
