"""Whose a file is and what holds it: asked of the content and of the recording, at the moment of the act."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from earmark.config import parse_config
from earmark.domain import Kind, Owed, Segment, Summary, Transcript, TrashState
from earmark.errors import RetentionError, UsageError
from earmark.files import Identity, digest
from earmark.files import sha256_of as digest_of
from earmark.ledger import Digests
from earmark.ledger.note_ids import short
from earmark.notes.sidecars import txt
from earmark.pipeline.publishing import publish_owed, publish_place
from earmark.retention import expires_on
from earmark.retention.erasure.erase import recover
from earmark.retention.erasure.matching import matching
from earmark.retention.notes_seen import NotesSeen
from earmark.retention.rules.policy import policy_of
from earmark.retention.trash.recovery import recover as recover_trash
from earmark.retention.trash.restoring import restore
from earmark.verbs.deciding import hold, release
from earmark.verbs.forgetting import Which, forget, lift
from earmark.verbs.resolve import resolve
from earmark.verbs.trash import empty

from tests.retention_world import DAY, World

pytest_plugins = ("tests.retention_root",)

RULES = {
    "audio": {"keep_for": "30d"}, "transcript": {"keep_for": "30d"}, "summary": {"keep_for": "30d"},
    "fuse_items": 0, "fuse_percent": 0,
}  # fmt: skip


@pytest.fixture
def world(root: Path) -> World:
    return World(root, dict(RULES))


class Killed(BaseException):
    """The process is no more."""


def forgotten(world: World, *files: Path, even_held: bool = False) -> list[str]:
    """Forget files; what stays, as a person is told."""
    done = forget(world.context, Which(files=files), lambda *_: True, even_held=even_held)
    assert done is not None
    erased, found = done
    return [f"{p.name}: {why}" for p, why in (*found.left, *erased.stays)]


# --- what forgetting removes ---


@pytest.mark.parametrize("step", ["after:announce", "before:remove", "after:unlink"])
def test_a_forget_that_was_killed_finishes_on_the_contents_it_was_about_and_on_nothing_else(
    world: World, step: str
) -> None:
    place = world.record("talk.wav")

    def die(name: str) -> None:
        if name == step:
            raise Killed

    world.stepping(die)
    with pytest.raises(Killed):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)
    # Days later, other things have the names.
    mine = {
        "talk.wav": b"RIFF a new recording",
        "talk.md": b"a diary\n",
        "talk.transcript.md": b"a later note\n",
    }
    for name, data in mine.items():
        (world.drop / name).unlink(missing_ok=True)
        (world.drop / name).write_bytes(data)
    world.reopen()
    world.stepping(lambda _: None)
    with world.ledger.acting():
        result = recover(world.context)
    assert {name: (world.drop / name).read_bytes() for name in mine} == mine
    assert result.recordings == 1
    assert world.ledger.recordings.get(place.recording_id) is None


@pytest.mark.shows("retention:forget-only")
def test_documents_that_mention_a_recording_are_named_and_left(world: World) -> None:
    place, other = world.record("talk.wav"), world.record("other.wav")
    documents = {
        "custody.md": f"# Chain of custody\n\nSHA-256 {place.recording_id}, handed over on Monday.\n",
        "inventory.csv": f"file,sha256\ntalk.wav,{place.recording_id}\n",
        "quotes.md": f"> earmark_id: {place.recording_id}\n> and\n> earmark_id: {other.recording_id}\n",
        "both.md": f"---\nearmark_id:\n  - {place.recording_id}\n  - {other.recording_id}\n---\nboth\n",
        "twice.md": f"---\nearmark_id: {place.recording_id}\nearmark_id: {other.recording_id}\n---\nboth\n",
        "below.md": f"# Notes\n\n---\nearmark_id: {place.recording_id}\n---\nquoted whole\n",
        "refers.md": f"---\nearmark_id: {place.recording_id}\ntype: interview\n---\nmy page about it\n",
        "bare.md": f"---\nearmark_id: {place.recording_id}\n---\nmy page about it\n",
        "block.md": f"- earmark_id:: {place.recording_id}\n  type:: summary\n  what Bob said\n- Dear diary\n",
        "first.md": f"- earmark_id:: {place.recording_id}\n- Dear diary\n",
    }
    for name, text in documents.items():
        (world.drop / name).write_text(text)
    said = forgotten(world, place.path)
    assert {name: (world.drop / name).read_text() for name in documents} == documents
    assert sorted(said) == sorted(
        f"{name}: mentions it, and is no note of it by its own properties" for name in documents
    )
    assert world.files() == {*documents, "other.wav", "other.md", "other.transcript.md"}


@pytest.mark.shows("retention:forget-only")
@pytest.mark.parametrize("where", ["of its own", "in its note", "in its note, quoted"])
def test_what_somebody_put_together_of_several_notes_stays(world: World, where: str) -> None:
    """As `cat *.md` does it, or a notes app that merges two notes."""
    talk, other = world.record("talk.wav"), world.record("other.wav")
    note, others = world.drop / "talk.md", (world.drop / "other.md").read_text()
    if where.endswith("quoted"):
        others = "> " + others.replace("\n", "\n> ")
    both = note.read_text() + "\nwhat a person wrote\n\n" + others
    page = world.drop / "this week.md" if where == "of its own" else note
    page.write_text(both)
    stays = forgotten(world, talk.path)
    assert any(line.startswith(f"{page.name}: has a note of another recording in it") for line in stays)
    assert page.read_text() == both
    assert not talk.path.exists()
    forgotten(world, other.path)
    assert page.read_text() == both, "nobody says which of the two it is"


def test_what_was_put_together_of_notes_that_all_go_goes_with_them(world: World) -> None:
    world.record("talk.wav")
    world.record("other.wav")
    page = world.drop / "talk.md"
    page.write_text(page.read_text() + (world.drop / "other.md").read_text())
    done = forget(world.context, Which(everything=True), lambda *_: True)
    assert done is not None
    assert done[1].left == []
    assert not page.exists()


def test_what_took_the_names_while_a_person_typed_is_found_and_left(world: World) -> None:
    place = world.record("talk.wav")

    def typing(*_: object) -> bool:
        for name in ("talk.wav", "talk.md"):
            (world.drop / name).unlink()
            (world.drop / name).write_bytes(b"another one")
        return True

    done = forget(world.context, Which(files=(place.path,)), typing)
    assert done is not None
    assert world.files() == {"talk.wav", "talk.md"}
    assert {path.name for path, _ in done[1].left} == {"talk.wav", "talk.md"}


@pytest.mark.shows("retention:forget-only")
def test_a_word_matches_what_was_said_or_named_and_not_the_folders_above(world: World) -> None:
    for part in {"state", world.root.name, world.drop.name, world.root.parent.name} - {""}:
        world.record(f"{len(part)}.wav", said="nothing of the kind")
        assert matching(world.context, part) == []
    place = world.record("calls/talk.wav", said="hello")
    assert matching(world.context, "calls") == [place.recording_id]


@pytest.mark.shows("retention:forget-only")
def test_a_word_matches_in_either_form_and_in_what_a_person_corrected(world: World) -> None:
    composed, apart = "Müller", unicodedata.normalize("NFD", "Müller")
    named = world.record(f"call with {apart}.wav", said="hello")
    said = world.record("b.wav", said=f"I am {apart}")
    corrected = world.record("c.wav", said="I am Miller")
    note = world.drop / "c.transcript.md"
    note.write_text(note.read_text().replace("Miller", composed))
    wanted = {named.recording_id, said.recording_id, corrected.recording_id}
    assert set(matching(world.context, composed)) == wanted
    assert set(matching(world.context, apart)) == wanted


@pytest.mark.parametrize("kind", ["hold", "keep", "marker", "item rule"])
def test_forgetting_asks_every_kind_of_hold(world: World, kind: str) -> None:
    place = world.record("sub/talk.wav")
    put_hold(world, "sub/talk", kind)
    with pytest.raises(RetentionError, match="held"):
        forgotten(world, place.path)
    assert place.path.exists()
    forgotten(world, place.path, even_held=True)
    assert not place.path.exists()


def test_a_hold_that_comes_while_a_person_types_is_asked_again(world: World) -> None:
    place = world.record("talk.wav")

    def typing(*_: object) -> bool:
        world.ledger.protection.hold(place.recording_id, "court", world.now)
        return True

    done = forget(world.context, Which(files=(place.path,)), typing)
    assert done is not None
    assert done[0].kept == [(place.recording_id, "held: court")]
    assert place.path.exists()


def test_a_note_that_is_being_written_while_its_recording_is_erased_goes_again(world: World) -> None:
    place = world.record("talk.wav")
    (world.drop / "talk.md").unlink()
    world.ledger.artifacts.forget(world.drop / "talk.md")
    world.ledger.places.owe(place.path, place.recording_id, Owed.BACK)

    def erased_meanwhile(name: str) -> None:
        if name == "before:written" and world.ledger.recordings.get(place.recording_id) is not None:
            world.ledger.erasing.drop_rows(place.recording_id, {"talk.md"}, world.now)

    world.stepping(erased_meanwhile)
    publish_place(world.context, place)
    assert "talk.md" not in world.files()
    assert not any(p.name.startswith(".earmark") for p in world.drop.iterdir())


# --- what holds ---


def seen(world: World) -> None:
    """The daemon's scan has looked at the notes that changed."""
    NotesSeen(world.context).inspect_below([world.drop])


