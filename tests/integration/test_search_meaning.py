"""`earmark search` by meaning: with the model for it what words do not find is found, and what went is gone there, too."""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import struct
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.context import Clock
from earmark.domain import Segment, Summary, Tick
from earmark.messages import Embedded
from earmark.search.indexing import bring_up_to_date
from earmark.search.models import MeaningModel
from earmark.search.vectors import checked, signs_of
from earmark.supervisor import embedding
from earmark.verbs.meaning import Asked
from earmark.workers import Left, Said
from typer.testing import CliRunner, Result

from tests.conftest import MODELS
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

HERE = MODELS / "search" / "search"

needs_weights = pytest.mark.skipif(not HERE.is_dir(), reason="scripts/test brings what finds by meaning")

TALKS = {
    "invoice.m4a": "Please send the invoice to the customer before Friday, the accounting department is waiting.",
    "garden.m4a": "The tulips need water in the morning, and the roses have to be cut back in March.",
    "trip.m4a": "We take the early train to Vienna and stay in a small hotel near the river.",
}


def said(world: World, name: str, text: str, language: str = "en") -> None:
    world.record(name, segments=(Segment(0.0, 9.0, text),), language=language)


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    world = World(root)
    for name, text in TALKS.items():
        said(world, name, text)
    said(world, "german.m4a", "Die Rechnung geht am Freitag an den Kunden.", "de")
    return world


def bring_model(world: World) -> Path:
    return Path(shutil.copytree(HERE, world.root / "data" / "models" / "search"))


def run_once(world: World) -> None:
    """The daemon does all there is to do, vectors last."""
    config = world.root / "config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[summary]\nendpoint = 'none'\n")
    world.ledger.close()
    ran = subprocess.run(
        [sys.executable, "-m", "earmark", "run", "--once", str(world.drop)],
        env=os.environ, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    world.reopen()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["search", *words], env={"COLUMNS": "80"})


def answer(*words: str) -> dict[str, Any]:
    ran = run(*words, "--json")
    assert ran.exit_code == 0, ran.output
    return dict(json.loads(ran.stdout))


def found(*words: str) -> list[tuple[str, bool]]:
    """Files, and whether each was found by its meaning."""
    return [(Path(each["path"]).name, each["by_meaning"]) for each in answer(*words)["results"]]


def stored(world: World, name: str) -> bytes:
    """The vectors of a recording."""
    kept = world.ledger.index.vectors.kept(world.place(name).recording_id)
    return b"".join(kept.vectors) if kept else b""


def in_the_ledger(world: World, what: bytes) -> bool:
    world.ledger.db.fold()
    return any(what in file.read_bytes() for file in (world.root / "state").glob("ledger.db*"))


class Meant:
    """Queries mean what a recording says, without a process that says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.vector = b""
        monkeypatch.setattr(Asked, "begin", lambda asked, config: setattr(asked, "_worker", self))
        monkeypatch.setattr(Asked, "_wait", lambda asked: self.vector)

    def kill(self) -> None:
        """There is none."""


@needs_weights
@pytest.mark.shows(
    "search:meaning", "search:by-words", "search:vectors", "search:another", "search:gone", "privacy:index", "readme:search"
)  # fmt: skip
def test_what_is_meant_is_found_and_what_went_is_gone_with_its_vectors(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found("bill for a client") == []
    folder = bring_model(world)
    assert found("bill for a client") == []
    assert "By words only: 3 recordings wait for their vectors" in run("flowers").stderr
    run_once(world)
    said_of_it = run("bill for a client")
    assert "invoice.m4a" in said_of_it.stdout
    assert "found by its meaning" in said_of_it.stdout
    assert said_of_it.stderr == ""
    assert found("What did we say about flowers?") == [("garden.m4a", True)]
    meant = Meant(monkeypatch)
    meant.vector = stored(world, "invoice.m4a")
    assert found("invoice") == [("invoice.m4a", False)]
    vectors, place = stored(world, "garden.m4a"), world.place("garden.m4a")
    meant.vector = vectors
    assert found("flowers folder:drop -hotel") == [("garden.m4a", True)]
    assert (
        found("flowers -tulips")
        == found('flowers "railway station"')
        == found("flowers before:2000-01-01")
        == []
    )
    # A title is not what was said; other words are, and are found by themselves until they have their vectors.
    world.ledger.words.store_summary(Summary(place.recording_id, "extractive", "Spring", "."), world.now)
    assert found("spring")[0] == ("garden.m4a", False)
    assert stored(world, "garden.m4a") == vectors != b""
    assert in_the_ledger(world, vectors)
    transcript = world.ledger.words.transcript(place.recording_id)
    assert transcript is not None
    other = replace(transcript.segments[0], text="The kettle is on.", heard=transcript.segments[0].text)
    world.ledger.words.correct(replace(transcript, segments=(other,)), world.now)
    assert not in_the_ledger(world, vectors)
    assert found("flowers") == []
    assert answer("kettle")["by_words"] == 1
    # What is forgotten is nowhere.
    meant.vector = stored(world, "invoice.m4a")
    assert found("bill") == [("invoice.m4a", True)]
    assert in_the_ledger(world, meant.vector)
    ran = CliRunner().invoke(app, ["forget", str(world.drop / "invoice.m4a"), "--yes"])
    assert ran.exit_code == 0, ran.output
    assert not in_the_ledger(world, meant.vector)
    assert found("bill") == []
    monkeypatch.undo()
    monkeypatch.setenv("EARMARK_HOME", str(world.root))
    # A model that is damaged makes none.
    with (folder / "tokenizer.json").open("ab") as file:
        file.write(b"\n")
    assert "The model search is not what it should be" in answer("train")["why_by_words"]
    assert "By words only: The model search" in " ".join(run("train").stderr.split())
    # Another one, of which nobody said what it knows, is used for all languages, and makes all vectors anew.
    other_model = world.root / "other"
    shutil.move(folder, other_model)
    vectors = stored(world, "trip.m4a")
    ran = CliRunner().invoke(app, ["models", "add", str(other_model)])
    assert "search is in" in " ".join(ran.output.split())
    assert answer("train")["by_words"] == 3
    run_once(world)
    assert answer("railway journey")["by_words"] == 0
    assert stored(world, "trip.m4a") == vectors  # by the same weights
    assert stored(world, "german.m4a")


GARBLER = """
import json, sys
said = json.loads(sys.stdin.readline())
print(json.dumps({"type": "ready", "engine": "x", "device": "cpu", "compute_type": "x"}), flush=True)
for line in sys.stdin:
    job = json.loads(line)["job"]
    print(json.dumps({"type": "embedded", "job": job, "size": 384, "vectors": "AAAA" * 256}), flush=True)
