"""A graphics card that is there and does not compute: recordings are heard on the processor, and status says why.

No machine of ours has a card, so what a worker on one says is said by a stand-in; CTranslate2's own errors were read on an
H200 from which NVIDIA's libraries had been taken.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Fault
from earmark.errors import ModelError
from earmark.messages import Failed, Message
from earmark.pipeline import transcribing
from earmark.supervisor import sizing
from earmark.supervisor.stages import base
from earmark.supervisor.stages.transcription import GPU_TROUBLE
from earmark.transcription import device
from earmark.transcription.serving import answered
from earmark.workers import worker_environment

from tests.conftest import wait_for
from tests.daemon_rig import STANDIN, Live, Rig, quick_waits

NO_LIBRARY = "Library libcublas.so.12 is not found or cannot be loaded"

ON_A_CARD = """
import itertools, json, os, runpy, sys
from pathlib import Path
line = sys.stdin.readline()
standin = runpy.run_path(sys.argv[1])
say, order = standin["say"], json.loads(line)
with open(sys.argv[2], "a") as log:
    log.write(order.get("device", "none") + "\\n")
def transcribe(request):
    if (failed := Path(sys.argv[2] + ".failed")).exists():
        standin["transcribe"](request)
    else:
        failed.touch()
        say(type="failed", job=request["job"], fault="environment", sentence="The graphics card failed (made up).")
if order.get("device", "cpu") != "cpu":
    ACT
sys.stdin = itertools.chain([line], sys.stdin)
standin["main"](HEAR)
"""

REFUSES = 'say(type="failed", job=0, fault="environment", sentence="The graphics card cannot be used."); sys.exit(69)'
DIES = "os.abort()"


class OnACard:
    """Starts stand-ins that do `act` where they are to use a card, and keeps on which device each was to be."""

    def __init__(self, log: Path, act: str, hear: str = "") -> None:
        self.log = log
        self.program = ON_A_CARD.replace("ACT", act).replace("HEAR", hear)

    def __call__(self, module: str, *_: Any, **__: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", self.program, str(STANDIN), str(self.log)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            env=worker_environment({}),
        )  # fmt: skip

    def devices(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line != "none"]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    quick_waits(monkeypatch, base, transcribing)
    monkeypatch.setattr(sizing, "may_use_gpu", lambda device: device != "cpu")
    return Rig(tmp_path, {"transcription": {"workers": 1}})


@pytest.mark.shows("transcription:gpu-refused")
@pytest.mark.parametrize(
    ("act", "starts"), [(REFUSES, 1), (DIES, 2)], ids=["that says so", "that ends its worker"]
)
def test_a_card_that_nobody_asked_for_and_that_does_not_compute_is_done_without(
    rig: Rig, act: str, starts: int
) -> None:
    rig.drop("one.m4a", "one")
    rig.drop("two.m4a", "two")
    start = OnACard(rig.root / "starts", act)
    assert rig.run_once(start=start) == 0
    assert {job for job in rig.jobs() if job[0] == "transcribe"} == {("transcribe", "done", 1)}, (
        "nobody is charged"
    )
    assert start.devices() == [*["auto"] * starts, "cpu"]
    assert "For an hour recordings are heard on the processor" in rig.troubles()[GPU_TROUBLE]
    assert base.WORKER_TROUBLE not in rig.troubles()


def test_a_card_is_tried_again_by_the_next_daemon_and_its_trouble_ends_where_it_computes(rig: Rig) -> None:
    rig.drop("one.m4a", "one")
    rig.run_once(start=OnACard(rig.root / "starts", REFUSES))
    assert GPU_TROUBLE in rig.troubles()
    rig.drop("two.m4a", "two")
    well = OnACard(rig.root / "later", "pass")
    assert rig.run_once(start=well) == 0
    assert well.devices() == ["auto"]
    assert GPU_TROUBLE not in rig.troubles()


@pytest.mark.shows("transcription:gpu-refused")
def test_where_the_card_was_asked_for_by_name_nothing_is_heard_on_the_processor_in_its_place(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path, {"transcription": {"workers": 1, "device": "cuda"}})
    rig.drop("one.m4a", "one")
    start = OnACard(rig.root / "starts", REFUSES)
    assert rig.run_once(start=start) == 69
    assert set(start.devices()) == {"cuda"}
    assert rig.troubles()[base.WORKER_TROUBLE] == "The graphics card cannot be used."
    assert rig.jobs() == {("transcribe", "waiting", 0)}


@pytest.mark.shows("transcription:gpu-failed")
def test_a_card_that_fails_while_a_recording_is_heard_costs_it_nothing_and_a_new_worker_goes_on(
    rig: Rig,
) -> None:
    rig.drop("one.m4a", "one")
    start = OnACard(rig.root / "starts", "pass", hear="transcribe=transcribe")
    with Live(rig, start=start) as live:
        wait_for(lambda: ("transcribe", "done", 1) in rig.jobs(), 20)
        assert live.alive()
    assert start.devices() == ["auto", "auto"], "the worker whose card failed was sent away"


def _load(broken: str) -> Callable[[str], str]:
    def try_out(model: str) -> None:
        if broken:
            raise RuntimeError(broken)

    return lambda where: device.opened(lambda: "a model", try_out, "in /models as float16", where)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (NO_LIBRARY, "Install NVIDIA's cuBLAS for CUDA 12"),
        ("CUDA failed with error out of memory", "Close what else uses its memory"),
        ("CUDA failed with error CUDA driver version is insufficient for CUDA runtime version", "nvidia-smi"),
        ("cuBLAS failed with status CUBLAS_STATUS_NOT_SUPPORTED", "nvidia-smi"),
    ],
)
def test_a_card_is_tried_out_before_a_recording_is_and_what_is_wrong_comes_with_advice(
    said: str, advice: str
) -> None:
    with pytest.raises(ModelError) as caught:
        _load(said)("cuda")
    assert f"The graphics card cannot be used ({said})." in str(caught.value)
    assert advice in str(caught.value)
    assert '[transcription] device = "cpu"' in str(caught.value)
    assert _load(said)("cpu") == "a model", "on the processor nothing is tried out"
    assert _load("")("cuda") == "a model"


@pytest.mark.shows("transcription:gpu-library")
def test_cublas_is_found_where_its_python_package_lies(tmp_path: Path) -> None:
    lib = tmp_path / "nvidia" / "cublas" / "lib"
    lib.mkdir(parents=True)
    (lib / "libcublas.so.12").touch()
    assert device.packaged_libraries([str(tmp_path)]) == [], "half of it is none"
    (lib / "libcublasLt.so.12").touch()
    found = device.packaged_libraries([str(tmp_path / "elsewhere"), str(tmp_path)])
    assert [library.name for library in found] == ["libcublasLt.so.12", "libcublas.so.12"]
    assert {library.parent for library in found} == {lib}


def test_only_the_cards_own_errors_are_laid_to_it() -> None:
    said: list[Message] = []
    for error in (
        RuntimeError("CUDA failed with error unknown error"),
        RuntimeError("something that was said"),
    ):
        with answered(1, said.append, "transcribing"):
            raise error
    card, ours = (message for message in said if isinstance(message, Failed))
    assert card.fault is Fault.ENVIRONMENT
    assert (
        "The graphics card failed (CUDA failed with error unknown error); a new worker goes on"
        in card.sentence
    )
    assert ours.fault is Fault.INTERNAL
    assert "something that was said" not in ours.sentence
