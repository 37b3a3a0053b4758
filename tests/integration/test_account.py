"""`earmark receipts report`: a made-up study of 40 recordings, as an ethics board, an auditor and an attacker read it."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from earmark.cli import receipts
from earmark.domain import Instant, Kind, TrashState
from earmark.export.account import entries
from earmark.export.account.entries import NOT_IN_TABLE
from earmark.files import fold
from earmark.ledger import Ledger, Trashed
from earmark.retention import receipts as chain
from earmark.retention.erasure.copies import find
from earmark.retention.erasure.erase import erase
from earmark.retention.trash.rows import lies_in_trash
from typer.testing import CliRunner, Result

from tests.conftest import in_memory
from tests.retention_world import DAY, T0, World
from tests.shown import DOCS
from tests.study import BROUGHT_BACK, ERASED, UNLISTED, Study, made_up_study

pytest_plugins = ("tests.retention_root",)

FORMS = ("html", "md", "csv")


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="module")
def made() -> Iterator[Study]:
    """Built once; the tests only look at it."""
    with in_memory() as folder:
        study = made_up_study(folder)
        World.made.remove(study.world)
        yield study
        study.world.ledger.close()


@pytest.fixture
def study(made: Study, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The verb looks at it on the last day."""
    at(made.world, monkeypatch)
    (made.world.root / "codes.csv").write_text(made.table(), "utf-8-sig")
    return made


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world of its own, with rules under which a file is purged a day after it was taken."""
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text("[retention]\ntrash = { keep_for = '1d' }\n")
    world = World(root, {"audio": {"keep_for": "1d"}, "trash": {"keep_for": "1d"}})
    at(world, monkeypatch)
    return world


def at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb works on this world at the time that it is there."""
    monkeypatch.setenv("EARMARK_HOME", str(world.root))
    monkeypatch.chdir(world.root)
    monkeypatch.setattr(time, "time", lambda: float(world.now))


