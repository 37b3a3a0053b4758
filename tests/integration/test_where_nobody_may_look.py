"""A path behind a folder that this user may not enter counts as not there: root's home, say, for whom root becomes."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from earmark.errors import ModelError
from earmark.locality.policy import forwarding
from earmark.proof.running.whereabouts import Elsewhere
from earmark.service.checks import check_room
from earmark.service.idle import is_there
from earmark.transcription.models import find_model

from tests.daemon_rig import without_privileges

Answer = TypeVar("Answer")


@pytest.fixture
def shut(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "shut"
    folder.mkdir(mode=0)
    yield folder
    folder.chmod(0o700)


def by_a_user(looks: Callable[[], Answer]) -> Answer:
    """What this says in a thread for which permissions count, even if the tests run as root."""
    with ThreadPoolExecutor(1, initializer=without_privileges) as thread:
        return thread.submit(looks).result()


def test_a_tool_behind_a_shut_home_is_not_there(shut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(shut))
    monkeypatch.setenv("PATH", str(shut / "bin"))
    assert by_a_user(forwarding.lms_tool) is None


def test_a_tool_in_ones_own_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / ".lmstudio/bin/lms"
    tool.parent.mkdir(parents=True)
    tool.touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert by_a_user(forwarding.lms_tool) == str(tool)


@pytest.mark.parametrize("name", ["auto", "base"])
def test_a_model_behind_a_shut_folder_ends_with_a_sentence(shut: Path, name: str) -> None:
    """What looks for it expects no other error."""
    with pytest.raises(ModelError):
        by_a_user(lambda: find_model(name, None, shut / "models", shut / "shared"))
    with pytest.raises(ModelError):
        by_a_user(lambda: find_model(name, shut / "mine", shut / "models", shut / "shared"))


def test_whoever_looks_at_a_shut_folder_goes_on(shut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (room,) = by_a_user(lambda: list(check_room([shut / "state"])))
    assert "are free where" in room.sentence
    assert not by_a_user(lambda: is_there({"XDG_CONFIG_HOME": str(shut / "config"), "HOME": str(shut / "h")}))
    monkeypatch.setenv("TMPDIR", str(shut / "tmp"))
    by_a_user(lambda: Elsewhere(shut / "status.json", 0, needed=True).look())


STEP = """
import os, sys
from pathlib import Path
from typing import TypeVar
from earmark.proof.running.watching import step_down
step_down(Path(sys.argv[1]))
print(os.geteuid(), os.environ["HOME"])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("open_to_them", [True, False])
def test_root_that_becomes_the_owner_has_a_home_that_the_owner_may_enter(
    tmp_path: Path, open_to_them: bool
) -> None:
    state, mine, them = tmp_path / "state", tmp_path / "mine", pwd.getpwnam("daemon")
    state.mkdir()
    os.chown(state, them.pw_uid, them.pw_gid)
    mine.mkdir(mode=0o700)
    home = "/" if open_to_them else str(mine)
    done = subprocess.run(
        [sys.executable, "-c", STEP, str(state)], env=os.environ | {"HOME": home},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(them.pw_uid), "/" if open_to_them else them.pw_dir]