def put_hold(world: World, name: str, kind: str) -> None:
    audio = world.drop / f"{name}.wav"
    if kind == "hold":
        world.ledger.protection.hold(world.place(audio).recording_id, "", world.now)
    elif kind == "keep":
        note = audio.with_suffix(".md")
        note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    elif kind == "marker":
        (audio.parent / ".earmark-hold").touch()
    else:
        recording = world.place(audio).recording_id
        world.ledger.protection.set_item_rule(recording, "audio", '{"never": true}', world.now)


@pytest.mark.shows("retention:holds-last")
@pytest.mark.parametrize(
    "where", ["out", "copied", "MD", "while the audio was away", "frontmatter taken out"]
)
def test_what_a_note_once_said_counts_wherever_it_went(world: World, where: str) -> None:
    place = world.record("talk.wav")
    put_hold(world, "talk", "keep")
    note = world.drop / "talk.md"
    seen(world)
    world.pass_days(1)
    if where == "out":
        note.rename(world.root / "vault.md")
    elif where == "copied":
        (world.drop / "copy of it.md").write_bytes(note.read_bytes())
        note.unlink()
    elif where == "MD":
        note.rename(world.drop / "talk.MD")
    elif where == "while the audio was away":
        away = world.root / "talk.wav"
        place.path.rename(away)
        note.rename(world.drop / "kept note.md")
        away.rename(place.path)
    else:
        note.write_text(note.read_text().replace(f"earmark_id: {short(place.recording_id)}\n", ""))
    world.pass_days(60)
    assert world.plan() == set()
    assert "keep" in world.why("talk.wav")
    with pytest.raises(RetentionError, match="held"):
        forgotten(world, place.path)


