"""What docs/architecture.md and docs/glossary.md list is what there is: modules, processes, tables, layers, words."""

from __future__ import annotations

import re
import sqlite3
import stat
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from earmark.ledger import Ledger
from earmark.ledger.connection import Connection

from tests.shown import DOCS, all_pages

ROOT = DOCS.parent
PACKAGE = ROOT / "daemon" / "earmark"
TEXT = (DOCS / "architecture.md").read_text("utf-8")


def table(key: str) -> list[list[str]]:
    """The cells of the rows below the heading that has this key."""
    rows = TEXT.partition(f"<!-- {key} -->")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.shows("architecture:modules")
def test_every_module_of_the_ground_floor_is_in_its_table() -> None:
    there = {file.stem for file in (PACKAGE / "files").glob("*.py")} - {"__init__"}
    assert {name for row in table("architecture:modules") for name in names(row[0])} == there


@pytest.mark.shows("architecture:processes")
def test_every_module_that_is_a_process_is_in_the_table_of_processes() -> None:
    listed = {
        PACKAGE.parent / f"{name.removeprefix('python -m ').replace('.', '/')}.py"
        if name.startswith("python -m")
        else PACKAGE / name
        for row in table("architecture:processes")
        for name in names(row[0])
        if name.endswith(".py") or name.startswith("python -m")
    }
    there = {file for file in PACKAGE.rglob("*.py") if '__name__ == "__main__"' in file.read_text("utf-8")}
    assert listed == there - {PACKAGE / "__main__.py"}


@pytest.mark.shows("architecture:tables", "architecture:one-file")
def test_every_table_of_the_ledger_is_on_the_page_and_the_file_is_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    with Ledger(file):
        pass
    connection = Connection(file)
    found = [
        connection.all(f"PRAGMA {name}")[0][0] for name in ("synchronous", "secure_delete", "journal_mode")
    ]
    connection.close()
    assert found == [2, 1, "wal"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    db = sqlite3.connect(file)
    there = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    db.close()
    listed = {name for row in table("architecture:tables") for name in names(row[0])}
    assert listed == {name for name in there if not name.startswith("sqlite_")}


@pytest.mark.shows("architecture:rooms")
def test_the_rooms_of_retention_are_its_folders() -> None:
    cells = [row[0] for row in table("architecture:rooms")]
    there = {
        f"{folder.name}/" for folder in (PACKAGE / "retention").iterdir() if (folder / "__init__.py").exists()
    }
    assert {name for cell in cells for name in names(cell)} == there
    assert len(cells) == len(there) + 1


@pytest.mark.shows("architecture:layers")
def test_the_layers_of_the_page_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (checked,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    block = TEXT.partition("<!-- architecture:layers -->")[2].split("```")[1]
    shown = [re.split(r"\s{2,}", line)[0] for line in block.strip().splitlines()]
    as_set = [frozenset(re.findall(r"[a-z]+", line)) for line in shown]
    assert as_set == [frozenset(re.findall(r"earmark\.([a-z]+)", line)) for line in checked]


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    missing = [link for link in linked if not (page.parent / link).exists()]
    for name in re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|sql|toml)|(?:[\w-]+/)+)`", text):
        where = (
            ROOT,
            PACKAGE,
            PACKAGE / "pipeline",
            PACKAGE / "locality",
            PACKAGE / "retention",
            ROOT / "benchmarks",
        )
        if not any((folder / name).exists() for folder in where) and name not in NOT_OURS:
            missing.append(name)
    assert missing == []


NOT_OURS = {
    "config.toml",  # a user's
    "trash/",  # in the state folder
    "private/",
    "drafts/",
}


@pytest.mark.shows("glossary:found")
def test_each_word_of_the_glossary_stands_once_and_in_the_file_that_is_named() -> None:
    rows = re.findall(r"^\| (\*\*.+?) \| .* \| (.+) \|$", (DOCS / "glossary.md").read_text("utf-8"), re.M)
    assert len(rows) > 40
    words = [word for cell, _ in rows for word in re.findall(r"\*\*(.+?)\*\*", cell)]
    assert [word for word, count in Counter(words).items() if count > 1] == []
    for cell, where in rows:
        for name in names(where):
            path = next(p for p in (PACKAGE / name, ROOT / name) if p.exists())
            sources = [path] if path.is_file() else sorted(path.rglob("*.py"))
            source = f"{name} {' '.join(file.read_text('utf-8') for file in sources)}".lower()
            source = re.sub(r"[_\s]+", " ", source)
            assert any(word in source for word in re.findall(r"\*\*(.+?)\*\*", cell.lower())), (cell, name)
