"""What a note says of who speaks: each edit of its list with each edit of its turns."""

from __future__ import annotations

from itertools import product

import pytest
from earmark.notes.name_lists import names_in, why_no_names
from earmark.notes.names_said import Held, Said, Shown, said
from earmark.notes.naming import news

WRITTEN = ("Ada", "Bea")
SPEAKERS = (1, 2, 1, 2, 1)

LISTS = {
    "as it was": ("Ada", "Bea"),
    "named": ("Eve", "Bea"),
    "in another order": ("Bea", "Ada"),
    "one for both": ("Bea", "Bea"),
    "taken back": ("Speaker 1", "Bea"),
    "numbers of others": ("Speaker 2", "Bea"),
    "one out": ("Bea",),
    "one more": ("Ada", "Bea", "Zoe"),
    "away": (),
}
TURNS = {
    "as they were": ("Ada", "Bea", "Ada", "Bea", "Ada"),
    "named": ("Eve", "Bea", "Eve", "Bea", "Eve"),
    "named otherwise": ("Zoe", "Bea", "Zoe", "Bea", "Zoe"),
    "all but the last": ("Eve", "Bea", "Eve", "Bea", "Ada"),
    "one": ("Ada", "Bea", "Zoe", "Bea", "Ada"),
    "one the other's": ("Ada", "Bea", "Bea", "Bea", "Ada"),
    "all the other's": ("Bea", "Bea", "Bea", "Bea", "Bea"),
    "swapped": ("Bea", "Ada", "Bea", "Ada", "Bea"),
    "one new name for both": ("Eve", "Eve", "Eve", "Eve", "Eve"),
    "a number": ("Speaker 1", "Bea", "Speaker 1", "Bea", "Speaker 1"),
    "another's number": ("Speaker 2", "Bea", "Speaker 2", "Bea", "Speaker 2"),
    "without": ("", "", "", "", ""),
}


def there(
    listed: tuple[str, ...], turns: tuple[str, ...], known: tuple[str, ...] = WRITTEN
) -> tuple[Said, dict[int, str]]:
    shown = [
        Shown(10.0 * n, speaker, name) for n, (speaker, name) in enumerate(zip(SPEAKERS, turns, strict=True))
    ]
    found = said(listed, Held(WRITTEN, known, WRITTEN), shown)
    return found, news(known, found.names)


@pytest.mark.parametrize(
    ("listed", "turns", "given", "odds"),
    [
        ("as it was", "as they were", {}, 0),
        ("as it was", "named", {1: "Eve"}, 0),
        ("away", "named", {1: "Eve"}, 0),
        ("as it was", "a number", {1: ""}, 0),
        ("named", "as they were", {1: "Eve"}, 0),
        ("named", "named", {1: "Eve"}, 0),
        ("in another order", "as they were", {1: "Bea", 2: "Ada"}, 0),
        ("in another order", "swapped", {1: "Bea", 2: "Ada"}, 0),
        ("one for both", "as they were", {1: "Bea"}, 0),
        ("one for both", "all the other's", {1: "Bea"}, 0),
        ("taken back", "as they were", {1: ""}, 0),
        ("taken back", "a number", {1: ""}, 0),
        ("as it was", "without", {}, 0),
        # What contradicts itself names nobody.
        ("named", "named otherwise", {}, 1),
        ("as it was", "all the other's", {}, 1),
        ("as it was", "swapped", {}, 2),
        ("as it was", "one new name for both", {}, 2),
        ("as it was", "another's number", {}, 1),
        ("numbers of others", "as they were", {}, 1),
        ("one out", "as they were", {}, 1),
        ("one more", "as they were", {}, 1),
        # Some of the turns are those turns, and the list counts.
        ("as it was", "one", {}, 1),
        ("as it was", "one the other's", {}, 1),
        ("as it was", "all but the last", {}, 1),
        ("named", "all but the last", {1: "Eve"}, 1),
        ("named", "one", {1: "Eve"}, 1),
    ],
)
def test_a_name_throughout_the_turns_is_a_name_and_what_contradicts_itself_names_nobody(
    listed: str, turns: str, given: dict[int, str], odds: int
) -> None:
    found, new = there(LISTS[listed], TURNS[turns])
    assert (new, len(found.odds)) == (given, odds), found.odds
    assert not any(name in odd for odd in found.odds for name in ("Ada", "Bea", "Eve", "Zoe"))