@pytest.mark.shows("retention:holds-last")
def test_a_keep_that_a_person_takes_back_holds_no_longer(world: World) -> None:
    world.record("talk.wav")
    note = world.drop / "talk.transcript.md"
    before = note.read_text()
    note.write_text(before.replace("---\n", "---\nkeep: true\n", 1))
    world.pass_days(60)
    assert world.plan() == set()
    note.write_text(before)
    assert "talk.wav" in world.plan()
    note.write_text(before.replace("---\n", "---\nkeep: false\n", 1))
    assert "talk.wav" in world.plan()


def test_a_keep_is_taken_back_in_the_note_that_said_it_wherever_it_is_now(world: World) -> None:
    world.record("talk.wav")
    put_hold(world, "talk", "keep")
    seen(world)
    (world.drop / "vault").mkdir()
    note = (world.drop / "talk.md").rename(world.drop / "vault" / "my talk.md")
    world.pass_days(60)
    assert world.why("talk.wav") == "held by `keep: true` in my talk.md"
    note.write_text(note.read_text().replace("keep: true\n", ""))
    assert "talk.wav" in world.plan()


@pytest.mark.shows("retention:holds-last")
def test_an_older_copy_of_a_note_takes_nothing_back(world: World) -> None:
    """As a sync client leaves one beside it, or a backup brings one back."""
    world.record("talk.wav")
    note = world.drop / "talk.md"
    before = note.read_bytes()
    put_hold(world, "talk", "keep")
    seen(world)
    world.pass_days(60)
    (world.drop / "talk.sync-conflict-20251010.md").write_bytes(before)
    (world.drop / "talk (mine).md").write_bytes(before + b"mine\n")
    note.rename(world.root / "talk.md")
    assert world.plan() == set()
    assert world.why("talk.wav") == "held: talk.md, which is not there any more, said `keep: true`"


