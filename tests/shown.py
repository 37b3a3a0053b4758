"""Which tests show which sentence of which page: `@pytest.mark.shows("page:key")` on a test, `<!-- page:key -->` in a page.

`python -m tests.shown` writes the names of the tests behind each key into docs/; tests/unit/test_shown.py holds both sides
together, and `pytest --shows page:key` runs the tests of one sentence. The markers are read from the source, so that
nothing has to be imported for it.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
DOCS = TESTS.parent / "docs"
WIDTH = 128
KEY = re.compile(r"<!-- ([a-z]+:[a-z0-9-]+) -->((?:,?\s+`(?:test_\w+|tests/[\w/]+\.py)`)*)")


def markers(tests: Path = TESTS) -> dict[str, list[str]]:
    """For each key the tests that are marked with it, in the order of files and lines; a whole file goes by its path."""
    found: dict[str, list[str]] = {}
    for file in sorted(tests.rglob("test_*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
                name, marks = file.relative_to(tests.parent).as_posix(), [node.value]
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                name, marks = node.name, list(node.decorator_list)
            else:
                continue
            for key in (key for mark in marks for key in _keys(mark)):
                found.setdefault(key, []).append(name)
    return found


def _keys(node: ast.expr) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "shows":
            yield from (str(a.value) for a in call.args if isinstance(a, ast.Constant))


def sentences(text: str) -> dict[str, list[str]]:
    """The keys of a page, with the tests that it names behind them."""
    return {m[1]: re.findall(r"`([^`]+)`", m[2]) for m in KEY.finditer(text)}


def written(text: str, shown: dict[str, list[str]]) -> str:
    """The page with the tests of each key behind it; in a table on one line, elsewhere wrapped and indented."""
    done, at = "", 0
    for match in KEY.finditer(text):
        done += text[at : match.end(1)] + " -->"
        line = done.rpartition("\n")[2]
        names = ", ".join(f"`{name}`" for name in shown.get(match[1], []))
        if names and line.startswith("|"):
            done += f" {names}"
        elif names:
            done += "\n" + textwrap.fill(
                names,
                WIDTH,
                initial_indent="  ",
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        at = match.end()
    return done + text[at:]


def pages() -> list[Path]:
    """The pages that have keys."""
    return [page for page in sorted(DOCS.glob("*.md")) if KEY.search(page.read_text("utf-8"))]


if __name__ == "__main__":
    shown = markers()
    for page in pages():
        before = page.read_text("utf-8")
        after = written(before, shown)
        if after != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS.parent)} was written\n")
