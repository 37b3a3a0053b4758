"""What the house may rely on, read from the source: who touches files, and who speaks SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import earmark
import pytest

PACKAGE = Path(earmark.__file__).parent

ON_MODULES = {
    "os": {"open", "rename", "replace", "unlink", "remove", "rmdir", "removedirs", "renames", "link", "symlink",
           "truncate", "mkdir", "makedirs", "mknod", "mkfifo", "ftruncate"},
    "shutil": {"move", "rmtree", "copy", "copy2", "copyfile", "copytree", "copyfileobj"},
    "io": {"open", "open_code"},
}  # fmt: skip
ON_PATHS = {"unlink", "rename", "rmdir", "touch", "hardlink_to", "symlink_to", "open", "mkdir"} | {
    "write_text", "write_bytes", "read_text", "read_bytes",
}  # fmt: skip

MAY: dict[str, tuple[set[str], str]] = {
    "files/": ({"*"}, "the ground floor itself"),
    "config/load.py": ({"read_bytes"}, "reads the configuration and the key beside it"),
    "ledger/index_damage.py": ({"open"}, "its own file, whose end is missing"),
    "ledger/second_copy.py": ({"rename"}, "its own copy in the state folder, set aside"),
    "ledger/connection.py": ({"os.open", "read_text"}, "makes the ledger file with its mode; reads our own schema"),
    "ledger/lock.py": ({"read_bytes"}, "reads who holds our own lock"),
    "ledger/repair.py": ({"os.open", "rename", "unlink"}, "the ledger's own file in the state folder"),
    "retention/logs.py": ({"read_bytes", "unlink", "open"}, "our own log files in the state folder"),
    "retention/sweep/clock.py": ({"read_text"}, "the kernel's boot id"),
    "retention/trash/rows.py": ({"mkdir"}, "makes our own trash folder"),
    "export/": ({"mkdir", "open", "unlink", "shutil.rmtree"}, "a package of its own, in a new folder of its own"),
    "models/": (
        {"write_text", "mkdir", "rename", "open", "unlink", "shutil.rmtree"},
        "the model folder, which is ours",
    ),
    "service/units.py": ({"read_text"}, "our own unit templates"),
    "service/install.py": ({"unlink"}, "the unit file, which carries our mark"),
    "service/unit_files.py": ({"mkdir", "unlink", "replace"}, "the unit file, which carries our mark"),
    "service/agent_install.py": ({"unlink"}, "the agent's file, which carries our mark"),
    "service/doctor.py": ({"read_text"}, "the kernel's word for a process's groups"),
    "service/watches.py": ({"read_text"}, "a kernel's limit"),
    "proof/": ({"*"}, "a throw-away installation in a temporary folder"),
    "workers.py": ({"read_text"}, "the kernel's counters of memory"),
    "allowance.py": ({"read_text"}, "the kernel's limits of control groups"),
    "locality/confinement/landlock.py": ({"os.open"}, "O_PATH, for the kernel's rules"),
    "locality/confinement/macos/paths.py": ({"os.open"}, "folders, to ask the kernel what they are called"),
    "locality/confinement/macos/walls.py": ({"os.open"}, "tries whether that is refused"),
    "locality/confinement/listener.py": (
        {"read_text", "read_bytes"},
        "the kernel's tables of sockets and processes",
    ),
    "locality/confinement/sockets.py": ({"read_text"}, "the kernel's tables of sockets"),
    "intake/watcher.py": ({"read_text"}, "the kernel's table of mounts"),
    "transcription/container.py": ({"open"}, "the media library, on a descriptor that the ground floor opened"),
    "transcription/tracks.py": ({"open"}, "a decoder of the media library; no file"),
    "weights/card.py": ({"read_text"}, "the card beside a model's files, and what these say of it"),
    "weights/released.py": ({"open"}, "the model's files"),
    "weights/onnx.py": ({"open"}, "the model's files"),
    "summarization/templating.py": ({"open", "read_text"}, "a template, read only"),
    "summarization/cues.py": ({"read_text"}, "our own word lists"),
    "pages/site.py": ({"read_bytes"}, "our own style sheet, script and picture"),
    "power.py": ({"read_text"}, "what the kernel says of plug and battery"),
    "cli/voice.py": ({"os.open"}, "the null device, for a closed pipe"),
    "locality/confinement/inherited.py": ({"os.open"}, "the null device, for stdin"),
    "cli/standard_streams.py": ({"os.open"}, "the null device, for a closed stream"),
    "cli/run.py": ({"mkdir", "read_bytes"}, "a drop folder named on the command line; our own sample"),
}  # fmt: skip


def _files() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)


def _touches(source: str) -> Iterator[tuple[int, str]]:
    """Calls that open, move, replace or remove a file, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id="open"):
                yield node.lineno, "open"
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in ON_MODULES:
                if name in ON_MODULES[module]:
                    yield node.lineno, f"{module}.{name}"
            case ast.Attribute(attr="replace"):
                # A string's takes two arguments, a path's one; `dataclasses.replace` is called by its name.
                if len(node.args) == 1 and not node.keywords:
                    yield node.lineno, "replace"
            case ast.Attribute(attr=name) if name in ON_PATHS:
                yield node.lineno, name
            case _:
                pass