def test_an_edit_that_leaves_size_and_time_is_seen(world: World) -> None:
    world.record("talk.wav")
    note = world.drop / "talk.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: no \n", 1))
    seen(world)
    found = note.stat()
    with note.open("r+") as file:
        text = file.read().replace("keep: no ", "keep: yes")
        file.seek(0)
        file.write(text)
    os.utime(note, ns=(found.st_atime_ns, found.st_mtime_ns))
    world.pass_days(60)
    assert world.why("talk.wav") == "held by `keep: true` in talk.md"


@pytest.mark.shows("retention:holds-last")
@pytest.mark.parametrize("how", ["utf-16", "a long list before it", "an empty line first", "TOML", "JSON"])
@pytest.mark.parametrize("moved", [False, True])
def test_a_keep_that_an_editor_saved_in_its_own_way_holds(world: World, how: str, moved: bool) -> None:
    world.record("talk.wav")
    note = world.drop / "talk.md"
    text = note.read_text()
    top, _, body = text.removeprefix("---\n").partition("---\n")
    match how:
        case "utf-16":
            note.write_bytes(f"---\n{top}keep: true\n---\n{body}".encode("utf-16"))
        case "a long list before it":
            names = "".join(f"  - a name {n}\n" for n in range(6000))
            note.write_text(f"---\n{top}aliases:\n{names}keep: true\n---\n{body}")
        case "an empty line first":
            note.write_text(f"\n---\n{top}keep: true\n---\n{body}")
        case "TOML":
            note.write_text(f"+++\n{top.replace(': ', ' = ')}keep = true\n+++\n{body}")
        case _:
            note.write_text('{"keep": true}\n\n' + body)
    if moved and how not in ("TOML", "JSON"):
        note.rename(world.drop / "mine.md")
    world.pass_days(60)
    assert world.plan() == set()
    assert "held by `keep: true`" in world.why("talk.wav")


def test_a_note_with_a_keep_that_is_gone_is_let_go_by_hand(world: World) -> None:
    place = world.record("talk.wav")
    put_hold(world, "talk", "keep")
    seen(world)
    (world.drop / "talk.md").unlink()
    world.pass_days(60)
    assert world.plan() == set()
    assert release(world.context, resolve(world.context, place.path)) == (True, None)
    assert "talk.wav" in world.plan()


def test_notes_of_an_overwritten_recording_are_judged_by_their_own_recording(root: Path) -> None:
    world = World(root, {"transcript": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0})
    first = world.record("talk.wav", audio=b"RIFF the first")
    world.pass_days(40)
    (world.drop / "talk.wav").write_bytes(b"RIFF the second, which is held")
    second = world.take_in(world.drop / "talk.wav", done=False)
    said = Transcript(
        second.recording_id, (Segment(0, 9, "the second", 0.9),), "en", 1, 10, 9, "tiny.en", "whisper"
    )
    world.ledger.words.store_transcript(said, "{}", world.now)
    world.ledger.words.store_summary(Summary(second.recording_id, "extractive", "t", "the second"), world.now)
    for job in world.ledger.jobs.all():
        world.ledger.jobs.done(job.id, world.now)
    hold(world.context, resolve(world.context, second.path), "the second")
    written, more = publish_owed(world.context)
    assert (len(written), more) == (2, False)
    assert world.files() == {
        "talk.wav", "talk.md", "talk.transcript.md", "talk (earlier).md", "talk (earlier).transcript.md"
    }  # fmt: skip
    mine = {a.path.name: a.recording_id for a in world.ledger.artifacts.all() if a.note}
    assert first.recording_id in mine.values()
    goes = {d.item.recording_id for d in world.planned().goes}
    assert goes == {first.recording_id}, "the first is forty days old, and nothing holds it"
    world.ledger.protection.release_hold(second.recording_id)
    world.ledger.protection.set_item_rule(first.recording_id, "transcript", '{"never": true}', world.now)
    assert world.planned().goes == [], "the second was done just now"


