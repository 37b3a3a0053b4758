"""An export of receipts says where it ends: whatever is taken from it, added, moved or changed shows, or is said not to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import receipts as verbs
from earmark.domain import Instant
from earmark.ledger import Ledger
from earmark.retention import receipts, receipts_file
from earmark.retention.receipts_file import FIRST_LINE, LAST_LINE, Examined, examine
from typer.testing import CliRunner

NOW = Instant(1_795_000_000.0)


def ledger_with(file: Path, count: int) -> Ledger:
    """A ledger of its own, with its own key and so many receipts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = Ledger(file)
    for number in range(count):
        with made.transaction():
            receipts.issue(made, Instant(NOW + number), "purged", bytes=number, kind="audio")
    return made


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with ledger_with(tmp_path / "ledger.db", 5) as made:
        yield made


@pytest.fixture
def lines(ledger: Ledger) -> list[str]:
    return receipts_file.lines(ledger, NOW)


def without(lines: list[str], *gone: int) -> list[str]:
    return [line for number, line in enumerate(lines) if number not in gone]


def changed(lines: list[str], number: int, **fields: Any) -> list[str]:
    line = json.dumps(json.loads(lines[number]) | fields, sort_keys=True) + "\n"
    return [*lines[:number], line, *lines[number + 1 :]]


def said(found: Examined) -> str:
    return " / ".join(found.problems)


@pytest.mark.shows("retention:receipts-export")
def test_a_whole_export_is_sealed_by_the_installation_that_wrote_it(ledger: Ledger, lines: list[str]) -> None:
    found = examine("".join(lines), ledger)
    assert (len(found.receipts), found.problems, found.untold, found.sealed_at) == (5, [], [], NOW)
    assert (json.loads(lines[0])[FIRST_LINE], json.loads(lines[-1])[LAST_LINE]) == (2, 2)
    assert json.loads(lines[0])["count"] == 5
    assert len(lines) == 7


Change = Callable[[list[str]], list[str]]


@pytest.mark.shows("retention:receipts-export")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: lines[:-1], "last line is missing"),
        (lambda lines: lines[:-2], "says that there are 5 receipts; 4 are there"),
        (lambda lines: lines[:3], "2 are there"),
        (lambda lines: lines[:1], "0 are there"),
        (lambda lines: [*lines[:-1], lines[-1][:40]], "line 7 is cut off"),
        (lambda lines: without(lines, 5), "end with a receipt that is not there"),
        (lambda lines: lines[1:], "first line, which says how many receipts there are, is missing"),
        (lambda lines: lines[2:], "receipt 1 is missing"),
        (lambda lines: without(lines, 1), "receipt 1 is missing"),
        (lambda lines: without(lines, 3), "receipt 3 is missing"),
        (lambda lines: without(lines, 2, 3), "receipts 2 to 3 are missing"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "receipt 2 was moved: it stands after receipt 3"),
        (lambda lines: [*lines[:2], lines[4], lines[3], lines[2], *lines[5:]], "was moved"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "receipt 2 is there more than once"),
        (lambda lines: [*lines[:-1], lines[-2], lines[-1]], "receipt 5 is there more than once"),
        (lambda lines: changed(lines, 3, act="trashed"), "receipt 3 has been changed"),
        (lambda lines: changed(lines, 3, hash="0" * 64), "receipt 3 has been changed"),
        (lambda lines: changed(lines, 0, count=4), "do not say the same"),
        (lambda lines: changed(lines, -1 % 7, count=4), "its last line says that there are 4 receipts; 5 are there"),
        (lambda lines: changed(lines, 6, end="f" * 64), "do not say the same"),
        (lambda lines: changed(lines, 6, end=["x"], seal={"a": "ß"}), "do not say the same"),
        (lambda lines: changed(changed(lines, 0, seal="0" * 64), 6, seal="0" * 64), "seal is not this installation's"),
        (lambda lines: changed(changed(lines, 0, seal="ß"), 6, seal="ß"), "seal is not this installation's"),
        (lambda lines: changed(changed(lines, 0, at=1.0), 6, at=1.0), "seal is not this installation's"),
        (lambda lines: [*lines, *lines], "several exports in one file"),
        (lambda lines: [*lines, *lines[1:-1]], "stands after the last line"),
        (lambda lines: [lines[1], *lines], "stands before the first line"),
        (lambda lines: [lines[-1], *lines[1:-1], lines[0]], "stands before the first line"),
        (lambda lines: changed(lines, 0, **{FIRST_LINE: 3}), "another version"),
        (lambda lines: [], "it is empty"),
        (lambda lines: ["\n", "\n"], "it is empty"),
    ],
)  # fmt: skip
def test_what_was_done_to_an_export_shows(
    ledger: Ledger, lines: list[str], change: Change, sentence: str
) -> None:
    found = examine("".join(change(lines)), ledger)
    assert sentence in said(found)
    assert found.sealed_at is None
    if "seal is not" not in sentence:
        assert sentence in said(examine("".join(change(lines)), None)), "and without a key as well"


