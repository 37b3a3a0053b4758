"""Drop folders that would be taken in twice, or hold what earmark itself keeps, are refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.cli.run import _folders
from earmark.config import folder_problems, parse_config, require_sound
from earmark.errors import ConfigError
from earmark.paths import Home, whole


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "config", tmp_path / "state", tmp_path / "data")
    for folder in (home.config, home.state, home.data):
        folder.mkdir()
    return home


def test_an_ordinary_folder_is_fine(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "Recordings"
    folder.mkdir()
    assert folder_problems([folder], home) == []
    require_sound([folder, tmp_path / "not there yet"], home)


@pytest.mark.shows("decisions:drop-folders")
@pytest.mark.parametrize(
    "inside",
    [
        "state",
        "state/trash",
        "config",
        "data",
        "data/models",
        ".",
        "Recordings/.earmark-trash",
        "Recordings/.Earmark-Trash/1",
    ],
)
def test_a_folder_that_holds_or_lies_in_what_earmark_keeps_is_refused(
    home: Home, tmp_path: Path, inside: str
) -> None:
    folder = tmp_path / inside
    folder.mkdir(parents=True, exist_ok=True)
    (problem, *_) = folder_problems([folder], home)
    assert str(folder) in problem
    with pytest.raises(ConfigError):
        require_sound([folder], home)


@pytest.mark.shows("decisions:drop-folders")
def test_the_same_is_seen_through_a_symlink(home: Home, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home.state)
    assert folder_problems([tmp_path / "link"], home)
    real = tmp_path / "Recordings"
    real.mkdir()
    (tmp_path / "other name").symlink_to(real)
    (problem, *_) = folder_problems([real, tmp_path / "other name"], home)
    assert "other name" in problem
    (tmp_path / "elsewhere").mkdir()
    (real / "state").symlink_to(tmp_path / "elsewhere")
    assert folder_problems([real], home) == []


def test_a_folder_on_the_command_line_goes_by_its_name_in_the_configuration(tmp_path: Path) -> None:
    """Its rules hold for it however it is spelled."""
    real = tmp_path / "data" / "recordings"
    (tmp_path / "x").mkdir()
    real.mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to(real)
    home = Home(tmp_path / "config", tmp_path / "state", tmp_path / "models")
    config = parse_config({"folder": [{"path": str(real)}]}, "test")
    for named in (real, tmp_path / "x" / ".." / "data" / "recordings", link):
        assert _folders(config, [named], home) == (real,)
    assert whole(link / ".." / "recordings") == real