def _allowed(file: str) -> set[str]:
    return {call for prefix, (calls, _) in MAY.items() if file.startswith(prefix) for call in calls}


@pytest.mark.shows("architecture:ground-floor")
def test_files_of_the_user_are_opened_moved_and_removed_on_the_ground_floor_only() -> None:
    strangers = []
    used: dict[str, set[str]] = {prefix: set() for prefix in MAY}
    for path in _files():
        file = path.relative_to(PACKAGE).as_posix()
        allowed = _allowed(file)
        for line, call in _touches(path.read_text()):
            for prefix in used:
                if file.startswith(prefix):
                    used[prefix].add(call)
            if "*" not in allowed and call not in allowed:
                strangers.append(f"{file}:{line} calls {call}; earmark.files has it, or say in MAY why not")
    assert strangers == []
    unused = {p: calls - used[p] - {"*"} for p, (calls, _) in MAY.items()}
    assert {p: calls for p, calls in unused.items() if calls} == {}, "allowed, but nobody does it any more"


@pytest.mark.parametrize(
    "line",
    ["os.rename(a, b)", "os.unlink(a)", "shutil.move(a, b)", "path.unlink()", "path.rename(b)", "path.replace(b)",
     "path.write_text('x')", "open(path)", "path.open('rb')", "os.open(path, 0)", "os.replace(a, b)"],
)  # fmt: skip
def test_the_search_sees_every_way_to_touch_a_file(line: str) -> None:
    assert list(_touches(line))


@pytest.mark.parametrize("line", ["text.replace('a', 'b')", "replace(row, size=0)", "os.fsencode(path)"])
def test_the_search_sees_no_file_where_there_is_none(line: str) -> None:
    assert not list(_touches(line))


SQL = re.compile(
    r"^\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|PRAGMA\s|CREATE\s+(TABLE|INDEX)\s)",
    re.DOTALL,
)


def _statements(source: str) -> Iterator[tuple[int, str]]:
    """String constants that are SQL, with their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield node.lineno, node.value


@pytest.mark.shows("architecture:sql")
def test_sql_is_in_the_ledger_only() -> None:
    found = {
        file: list(_statements(path.read_text()))
        for path in _files()
        if not (file := path.relative_to(PACKAGE).as_posix()).startswith("ledger/")
    }
    assert {file: lines for file, lines in found.items() if lines} == {}
    assert sum(len(list(_statements(p.read_text()))) for p in _files() if "ledger" in p.parts) > 100


LONGEST_MODULE = 350
LONGEST_FUNCTION = 60


def test_no_module_is_longer_than_350_lines_and_no_function_longer_than_60() -> None:
    modules, functions = {}, {}
    for path in _files():
        file, source = path.relative_to(PACKAGE).as_posix(), path.read_text()
        if (lines := source.count("\n")) > LONGEST_MODULE:
            modules[file] = lines
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    functions[f"{file}:{node.name}"] = length
    assert modules == {}
    assert functions == {}