def test_the_day_that_a_note_promises_knows_the_tags_that_a_person_wrote(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "tags": {"private": {"audio": {"keep_for": "7d"}}}})
    place = world.record("talk.wav")
    month = expires_on(world.context, place)
    note = world.drop / "talk.transcript.md"
    note.write_text(note.read_text().replace("---\n", "---\ntags: [private]\n", 1))
    seen(world)
    week = expires_on(world.context, place)
    assert month is not None
    assert week is not None
    assert week < month
    world.pass_days(7.1)
    assert world.plan() == {"talk.wav"}
    world.pass_days(-0.2)
    assert world.plan() == set()


# --- one date ---


@pytest.mark.shows("retention:one-date")
def test_a_copied_folder_keeps_its_newest_by_the_recordings_own_dates(root: Path) -> None:
    """Copied in the order June, January: by file time January would be the newest."""
    world = World(root, {"audio": {"keep_last": 1}, "fuse_items": 0, "fuse_percent": 0})
    world.record("june.wav", dated=world.now - 100 * DAY)
    world.pass_days(0.1)
    world.record("january.wav", dated=world.now - 250 * DAY)
    assert world.plan() == {"january.wav"}


# --- what is planted ---


def test_a_planted_trash_that_is_a_symlink_is_not_followed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record("talk.wav")
    outside = tmp_path / "outside"
    outside.mkdir()
    (world.drop / ".earmark-trash").symlink_to(outside)
    from earmark.retention.trash import taking

    monkeypatch.setattr(taking, "own_trash", lambda _: other_disk(world, tmp_path))
    world.pass_days(40)
    report = world.apply()
    assert "talk.wav" in world.files()
    assert list(outside.iterdir()) == []
    assert any("symlink" in error for error in report.errors)


def other_disk(world: World, other: Path) -> Path:
    """A trash that the kernel says is on another filesystem."""
    if other.stat().st_dev == world.drop.stat().st_dev:
        pytest.skip("there is no other filesystem to put a trash on")
    return other / "trash"


def test_a_hidden_partial_of_the_users_own_survives_an_export(world: World) -> None:
    from earmark.export import export

    world.record("talk.wav")
    out = world.root / "out"
    mine = world.root / ".out.partial"
    mine.write_text("mine")
    export(world.context, out)
    assert mine.read_text() == "mine"
    with pytest.raises(UsageError, match="drop folder"):
        export(world.context, world.drop / "deep" / "export")
    assert not (world.drop / "deep").exists()


def test_kinds_that_rules_take_are_all_judged_by_the_same_guards(world: World) -> None:
    """A recording's own rule for its audio says nothing of its notes, and a hold says it of all."""
    world.record("talk.wav")
    put_hold(world, "talk", "item rule")
    world.pass_days(60)
    assert world.plan() == {"talk.md", "talk.transcript.md"}
    put_hold(world, "talk", "hold")
    assert world.plan() == set()
    assert {d.item.kind for d in world.planned(keep_all=True).kept} >= {
        Kind.AUDIO,
        Kind.TRANSCRIPT,
        Kind.SUMMARY,
    }


@pytest.mark.shows("retention:forget-only")
def test_a_sidecar_that_might_be_anybodys_is_left(world: World) -> None:
    """Two recordings with the same words have the same sidecars, and one without words has an empty one."""
    a, b, silent = world.record("a.wav"), world.record("b.wav"), world.record("silent.wav")
    words = "1\n00:00:00,000 --> 00:00:09,000\n" + "the same words in both of them " * 4
    for place in (a, b):
        path = place.path.with_suffix(".srt")
        world.ledger.artifacts.writing(place, Kind.SIDECAR, "srt", path, 1, digest(words.encode()), world.now)
        path.write_text(words)
        world.ledger.artifacts.written(path, Digests(digest(words.encode())), world.now)
    empty = silent.path.with_suffix(".txt")
    world.ledger.artifacts.writing(silent, Kind.SIDECAR, "txt", empty, 1, digest(b""), world.now)
    empty.touch()
    world.ledger.artifacts.written(empty, Digests(digest(b"")), world.now)
    world.ledger.protection.hold(b.recording_id, "", world.now)
    (world.drop / "todo.txt").touch()
    (world.drop / "mine.md").touch()
    forgotten(world, a.path, silent.path)
    assert world.files() == {"b.wav", "b.md", "b.transcript.md", "b.srt", "todo.txt", "mine.md"}


