"""`earmark search`: what was said is found, whatever is typed, and is not found any more when it may not be."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from earmark.cli.main import app
from earmark.domain import Kind, Segment, Summary
from earmark.ledger import Ledger
from earmark.notes.escape import escape_inline
from earmark.search.indexing import bring_up_to_date
from earmark.search.terms import FORM
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from tests.conftest import Installation, in_memory, wait_for
from tests.integration.test_terminal import on_a_terminal
from tests.older_ledger import take_index_out
from tests.retention_world import DAY, World

pytest_plugins = ("tests.retention_root",)

LINK = r"\x1b\]8;[^\x1b]*\x1b\\"
"""What a terminal takes for the beginning or the end of a link."""

FILLER = "The kettle was on and nobody minded the weather outside. " * 12

TALKS = {
    "calls/budget.m4a": (
        ("Sarah Miller", "We decided to move the spring release to the tenth of March."),
        ("Tom", "The budgets were approved, so the café in Zürich can begin decorating."),
    ),
    "calls/walk.m4a": (("Tom", "The release of spring flowers needs no budget at all, 450 euros at most."),),
    "german.m4a": (("", "Die Entscheidungen über die Straße wurden gestern getroffen."),),
}

SIGNS = {
    "japanese.m4a": ("ja", "来週の会議で予算について話し合いましょう。カタカナも探せます。"),
    "chinese.m4a": ("zh", "我们昨天决定把项目的预算提高百分之十。"),
    "thai.m4a": ("th", "เราตัดสินใจเลื่อนการประชุมงบประมาณไปเดือนหน้า"),
    "korean.m4a": ("ko", "우리는 어제 예산을 승인했습니다."),
    "russian.m4a": ("ru", "Сергей Ёлкин ещё всё решил, и проект мы отложим."),
    "greek.m4a": ("el", "Συζητήσαμε τον προϋπολογισμό της εταιρείας."),
    "hindi.m4a": ("hi", "हमने कल हिन्दी में बैठक की और बजट तय किया।"),
}


def say(
    world: World, name: str, said: tuple[tuple[str, str], ...], language: str = "en", at: float = 0
) -> None:
    """A recording in which these people say this, a sentence every five seconds."""
    names = tuple(dict.fromkeys(speaker for speaker, _ in said if speaker))
    segments = tuple(
        Segment(5.0 * n, 5.0 * n + 4, text, speaker=names.index(speaker) + 1 if speaker else 0)
        for n, (speaker, text) in enumerate(said)
    )
    world.record(name, dated=world.now + at * DAY, segments=segments, language=language, speakers=names)


def told(world: World) -> World:
    for day, (name, said) in enumerate(TALKS.items()):
        say(world, name, said, "de" if name == "german.m4a" else "en", at=day)
    for name, (language, text) in SIGNS.items():
        say(world, name, (("", text),), language)
    say(world, "named.m4a", (("Сергей Ёлкин", "Да."),), "ru")
    return world


@pytest.fixture
def bare(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """With nothing in it yet."""
    monkeypatch.setenv("EARMARK_HOME", str(root))
    return World(root)


@pytest.fixture
def world(root: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("EARMARK_HOME", str(root))
    monkeypatch.chdir(root)
    return told(World(root))


def run(*words: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, ["search", *words], env={"COLUMNS": str(columns)})


def answer(*words: str) -> list[dict[str, Any]]:
    said = run(*words, "--json")
    assert said.exit_code == 0, said.output
    results: list[dict[str, Any]] = json.loads(said.stdout)["results"]
    return results


def names(*words: str) -> list[str]:
    """The files that are found, the best first."""
    return list(dict.fromkeys(Path(result["path"]).name for result in answer(*words)))


@pytest.mark.shows("search:words", "search:phrases", "search:filters")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("release", ["walk.m4a", "budget.m4a"]),  # more of the shorter one
        ("decide", ["budget.m4a"]),  # was said as "decided"
        ("APPROVE budget", ["budget.m4a", "walk.m4a"]),  # all words first
        ('"spring release"', ["budget.m4a"]),
        ('"release of spring"', ["walk.m4a"]),
        ("decora*", ["budget.m4a"]),
        ("release -flowers", ["budget.m4a"]),
        ('release -"spring flowers"', ["budget.m4a"]),
        ("cafe zurich", ["budget.m4a"]),
        ("450", ["walk.m4a"]),
        ("entscheidung strasse", ["german.m4a"]),
        ("walk", ["walk.m4a"]),  # which only its name has
        ("release speaker:sarah", ["budget.m4a"]),
        ('speaker:"Sarah Miller"', ["budget.m4a"]),
        ("budget speaker:Tom after:2025-10-10", ["walk.m4a"]),
        ("flowers speaker:Sarah", []),
        ("budget before:2025-10-10", ["budget.m4a"]),
        ("release folder:calls", ["walk.m4a", "budget.m4a"]),
        ("folder:drop/calls flowers", ["walk.m4a"]),
        ("when was the release moved to March?", ["budget.m4a", "walk.m4a"]),
        ("AND OR NOT ( release", ["walk.m4a", "budget.m4a"]),
        ("nobody-said-this", []),
        ("予算", ["japanese.m4a"]),
        ("カタカナ", ["japanese.m4a"]),
        ("ｶﾀｶﾅ", ["japanese.m4a"]),
        ("预算", ["chinese.m4a"]),
        ("项目的预算提高", ["chinese.m4a"]),
        ("งบประมาณ", ["thai.m4a"]),
        ("예산", ["korean.m4a"]),
        ("हिन्दी", ["hindi.m4a"]),
        ('"Ещё всё"', ["russian.m4a"]),  # accents that FTS5 does not fold by itself
        ("ёлк*", ["russian.m4a", "named.m4a"]),
        ('"τον προϋπολογισμό"', ["greek.m4a"]),
        ("решил -ещё", []),
        ("speaker:Сергей", ["named.m4a"]),
        ("speaker:ёлкин да", ["named.m4a"]),
    ],
)  # fmt: skip
def test_what_was_said_is_found(world: World, query: str, found: list[str]) -> None:
    assert names(query) == found


@pytest.mark.shows("search:anything", "json:to-come")
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "say what to look for"),
        ("?!", "say what to look for"),
        ("folder:calls -draft", "say a word to look for as well"),
        ("x" * 1_000_000, "the query has 1,000,000 characters"),
        (" ".join(f"w{n}" for n in range(100)), "the query has 100 different words"),
        ("x after:99999-01-01", "after:99999-01-01: is no day; say it as in after:2026-03-01"),
        ("x before:soon", "before:soon: is no day"),
        ("x after:2999-01-01", "after:2999-01-01: has not begun, so nothing is from then on"),
        ("x after:0001-01-01", "after:0001-01-01: is a day that no clock knows"),
        ("x folder:/nowhere", "folder:/nowhere: no recording is or was at or below it"),
        ("x speaker:", "speaker: says nothing; say it as in speaker:Sarah"),
        ("x -tag:private", "-tag: only words can be left out"),
        ("--unknown", "there is no such option"),
    ],
)
def test_what_cannot_be_looked_for_is_one_sentence(world: World, query: str, sentence: str) -> None:
    said = run(*([query] if query.startswith("--") else ["--", query]))
    assert said.exit_code in (2, 66), said.output
    assert sentence in " ".join(said.stderr.split())
    assert len(said.stderr.splitlines()) <= 3


@pytest.fixture(scope="module")
def one_world() -> Iterator[World]:
    with in_memory() as root:
        world = told(World(root))
        bring_up_to_date(world.context, 60.0)
        yield world
        world.ledger.close()
        if world in World.made:
            World.made.remove(world)


PIECES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ['"', "*", "-", "(", ")", ":", "^", "+", "{", "}", "AND", "NEAR(", "text:", "speaker:", "tag:x", "after:",
         "after:2026-02-30", "予", "า", "ู", "\u0301", "\0", "\ud800", "ﷺ", "İ", "ß", "release", "rel*", "-budget", '"a b']
    ),
)  # fmt: skip


@pytest.mark.shows("search:anything")
@given(st.lists(PIECES, max_size=8), st.sampled_from(["", " "]))
@settings(max_examples=150)
def test_no_typed_query_ever_goes_wrong(one_world: World, pieces: list[str], between: str) -> None:
    env = {"EARMARK_HOME": str(one_world.root), "COLUMNS": "80"}
    said = CliRunner().invoke(app, ["search", "--", between.join(pieces)], env=env)
    assert said.exit_code in (0, 2, 66), said.output
    assert "went wrong" not in said.stderr
    assert said.exit_code == 0 or said.stderr.startswith("earmark: ")


@pytest.mark.shows("search:answer", "search:links")
def test_an_answer_has_the_time_who_says_it_the_words_and_the_path_last(world: World) -> None:
    long = (("Tom", FILLER), ("Sarah Miller", f"{FILLER} Then the walrus signs the contract."))
    say(world, "long.m4a", long)
    (found,) = answer("walrus")
    assert (found["speaker"], found["all_words"], found["draft"]) == ("Sarah Miller", True, False)
    assert found["at"] > 8.0  # the end of what she says
    assert found["link"] == f"[[long.m4a#t={int(found['at'])}|00:0{int(found['at'])}]]"
    assert found["url"] == f"{(world.drop / 'long.m4a').as_uri()}#t={int(found['at'])}"
    assert [found["snippet"][a:b] for a, b in found["marks"]] == ["walrus"]
    piped = run("walrus", columns=40).stdout.splitlines()
    assert len(piped) == 3
    assert re.fullmatch(r"0:0\d  2025-10-09  Sarah Miller  'long.m4a'  long.m4a", piped[1])
    assert "walrus signs the contract" in piped[2]
    lines = [re.sub(LINK, "", line) for line in on_a_terminal("search", "walrus")]
    assert max(map(len, lines)) <= 80
    assert len(lines) > len(piped)  # wrapped between words
    assert run("nothingofthekind").stdout == "Nothing was found.\n"


@pytest.mark.shows("search:corrected")
def test_words_names_and_titles_are_those_of_now(world: World) -> None:
    assert names("flowers") == ["walk.m4a"]
    place = world.place("calls/walk.m4a")
    words = world.ledger.words
    transcript = words.transcript(place.recording_id)
    assert transcript is not None
    said = replace(
        transcript.segments[0], text="The release of spring towers.", heard=transcript.segments[0].text
    )
    words.correct(replace(transcript, segments=(said,)), world.now)
    assert (names("flowers"), names("towers")) == ([], ["walk.m4a"])
    transcript = words.transcript(place.recording_id)
    assert transcript is not None
    words.rename_speakers(replace(transcript, speakers=("Wilhelmina",)))
    assert (names("towers", "speaker:Tom"), names("wilhelmina")) == ([], ["walk.m4a"])
    words.store_summary(Summary(place.recording_id, "extractive", "Gardening", "."), world.now)
    assert names("gardening") == ["walk.m4a"]
    world.ledger.drafts.owe(place.recording_id, 1)
    assert answer("towers")[0]["draft"]
    assert "a better transcript is to come" in run("towers").stdout
    note = next(a.path for a in world.ledger.artifacts.of_place(place) if a.kind is Kind.SUMMARY)
    note.write_text(note.read_text().replace("---\n", "---\ntags: [Garden]\n", 1))
    assert (names("towers", "tag:#garden"), names("release", "tag:other")) == (["walk.m4a"], [])
    note.write_text(note.read_text() + "\n# " + escape_inline("A_plan [draft] #2 \\d") + "\n")
    assert answer("towers")[0]["title"] == r"A_plan [draft] #2 \d"


@pytest.mark.shows("search:moved")
def test_what_is_not_where_it_was_is_said_to_be_not_before_any_run_has_looked(world: World) -> None:
    place = world.place("calls/walk.m4a")
    assert answer("flowers")[0]["here"]
    place.path.rename(place.path.with_name("elsewhere.m4a"))
    (found,) = answer("flowers")
    assert (found["here"], found["url"]) == (False, Path(found["note"]).as_uri())
    assert "1 file gone: its note is there" in run("flowers").stdout
    for note in world.ledger.artifacts.of_place(place):
        note.path.unlink()
    (found,) = answer("flowers")
    assert (found["here"], found["note"]) == (False, None)
    said = " ".join(run("flowers").stdout.split())
    assert "neither file nor note is where it was: moved or removed since earmark looked" in said


@pytest.mark.shows("search:gone", "search:left-out", "retention:index", "privacy:index")
def test_what_retention_took_is_not_found_and_its_letters_go_with_the_sweep(world: World) -> None:
    world.set_policy({"transcript": {"keep_for": "10d"}, "trash": {"keep_for": "5d"}})
    say(world, "goes.m4a", (("", "The zeppelin hovers over Quedlinburg."),))
    assert names("zeppelin") == ["goes.m4a"]
    world.pass_days(11)
    world.let_the_report_be_read()
    say(world, "kept.m4a", (("", "The zeppelin lands later."),))
    assert world.apply().trashed
    assert names("zeppelin") == ["kept.m4a"]
    taken = len(world.ledger.recordings.all()) - 1
    for typed, count in (
        ("zeppelin", taken),
        ("zeppelin after:2026-10-01", 0),
    ):  # of those that are asked about
        said = CliRunner().invoke(app, ["search", typed], env={"COLUMNS": "200"}).stderr
        told = f"What is said in {taken} recordings is not found: their notes lie in the trash (earmark trash list)."
        assert (told in said) is bool(count), said
        answer = json.loads(CliRunner().invoke(app, ["search", typed, "--json"]).stdout)
        assert (answer["in_trash"], answer["out_by_rule"]) == (count, 0)
    place = world.place("goes.m4a")
    assert world.ledger.words.transcript(place.recording_id) is not None  # it can come back from the trash
    world.pass_days(6)
    world.sweep()
    assert world.ledger.words.transcript(place.recording_id) is None
    assert names("quedlinburg") == []
    assert json.loads(CliRunner().invoke(app, ["search", "zeppelin", "--json"]).stdout)["in_trash"] == 0
    world.ledger.db.fold()
    assert b"uedlinburg" not in (world.root / "state" / "ledger.db").read_bytes()


@pytest.mark.shows("retention:index-rule", "search:left-out")
def test_what_the_rule_of_the_index_took_is_not_found_nor_put_in_again_while_it_stands(world: World) -> None:
    walk, budget = world.place("calls/walk.m4a"), world.place("calls/budget.m4a")
    assert set(names("release")) == {"walk.m4a", "budget.m4a"}
    vectors = world.ledger.index.vectors
    said = vectors.said(walk.recording_id)
    assert said is not None
    vector = bytes(range(1, 97)) * 8
    with world.ledger.transaction():
        assert vectors.put(said, "m", [vector], b"s" * 48)
    world.set_policy({"index": {"keep_for": "10d"}})
    (world.root / "config").mkdir()
    (world.root / "config" / "config.toml").write_text("[retention.index]\nkeep_for = '10d'\n")
    world.ledger.protection.hold(budget.recording_id, "", world.now)
    world.pass_days(11)
    say(world, "young.m4a", (("", "The release is near."),))
    planned = CliRunner().invoke(app, ["retention", "plan", "--at", "2030-01-01"], env={"COLUMNS": "200"})
    of_old = len(world.ledger.recordings.all()) - 1
    assert (
        f"{of_old} recordings would go out of the index of search by index: keep_for 10d" in planned.stdout
    ), planned.output
    late = CliRunner().invoke(app, ["retention", "status"], env={"COLUMNS": "200"}).stdout
    assert f"{of_old} recordings in the index of search" in late
    for _ in range(2):  # and it stays out
        assert world.sweep().trashed == 0
        assert set(names("release")) == {"budget.m4a", "young.m4a"}
    out = of_old - 1
    for verb in ("search", "ask"):
        printed = CliRunner().invoke(app, [verb, "release"], env={"COLUMNS": "200"}).stderr
        assert f"What is said in {out} recordings is not found: a rule keeps it out of the index" in printed
        answer = json.loads(CliRunner().invoke(app, [verb, "release", "--json"]).stdout)
        assert (answer["out_by_rule"], answer["in_trash"]) == (out, 0)
    receipt = world.ledger.receipts.last()
    assert receipt is not None
    assert json.loads(receipt.body)["rule"] == "index: keep_for 10d"
    assert world.ledger.words.transcript(walk.recording_id) is not None
    world.ledger.db.fold()
    assert vector not in (world.root / "state" / "ledger.db").read_bytes()
    world.set_policy({})
    world.sweep()
    assert set(names("release")) == {"walk.m4a", "budget.m4a", "young.m4a"}
    assert json.loads(CliRunner().invoke(app, ["search", "release", "--json"]).stdout)["out_by_rule"] == 0


@pytest.mark.shows("search:anew")
def test_an_index_that_is_damaged_or_missing_is_made_anew(world: World) -> None:
    assert names("flowers") == ["walk.m4a"]
    with sqlite3.connect(world.ledger.file) as db:
        db.execute("UPDATE passages_fts_data SET block = x'00112233445566778899' WHERE id > 10")
    db.close()
    assert names("flowers") == ["walk.m4a"]
    assert world.ledger.index.check()
    world.ledger.close()
    with sqlite3.connect(world.ledger.file) as db:
        take_index_out(db)
        db.execute("PRAGMA user_version = 15")
    db.close()
    Ledger(world.ledger.file).close()  # as the daemon of this version opens it
    assert names("flowers") == ["walk.m4a"]
    world.context.ledger = Ledger(world.ledger.file)


DAMAGES = {
    "the structure of the words is gone": "DELETE FROM passages_fts_data WHERE rowid > 1",
    "the words are garbage": "UPDATE passages_fts_data SET block = randomblob(length(block))",
    "the words have no version": "DELETE FROM passages_fts_config",
    "the texts are gone": "DELETE FROM passages_fts_content",
    "a table of the words is gone": "DROP TABLE passages_fts_docsize",
    "the words are gone": "DROP TABLE passages_fts",
    "the passages are gone": "DELETE FROM passages",
    "the table of passages is gone": "DROP TABLE passages",
    "sentences are no JSON": "UPDATE passages SET sentences = '{bad'",
    "sentences are another JSON": "UPDATE passages SET sentences = '[[1], 2]'",
    "the list of what is in it is gone": "DROP TABLE indexed",
    "vectors are gone": "DROP TABLE vectors",
    "the list of vectors is gone": "DROP TABLE embedded",
    "a trigger is gone": "DROP TRIGGER indexed_is_removed",
    "what a rule took out is gone": "DROP TABLE unindexed",
}


def damaged(file: Path, how: str) -> None:
    with sqlite3.connect(file) as db:
        db.execute(how)
    db.close()


@pytest.mark.shows("search:anew")
@pytest.mark.parametrize("how", DAMAGES.values(), ids=DAMAGES.keys())
def test_whoever_notices_a_damaged_index_makes_it_anew_and_sets_no_ledger_aside(
    world: World, how: str
) -> None:
    assert names("flowers") == ["walk.m4a"]
    file, there = world.ledger.file, len(world.ledger.recordings.all())
    world.ledger.close()

    damaged(file, how)
    assert names("flowers") == ["walk.m4a"]

    damaged(file, how)
    ran = CliRunner().invoke(app, ["run", "--once", str(world.drop)])
    assert ran.exit_code == 0, ran.output
    with Ledger(file) as ledger:
        assert ledger.index.check()
        assert len(ledger.recordings.all()) == there
        assert ledger.index.count_due(FORM) == 0
    assert names("flowers") == ["walk.m4a"]

    damaged(file, how)
    went = CliRunner().invoke(app, ["forget", str(world.drop / "calls/walk.m4a"), "--yes"])
    assert went.exit_code == 0, went.output
    assert names("flowers") == []
    assert names("release") == ["budget.m4a"]
    assert b"flowers" not in b"".join(each.read_bytes() for each in file.parent.glob("ledger.db*"))
    assert not list(file.parent.glob("*.damaged-*"))
    world.context.ledger = Ledger(file)


@pytest.mark.parametrize(
    ("tags", "tag", "is_there"),
    [
        ("[Private/Calls]", "private", True),
        ("[private]", "#PRIVATE", True),
        ('["pri\\u0076ate"]', "private", True),
        ("[0x10]", "16", True),
        ("[public]", "private", False),
        ("[privateer]", "private", False),
    ],
)
def test_a_tag_is_found_as_yaml_means_it(world: World, tags: str, tag: str, is_there: bool) -> None:
    note = world.drop / "german.md"
    note.write_text(note.read_text().replace("---\n", f"---\ntags: {tags}\n", 1))
    assert names("strasse", f"tag:{tag}") == (["german.m4a"] if is_there else [])


@pytest.mark.shows("search:gone")
def test_a_recording_that_is_forgotten_while_others_are_indexed_is_nowhere(world: World) -> None:
    place = world.place("calls/walk.m4a")
    with world.ledger.transaction():
        world.ledger.erasing.begin(place.recording_id, [], [], world.now)
    assert names("flowers") == []
    with world.ledger.transaction():
        world.ledger.erasing.drop_rows(place.recording_id, [], world.now)
    assert names("flowers") == []
    assert names("release") == ["budget.m4a"]


@pytest.mark.speech
@pytest.mark.shows("search:daemon", "search:anew")
def test_the_daemon_indexes_what_it_hears_and_makes_a_damaged_index_anew(installation: Installation) -> None:
    installation.drop()
    assert installation.earmark("run", "--once", installation.folder).returncode == 0
    db = sqlite3.connect(installation.state / "ledger.db")
    assert db.execute("SELECT count(*) FROM indexed").fetchone() == (1,)
    db.execute("UPDATE passages_fts_data SET block = x'00112233445566778899' WHERE id > 10")
    db.execute("UPDATE passages_fts_data SET block = x'0011' WHERE id = 10")
    db.commit()
    db.close()
    (installation.folder / "standup.m4a").rename(installation.folder / "planning.m4a")
    ran = installation.earmark("run", "--once", installation.folder)
    assert ran.returncode == 0, ran.stderr
    assert not list(installation.state.glob("*.damaged-*"))
    found = json.loads(installation.earmark("search", "Budget", "Berlin", "--json").stdout)["results"]
    assert [(Path(f["path"]).name, f["title"], f["all_words"]) for f in found] == [
        ("planning.m4a", "Billing, budget, release", True)
    ]
    assert 15 < found[0]["at"] < 30
    assert installation.earmark("forget", "planning.m4a", "--yes").returncode == 0
    assert installation.earmark("search", "Budget").stdout == "Nothing was found.\n"
    left = b"".join(file.read_bytes() for file in installation.state.glob("ledger.db*"))
    assert b"udget" not in left
    assert b"erlin" not in left


@pytest.mark.speech
@pytest.mark.shows("search:anew")
def test_a_daemon_under_which_the_index_breaks_makes_it_anew_when_it_writes(
    installation: Installation,
) -> None:
    installation.drop()
    installation.daemon()
    file = installation.state / "ledger.db"

    def indexed() -> bool:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(file)) as db:
            return bool(
                db.execute("SELECT count(*) FROM passages_fts WHERE text LIKE '%budget%'").fetchone()[0]
            )
        return False

    wait_for(indexed)
    damaged(file, "DROP TABLE passages_fts")
    (installation.folder / "standup.m4a").rename(installation.folder / "planning.m4a")
    wait_for(lambda: any(told["event"] == "index-made-anew" for told in installation.events()))
    wait_for(indexed)
    assert not list(installation.state.glob("*.damaged-*"))


AT_A_FIRE = (
    ("Bob", "The fireman came to the old mill at night."),
    ("Anna", "My cellar was dry."),
    ("Bob", "The fireman said that a red engine stood there."),
    ("Anna", "The mill is sold, and the engine went with it."),
)


@pytest.mark.shows("search:speaker")
@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("speaker:Anna fireman", []),
        ("speaker:Anna fire*", []),
        ('speaker:Anna "red engine"', []),
        ('speaker:Anna "dry the mill"', []),  # which Bob parts
        ("speaker:Anna fire.m4a fireman", []),  # what it is called nobody says
        ("speaker:Bob fireman", [(0.0, "Bob", ["fireman", "fireman"])]),
        ("speaker:Anna mill", [(15.0, "Anna", ["mill"])]),
        ("speaker:Anna the fireman mill", [(15.0, "Anna", ["The", "mill", "the"])]),
        ("speaker:Anna eng*", [(15.0, "Anna", ["engine"])]),
        ('speaker:Anna "the engine"', [(15.0, "Anna", ["The", "the", "engine"])]),
        ("speaker:Anna", [(5.0, "Anna", [])]),
        ("speaker:Anna speaker:Bob cellar", [(5.0, "Anna", ["cellar"])]),
    ],
)
def test_with_a_speaker_only_what_they_say_is_found_and_shown(
    bare: World, query: str, shown: list[tuple[float, str, list[str]]]
) -> None:
    say(bare, "fire.m4a", AT_A_FIRE)
    results = answer(query)
    told = [(r["at"], r["speaker"], [r["snippet"][a:b] for a, b in r["marks"]]) for r in results]
    assert told == shown
    if results and "Bob" not in query:
        assert "fireman" not in results[0]["snippet"]


@pytest.mark.shows("search:speaker")
def test_what_one_speaker_says_is_found_behind_any_number_of_passages_in_which_others_say_it(
    bare: World,
) -> None:
    many = (("Bob", f"Fireman, fireman, fireman. {FILLER}"), ("Anna", "Yes.")) * 120
    say(bare, "many.m4a", many)
    say(bare, "one.m4a", (("Bob", FILLER), ("Anna", "I saw a fireman.")), at=-9)
    assert names("speaker:Anna fireman") == ["one.m4a"]


@pytest.mark.shows("search:speaker")
def test_a_speakers_name_without_letters_is_looked_for_as_it_is_and_one_that_is_exactly_so_comes_first(
    bare: World,
) -> None:
    said = {
        "family.m4a": "😀👩‍👧", "one.m4a": "😀", "hm.m4a": "???", "star.m4a": "*Ann*", "colon.m4a": "Ann: B",
        "accent.m4a": "E\u0301va", "number.m4a": "①",
    }  # fmt: skip
    for day, (name, speaker) in enumerate(said.items()):
        say(bare, name, (("Bob", FILLER * 2), (speaker, "The kettle sings.")), at=day)
    for name, speaker in said.items():
        for words in ("", " kettle", ' "kettle sings"'):
            results = answer(f'speaker:"{speaker}"{words}')
            assert Path(results[0]["path"]).name == name, (speaker, words)
            assert {(r["at"], r["speaker"]) for r in results[:1]} == {(5.0, results[0]["speaker"])}
            if not any(c.isalnum() for c in speaker):
                assert len(results) == 1
    assert names("speaker:ann") == ["colon.m4a", "star.m4a"]
    assert names("speaker:🎈") == []


@pytest.mark.shows("search:unseen-signs")
def test_a_speakers_name_in_a_script_without_spaces_is_found_as_a_word_in_whatever_language_they_speak(
    bare: World,
) -> None:
    people = {
        "chinese.m4a": "李明",
        "japanese.m4a": "クリストファー",
        "korean.m4a": "김민수",
        "thai.m4a": "สมชาย ใจดี",
    }
    for name, person in people.items():
        say(
            bare,
            name,
            (("Bob", FILLER * 3), (person, "The dentist moved the appointment."), ("Bob", FILLER)),
        )
    for name, person in people.items():
        for query in (person, f"{person} dentist", person.split()[0][:-1], f'"{person.split()[0]}"'):
            results = answer(query)
            assert {Path(r["path"]).name for r in results[:1]} == {name}, query
            assert results[0]["all_words"], query
        assert names(f"speaker:Bob {person}") == []
        assert name not in names(f"dentist -{person.split()[0]}")


UNSEEN = ("\u00ad", "\u200b", "\u2060", "\ufeff", "\u200d", "\u200c", "\u200e", "\u00ad\u200b")


@pytest.mark.shows("search:unseen-signs")
@pytest.mark.parametrize("sign", UNSEEN, ids=ascii)
def test_signs_that_nobody_sees_are_no_part_of_a_word_be_it_typed_or_said(bare: World, sign: str) -> None:
    say(bare, "plain.m4a", (("Sarah", "The spring release comes."), ("", "来週の会議で予算について。")))
    say(
        bare,
        "parted.m4a",
        ((f"Sa{sign}rah", f"The sp{sign}ring re{sign}lease comes."), ("", f"会議で予{sign}算だ。")),
    )
    both = {"plain.m4a", "parted.m4a"}
    for typed in (
        f"re{sign}lease", f"{sign}release{sign}", f'"sp{sign}ring release"', f"rel{sign}ea*{sign}", f"予{sign}算",
        f"{sign}speaker:Sa{sign}rah{sign}", f"release -flow{sign}ers", f"release after:2020-01-01{sign}",
    ):  # fmt: skip
        assert set(names(typed)) == both, ascii(typed)
        assert set(names(re.sub(f"[{''.join(UNSEEN)}]", "", typed))) == both, ascii(typed)
    assert names(f"release -com{sign}es") == []
    assert run(sign).exit_code == 2


@pytest.mark.shows("search:unseen-signs")
def test_letters_that_a_joiner_gives_another_form_are_found_as_they_are_typed(bare: World) -> None:
    said = {"persian.m4a": ("fa", "می\u200cخواهم بروم"), "hindi.m4a": ("hi", "रक्\u200dषा की बात")}
    for name, (language, text) in said.items():
        say(bare, name, (("", text),), language)
        assert names(text.split()[0]) == [name]
        assert answer(text.split()[0])[0]["snippet"] == text
