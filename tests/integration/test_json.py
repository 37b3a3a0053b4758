"""What verbs print with --json is as docs/json.md has it: one object, with a version, with times as ISO 8601."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import main
from earmark.cli.answers import ANSWERS, ErrorAnswer
from earmark.cli.answers.page import reference, schemas
from earmark.cli.index import VERBS, loaded
from typer.testing import CliRunner

from tests.conftest import SAMPLE
from tests.retention_world import World
from tests.shown import DOCS, FOLD

pytest_plugins = ("tests.retention_root",)


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(
        "[summary]\nendpoint = 'none'\n[retention.audio]\nkeep_for = '30d'\n"
    )
    world = World(root, {"audio": {"keep_for": "30d"}})
    world.record("a.wav", speakers=("Anna", ""))
    world.record("two\nlines \udcff.wav", speech_seconds=400.0)
    world.record("late.wav", done=False)
    return world


def answer(*words: str, code: int = 0) -> Any:
    """All of stdout is one object."""
    result = CliRunner().invoke(main.app, [*words, "--json"], env={"COLUMNS": "20", "FORCE_COLOR": "1"})
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def agrees(verb: str, said: Any) -> None:
    """What was said is as its schema has it, and each moment in it is one."""
    schema = ANSWERS[verb]
    schema.model_validate(said)
    assert said["version"] == 1
    whole = schema.model_json_schema(by_alias=True)
    assert {*said} == {*whole["properties"]} or whole.get("additionalProperties") is True
    moments(whole, whole, said)


def moments(whole: Any, schema: Any, said: Any) -> None:
    if "$ref" in schema:
        moments(whole, whole["$defs"][schema["$ref"].rsplit("/", 1)[-1]], said)
    elif "anyOf" in schema:
        for one in schema["anyOf"] if said is not None else ():
            moments(whole, one, said)
    elif schema.get("format") == "date-time":
        assert datetime.fromisoformat(said).tzinfo is not None
    elif isinstance(said, list):
        for each in said:
            moments(whole, schema.get("items", {}), each)
    elif isinstance(said, dict):
        for key, value in said.items():
            moments(whole, schema.get("properties", {}).get(key, {}), value)


@pytest.mark.shows("json:nothing-else", "json:schema", "json:moments")
def test_every_answer_is_one_object_as_its_schema_has_it(world: World) -> None:
    for verb in ("status", "list", "hold", "trash list", "receipts list", "receipts verify", "retention plan",
                 "retention status", "config show", "models list", "speakers list", "privacy"):  # fmt: skip
        agrees(verb, answer(*verb.split()))
    assert answer("list")["counts"] == {"done": 2, "waiting": 1, "failed": 0}
    assert {row["path"] for row in answer("list")["recordings"]} >= {
        str(world.drop / "two\nlines \udcff.wav")
    }
    audio = (world.drop / "a.wav").read_bytes()
    agrees("why FILE", answer("why", "a.wav"))
    agrees("search WORDS", answer("search", "walrus"))
    assert len(answer("search", "walrus")["results"]) == 2
    agrees("ask QUESTION", answer("ask", "Where is the walrus?"))
    agrees("speakers list FILE", answer("speakers", "list", "a.wav"))
    config = world.root / "config" / "config.toml"
    config.write_text(config.read_text().replace("'none'", "'http://127.0.0.1:9/v1'"))
    agrees("summary test", answer("summary", "test", code=69))
    agrees("hold", answer("hold", "late.wav", "--why", "an audit"))
    assert [h["why"] for h in answer("hold")["held"]] == ["an audit"]
    assert answer("hold", "--release", "late.wav")["held"] == []
    agrees("retention apply", answer("retention", "apply", "--yes"))
    agrees("trash list", answer("trash", "list"))
    agrees("retention status", answer("retention", "status"))
    agrees("export", answer("export", "--out", "all.zip"))
    agrees("export verify PATH", answer("export", "verify", "all.zip"))
    again = world.root / "again.wav"
    again.write_bytes(audio)
    agrees("forget --dry-run", answer("forget", "drop/a.wav", "--dry-run"))
    agrees("forget", answer("forget", "drop/a.wav", "--yes"))
    again.rename(world.drop / "a.wav")
    agrees("forget --lift", answer("forget", "drop/a.wav", "--lift"))
    agrees("receipts list", answer("receipts", "list"))
    agrees("speakers forget", answer("speakers", "forget", "--all", "--yes"))


def test_a_transcript_and_what_the_doctor_finds_are_answers_too(world: World) -> None:
    said = answer("transcribe", str(SAMPLE))
    agrees("transcribe FILE", said)
    assert "release" in said["text"]
    result = CliRunner().invoke(main.app, ["doctor", "--json"])
    agrees("doctor", json.loads(result.stdout))


@pytest.mark.shows("json:errors")
@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["why", "nobody.wav"], 66, "there is no such file"),
        (["list", "--since", "x"], 2, "'x' is no date; write it like 2026-03-31"),
        (["list", "--state", "lost"], 2, "there is no such state"),
        (["list", "--csv"], 2, "say one of the two"),
        (["export"], 2, "say where to"),
        (["forget"], 2, "say what to forget"),
    ],
)
def test_where_there_is_no_answer_the_error_is_one(
    world: World, words: list[str], code: int, sentence: str
) -> None:
    said = answer(*words, code=code)
    ErrorAnswer.model_validate(said)
    assert said["error"]["exit_code"] == code
    assert sentence in said["error"]["sentence"]


def said_by(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main.app, list(words), env={"COLUMNS": "20", "FORCE_COLOR": "1"})
    return result.exit_code, result.stdout


def every_verb(command: dict[str, Any], words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Of the manual, the groups of verbs and the whole command included."""
    yield words
    for inner in command["commands"]:
        yield from every_verb(inner, (*words, inner["name"]))