def report(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(receipts.app, ["report", *words])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def as_data(*words: str, code: int = 0) -> dict[str, Any]:
    found = json.loads(report(*words, "--json", code=code).stdout)
    assert found["version"] == 1
    return dict(found)


def lines(*words: str, code: int = 0) -> list[dict[str, str]]:
    text = report(*words, "--format", "csv", code=code).stdout
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


class Page(HTMLParser):
    """What a browser makes of a page: its text, its elements, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.shown += data


@pytest.mark.shows("retention:report")
def test_a_board_reads_what_was_deleted_when_by_which_rule_and_that_the_receipts_are_whole(
    study: Study, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    assert "report.html: 47 deletions, and 22 files in the trash" in report("--out", str(file)).stdout
    page = Page(file.read_text("utf-8"))
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "a", "form", "object", "base"})
    assert page.attributes.isdisjoint({"href", "src", "style", "onload"})
    assert "url(" not in file.read_text("utf-8")
    ledger = study.world.ledger
    rows = ledger.receipts.all()
    found = as_data()
    assert [e["ended_receipt"] for e in found["deletions"]] == [
        r.seq for r in rows if r.act in ("purged", "erased")
    ]
    for entry in found["deletions"]:
        if entry["state"] == "deleted":
            assert entry["sha256"] in page.shown
            assert Path(entry["name"]).name in page.shown
    assert rows[-1].hash in page.shown
    for sentence in (
        "46 files removed for good by rules, 36 recordings among them",
        "1 recording erased on a person's word, with all that was made of them: 3 files.",
        "kept for 14 days after the recording was transcribed and summarized, then deleted "
        "(the general rule for recordings)",
        "The receipts are whole: 118 receipts, none changed, none missing.",
        "a person holds it: Smith's lawyer asked for it",
        "(name erased, too)",
        "Whoever has access to earmark's own folder on that computer has its key",
    ):
        assert sentence in page.shown
    assert file.read_text("utf-8") == report("--format", "html").stdout
    report("--out", str(file), code=2)


@pytest.mark.shows("retention:report")
def test_a_report_has_the_days_and_the_folder_that_were_asked_for(study: Study) -> None:
    part = as_data("--since", "2025-11-05", "--until", "2025-11-11", "--folder", "drop/Patients ward 1")
    assert {e["ended_at"][:10] for e in part["deletions"]} == {"2025-11-05", "2025-11-08", "2025-11-11"}
    assert {Path(e["name"]).parent.name for e in part["deletions"]} == {"Patients ward 1"}
    after = {e["became"] for e in part["in_trash"] if e["state"] == "gone later"}
    assert after == {"removed"}, "it lay there at the end of the time"
    (back,) = part["brought_back"]
    assert Path(back["name"]).name == Path(study.names[BROUGHT_BACK]).name
    whole = as_data("--folder", "drop/Patients ward 1")
    (erased,) = [e for e in whole["deletions"] if e["state"] == "erased"]
    assert erased["in_folder"] is None, "nobody can tell any more, so it is listed"
    assert "whether they belonged to this folder or not" in report("--folder", "drop/Patients ward 1").stdout
    coded = as_data("--folder", "drop/Patients ward 1", "--codes", "codes.csv")
    assert [e for e in coded["deletions"] if e["state"] == "erased"] == [], (
        "the table knows that it was in ward 0"
    )


@pytest.mark.shows("retention:report-codes")
def test_with_a_table_of_codes_no_form_of_the_report_has_a_name_of_anybody(study: Study) -> None:
    said = [report("--codes", "codes.csv", "--format", form) for form in FORMS]
    said.append(report("--codes", "codes.csv", "--json"))
    for result in said:
        text = fold(result.stdout)
        assert [word for word in study.words() if fold(word) in text] == []
        assert unicodedata.normalize("NFD", "Müller") not in result.stdout
        assert str(study.world.root) not in result.stdout
        assert "1 recording in the report without an entry in" in result.stderr
    found = as_data("--codes", "codes.csv")
    of = {e["sha256"]: e["name"] for e in found["deletions"] if e["what"] == "recording"}
    trash = study.world.ledger.trash
    for number, name in enumerate(study.names):
        for row in trash.of_original(study.world.drop / name):
            expected = "(not in the table of codes)" if number == UNLISTED else f"P{number + 1:02}"
            assert of.get(row.sha256, expected) == expected
    assert {f"P{n + 1:02}" for n in range(40) if n != UNLISTED} <= {
        e["name"] for part in ("deletions", "in_trash", "brought_back", "kept") for e in found[part]
    }
    (erased,) = [e for e in found["deletions"] if e["state"] == "erased"]
    assert erased["name"] == f"P{ERASED + 1:02}", "by the keyed hash of the name in the table"
    assert {e["rule"] for e in found["deletions"]} == {None}
    summaries = {e["name"] for e in found["deletions"] if e["what"] == "summary"}
    assert summaries <= set(of.values()), "what was made of a recording has its code"


@pytest.mark.shows("retention:report-broken")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            "UPDATE receipts SET body = replace(body, 'audio', 'radio') WHERE seq = 1",
            "Receipt 1 has been changed.",
        ),
        ("DELETE FROM receipts WHERE seq = 1", "Receipt 1 is missing."),
        ("DELETE FROM receipts WHERE seq = 2", "Some were removed"),
        ("UPDATE receipts SET body = '[]' WHERE seq = 1", "Receipt 1 has been changed."),
    ],
)
def test_of_a_broken_chain_the_report_says_so_before_all_else(world: World, change: str, says: str) -> None:
    purge_one(world)
    for trigger in ("receipts_are_never_changed", "receipts_are_never_removed"):
        world.ledger.db.execute(f"DROP TRIGGER {trigger}")
    world.ledger.db.execute(change)
    for form in ("md", "html"):
        result = report("--format", form, code=1)
        top, _, rest = result.stdout.partition("What this document is")
        assert "NOT whole" in top
        assert says.lower() in top.lower()
        assert "NOT WHOLE: see the top" in rest
        assert result.stderr.count("✗") >= 1
    assert {line["receipts_whole"] for line in lines(code=1)} <= {"NO"}
    assert as_data(code=1)["chain"]["whole"] is False


def purge_one(world: World, name: str = "a.wav", *, audio: bytes | None = None, files: int = 1) -> None:
    """Two receipts for each of `files`: to the trash, and for good."""
    world.record(name, audio=audio)
    world.pass_days(1.1)
    world.apply()
    world.pass_days(1.1)
    assert world.sweep().purged == files


@pytest.mark.shows("retention:report")
def test_a_deletion_late_in_the_evening_belongs_to_the_day_of_this_clock(world: World) -> None:
    world.now = Instant(1_761_950_700.0 - 2.2 * DAY)  # so that the purge is at 23:45 in Berlin, 22:45 UTC
    purge_one(world)
    (line,) = lines("--until", "2025-10-31")
    assert line["ended_at"] == "2025-10-31T23:45:00+01:00"
    assert "has not begun" in report("--since", "2025-11-01", code=2).stderr
    assert len(lines("--since", "2025-10-31", "--until", "2025-10-31")) == 1


HOSTILE = (
    "<script>alert(1).wav", "x<\u2028/script>.wav", "a|b`c*_d.wav", "=1+1.wav", "line\nbreak.wav", "\u202etxt.wav",
    "[l](http:.wav", "$x^2 #tag ![[e]].wav", "=1.wav;=2.wav", "\uff1d1.wav",
)  # fmt: skip


@pytest.mark.shows("retention:report-hostile")
def test_a_name_is_never_more_than_a_name(world: World) -> None:
    names = [*HOSTILE, "x</script><img src=x>.wav"]
    for name in names:
        world.record(name)
    world.pass_days(1.1)
    world.apply()
    world.pass_days(1.1)
    world.sweep()
    text = report("--format", "html").stdout
    assert Page(text).tags.isdisjoint({"script", "img"})
    assert len(as_data()["deletions"]) == len(names)
    for form in FORMS:
        shown = report("--format", form).stdout
        assert "\u202e" not in shown
        assert "line\nbreak" not in shown
    rows = [line for line in report().stdout.splitlines() if re.match(r"\| \d+ \|", line)]
    assert len(rows) == len(names)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {10}
    codes = "".join(f'"{name}",=CMD{n}\n' for n, name in enumerate(names) if name.isprintable())
    (world.root / "codes.csv").write_text(codes)
    coded = lines("--codes", "codes.csv")
    assert {line["code"] for line in coded} >= {"'=CMD0", "'=CMD3"}
    cells = [cell for line in (*coded, *lines()) for whole in line.values() for cell in whole.split(";")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]


@pytest.mark.shows("retention:report-codes")
def test_what_went_back_and_forth_and_what_lost_its_name_is_told_as_it_is(world: World) -> None:
    purge_one(world, "Anna.wav")
    again = world.record("Anna.wav", audio=b"RIFF another recording under the same name").recording_id
    world.pass_days(1.1)
    world.apply()
    (row,) = (r for r in world.ledger.trash.in_state(TrashState.HERE))
    assert row.trashed is not None
    row.trashed.unlink()
    (world.root / "codes.csv").write_text("anna;P1\nBen.wav;P2\n;;\n")
    result = report("--codes", "codes.csv", "--json")
    found = json.loads(result.stdout)
    assert [e["name"] for e in found["deletions"] + found["in_trash"]] == ["P1", "P1"]
    assert found["in_trash"][0]["note"] == "not found in the trash: somebody took it out, or removed it"
    assert "line 1: 2 different recordings have or had this name, and all are shown as P1" in result.stderr
    assert "1 entry is of no recording in the report" in result.stderr
    (world.root / "codes.csv").write_text(f"anna,P1\n{again},P9\n")
    found = as_data("--codes", "codes.csv")
    assert [e["name"] for e in found["deletions"] + found["in_trash"]] == ["P1", "P9"]
    first = world.ledger.trash.of_original(world.drop / "Anna.wav")[0]
    copy = world.drop / "again" / "Ben.wav"
    copy.parent.mkdir()
    copy.write_bytes(b"RIFF" + b"Anna.wav" + random.Random(b"Anna.wav").randbytes(3000))
    assert world.take_in(copy).recording_id == first.recording_id
    assert [line["same_content_here_now"] for line in lines()] == ["yes", ""]
    assert "A file with the same content is in a watched folder" in report().stdout


def erase_all(world: World, *names: str) -> None:
    """As `earmark forget` does."""
    ids = sorted({world.place(name).recording_id for name in names})
    found = find(world.context, ids)
    with world.ledger.acting():
        assert erase(world.context, found, ids).complete


@pytest.mark.shows("retention:report-codes")
@pytest.mark.parametrize("order", [1, -1], ids=["the longest first", "the longest last"])
def test_of_an_erased_recording_too_the_longest_name_decides_wherever_it_stands_in_the_table(
    world: World, order: int
) -> None:
    for name in ("ward/Anna.wav", "Anna.wav", "another.wav"):
        world.record(name)
    erase_all(world, "ward/Anna.wav")
    erase_all(world, "Anna.wav")
    table = ["ward/Anna.wav,P1\n", "Anna.wav,P2\n", "Anna,P3\n"]
    (world.root / "codes.csv").write_text("".join(table[::order]))
    assert [line["code"] for line in lines("--codes", "codes.csv")] == ["P1", "P2"]


@pytest.mark.shows("retention:report-erased-code")
def test_an_erased_recording_has_its_code_where_nobody_knows_its_folder_any_more(world: World) -> None:
    ids = {name: world.record(name).recording_id for name in ("ward/Anna.wav", "Ben.wav", "c/Cy.wav")}
    erase_all(world, *ids)
    # Another folder is watched now, and no recording is left that says where the others were.
    assert list(world.ledger.places.all()) == []
    world.drop.rename(world.root / "away")
    world.context.home.status_file.unlink(missing_ok=True)
    (world.root / "codes.csv").write_text(f"anna,P1\ndrop/BEN.wav,Ben\n{ids['c/Cy.wav']},P3\n")
    result = report("--codes", "codes.csv", "--json")
    assert [e["name"] for e in json.loads(result.stdout)["deletions"]] == ["P1", "Ben", "P3"]
    assert "line 2: the code says a name itself" in " ".join(result.stderr.split())
    # Of a folder that is there nobody can tell what it held; one that never was is a slip of the pen.
    assert len(as_data("--codes", "codes.csv", "--folder", "away/ward")["deletions"]) == 3
    nowhere = report("--folder", "/nope", code=66)
    assert "/nope: there is no such folder" in " ".join(nowhere.stderr.split())
    assert nowhere.stdout == ""
    bodies = "".join(receipt.body for receipt in world.ledger.receipts.all())
    assert not any(word in fold(bodies) for word in ("anna", "ben", "ward", "drop"))
    # Who is to be nobody in the report, too, is taken out of the table.
    (world.root / "codes.csv").write_text("Ben,P2\n")
    coded = [line["code"] for line in lines("--codes", "codes.csv")]
    assert coded == [NOT_IN_TABLE, "P2", NOT_IN_TABLE]


@pytest.mark.shows("retention:report-codes")
def test_one_recording_with_two_codes_and_two_recordings_of_one_path_are_said(world: World) -> None:
    audio = b"RIFF what two files hold" * 200
    place = world.record("Anna.wav", audio=audio)
    (copy := world.drop / "Ben.wav").write_bytes(audio)
    copied = world.take_in(copy, done=False)
    assert copied.recording_id == place.recording_id
    for kind, ending in ((Kind.TRANSCRIPT, ".transcript.md"), (Kind.SUMMARY, ".md")):
        world.note(copied, kind, ending, "said")
    world.ledger.places.caught_up(copied, 1, 1)
    purge_one(world, "ward/REC1.wav", files=3)
    purge_one(world, "ward/REC1.wav", audio=b"RIFF another person")
    (world.root / "codes.csv").write_text("Anna.wav,P1\nBen.wav,P2\nward/REC1.wav,P3\n")
    result = report("--codes", "codes.csv")
    told = " ".join(result.stderr.split())
    assert "lines 1 and 2: one recording (the same content) has or had all these names" in told
    assert (
        "line 3: 2 different recordings have or had this path, and all are shown as P3; write the SHA-256"
        in told
    )
    assert "4 files removed for good by rules, 3 recordings among them" in result.stdout


@pytest.mark.shows("retention:report-taken")
def test_where_nothing_tells_which_column_has_the_codes_it_is_said_which_was_taken_for_them(
    world: World,
) -> None:
    purge_one(world, "Anna.wav")
    codes = world.root / "codes.csv"
    taken = "its first column was taken for the names and its second for the codes"
    codes.write_text("P1,Anna B\nP2,Ben\n")
    assert taken in report("--codes", "codes.csv").stderr
    codes.write_text("code,name\nP1,Anna\nP2,Ben\n")
    told = report("--codes", "codes.csv")
    assert taken not in told.stderr
    assert "P1" in told.stdout
    codes.write_text("Anna,P1\nP2,Ben\n")
    assert taken not in report("--codes", "codes.csv").stderr


@pytest.mark.shows("retention:report")
def test_what_is_not_finished_and_what_left_the_trash_without_a_receipt_is_told(world: World) -> None:
    place = world.record("a.wav")
    world.pass_days(1.1)
    world.apply()
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    world.ledger.trash.set_state(row.id, TrashState.RESTORED, world.now)
    world.ledger.erasing.begin(place.recording_id, [], [], world.now)
    world.ledger.db.execute(
        "INSERT INTO voiceprints (recording_id, speaker, print, encoder, seconds, stored_at)"
        " VALUES (?, 1, x'00', 'e', 9, ?)",
        (place.recording_id, T0 - 90 * DAY),
    )
    with (world.root / "config" / "config.toml").open("a") as file:
        file.write("voiceprints = { keep_for = '7d' }\n")
    with world.ledger.transaction():
        chain.issue(world.ledger, world.now, "forgotten", rule="voiceprints: keep_for 1y", voiceprints=3)
    found = as_data()
    (voices,) = found["deletions"]
    assert (voices["what"], voices["note"], voices["state"]) == (
        "stored voices",
        "3 of them",
        "voices forgotten",
    )
    assert (
        voices["by"]
        == "kept for 1 year after they were stored, then deleted (the general rule for stored voices)"
    )
    (taken,) = found["in_trash"]
    assert taken["note"] == "brought back under another name, of which there is no receipt"
    assert [(k["what"], k["name"]) for k in found["kept"]] == [("1 stored voice", "(no name)")]
    assert "1 recording that a person wanted to be erased: not complete yet" in report().stdout


@contextmanager
def deleting(world: World) -> Iterator[None]:
    """A daemon that writes one receipt after the other meanwhile."""
    over, wrote = threading.Event(), threading.Event()

    def write() -> None:
        with Ledger(world.context.home.ledger_file) as ledger:
            while not over.is_set():
                with ledger.transaction():
                    chain.issue(
                        ledger, world.now, "forgotten", rule="voiceprints: keep_for 1y", voiceprints=3
                    )
                wrote.set()

    daemon = threading.Thread(target=write)
    daemon.start()
    try:
        assert wrote.wait(60)
        yield
    finally:
        over.set()
        daemon.join()


@pytest.mark.shows("retention:report", "retention:receipts")
def test_receipts_that_come_while_somebody_looks_are_no_tampering(world: World) -> None:
    purge_one(world)
    with deleting(world):
        for _ in range(5):
            found = as_data()
            assert found["chain"]["whole"] is True
            assert len(found["deletions"]) == found["chain"]["receipts"] - 1
            verified = CliRunner().invoke(receipts.app, ["verify", "--json"])
            assert (verified.exit_code, json.loads(verified.stdout)["problems"]) == (0, [])


@pytest.mark.shows("retention:report")
def test_what_a_daemon_purges_while_somebody_looks_was_taken_out_by_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record("a.wav")
    world.pass_days(1.1)
    world.apply()
    world.pass_days(1.1)

    def sweeps_first(row: Trashed) -> bool:
        world.sweep()
        return lies_in_trash(row)

    monkeypatch.setattr(entries, "lies_in_trash", sweeps_first)
    report("--out", "during.md")
    assert "1 file in the trash when this document was made" in (world.root / "during.md").read_text()
    assert "somebody took it out" not in (world.root / "during.md").read_text()
    assert [line["state"] for line in lines()] == ["deleted"]


def test_receipts_of_a_forger_bring_no_report_down(world: World) -> None:
    """Whatever they say: it is told that they were changed, and nothing of it is shown as a name."""
    bodies = (
        {"recording": 1, "file": ["x"], "kind": "Anna", "bytes": 10**400, "rule": "audio: Anna (class)"},
        {"recording": "r", "paths": {"a": 1}, "files": -1, "bytes": True, "rule": {}},
        ["Anna"],
    )
    for number, body in enumerate(bodies):
        for act in ("trashed", "purged", "restored", "erased", "forgotten", "receipts-pruned", "Anna"):
            receipt = chain.chained(1, world.now, act, json.dumps(body), "x")
            world.ledger.db.execute(
                "INSERT INTO receipts VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM receipts), ?, ?, ?, ?, ?)",
                (1e300 if number else -1e300, act, receipt.body, receipt.prev, "Anna \x1b[2J"),
            )
    (world.root / "codes.csv").write_text("Ben,P1\n")
    for form in FORMS:
        text = report("--codes", "codes.csv", "--format", form, code=1).stdout
        assert "Anna" not in text
        assert "\x1b" not in text
    assert "Anna" not in report("--codes", "codes.csv", "--json", code=1).stdout


@pytest.mark.shows("retention:report")
def test_receipts_that_were_cut_off_and_a_lost_key_are_said(world: World) -> None:
    purge_one(world)
    world.pass_days(30)
    purge_one(world, "b.wav")
    assert chain.prune(world.ledger, Instant(world.now - 10 * DAY), world.now) == 2
    text = report().stdout
    assert "Receipts up to number 2 were removed on" in text
    assert [Path(line["file"]).name for line in lines()] == ["b.wav"]
    world.ledger.db.execute("DELETE FROM keys")
    text = report().stdout
    assert "It cannot be told whether the last receipts are missing" in text
    assert "(name not known any more)" in text


@pytest.mark.shows("retention:report")
def test_without_a_single_receipt_the_report_says_that_nothing_was_deleted(world: World) -> None:
    world.record("a.wav")
    text = report("--since", "2025-01-01").stdout
    assert "Nothing was removed for good in this time." in text
    assert lines() == []


@pytest.mark.shows("retention:report-codes")
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("--codes nowhere.csv", 66, "nowhere.csv: there is no such file"),
        ("--codes twice.csv", 65, "twice.csv: line 2: another code than in line 1 for the same name"),
        (
            "--codes swapped.csv",
            65,
            "swapped.csv: line 1: what stands there as the code is the name of a recording",
        ),
        ("--codes config", 65, "config: cannot be read as a table of codes"),
        ("--folder nowhere", 66, "no recording is or was at or below it"),
        ("--out report.doc", 2, "say which --format"),
        ("--json --format md", 2, "--json goes to standard output"),
        ("--since 2025-02-01 --until 2025-01-01", 2, "--until is a day before --since"),
        ("--since 2999-01-01", 2, "--since 2999-01-01: has not begun"),
        ("--since 2999-01-01 --until 2999-12-31 --json", 2, "has not begun"),
        ("--since 0001-01-01", 2, "a day that no clock knows"),
        ("--until 9999-12-31 --format html", 0, ""),
    ],
)
def test_what_cannot_be_meant_ends_in_a_sentence(world: World, words: str, code: int, says: str) -> None:
    purge_one(world)
    (world.root / "twice.csv").write_text("A.wav,P1\na.WAV,P2\n")
    (world.root / "swapped.csv").write_text("P1,a.wav\n")
    result = report(*words.split(), code=code)
    assert says in " ".join(result.stderr.split())


@pytest.mark.shows("retention:report-example")
def test_the_page_shows_the_report_of_the_study(study: Study) -> None:
    page = (DOCS / "retention.md").read_text("utf-8")
    block = (
        page.partition("<!-- retention:report-example -->")[2]
        .partition("```markdown\n")[2]
        .partition("```")[0]
    )
    text = re.sub(r"by earmark \S+", "by earmark …", report("--codes", "codes.csv").stdout)
    text = re.sub(r"\b[0-9a-f]{64}\b", lambda found: f"{found[0][:8]}…", text)
    shown = [line for line in block.splitlines() if line not in ("", "…")]
    assert len(shown) > 30
    at = 0
    for line in shown:
        assert (at := text.find(line.removesuffix("…"), at)) >= 0, line