def with_text(lines: list[str], number: int, old: str, new: str) -> list[str]:
    assert old in lines[number]
    return [*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]]


def both(lines: list[str], **fields: Any) -> list[str]:
    return changed(changed(lines, 0, **fields), 6, **fields)


def without_seal(lines: list[str]) -> list[str]:
    """Both outer lines with no word of key and seal."""
    bare = [{k: v for k, v in json.loads(lines[i]).items() if k not in ("key", "seal")} for i in (0, 6)]
    first, last = (json.dumps(line, sort_keys=True) + "\n" for line in bare)
    return [first, *lines[1:6], last]


NOT_AS_WRITTEN: list[tuple[Change, int]] = [
    (lambda lines: changed(lines, 2, note="the boss was told"), 3),
    (lambda lines: with_text(lines, 2, '{"act"', '{"act": "kept for ever", "act"'), 3),
    (lambda lines: with_text(lines, 2, '{"act"', '{"at": 1.0, "act"'), 3),
    (lambda lines: with_text(lines, 2, '{"act"', '{"hidden": {"a": 1, "a": 2}, "act"'), 3),
    (lambda lines: with_text(lines, 2, '"seq": 2', '"seq":  2'), 3),
    (lambda lines: with_text(lines, 2, "purged", "\\u0070urged"), 3),
    (lambda lines: with_text(lines, 2, "}\n", "} \n"), 3),
    (lambda lines: with_text(lines, 2, "{", "\t{"), 3),
    (
        lambda lines: [
            *lines[:2],
            json.dumps(dict(reversed(json.loads(lines[2]).items()))) + "\n",
            *lines[3:],
        ],
        3,
    ),
    (lambda lines: both(lines, installation="somebody else"), 1),
    (lambda lines: both(lines, count=5.0), 1),
    (lambda lines: both(lines, first=True), 1),
    (lambda lines: both(lines, at=int(NOW)), 1),
    (lambda lines: both(lines, seal=""), 1),
    (without_seal, 1),
    (lambda lines: with_text(lines, 0, '{"at"', '{"at": 1.0, "at"'), 1),
    (lambda lines: changed(lines, 0, **{FIRST_LINE: 2.0}), 1),
    (lambda lines: changed(lines, 0, **{FIRST_LINE: True}), 1),
    (lambda lines: changed(lines, 0, **{FIRST_LINE: "2"}), 1),
    (lambda lines: changed(lines, 0, **{LAST_LINE: 2}), 1),
    (lambda lines: changed(lines, 6, **{LAST_LINE: 99}), 7),
    (lambda lines: changed(lines, 6, **{LAST_LINE: 2.0}), 7),
    (lambda lines: changed(lines, 6, **{FIRST_LINE: 2}), 7),
]


@pytest.mark.shows("retention:receipts-export")
@pytest.mark.parametrize(("change", "number"), NOT_AS_WRITTEN)
def test_a_line_that_earmark_does_not_write_was_changed(
    ledger: Ledger, lines: list[str], change: Change, number: int
) -> None:
    for whose in (ledger, None):
        found = examine("".join(change(lines)), whose)
        assert f"line {number}, " in said(found)
        assert "was changed: it is not written as earmark writes it" in said(found)
        assert found.sealed_at is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (lambda text: "\ufeff" + text, "byte order mark"),
        (lambda text: text.replace("\n", "\r\n"), "carriage return"),
        (lambda text: text + "\n", "line 8 is empty"),
        (lambda text: "\n" + text, "line 1 is empty"),
        (lambda text: text[:-1], "line 7 is not ended"),
    ],
)
def test_what_stands_between_the_lines_shows(
    ledger: Ledger, lines: list[str], text: Callable[[str], str], sentence: str
) -> None:
    found = examine(text("".join(lines)), ledger)
    assert said(found).count(sentence) == 1
    assert (len(found.receipts), len(found.problems), found.sealed_at) == (5, 1, None)


@pytest.mark.parametrize("put", ["nonsense", '{"seq": 1}', "[]", "\0"])
def test_a_line_that_is_no_receipt_shows_among_receipts(lines: list[str], put: str) -> None:
    for whole in (lines, lines[1:-1]):
        found = examine("".join([*whole[:2], f"{put}\n", *whole[2:]]), None)
        assert "line 3 is not a receipt: it was changed or put there" in said(found)
    assert "line 3 is not a receipt" in said(examine("".join(changed(lines, 2, seq=2.0)), None))


def test_an_export_of_an_earlier_version_holds_nothing_else_either(lines: list[str]) -> None:
    assert "was changed" in said(examine("".join(changed(lines[1:-1], 1, note="x")), None))


def cut_and_sealed_anew(lines: list[str]) -> list[str]:
    """What somebody without the key can do: fewer receipts, and outer lines that say so."""
    last = json.loads(lines[3])
    ends = {"count": 3, "last": 3, "end": last["hash"]}
    return [changed(lines, 0, **ends)[0], *lines[1:4], changed(lines, 6, **ends)[6]]


