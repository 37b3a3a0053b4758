"""What cannot be asked of a running worker is asked of the real module, started for this check with the same order."""

from __future__ import annotations

import hashlib
import queue
import subprocess
from pathlib import Path

from earmark.config import Config
from earmark.errors import ModelError
from earmark.files import has_own_processes, pack_path
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.messages import Failed, LoadModel, Ready, Reply, Started, TranscribeRequest
from earmark.paths import Home
from earmark.proof.outcome import SECONDS, Outcome
from earmark.proof.running.descriptors import has_proc
from earmark.proof.running.holder import ANOTHERS
from earmark.proof.running.recording import unique_speech
from earmark.proof.running.sampler import Sampler
from earmark.supervisor.sizing import falls_back, load_order
from earmark.transcription.models import find_model
from earmark.workers import Left, Said, Worker, start_process

MODULE = "earmark.transcription.worker"


def real_worker(config: Config, home: Home, folders: tuple[Path, ...], scratch: Path) -> Outcome:
    """The real transcription worker is asked for a recording that lies in no drop folder."""
    claim = "The real transcription worker, started for this check{}, cannot open a recording outside the drop folders"
    try:
        model = find_model(config.transcription.model, config.transcription.model_dir, home.models)
    except ModelError as error:
        return Outcome(claim.format(""), None, str(error))
    outside = scratch / "outside.m4a"
    outside.write_bytes(unique_speech())

    order = load_order(config, model, folders)
    worker, inbox, ready = _started(order)
    if isinstance(ready, Failed) and falls_back(order):
        _end(worker)
        worker, inbox, ready = _started(load_order(config, model, folders, on_processor=True))
    try:
        if not isinstance(ready, Ready):
            why = ready.sentence if isinstance(ready, Failed) else "it ended"
            return Outcome(claim.format(""), None, why)
        sampler = Sampler(worker.pid)
        if has_proc():
            sampler.look()
        digest = hashlib.sha256(outside.read_bytes()).hexdigest()
        worker.send(TranscribeRequest(job=1, path=pack_path(outside), recording_id=digest))
        answer = _answer(inbox)
    finally:
        _end(worker)
        outside.unlink()
    named = claim.format(f" (pid {worker.pid}) with the daemon's order")
    if not has_proc():
        return judged_by_itself(named, ready, answer)
    if not has_own_processes():
        return Outcome(named, None, ANOTHERS)
    walls = sampler.processes[worker.pid].status
    held = walls.get("Seccomp") == "2" and walls.get("NoNewPrivs") == "1"
    if isinstance(answer, Failed) and held:
        return Outcome(named, True, "the system refused; filter and no-new-privileges are on")
    wrong = [] if held else [f"Seccomp is {walls.get('Seccomp')}"]
    wrong += ["it opened one"] if isinstance(answer, Started) else []
    return Outcome(named, False if wrong else None, "; ".join(wrong) or "it did not answer")


def _started(order: LoadModel) -> tuple[Worker, queue.SimpleQueue[Said | Left], Reply | None]:
    """A worker with this order, where it says what, and its first answer."""

    def start(module: str) -> subprocess.Popen[bytes]:
        return start_process(module, stderr=subprocess.DEVNULL)

    inbox: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
    worker = Worker(MODULE, inbox.put, start)
    try:
        worker.send(order)
        return worker, inbox, _answer(inbox)
    except BaseException:
        _end(worker)
        raise


def _end(worker: Worker) -> None:
    worker.kill()
    worker.wait(5)


def judged_by_itself(claim: str, ready: Ready, answer: Reply | None) -> Outcome:
    """What a worker's own words are worth where the kernel's cannot be had: enough for a breach, not for a proof. Pure."""
    wrong = ["it opened one"] if isinstance(answer, Started) else []
    wrong += [sentence for sentence in ready.sandbox if sentence.startswith(NOT_ENFORCED)]
    if wrong:
        return Outcome(claim, False, "; ".join(wrong))
    if not isinstance(answer, Failed):
        return Outcome(claim, None, "it did not answer")
    said = "; ".join(ready.sandbox)
    return Outcome(
        claim,
        None,
        f"it says that the system refused ({said}); what holds it, this system does not show (it has no /proc)",
    )


def _answer(inbox: queue.SimpleQueue[Said | Left]) -> Reply | None:
    """Its next message but signs of life; None if it ended or says nothing."""
    try:
        while True:
            post = inbox.get(timeout=SECONDS)
            if isinstance(post, Left):
                return None
            return post.message
    except queue.Empty:
        return None