@pytest.mark.parametrize("said", ["hello there general", ""])
def test_a_file_of_the_users_is_not_taken_for_a_sidecar_because_it_says_the_same(
    root: Path, said: str
) -> None:
    rule = {"keep_for": "30d"}
    world = World(root)
    world.context.config = parse_config(
        {"retention": {"sidecar": rule, "fuse_items": 0}, "notes": {"formats": ["txt"]}}, "test"
    )
    place = world.record("talk.wav", said=said) if said else world.record("talk.wav", segments=())
    transcript = world.ledger.words.transcript(place.recording_id)
    assert transcript is not None
    mine = world.drop / "talk.txt"
    mine.write_text(txt(transcript))
    world.ledger.places.owe(place.path, place.recording_id, Owed.POLICY)
    with world.ledger.acting():
        publish_place(world.context, world.place("talk.wav"))
    assert (world.drop / "talk.wav.txt").read_bytes() == mine.read_bytes()
    world.pass_days(40)
    assert world.plan() == {"talk.wav.txt"}
    forgotten(world, place.path)
    assert world.files() == {"talk.txt"}


@pytest.mark.shows("retention:tags")
def test_a_tag_that_earmark_wrote_brings_no_rule_in_an_edited_note_either(root: Path) -> None:
    rules = {"summary": {"keep_for": "7d"}}
    folder = [{"path": str(root / "drop"), "tags": ["private"]}]
    world = World(root)
    world.set_policy({"tags": {"private": rules}}, folder)
    world.record("talk.wav")
    note = world.drop / "talk.md"
    before = note.read_text()
    note.write_text(before.replace("---\n", "---\ntags: [private]\nkeep: true\n", 1))
    seen(world)
    world.set_policy({"tags": {"private": rules}})
    note.write_text(before)
    seen(world)
    world.pass_days(30)
    assert world.plan() == set()


@pytest.mark.parametrize(
    "which", ["an edited note", "an unknown copy of the audio", "a copied note that says keep"]
)
def test_forgetting_asks_what_holds_each_copy_that_it_has_found(world: World, which: str) -> None:
    place = world.record("talk.wav")
    archive = world.drop / "archive"
    archive.mkdir()
    if which == "an edited note":
        (archive / ".earmark-hold").touch()
        note = (world.drop / "talk.md").rename(archive / "talk.md")
        note.write_text(note.read_text() + "mine\n")
    elif which == "an unknown copy of the audio":
        (archive / ".earmark-hold").touch()
        (archive / "kept.wav").write_bytes(place.path.read_bytes())
    else:
        text = (world.drop / "talk.md").read_text()
        (archive / "copy.md").write_text(text.replace("---\n", "---\nkeep: true\n", 1))
    before = world.files()
    with pytest.raises(RetentionError, match="held"):
        forgotten(world, place.path)
    assert world.files() == before


def test_a_lift_ends_an_erasure_that_is_still_open(world: World) -> None:
    place = world.record("talk.wav")

    def die(name: str) -> None:
        if name == "before:remove":
            raise Killed

    world.stepping(die)
    with pytest.raises(Killed):
        forget(world.context, Which(files=(place.path,)), lambda *_: True)
    world.stepping(lambda _: None)
    assert lift(world.context, [place.path]) == {place.path: True}
    with world.ledger.acting():
        recover(world.context)
    assert place.path.exists()
    assert world.ledger.recordings.get(place.recording_id) is not None


def test_a_note_that_was_saved_again_after_a_rule_took_it_holds_what_lies_in_the_trash(world: World) -> None:
    place = world.record("talk.wav")
    note = world.drop / "talk.md"
    text = note.read_text()
    world.pass_days(40)
    assert world.apply().trashed == 3
    note.write_text(text.replace("---\n", "---\nkeep: true\n", 1))
    world.pass_days(60)
    rows = world.ledger.trash.in_state(TrashState.HERE)
    assert {why for _, why in empty(world.context, rows, even_held=False)} == {
        "held by `keep: true` in talk.md"
    }
    assert len(world.ledger.trash.of_recording(place.recording_id)) == len(rows) == 3
    assert world.ledger.trash.in_state(TrashState.HERE) == rows


