"""A worker does not depend on the folder that the daemon was started in."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.files import pack_path
from earmark.messages import LoadModel
from earmark.transcription.models import find_model
from earmark.workers import start_process


def ready(line: bytes) -> bool:
    return b'"type":"ready"' in line


@pytest.mark.shows("durability:worker-starts-wherever-daemon")
@pytest.mark.speech
def test_a_worker_starts_although_the_current_folder_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    model = find_model("auto", None, tmp_path)
    with start_process("earmark.transcription.worker") as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(
            LoadModel(model_dir=pack_path(model.dir), model_name=model.name, cpu_threads=1).line()
        )
        worker.stdin.flush()
        assert ready(worker.stdout.readline())
        worker.stdin.close()
        assert worker.wait(20) == 0


@pytest.mark.shows("durability:worker-starts-wherever-daemon")
def test_a_worker_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "queue.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    with start_process("earmark.transcription.worker") as worker:
        assert worker.stdin is not None
        worker.stdin.close()
        assert worker.wait(20) == 0
