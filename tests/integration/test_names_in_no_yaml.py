"""Names in properties that are no YAML count, and it is said for which line their note itself stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from earmark.notes.no_yaml import mistake_in

from tests.daemon_rig import Rig, run_child
from tests.integration.test_forgotten_names import NOTE, UNNAMED, told
from tests.integration.test_named_speakers import change, listed, speak

LINES = (
    ("  - *Ann*\n", 4, '- "*Ann*"'),
    ("  - @ann # the boss\n", 4, '- "@ann" # the boss'),
    ("  - Bob\n  - Ann: B: C\n", 5, '- "Ann: B: C"'),
    ("  - 'Ann\n", 4, '- "\'Ann"'),
    ('  - "Ann" Meier\n', 4, "- '\"Ann\" Meier'"),
    ("  - [Ann\n", 4, '- "[Ann"'),
    ("  - Ann\nmine: it is: so\n", 5, 'mine: "it is: so"'),
    ("  * Ann\n  * Bob\n", 4, "- Ann"),
    ("  - @ann\n", 4, '- "@ann"'),
    ("  - Ann\nspeakers: Bob\n", 5, ""),
    ("  - Ann\n - Bob\n", 5, ""),
)


@pytest.mark.shows("transcription:names-no-yaml")
@pytest.mark.parametrize(("written", "line", "right"), LINES)
def test_the_line_is_found_for_which_properties_are_no_yaml_and_what_would_be_right(
    written: str, line: int, right: str
) -> None:
    found = mistake_in(f"---\ntype: x\nspeakers:\n{written}mine2: y\n---\n\nText: a: *b*\n")
    assert found is not None
    assert (found.line, found.right) == (line, right)


@pytest.mark.parametrize(
    "text", ["", "No properties: a: b\n", "a:: *b*\n", "---\na: b\n---\n", "---\na: *b*\n"]
)
def test_where_no_properties_are_none_are_wrong(text: str) -> None:
    assert mistake_in(text) is None


@pytest.mark.shows("transcription:names-no-yaml")
@pytest.mark.parametrize(
    ("before", "after", "right"),
    [
        ("  - Speaker 1\n", "  - *Ann*\n", '- "*Ann*"'),
        ("\n" + UNNAMED, " [*Ann*, Bob]\n", 'speakers: ["*Ann*", "Bob"]'),
        (UNNAMED, "  - '*Ann*'\n  - Bob\nmine: a: b\n", 'mine: "a: b"'),
    ],
)
def test_a_name_for_which_properties_are_no_yaml_counts_and_it_is_said_what_would_be_right(
    tmp_path: Path, before: str, after: str, right: str
) -> None:
    rig = Rig(tmp_path)
    rig.drop("talk.m4a", "hello")
    speak(rig)
    text = change(rig, NOTE, (before, after))
    number = text[: text.index(after.strip())].count("\n") + 1 + (2 if "mine" in after else 0)
    assert run_child(rig) == 0
    assert listed(rig, "talk.md")[0] == "*Ann*"
    assert rig.notes()[NOTE] == text
    for verb in (("why", str(rig.folder / NOTE)), ("status",)):
        assert f"line {number} is no YAML" in (said := told(rig, *verb))
        assert f"right would be: {right}" in said
    # The journal and the log have no name.
    (event,) = rig.events("no-yaml")
    assert event.startswith(f"{NOTE}: line {number} is no YAML")
    assert "Ann" not in event
    assert "right would be: " + ('- "..."' if right.startswith("- ") else "what stands there") in event
    assert "is no YAML" in (log := (rig.root / "child.log").read_text())
    assert "Ann" not in log
    # It is said once, and no more once it is right.
    assert run_child(rig) == 0
    assert len(rig.events("no-yaml")) == 1
    change(rig, NOTE, (text.splitlines()[number - 1].strip(), right))
    assert run_child(rig) == 0
    assert "no YAML, so" not in told(rig, "status")
    # Where nothing but the names is theirs, its turns have them then.
    assert ("**\\*Ann\\*** [" in rig.notes()[NOTE]) is ("mine" not in after)
    assert set(rig.notes()) == {NOTE, "talk.md"}