"""


@pytest.mark.shows("search:by-words")
def test_a_recording_whose_vectors_cannot_be_is_left_to_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = MeaningModel(
        world.root, world.root / "model.onnx", world.root / "tokenizer.json", "m", frozenset({"en"})
    )
    model.model.write_bytes(b"")
    monkeypatch.setattr(embedding, "find_meaning_model", lambda models: model)
    bring_up_to_date(world.context, 60.0)
    posts: queue.SimpleQueue[Said | Left] = queue.SimpleQueue()
    passed = iter(range(1_000_000))
    clock = Clock(wall=lambda: world.now, monotonic=lambda: Tick(100.0 * next(passed)))

    def start(module: str) -> subprocess.Popen[bytes]:
        command, pipe = [sys.executable, "-c", GARBLER], subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    context = replace(world.context, clock=clock)
    made = embedding.Embedding(context, posts.put, start)
    while True:
        made.turn(lambda: True)
        if not made.busy():
            break
        match posts.get(timeout=60):
            case Said() as post:
                assert made.said(post)
                post.taken()
            case Left() as post:
                assert made.left(post)
    made.kill()
    assert not world.ledger.index.vectors.without("m", {"en"})
    assert not list(world.ledger.index.vectors.signs("m", None, ()))
    told = world.ledger.journal.latest(10)
    assert sum("a vector that is none" in event.detail for event in told) == 3


def test_vectors_that_are_none_do_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a damaged ledger may have them, under signs that are right."""
    model = MeaningModel(
        world.root, world.root / "model.onnx", world.root / "tokenizer.json", "m", frozenset()
    )
    monkeypatch.setattr("earmark.verbs.meaning.find_meaning_model", lambda models: model)
    bring_up_to_date(world.context, 60.0)
    right = base64.b64decode(vector(0.6, 0.8, *[0.0] * 14))
    index, meant = world.ledger.index.vectors, Meant(monkeypatch)
    meant.vector = right
    wrong = {
        "invoice.m4a": base64.b64decode(vector(*[float("nan")] * 16)),
        "trip.m4a": base64.b64decode(vector(*[60_000.0] * 16)),
        "german.m4a": right[:-2],
        "garden.m4a": right,
    }
    with world.ledger.transaction():
        for name, stored in wrong.items():
            told = index.said(world.place(name).recording_id)
            assert told is not None
            assert index.put(told, "m", [stored], signs_of(right))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found("flowers") == [("garden.m4a", True)]
        with world.ledger.transaction():
            world.ledger.db.execute(
                "UPDATE vectors SET vector = ?", (b"\x01\x7d" * 16,)
            )  # signals when it is converted
        assert found("flowers") == []


def vector(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}e", *numbers)).decode()


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (vector(1.0, *[0.0] * 15), True),
        (vector(0.6, 0.8, *[0.0] * 14), True),
        (vector(2.0, *[0.0] * 15), False),
        (vector(float("nan"), *[0.0] * 15), False),
        (vector(float("inf"), *[0.0] * 15), False),
        (vector(1.0, *[0.0] * 14), False),
        (vector(1.0, *[0.0] * 31), False),
        ("AAA", False),
    ],
)
def test_what_a_worker_says_is_a_vector_only_if_it_is_one(told: str, right: bool) -> None:
    found = checked(Embedded(job=1, size=16, vectors=told), 1)
    assert isinstance(found, list) == right
    if isinstance(found, list):
        assert signs_of(found[0]) == b"\xff\xff"