def test_a_marker_in_a_folder_above_holds_what_lies_in_the_trash_after_a_rename(root: Path) -> None:
    world = World(root, {"transcript": {"keep_for": "30d"}, "summary": {"keep_for": "30d"}, "fuse_items": 0})
    place = world.record("sub/deep/talk.wav")
    world.pass_days(40)
    assert world.apply().trashed == 2
    new = place.path.rename(place.path.with_name("renamed.wav"))
    world.ledger.places.move(place, new, world.drop, Identity.of(new.lstat()), world.now)
    (world.drop / "sub" / ".earmark-hold").touch()
    rows = world.ledger.trash.in_state(TrashState.HERE)
    assert len(empty(world.context, rows, even_held=False)) == len(rows) == 2


# --- what a restore promises ---


@pytest.mark.parametrize("killed", [False, True])
def test_a_restore_whose_name_is_taken_meanwhile_holds_all_the_same(world: World, killed: bool) -> None:
    place = world.record("talk.wav")
    world.pass_days(31)
    world.apply()
    (row,) = [t for t in world.ledger.trash.in_state(TrashState.HERE) if t.kind is Kind.AUDIO]

    def somebody_is_quicker(name: str) -> None:
        if name == "after:restoring":
            place.path.write_bytes(b"RIFF something else")
            if killed:
                raise Killed

    world.stepping(somebody_is_quicker)
    with pytest.raises(Killed if killed else RetentionError), world.ledger.acting():
        restore(world.context, row)
    world.reopen()
    world.stepping(lambda _: None)
    with world.ledger.acting():
        recover_trash(world.context)
    assert world.ledger.protection.held(place.recording_id) == "restored from the trash"
    for _ in range(3):
        world.pass_days(200)
        world.sweep()
    there = [row.trashed, world.drop / "talk (2).wav"]
    assert any(path is not None and digest_of(path) == place.recording_id for path in there)
    assert place.path.read_bytes() == b"RIFF something else"


# --- whose rule it is ---


@pytest.mark.shows("retention:tags")
@pytest.mark.parametrize(
    "line",
    [
        "tags: [private]",
        "tags: Private",
        "Tags: [PRIVATE]",
        "tag: private",
        "tags: [private/x]",
        "tags: a;private",
        "tags: '#private'",
    ],
)
def test_a_tag_brings_its_rule_however_it_is_written(root: Path, line: str) -> None:
    world = World(root, {"audio": {"keep_for": "30d"}, "tags": {"Private": {"audio": {"never": True}}}})
    world.record("talk.wav")
    note = world.drop / "talk.md"
    note.write_text(note.read_text().replace("---\n", f"---\n{line}\n", 1))
    world.pass_days(60)
    assert world.why("talk.wav") == "kept by audio: never (tag private)"


@pytest.mark.shows("retention:folders")
def test_the_rule_of_a_folder_inside_a_drop_folder_holds_for_what_lies_in_it(root: Path) -> None:
    world = World(root)
    world.record("calls/a.wav")
    world.record("b.wav")
    calls = {"path": str(world.drop / "calls"), "retention": {"audio": {"never": True}}}
    world.set_policy({"audio": {"keep_for": "30d"}, "fuse_items": 0, "fuse_percent": 0}, [calls])
    world.pass_days(60)
    assert world.plan() == {"b.wav"}


@pytest.mark.shows("retention:folders")
def test_a_folder_inside_another_follows_its_rule_for_what_it_says_nothing_about(root: Path) -> None:
    world = World(root)
    world.record("calls/deep/a.wav")
    world.record("b.wav")
    every = {kind: {"delete_after_done": True} for kind in ("audio", "transcript", "summary")}
    above = {"path": str(world.drop), "retention": {"audio": {"never": True}, "summary": {"keep_for": "1y"}}}
    world.set_policy(every, [above])
    before = policy_of(world.context.config).digest
    calls = {
        "path": str(world.drop / "calls"),
        "tags": ["phone"],
        "retention": {"transcript": {"keep_for": "1y"}},
    }
    world.set_policy(every, [above, calls])
    assert policy_of(world.context.config).digest != before, "the first sweep only reports"
    assert world.plan() == {"b.transcript.md"}
    world.pass_days(400)
    assert world.plan() == {"a.transcript.md", "a.md", "b.transcript.md", "b.md"}
