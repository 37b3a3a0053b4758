"""Each sentence of the pages that has a key has tests that are marked with it, and each marker has a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shown import DOCS, FOLD, TESTS, all_pages, markers, pages, sentences, written

SHOWN = markers()


def test_there_are_pages_with_keys_and_tests_behind_them() -> None:
    assert pages() == all_pages()
    assert len(SHOWN) > 60


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_each_key_of_a_page_has_a_test_and_the_page_names_it(page: Path) -> None:
    text = page.read_text("utf-8")
    found = sentences(text)
    assert [key for key in found if not key.startswith(f"{page.stem.lower()}:")] == []
    assert {key: SHOWN.get(key, "no test is marked with it") for key in found} == found, (
        "python -m tests.shown"
    )
    assert written(text, SHOWN) == text, "python -m tests.shown"


def test_each_marker_has_a_sentence() -> None:
    there = {key for page in pages() for key in sentences(page.read_text("utf-8"))}
    assert sorted(set(SHOWN) - there) == []


def test_a_key_stands_at_one_sentence_only() -> None:
    for page in pages():
        keys = re.findall(r"<!-- ([a-z]+:[a-z0-9-]+) -->", page.read_text("utf-8"))
        assert sorted(keys) == sorted(set(keys))


def test_no_page_names_a_test_by_hand() -> None:
    """What is written out of the markers is taken away; no name of a test is left."""
    for page in all_pages():
        bare = written(page.read_text("utf-8"), {})
        left = re.findall(r"`(test_\w+)`|pytest (tests/\S+)", bare)
        assert left == [], page.name


def test_every_claim_of_the_privacy_page_has_a_key() -> None:
    text = (DOCS / "privacy.md").read_text("utf-8")
    claims = text.partition("## Claims")[2].partition("\n## ")[0]
    rows = [line for line in claims.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 12
    assert [row for row in rows if "<!-- privacy:" not in row] == []


def test_every_durability_test_shows_something() -> None:
    """What tries to break a promise belongs to one."""
    silent = []
    for file in sorted((TESTS / "integration").glob("test_durability_*.py")):
        shown = {name for names in SHOWN.values() for name in names}
        if file.relative_to(TESTS.parent).as_posix() in shown:
            continue
        silent += [
            name
            for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.M)
            if name not in shown
        ]
    assert silent == []


def test_the_writer_lists_the_tests_of_each_key_in_the_fold_and_leaves_none_in_the_prose() -> None:
    text = "- It holds. <!-- a:b -->\n  `test_old`, `tests/x/test_y.py`\n- And this.\n\n| x | <!-- a:c --> `test_two` |\n"
    shown = {"a:b": ["test_one", "test_two"], "a:c": ["tests/unit/test_x.py"]}
    page = written(text, shown)
    prose, _, fold = page.partition(FOLD)
    assert prose == "- It holds. <!-- a:b -->\n- And this.\n\n| x | <!-- a:c --> |\n\n"
    assert "- `a:b`: `test_one`, `test_two`\n- `a:c`: `tests/unit/test_x.py`\n" in fold
    assert sentences(page) == shown
    assert written(page, shown) == page
    assert sentences(written(page, {})) == {"a:b": [], "a:c": []}