@pytest.mark.shows("json:wrong-usage", "json:help")
def test_wrong_usage_of_every_verb_is_one_object_wherever_json_is_said_and_help_is_text(world: World) -> None:
    manual = json.loads((DOCS.parent / "packaging" / "commands.json").read_text())
    found = list(every_verb(manual))
    assert len(found) > 60
    for verb in found:
        for words in (
            ("--nonsense", "--json"),
            ("--json", "--js"),
            ("--json=yes",),
            ("--json", "--nonsense", "x", "--"),
        ):
            code, said = said_by(*verb, *words)
            error = ErrorAnswer.model_validate_json(said).error
            assert code == error.exit_code == 2, (verb, words, said)
            assert "json" in error.sentence or "nonsense" in error.sentence or "--js" in error.sentence
    code, said = said_by("list", "--state", "--json")
    assert (code, ErrorAnswer.model_validate_json(said).error.exit_code) == (2, 2)
    code, said = said_by("status", "--json", "--help")
    assert (code, "Usage:" in said) == (0, True)
    assert json.loads(said_by("search", "--json", "--", "walrus")[1])["query"] == "walrus"


def test_before_anything_ran_the_error_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    assert "earmark has not run here yet" in answer("status", code=66)["error"]["sentence"]


@pytest.mark.shows("json:schema")
def test_the_page_is_written_from_the_schemas_and_has_every_verb_that_takes_json() -> None:
    page = (DOCS / "json.md").read_text()
    written = reference()
    assert page.partition(FOLD)[0] == written.partition(FOLD)[0], (
        "write it: earmark config json-reference > docs/json.md"
    )
    assert {*schemas()} == {*ANSWERS, "errors"}

    def with_json(command: Any, words: tuple[str, ...] = ()) -> list[str]:
        here = [" ".join(words)] if any(p.name == "json" for p in command.params) else []
        inner = getattr(command, "commands", {}).items()
        return here + [found for name, each in inner for found in with_json(each, (*words, name))]

    described = {
        re.sub(r" (FILE|PATH|WORDS|QUESTION|--dry-run|--lift|--once|--out FILE)", "", verb)
        for verb in ANSWERS
    }
    assert {found for verb in VERBS for found in with_json(loaded(verb), (verb.name,))} == described


@pytest.mark.shows("json:csv")
def test_the_page_says_what_a_spreadsheet_gets(world: World) -> None:
    CliRunner().invoke(main.app, ["list"])
    note = world.drop / "a.md"
    for title, cell in (
        ("=1+1", "'=1+1"),
        ("a;@b; +1", "a;'@b; '+1"),
        ("\uff1d1", "'\uff1d1"),
        ("a-b;c", "a-b;c"),
    ):
        note.write_text(f"---\ntype: summary\n---\n# {title}\n")
        assert f",{cell}," in CliRunner().invoke(main.app, ["list", "--csv"]).stdout
