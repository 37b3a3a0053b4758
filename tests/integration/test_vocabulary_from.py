"""Names out of a folder of notes, in a real recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import QUICK, Installation

NAMES = Path(__file__).parents[1] / "fixtures" / "names.opus"


@pytest.mark.speech
@pytest.mark.shows("transcription:names")
@pytest.mark.shows("transcription:names-away", "transcription:replace")
def test_a_name_of_the_vault_is_spelled_as_there_and_a_vault_that_is_away_stops_nothing(
    installation: Installation,
) -> None:
    people = installation.root / "Vault" / "People"
    people.mkdir(parents=True)
    for name in ("Annika Lindqvist", "Anna Lindberg", "Thomas Nowak", "New York Office", "Yusuf"):
        (people / f"{name}.md").touch()
    vault, away = installation.folder / "vault", installation.folder / "away"
    installation.drop("vault/talk.opus", NAMES)
    # A byte behind the sound makes it another recording.
    away.mkdir()
    (away / "call.opus").write_bytes(NAMES.read_bytes() + b"\0")
    installation.configure(
        f"{QUICK}[transcription]\nvocabulary_from = '{people}'\n"
        "replace = { 'lunch with annika lindqvist' = 'Lunch (Annika Lindqvist)' }\n[[folder]]\n"
        f"path = '{vault}'\n[[folder]]\npath = '{away}'\nvocabulary_from = '{people.parent / 'none'}'\n"
    )
    doctor = installation.earmark("doctor").stdout
    assert f"✓ names: 5 notes are in {people}" in doctor
    assert f"✗ names: {people.parent / 'none'} cannot be read (No such file or directory)" in doctor
    assert installation.earmark("run", "--once").returncode == 0
    # What is spelled like a name is replaced then.
    assert "Lunch (Annika Lindqvist), and she" in (vault / "talk.transcript.md").read_text()
    assert "Annika Lindqvist" not in (away / "call.transcript.md").read_text()
    assert (
        "(vocabulary_from) cannot be read: No such file or directory"
        in installation.earmark("why", away / "call.opus").stdout
    )
    assert installation.earmark("why", vault / "talk.opus").stdout.count("vocabulary_from") == 0
    said = installation.earmark("transcribe", vault / "talk.opus", "-f", "txt").stdout
    assert "Lunch (Annika Lindqvist), and she" in said
