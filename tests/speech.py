"""Real speech for tests: word errors against a reference, the corpus, a model, and a worker to talk to."""

from __future__ import annotations

import hashlib
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from earmark.diarization.models import SpeakerModel, find_speaker_model
from earmark.domain import Segment
from earmark.files import pack_path
from earmark.messages import (
    Failed,
    Finished,
    Heard,
    LoadModel,
    LoadSpeakers,
    Ready,
    Reply,
    TellApart,
    ToldApart,
    TranscribeRequest,
    parse_reply,
)
from earmark.speaking import MOST_PEOPLE
from earmark.transcription.models import SpeechModel, find_model
from rapidfuzz.distance import Levenshtein

from tests.conftest import MODELS

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
SAMPLE = Path(__file__).resolve().parents[1] / "daemon" / "earmark" / "sample" / "sample.m4a"
NOWHERE = Path("/nonexistent")


def corpus(name: str) -> Path:
    """A file of the corpus; the test is skipped where the corpus is not."""
    path = CORPUS / name
    if not path.exists():
        pytest.skip(f"the corpus file {name} is not here")
    return path


def quick_model() -> SpeechModel:
    """The real tiny.en weights, checked against their pinned hashes."""
    return find_model("tiny.en", None, NOWHERE, MODELS / "tiny.en")


def many_languages() -> SpeechModel:
    """The real multilingual base weights, checked against their pinned hashes."""
    return find_model("base", None, NOWHERE, MODELS / "base")


def speaker_model() -> SpeakerModel:
    """The real ones that tell who speaks, checked against their pinned hashes."""
    found = find_speaker_model(NOWHERE, MODELS / "speakers")
    assert found is not None, "scripts/test brings them"
    return found


def sample_reference() -> str:
    """What is said in the sample, without the speakers' names."""
    return "\n".join(line.partition(": ")[2] for line in SAMPLE.with_suffix(".txt").read_text().splitlines())


def words(text: str) -> list[str]:
    """Lower-case words without punctuation; the few numbers in our texts as words."""
    plain = re.sub(r"[^\w\s]", " ", text.lower().replace("'", "").replace("10th", "tenth"))
    return plain.split()


def word_error_rate(reference: str, heard: str) -> float:
    """Words wrong, missing or too many, per word of the reference."""
    return Levenshtein.distance(words(reference), words(heard)) / max(1, len(words(reference)))


def text_of(segments: Sequence[Segment]) -> str:
    return " ".join(s.text for s in segments)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Hearing:
    """What a worker said about one request."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)

    @property
    def last(self) -> Reply:
        return self.replies[-1]

    @property
    def heard(self) -> list[Heard]:
        return [r for r in self.replies if isinstance(r, Heard)]

    @property
    def segments(self) -> list[Segment]:
        return [s for h in self.heard for s in h.segments]

    @property
    def text(self) -> str:
        return text_of(self.segments)

    @property
    def finished(self) -> Finished:
        assert isinstance(self.last, Finished), self.last
        return self.last

    @property
    def failed(self) -> Failed:
        assert isinstance(self.last, Failed), self.last
        return self.last


class WorkerProcess:
    """A real transcription worker, as the supervisor starts it."""

    def __init__(
        self,
        readable: Sequence[Path],
        sandbox: str = "auto",
        memory_limit_mb: int = 0,
        command: Sequence[str] = ("-m", "earmark.transcription.worker"),
        model: SpeechModel | None = None,
        at_once: int = 1,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._rest = b""
        model = model or quick_model()
        self.load: LoadModel | LoadSpeakers = LoadModel(
            model_dir=pack_path(model.dir),
            model_name=model.name,
            device="cpu",
            sandbox=sandbox,
            readable=tuple(pack_path(p) for p in readable),
            memory_limit_mb=memory_limit_mb,
            at_once=at_once,
        )

    def __enter__(self) -> Self:
        self.send(self.load)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(60)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def send(self, message: LoadModel | TranscribeRequest | LoadSpeakers | TellApart) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(message.line())

    def ready(self) -> Ready:
        reply = self.reply()
        assert isinstance(reply, Ready), reply
        return reply

    def transcribe_after_ready(self, path: Path, **wishes: Any) -> Hearing:
        self.ready()
        return self.transcribe(path, **wishes)

    def reply(self, seconds: float = 120.0) -> Reply:
        """The next message; fails the test if the worker ends or is silent for so long."""
        if (reply := self.reply_or_end(seconds)) is None:
            pytest.fail(f"the worker ended with {self.process.wait(10)}")
        return reply

    def reply_or_end(self, seconds: float = 120.0) -> Reply | None:
        """The next message, or None if the worker ends; fails the test if it is silent for so long."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                pytest.fail("the worker said nothing")
            chunk = self.process.stdout.read(1 << 16)
            if not chunk:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return parse_reply.validate_json(line)

    def request(self, path: Path, job: int = 1, **wishes: Any) -> None:
        wishes.setdefault("recording_id", digest(path) if path.is_file() else "0" * 64)
        self.send(TranscribeRequest(job=job, path=pack_path(path), **wishes))

    def transcribe(self, path: Path, **wishes: Any) -> Hearing:
        """Ask for one recording and collect everything said about it."""
        self.request(path, **wishes)
        replies = []
        while True:
            replies.append(self.reply())
            if isinstance(replies[-1], Finished | Failed):
                return Hearing(replies)


class TellingWorker(WorkerProcess):
    """A real worker that tells voices apart."""

    def __init__(self, readable: Sequence[Path]) -> None:
        super().__init__(readable, command=("-m", "earmark.diarization.worker"))
        models = speaker_model()
        self.load = LoadSpeakers(
            segmentation=pack_path(models.segmentation),
            encoder=pack_path(models.encoder),
            features=models.features,
            readable=tuple(pack_path(p) for p in readable),
        )

    def tell(self, path: Path, fewest: int = 1, most: int = MOST_PEOPLE) -> ToldApart:
        """Who speaks when in a file."""
        self.send(TellApart(job=1, path=pack_path(path), recording_id=digest(path), fewest=fewest, most=most))
        while not isinstance(reply := self.reply(), ToldApart | Failed):
            pass
        assert isinstance(reply, ToldApart), reply
        return reply
