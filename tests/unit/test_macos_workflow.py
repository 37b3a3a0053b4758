"""What GitHub's Macs would run: every command in it can be typed, and what it installs from can be installed there."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from tests.unit.test_pages_commands import complaint

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW: dict[str, Any] = YAML(typ="safe").load((ROOT / ".github/workflows/macos.yml").read_text("utf-8"))
JOB: dict[str, Any] = WORKFLOW["jobs"]["mac"]
SHELL: list[str] = [step["run"] for step in JOB["steps"] if "run" in step]

HEREDOC = re.compile(r"<<'PYTHON'\n(.*?)^\s*PYTHON$", re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    for text in SHELL:
        for line in HEREDOC.sub("", text).splitlines():
            yield shlex.split(line.partition(" || ")[0].partition(" | ")[0])


def test_each_command_is_one_and_each_file_is_there() -> None:
    words = list(commands())
    ours = [each[1:] for each in words if each[0] == ".venv/bin/earmark"]
    assert len(ours) > 6
    assert [(each, said) for each in ours if (said := complaint(each))] == []
    files = [each[1] for each in words if each[0] in ("sh", "cp")]
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []
    for text in SHELL:
        assert subprocess.run(["sh", "-n"], input=text, text=True).returncode == 0, text


def test_what_it_has_python_do_imports_what_there_is() -> None:
    (program,) = [found for text in SHELL for found in HEREDOC.findall(text)]
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)


@pytest.mark.parametrize("machine", ["arm64", "x86_64"])
def test_what_it_installs_has_one_version_each_and_for_intel_one_with_wheels(machine: str) -> None:
    """ONNX Runtime has none for Intel's Macs after 1.23.2, and no source to make one of."""
    here = {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": machine}
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pinned = [Requirement(line.partition("  #")[0]) for line in lines if line and not line.startswith("#")]
    counted = [each.name for each in pinned if each.marker is None or each.marker.evaluate(here)]
    assert sorted(counted) == sorted({*(each.name for each in pinned)})
    (runtime,) = [
        str(each.specifier)
        for each in pinned
        if each.name == "onnxruntime" and (each.marker is None or each.marker.evaluate(here))
    ]
    assert (runtime == "==1.23.2") == (machine == "x86_64")


def test_the_pythons_are_those_that_the_page_names() -> None:
    pythons = {row["os"]: row["python"] for row in JOB["strategy"]["matrix"]["include"]}
    intel = {python for name, python in pythons.items() if name.endswith("-intel")}
    assert intel <= {"3.11", "3.12", "3.13"}
    assert set(pythons.values()) <= {"3.11", "3.12", "3.13", "3.14"}
    page = (ROOT / "docs/macos.md").read_text("utf-8")
    assert "Apple's processors for Python 3.11 to 3.14" in page
    assert "for Intel's for 3.11 to 3.13" in page
