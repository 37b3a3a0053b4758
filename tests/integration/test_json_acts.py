"""Every verb takes --json; those that act say in one object what they did, and where they ask nobody is kept waiting."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import main
from earmark.cli.answers import ACTING, ErrorAnswer
from earmark.cli.index import VERBS, loaded
from earmark.domain import Stage
from typer.testing import CliRunner

from tests.a_mac import a_mac
from tests.conftest import Installation
from tests.integration.test_json import agrees, answer, world
from tests.integration.test_models_verbs import folder_with
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

__all__ = ["world"]

NO_JSON = {
    "config edit": "opens an editor, which is for a person at a terminal",
    "config sample": "prints a file, config.toml",
    "config reference": "prints a page of docs/",
    "config json-reference": "prints a page of docs/, or with --schema JSON already",
    "export recording": "prints a document; --format json is JSON",
    "mcp": "speaks MCP, which is JSON, on its standard input and output",
    "open": "prints a link",
    "serve": "prints where its pages are, and goes on",
    "service logs": "prints a log, and goes on with --follow",
    "service show": "prints a file, the unit",
}
"""Verbs without --json, and why."""


def verbs(command: Any, words: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Each verb below a command, and whether it takes --json. A group that does something by itself is one, too."""
    inner = getattr(command, "commands", {})
    here = [(" ".join(words), any(p.name == "json" for p in command.params))]
    below = [found for name, each in inner.items() for found in verbs(each, (*words, name))]
    return [*(here if not inner or command.invoke_without_command else []), *below]


@pytest.mark.shows("json:every-verb")
def test_every_verb_takes_json_but_those_that_print_a_document_a_log_or_open_an_editor() -> None:
    found = dict(pair for verb in VERBS for pair in verbs(loaded(verb), (verb.name,)))
    assert {verb for verb, takes in found.items() if not takes} == {*NO_JSON}
    assert {verb.partition(" --")[0] for verb in ACTING} <= {verb for verb, takes in found.items() if takes}


def did(verb: str, *more: str, code: int = 0) -> list[tuple[str, str, str]]:
    """What a verb says that it did: name of the thing, outcome, sentence."""
    said = answer(*verb.partition(" --")[0].split(), *more, code=code)
    agrees(verb, said)
    return [(act["thing"].rsplit("/", 1)[-1], act["outcome"], act["sentence"]) for act in said["acts"]]


@pytest.mark.shows("json:acts", "json:refused")
def test_what_is_done_with_recordings_is_said_thing_by_thing(world: World) -> None:
    odd = "two\nlines \udcff.wav"
    assert did("retry", "drop/a.wav", odd) == [
        ("a.wav", "done", "will be tried again (transcribe)"), (odd, "done", "will be tried again (transcribe)"),
    ]  # fmt: skip
    assert did("retry", "--failed") == []
    assert answer("retry", "--failed")["said"] == ["Nothing to try again."]
    ((name, outcome, why),) = did("retry", "late.wav", "--speakers", code=0)
    assert (name, outcome) == ("late.wav", "done")
    assert did("resummarize", "a.wav", "-t", "lecture")[0][1:] == (
        "done",
        "will be summarized again as lecture",
    )
    assert did("speakers name", "a.wav", "2", "Ben") == [("a.wav", "done", "speaker 2 is Ben")]
    merged = "is Anna now, in 1 recording; in 1 recording both speak, and are one there from now on."
    assert did("speakers merge", "Ben", "Anna")[0][1:] == ("done", merged)
    assert did("retention set", "a.wav", "--never")[0][1] == "done"
    assert did("retention accept", "a.wav", odd)[1] == (odd, "done", "accepted as it is")
    assert did("retention trust", "--yes") == [("holds", "unchanged", "Nothing was in doubt.")]
    assert did("hold", "a.wav") == [("a.wav", "done", "held")]
    assert did("hold", "a.wav", "late.wav")[0] == ("a.wav", "unchanged", "already held")
    kept, let_go = did("unhold", "a.wav", "late.wav", code=1)
    assert kept[:2] == ("a.wav", "refused")
    assert kept[2].startswith("not held by hand any more, and stays held by its own rule"), kept
    assert let_go == ("late.wav", "done", "not held")
    assert did("unhold", "late.wav") == [("late.wav", "unchanged", "already not held")]
    (world.drop / "late.wav").unlink()
    ((name, outcome, why),) = did("retry", "late.wav", code=66)
    assert (name, outcome) == ("late.wav", "refused")
    assert "its audio is not there any more" in why
    job = world.ledger.jobs.of(world.place("late.wav").recording_id, Stage.TRANSCRIBE)
    assert job is not None
    world.ledger.jobs.fail(job.id, "noise", world.now)
    assert did("retry", "--failed", code=66)[0][:2] == ("late.wav", "refused")
    said = did("retry", "--speakers", "a.wav", "late.wav", code=1)
    assert [act[:2] for act in said] == [("a.wav", "refused"), ("late.wav", "refused")]
    assert answer("list")["counts"]["waiting"] >= 1


