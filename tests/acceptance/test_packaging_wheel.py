"""The wheel that `pip install .`, `uv tool install .` and `pipx install .` build: is everything inside?"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daemon" / "earmark"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this checkout in an environment of its own as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PIP_USER": "0"})
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("earmark-*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_package_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    here = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - set(wheel.namelist()) == set()
    # Templates, schema, sample and the typing mark are no Python files, and are what packagers forget.
    for needed in ("earmark/sample/sample.m4a", "earmark/ledger/schema.sql", "earmark/py.typed"):
        assert needed in wheel.namelist()
    assert any(name.startswith("earmark/notes/") and name.endswith(".j2") for name in wheel.namelist())


def test_the_wheel_has_the_unit_files_as_they_are(wheel: zipfile.ZipFile) -> None:
    for name in (
        "systemd/earmark.service",
        "systemd/system/earmark.service",
        "launchd/org.earmark.daemon.plist",
    ):
        assert wheel.read(f"earmark/service/units/{name}") == (ROOT / name).read_bytes()


def test_the_wheel_installs_nothing_outside_its_package_but_the_command(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    (metadata,) = (top for top in tops if top.endswith(".dist-info"))
    assert tops == {"earmark", metadata}
    assert "earmark = earmark.cli.start:main" in wheel.read(f"{metadata}/entry_points.txt").decode()
    assert f"{metadata}/licenses/LICENSE" in wheel.namelist()
