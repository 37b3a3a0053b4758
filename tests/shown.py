"""Which tests show which sentence of which page: `@pytest.mark.shows("page:key")` on a test, `<!-- page:key -->` in a page.

`python -m tests.shown` writes the names of the tests of each key into a fold at the end of its page, README.md or docs/*.md;
tests/unit/test_shown.py holds both sides together, and `pytest --shows page:key` runs the tests of one sentence. The markers
are read from the source, so that nothing has to be imported for it.
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
README = TESTS.parent / "README.md"
WIDTH = 128
NAMES = r"((?:,?\s+`(?:test_\w+|tests/[\w/]+\.py)`)*)"
KEY = re.compile(rf"<!-- ([a-z]+:[a-z0-9-]+) -->{NAMES}")
"""A key, with what an earlier version of the page may name behind it."""
FOLD = "<!-- tests -->\n"
"""Where the prose of a page ends and the list of its tests begins."""
LISTED = re.compile(rf"^- `([a-z]+:[a-z0-9-]+)`:{NAMES}", re.MULTILINE)


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
    """The keys of a page, with the tests that its fold names."""
    prose, _, fold = text.partition(FOLD)
    listed = {m[1]: re.findall(r"`([^`]+)`", m[2]) for m in LISTED.finditer(fold)}
    return {m[1]: listed.get(m[1], []) for m in KEY.finditer(prose)}


def written(text: str, shown: dict[str, list[str]]) -> str:
    """The page with the tests of its keys in the fold, in the order of the prose, and no name of a test in the prose."""
    prose = KEY.sub(r"<!-- \1 -->", text.partition(FOLD)[0]).rstrip("\n") + "\n\n" + FOLD
    lines = [_line(key, shown[key]) for key in sentences(prose) if shown.get(key)]
    if not lines:
        return prose
    return (
        f"{prose}\n<details>\n<summary>Which test shows which sentence</summary>\n\n"
        "The marks stand behind the sentences in the source of this page. `sh scripts/test --shows MARK` runs its tests.\n\n"
        + "\n".join(lines)
        + "\n\n</details>\n"
    )


def _line(key: str, names: list[str]) -> str:
    return textwrap.fill(
        f"- `{key}`: " + ", ".join(f"`{name}`" for name in names),
        WIDTH,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def all_pages() -> list[Path]:
    """What a person reads: README.md and docs/."""
    return [README, *sorted(DOCS.glob("*.md"))]


def pages() -> list[Path]:
    """The pages that have keys."""
    return [page for page in all_pages() if KEY.search(page.read_text("utf-8"))]


if __name__ == "__main__":
    shown = markers()
    for page in pages():
        before = page.read_text("utf-8")
        after = written(before, shown)
        if after != before:
            page.write_text(after, "utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS.parent)} was written\n")