@pytest.mark.shows("json:refused")
def test_what_is_done_with_the_trash_is_said_file_by_file(world: World) -> None:
    answer("retention", "apply", "--yes")
    (row,) = (row for row in answer("trash", "list")["files"] if row["class"] == "audio")
    ((name, outcome, said),) = did("trash restore", row["original"])
    assert (name, outcome) == ("a.wav", "done")
    assert "is back, and held" in said
    assert did("unhold", "a.wav")[0][1] == "done"
    answer("retention", "apply", "--yes")
    answer("hold", "a.wav")
    stays = did("trash empty", "--yes", code=1)
    assert did("trash empty", "--yes", row["original"], code=1) == [
        act for act in stays if act[1] == "refused"
    ]
    assert ("a.wav", "refused") in [act[:2] for act in stays]
    answer("unhold", "a.wav")
    gone = did("trash empty", "--yes")
    assert ("a.wav", "done", "gone for good") in gone
    assert did("trash empty", "--yes") == []
    assert did("receipts export --out FILE", "--out", "r.jsonl")[0][0] == "r.jsonl"
    assert "needs --out" in answer("receipts", "export", code=2)["error"]["sentence"]


def test_settings_words_and_consent_say_what_was_done_too(world: World) -> None:
    assert did("config set", "summary.endpoint", "http://192.168.9.9:1/v1")[0][1] == "done"
    assert did("config unset", "summary.model")[0][1:] == ("unchanged", "is not set; nothing was changed")
    assert did("config unset", "summary.endpoint")[0][1] == "done"
    agrees("config check", answer("config", "check"))
    assert did("vocabulary accept", "Meier", "Übung") == [
        (word, "done", "expected from the next recording on") for word in ("Meier", "Übung")
    ]
    assert did("vocabulary accept", "Meier")[0][1:] == ("unchanged", "was accepted before")
    assert did("vocabulary ignore", "Meier")[0][1] == "done"
    assert did("vocabulary forget", "Meier", "Übung")[1][0] == "Übung"
    assert answer("privacy", "allow", "--yes")["said"][0].startswith("There is nothing to allow")
    server = "endpoint = 'http://192.168.9.9:1/v1'\nallowed_hosts = ['192.168.9.9']"
    config = world.root / "config" / "config.toml"
    config.write_text(f"privacy = 'lan'\n[summary]\n{server}\n")
    ((_, outcome, said),) = did("privacy allow", "--yes")
    assert outcome == "done"
    assert said.startswith("Allowed.")
    assert did("privacy allow", "--withdraw")[0][1] == "done"
    config.write_text("nonsense = 1\n")
    assert "nonsense" in answer("config", "check", code=78)["error"]["sentence"]