def test_an_export_that_was_cut_together_with_its_ends_is_told_by_whoever_has_the_key(
    ledger: Ledger, lines: list[str], tmp_path: Path
) -> None:
    text = "".join(cut_and_sealed_anew(lines))
    assert "seal is not this installation's" in said(examine(text, ledger))
    nobody = examine(text, None)
    assert nobody.problems == []
    assert "only with the key of the installation that wrote it" in nobody.untold[0]
    with ledger_with(tmp_path / "other" / "ledger.db", 2) as other:
        elsewhere = examine(text, other)
    assert elsewhere.problems == []
    assert "another installation's" in elsewhere.untold[0]


def test_a_receipt_that_was_replaced_with_the_seal_kept_is_not_the_one_in_the_ledger(
    ledger: Ledger, lines: list[str]
) -> None:
    """Rewritten from receipt 4 on, so that the chain holds; only the ledger and the end tell."""
    third = receipts.receipt_in(json.loads(lines[3]), 4)
    fourth = receipts.chained(4, third.at, "purged", "{}", third.hash)
    fifth = receipts.chained(5, third.at, "purged", "{}", fourth.hash)
    forged = [*lines[:4], *(json.dumps(receipts.exported(r)) + "\n" for r in (fourth, fifth)), lines[6]]
    assert "receipt 4 is not the one that this installation has" in said(examine("".join(forged), ledger))
    assert "end with a receipt that is not there" in said(examine("".join(forged), None))


def test_an_export_without_receipts_says_that_there_are_none(tmp_path: Path) -> None:
    with ledger_with(tmp_path / "ledger.db", 0) as made:
        lines = receipts_file.lines(made, NOW)
        found = examine("".join(lines), made)
        assert (len(lines), found.receipts, found.problems, found.sealed_at) == (2, [], [], NOW)


def test_a_pruned_chain_is_exported_from_where_it_begins(ledger: Ledger) -> None:
    assert receipts.prune(ledger, Instant(NOW + 2.5), Instant(NOW + 99)) == 3
    lines = receipts_file.lines(ledger, NOW)
    assert examine("".join(lines), ledger).problems == []
    assert "receipt 4 is missing" in said(examine("".join(without(lines, 1)), ledger))


@pytest.mark.shows("retention:receipts-export")
def test_an_export_of_an_earlier_version_verifies_and_its_end_is_said_to_be_unknown(
    ledger: Ledger, lines: list[str]
) -> None:
    old = lines[1:-1]
    for cut in (old, old[:-2]):
        found = examine("".join(cut), ledger)
        assert found.problems == []
        assert f"whether anything followed receipt {len(cut)}" in found.untold[0]
    assert "receipt 1 is missing" in said(examine("".join(old[1:]), ledger))
    assert "receipt 2 has been changed" in said(examine("".join(changed(old, 1, act="x")), ledger))


@pytest.mark.parametrize(
    "line",
    ["nonsense", "[]", "1", '{"seq": 1}', '{"seq": "1", "at": 1, "act": "", "body": "", "prev": "", "hash": ""}',
     '{"seq": true, "at": 1, "act": "", "body": "", "prev": "", "hash": ""}',
     '{"seq": 1, "at": null, "act": "", "body": "", "prev": "", "hash": ""}', "[" * 100_000],
)  # fmt: skip
def test_a_text_that_is_no_export_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="line 1 is not a receipt"):
        examine(line + "\n", None)


def test_numbers_beyond_all_measure_are_counted_and_not_walked_through(lines: list[str]) -> None:
    far = changed(lines, 5, seq=10**30)
    assert f"receipts 5 to {10**30 - 1} are missing" in said(examine("".join(far), None))


@pytest.mark.shows("retention:receipts-export")
def test_the_verb_says_what_can_and_what_cannot_be_told(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receipts.jsonl"
    monkeypatch.setenv("EARMARK_HOME", str(tmp_path / "nobody"))
    file.write_text("".join(receipts_file.lines(ledger, NOW)))

    def verify(*more: str) -> tuple[int, str]:
        done = CliRunner().invoke(verbs.app, ["verify", str(file), *more], env={"COLUMNS": "300"})
        return done.exit_code, done.output

    code, shown = verify()
    assert code == 0
    assert "5 receipts, none changed" in shown
    assert "none missing by what its first and its last line say" in shown
    assert "cannot be told whether it was written anew" in shown
    assert list(json.loads(verify("--json")[1])) == ["version", "receipts", "problems", "cannot_be_told"]
    file.write_text("".join(receipts_file.lines(ledger, NOW)[:-3]))
    code, shown = verify()
    assert code == 1
    assert "says that there are 5 receipts; 3 are there" in shown
    assert "none missing" not in shown


def test_without_its_key_a_ledger_does_not_claim_to_know_its_end(ledger: Ledger) -> None:
    assert receipts.verify(ledger) == []
    assert receipts.untold(ledger) == []
    with ledger.transaction():
        ledger.db.execute("DELETE FROM keys")
    assert receipts.verify(ledger) == []
    assert "the key of this installation is lost" in receipts.untold(ledger)[0]
    found = examine("".join(receipts_file.lines(ledger, NOW)), ledger)
    assert "it has no seal" in found.untold[0]