@pytest.mark.parametrize(("listed", "turns"), [*product(LISTS, TURNS)])
def test_whatever_the_list_and_the_turns_say_only_what_stands_there_is_a_name_and_it_is_read_once(
    listed: str, turns: str
) -> None:
    names, begun = LISTS[listed], TURNS[turns]
    found, new = there(names, begun)
    assert set(new.values()) <= {*names, *begun, ""}
    if names in (WRITTEN, ()):
        assert len(set(found.names)) == len(found.names), "turns alone make nobody one person"
    again, newer = there(names, begun, tuple(found.names))
    assert newer == {}, "it is known by now"
    assert again.names == found.names
    if found.odds and begun != TURNS["as they were"]:
        assert again.odds, "it is said as long as it stands there"


def test_a_number_of_ours_in_a_turn_contradicts_no_name_in_the_list() -> None:
    written = ("Speaker 1", "Bea")

    def odds(listed: tuple[str, ...], first: str, known: tuple[str, ...]) -> list[str]:
        shown = [Shown(0.0, 1, first), Shown(10.0, 2, "Bea"), Shown(20.0, 1, "Speaker 1")]
        found = said(listed, Held(written, known, written), shown)
        assert found.names == [*listed]
        return found.odds

    assert odds(("Eve", "Bea"), "Eve", written) == []
    assert odds(("Eve", "Bea"), "Eve", ("Eve", "Bea")) == [], "it was read"
    assert len(odds(("Eve", "Bea"), "Zoe", written)) == 1
    assert len(odds(written, "Eve", written)) == 1


def test_an_older_note_takes_nothing_back_by_its_turns() -> None:
    known = ("Eve", "Bea")
    assert there(WRITTEN, TURNS["named"], known)[1] == {}, "its turns were read"
    assert there(("Eve", "Bea"), TURNS["as they were"], known)[1] == {}, "its list was read"
    assert there(WRITTEN, TURNS["as they were"], known)[1] == {1: "Ada"}, "a person has put it back"
    assert there(WRITTEN, TURNS["named otherwise"], known)[1] == {1: "Zoe"}
    assert there(("Zoe", "Bea"), TURNS["named"], known)[1] == {1: "Zoe"}, "said last, in the list"
    both = said(("Ada",) * 2, Held(("Ada",) * 2, ("Ada",) * 2, ("Ada",) * 2), [Shown(0.0, 1, "Eve")])
    assert both.names == ["Eve", "Eve"], "one person is one still"
    nobody = said(WRITTEN, Held(WRITTEN, WRITTEN, WRITTEN), [Shown(0.0, 0, "Ada")])
    assert (nobody.names, len(nobody.odds)) == ([*WRITTEN], 1)


def test_a_list_in_another_order_with_numbers_in_it_makes_nobody_one_person() -> None:
    known = ("Speaker 1", "Ada", "Bea")
    for listed in (("Ada", "Speaker 1", "Bea"), ("Ada", "Speaker 1", "Cleo"), ("Ada", "Bea", "Speaker 1")):
        found = said(listed, Held(known, known, known), [])
        assert 1 not in news(known, found.names)
        assert len(found.odds) == 1


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("speakers:\n  - 007\n  - 1e3\n", ("007", "1e3")),
        ("speakers: [true, 2026-01-02]\n", ("true", "2026-01-02")),
        ("speakers:\n  - name: Ada\n  - speaker: Bea\n", ("Ada", "Bea")),
        ("speakers: Ada, Bea\n", ("Ada", "Bea")),
        ("speakers:\n  1: Ada\n  2: Bea\n", ("Ada", "Bea")),
        ("speakers:\n  - e\u0301ve\r\n  - '*Bea*: [x]'\r\n", ("\u00e9ve", "*Bea*: [x]")),
        ("tags: []\n", ()),
    ],
)
def test_names_are_what_a_person_typed(listed: str, names: tuple[str, ...]) -> None:
    text = f"---\n{listed}---\nspeakers\n"
    assert names_in(text) == names
    assert why_no_names(text) == ""


@pytest.mark.parametrize(
    "listed",
    [
        "speakers:\n  - first: Ada\n    last: Lee\n  - first: Bea\n",
        "speakers:\n  - first: Ada\n  - first: Bea\n",
        "speakers:\n  Ada: host\n  Bea: guest\n",
        "speakers:\n  - [Ada, Bea]\n",
        "speakers: 7\n",
        "speakers: true\n",
        "speakers: []\n",
        "speakers:\n",
        'speakers: ""\n',
        "speakers: {}\n",
    ],
)
def test_what_is_no_list_of_names_is_said_to_be_none(listed: str) -> None:
    text = f"---\n{listed}---\n"
    assert names_in(text) == ()
    assert "its list speakers " in why_no_names(text)
    assert "write one line for each, in their order, each a name" in why_no_names(text)