def test_models_that_come_and_go_are_told_and_what_was_verified_is_a_list_of_findings(
    world: World, tmp_path: Path
) -> None:
    folder_with(tmp_path / "mine")
    with tarfile.open(tmp_path / "mine.tar", "w") as packed:
        packed.add(tmp_path / "mine", "mine")
    assert did("models add", str(tmp_path / "mine.tar"))[0][1] == "done"
    said = answer("models", "verify", "mine")
    agrees("models verify", said)
    assert [finding["ok"] for finding in said["findings"]] == [True]
    (world.root / "data" / "models" / "mine" / "model.bin").write_bytes(b"x")
    said = answer("models", "verify", "mine", code=1)
    agrees("models verify", said)
    assert not said["findings"][0]["ok"]
    assert did("models download", "base", "--if-none")[0][1] == "unchanged"
    assert did("models remove", "mine", "--yes")[0][1] == "done"


def test_a_service_that_comes_starts_anew_and_goes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = a_mac(tmp_path, monkeypatch).with_a_standin(monkeypatch)
    try:
        assert did("service install", str(mac.folder))[0][:2] == ("service", "done")
        assert did("service restart") == [("service", "done", "Restarted it.")]
        assert did("service uninstall")[0][1] == "done"
        assert "not installed" in answer("service", "restart", code=66)["error"]["sentence"]
    finally:
        mac.shut_down()


@pytest.mark.shows("json:asks")
def test_what_asks_does_not_wait_for_an_answer_where_json_is_read(world: World) -> None:
    answer("retention", "apply", "--yes")
    for words in (["trash", "empty"], ["forget", "drop/late.wav"], ["speakers", "forget", "--all"],
                  ["retention", "trust"]):  # fmt: skip
        said = CliRunner().invoke(main.app, [*words, "--json"], input="y\nforget 1\n")
        assert said.exit_code == 2, words
        assert "say --yes" in json.loads(said.stdout)["error"]["sentence"]
    assert (world.drop / "late.wav").exists()
    assert any(row["state"] == "here" for row in answer("trash", "list")["files"])


@pytest.mark.shows("json:errors")
@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["retention", "plann"],
        ["--systm", "list"],
        ["unhold"],
        ["hold", "--whi"],
        ["config", "edit"],
    ],
)
def test_what_is_no_verb_or_takes_no_json_is_an_error_in_json_too(world: World, words: list[str]) -> None:
    said = answer(*words, code=2)
    ErrorAnswer.model_validate(said)
    assert said["error"]["exit_code"] == 2
    assert said["error"]["sentence"]


def test_an_error_half_way_says_what_was_done_before(world: World) -> None:
    assert did("hold", "a.wav") == [("a.wav", "done", "held")]
    answer("unhold", "a.wav")
    said = answer("retention", "accept", "a.wav", "late.wav", code=65)
    ErrorAnswer.model_validate(said)
    assert [(act["outcome"], act["sentence"]) for act in said["acts"]] == [("done", "accepted as it is")]
    assert "late.wav: has no transcript" in said["error"]["sentence"]


@pytest.mark.speech
def test_a_run_says_in_the_end_what_was_done_with_which_file(installation: Installation) -> None:
    installation.drop("standup.m4a")
    (installation.folder / "broken.wav").write_bytes(b"RIFF" + b"no sound" * 1000)
    done = installation.earmark("run", installation.folder, "--once", "--json")
    said = json.loads(done.stdout)
    agrees("run --once", said)
    assert done.returncode == 65, done.stderr  # a recording is bad
    assert "Nothing left to do" in done.stderr  # what goes on is said there, as without --json
    told = {(act["thing"].rsplit("/", 1)[-1], act["outcome"]) for act in said["acts"]}
    assert {("standup.m4a", "done"), ("broken.wav", "refused")} <= told
    sentences = [act["sentence"] for act in said["acts"] if act["thing"].endswith("standup.m4a")]
    assert any(sentence.startswith("Its note was written: ") for sentence in sentences), sentences
    again = json.loads(installation.earmark("run", installation.folder, "--once", "--json").stdout)
    assert again["acts"] == []
    for words in (["run"], ["run", "--once", "--service"]):
        wrong = installation.earmark(*words, installation.folder, "--json")
        assert wrong.returncode == 2
        assert "it goes with --once" in json.loads(wrong.stdout)["error"]["sentence"]
