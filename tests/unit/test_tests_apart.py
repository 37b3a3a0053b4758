"""Each test stands for itself: none finds what another left in the process, and all run beside another earmark."""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from earmark.log import configure_logging
from earmark.paths import platform_home
from earmark.service.elsewhere import elsewhere, running
from earmark.service.reach import Here
from earmark.summarization import connection

from tests.conftest import nothing_stays


def process() -> dict[str, Any]:
    mask = os.umask(0o022)
    os.umask(mask)
    return {
        "environment": dict(os.environ), "folder": Path.cwd(), "mask": mask, "zone": time.tzname,
        "limit": resource.getrlimit(resource.RLIMIT_CPU), "log": structlog.is_configured(),
        "handlers": list(logging.getLogger().handlers), "level": logging.getLogger().level,
        "meters": dict(vars(connection)["_METERS"]),
    }  # fmt: skip


def test_what_is_done_to_the_process_of_the_tests_is_undone_and_no_test_file_does_it_when_it_is_read(
    tmp_path: Path,
) -> None:
    before = process()
    assert before["log"] is False, "a test file that sets up the log when it is read does so for all others"
    with nothing_stays():
        os.environ |= {"EARMARK_HOME": str(tmp_path), "TZ": "Asia/Tokyo"}
        del os.environ["PATH"]
        time.tzset()
        os.chdir(tmp_path)
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CPU, (9_000, before["limit"][1]))
        configure_logging(sys.stderr, json=True)
        vars(connection)["_METERS"]["http://127.0.0.1:1/v1", "m", "en"] = None
        assert {name for name, was in before.items() if process()[name] == was} == {"level"}
    assert process() == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="others are looked for in /proc")
def test_another_earmark_of_this_user_runs_that_nobody_but_root_may_look_into(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.getbasetemp()
    (another,) = [one for one in running(Here()) if one.folders and Path(one.folders[0]).parent == place]
    assert (another.variables is None) == (os.geteuid() != 0)
    monkeypatch.setattr("earmark.service.elsewhere.SHOWN", 1_000)
    (said,) = [said for said in elsewhere(platform_home(), Here()) if f"(pid {another.pid}, " in said]
    assert said.startswith("Another earmark of yours runs")
