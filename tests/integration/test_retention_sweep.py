"""What rules take, and above all what they do not: real files, a real ledger, a clock that the test moves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from earmark.config import Config
from earmark.context import Clock
from earmark.domain import Instant, JobState, Kind, Mark, Owed, Segment, Stage, Tick, TrashState
from earmark.errors import RetentionError
from earmark.events import Event
from earmark.files import Folder, take_out
from earmark.retention import next_sweep, receipts, remember_policy, sweep_by_clock, sweep_due
from earmark.retention.rules.policy import policy_of
from earmark.retention.sweep import sweep as sweep_module
from earmark.retention.sweep.apply import apply, purge_due
from earmark.retention.sweep.guards import approve
from earmark.retention.trash import taking
from earmark.retention.trash.restoring import restore

from tests.retention_world import DAY, World

pytest_plugins = ("tests.retention_root",)

AUDIO_30D = {"audio": {"keep_for": "30d"}}


@pytest.fixture
def world(root: Path) -> World:
    return World(root, AUDIO_30D)


@pytest.mark.shows("retention:no-rule")
@pytest.mark.shows("retention:anything-while-rule-applies")
def test_an_empty_policy_deletes_nothing_however_old(root: Path) -> None:
    world = World(root)
    world.record("old.wav")
    world.pass_days(5000)
    assert world.plan() == set()
    assert world.sweep().outcome == "nothing"
    assert world.files() == {"old.wav", "old.md", "old.transcript.md"}


def test_older_than_is_another_name_for_keep_for(root: Path) -> None:
    world = World(root, {"audio": {"older_than": "30d"}})
    world.record("a.wav")
    world.pass_days(29)
    assert world.plan() == set()
    world.pass_days(2)
    assert world.plan() == {"a.wav"}


def test_audio_goes_to_the_trash_when_its_time_is_over_and_its_notes_stay(world: World) -> None:
    place = world.record("a.wav")
    world.pass_days(31)
    assert world.apply().trashed == 1
    assert world.files() == {"a.md", "a.transcript.md"}
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    assert row.original == place.path
    assert row.trashed is not None
    assert row.trashed.read_bytes().startswith(b"RIFFa.wav")
    gone = world.ledger.places.at(place.path)
    assert gone is not None
    assert gone.gone_why == "trashed"
    assert gone.owed is Owed.AUDIO_WENT
    assert "trashed" in [e.what for e in world.ledger.journal.events(place.recording_id)]


def test_the_clock_starts_when_all_notes_are_written_not_when_the_file_came(root: Path) -> None:
    world = World(root, AUDIO_30D)
    world.record("old-file.wav", dated=world.now - 900 * DAY)
    assert world.plan() == set()


@pytest.mark.shows("retention:unfinished-whose-clock-has")
def test_what_is_not_finished_stays(world: World) -> None:
    world.record("waiting.wav", done=False)
    place = world.record("summary-again.wav")
    world.ledger.jobs.requeue(place.recording_id, Stage.SUMMARIZE, world.now)
    claimed = world.ledger.jobs.claim(Stage.SUMMARIZE, "worker", world.now, True)
    while claimed is not None and claimed.recording_id != place.recording_id:
        claimed = world.ledger.jobs.claim(Stage.SUMMARIZE, "worker", world.now, True)
    world.pass_days(400)
    assert world.plan() == set()
    assert world.why("waiting.wav") == "its transcription is not finished"
    assert world.why("summary-again.wav") == "its summary is not finished"


def test_a_summary_that_waits_for_a_better_one_keeps_nothing_from_going(world: World) -> None:
    """What the daemon does at start when no summary server runs: the parked jobs go back to the queue."""
    place = world.record("a.wav")
    again = world.record("heard-again.wav")
    jobs = world.ledger.jobs
    for each in (place, again):
        job = jobs.of(each.recording_id, Stage.SUMMARIZE)
        assert job is not None
        jobs.park(job.id, "no summary server answers", world.now)
    world.pass_days(31)
    jobs.unpark(Stage.SUMMARIZE, world.now)
    jobs.requeue(again.recording_id, Stage.TRANSCRIBE, world.now)
    assert world.plan() == {"a.wav"}
    assert world.why("heard-again.wav") == "its transcription is not finished"
    report = world.sweep()
    assert (report.outcome, report.planned) == ("reported", 1)
    jobs.claim(Stage.TRANSCRIBE, "worker", world.now, True)
    assert world.why("heard-again.wav") == "its transcription is not finished"


@pytest.mark.shows("retention:unfinished-whose-clock-has")
def test_a_first_summary_that_is_still_to_come_keeps_its_recording(world: World) -> None:
    place = world.record("a.wav")
    world.ledger.db.execute("UPDATE recordings SET done_at = NULL")
    world.ledger.jobs.requeue(place.recording_id, Stage.SUMMARIZE, world.now)
    world.pass_days(31)
    assert world.why("a.wav") == "its summary is not finished"


@pytest.mark.shows("retention:note-you-edited", "readme:edited")
def test_an_edited_note_stays_and_an_unedited_one_goes(root: Path) -> None:
    world = World(root, {"transcript": {"keep_for": "10d"}})
    world.record("a.wav")
    world.record("b.wav")
    with (world.drop / "a.transcript.md").open("a") as note:
        note.write("my own thought\n")
    world.pass_days(11)
    assert world.plan() == {"b.transcript.md"}
    assert world.why("a.transcript.md") == "edited by you"


@pytest.mark.shows("retention:file-changed-changes-very")
def test_audio_that_changed_since_stays_even_with_the_same_size_and_time(world: World) -> None:
    place = world.record("a.wav")
    stat = place.path.stat()
    data = bytearray(place.path.read_bytes())
    data[10] ^= 1
    with place.path.open("r+b") as file:
        file.write(data)
    os.utime(place.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    world.pass_days(31)
    assert world.plan() == set()
    assert world.why("a.wav") == "its content is not what was transcribed"


@pytest.mark.shows("retention:moved-aside")
@pytest.mark.shows("retention:file-changed-changes-very")
def test_a_file_that_changes_between_plan_and_move_stays(world: World) -> None:
    place = world.record("a.wav")
    world.pass_days(31)
    plan = world.planned()
    place.path.write_bytes(b"something newer")
    report = apply(world.context, plan)
    assert report.trashed == 0
    assert "it has changed" in report.errors[0]
    assert place.path.read_bytes() == b"something newer"


@pytest.mark.shows("retention:holds-last")
def test_a_file_that_changes_at_the_very_moment_is_put_back_or_kept_for_its_owner(world: World) -> None:
    first, second = world.record("a.wav"), world.record("b.wav")
    old = second.path.read_bytes()
    world.pass_days(31)
    plan = world.planned()
    taken = 0

    def meddle(step: str) -> None:
        nonlocal taken
        taken += step == "after:take"
        if step == "after:announce" and taken == 0:
            first.path.write_bytes(b"newer words")
        if step == "after:take":
            second.path.write_bytes(b"another file, newer still")
            world.ledger.protection.hold(second.recording_id, "just now", world.now)

    world.stepping(meddle)
    report = apply(world.context, plan)
    assert (report.trashed, len(report.errors)) == (0, 2)
    assert first.path.read_bytes() == b"newer words"
    assert second.path.read_bytes() == b"another file, newer still"
    assert world.ledger.trash.in_state(TrashState.HERE) == []
    assert (world.drop / "b (2).wav").read_bytes() == old


@pytest.mark.shows("retention:file-behind-symlink-drop")
def test_a_file_behind_a_symlink_stays(world: World, root: Path) -> None:
    world.record("sub/a.wav")
    elsewhere = root / "elsewhere"
    (world.drop / "sub").rename(elsewhere)
    (world.drop / "sub").symlink_to(elsewhere)
    world.pass_days(31)
    assert world.plan() == set()
    assert "symlink" in world.why("a.wav")


@pytest.mark.shows("retention:held-note-folder-rule", "readme:keep")
@pytest.mark.parametrize("how", ["frontmatter", "command", "marker", "marker-above"])
def test_a_hold_of_any_kind_keeps(world: World, how: str) -> None:
    place = world.record("talks/a.wav")
    world.record("other/b.wav")
    if how == "frontmatter":
        note = world.drop / "talks" / "a.md"
        note.write_text(note.read_text().replace("---\n", "---\nkeep: true\n", 1))
    elif how == "command":
        world.ledger.protection.hold(place.recording_id, "court case", world.now)
    else:
        folder = world.drop if how == "marker-above" else world.drop / "talks"
        (folder / ".earmark-hold").touch()
    world.pass_days(31)
    assert world.plan() == (set() if how == "marker-above" else {"b.wav"})
    assert world.why("a.wav").startswith("held")


@pytest.mark.shows("retention:any-note-ever-said")
def test_a_hold_in_a_note_that_its_owner_renamed_still_counts(world: World) -> None:
    world.record("a.wav")
    note = world.drop / "a.md"
    note.write_text(note.read_text().replace("---\n", "---\nkeep: yes\n", 1))
    (world.drop / "notes").mkdir()
    note.rename(world.drop / "notes" / "My meeting.md")
    world.pass_days(31)
    assert world.plan() == set()
    assert "My meeting.md" in world.why("a.wav")


@pytest.mark.shows("retention:any-note-ever-said")
def test_frontmatter_that_nobody_can_read_counts_as_a_hold(world: World) -> None:
    world.record("a.wav")
    world.pass_days(31)

    note = world.drop / "a.md"
    note.write_text(note.read_text().replace("---\n", "---\n\t[keep: {{\n", 1))
    assert world.plan() == set()
    assert world.why("a.wav") == "held by `keep: true` in a.md"


@pytest.mark.shows("retention:quality-gate")
@pytest.mark.shows("retention:audio-whose-transcript-cannot")
@pytest.mark.parametrize(
    ("flaw", "sentence"),
    [
        ({"speech_seconds": 60.0, "duration": 60.0}, "only 16% of the speech"),
        ({"segments": (Segment(0, 9, "you", 0.2),)}, "mean confidence"),
        ({"segments": (Segment(0, 9, "la la", 0.9), Segment(9, 10, "la", 0.9, Mark.REPETITION))}, "loop"),
        ({"segments": tuple(Segment(n, n + 1, "thank you", 0.9) for n in range(9))}, "loop"),
        ({"segments": (), "speech_seconds": 0.0}, "no speech"),
        ({"language_probability": 0.2}, "language is uncertain"),
        ({"truncated": True}, "ends before its own declared end"),
        ({"tracks": 3, "tracks_unheard": 1}, "1 of its 3 sound tracks could not be heard"),
        ({"parts": 3, "parts_unheard": 1}, "1 of its 3 parts could not be read"),
        ({"bytes_unheard": 48_212}, "48,212 bytes behind what was heard"),
        ({"unreadable_seconds": 0.5}, "0.5 seconds of it could not be read"),
    ],
)  # fmt: skip
@pytest.mark.shows("transcription:damage")
def test_audio_stays_when_its_transcript_fails_the_quality_gate(
    world: World, flaw: dict[str, Any], sentence: str
) -> None:
    place = world.record("a.wav", **flaw)
    world.pass_days(31)
    assert world.plan() == set()
    assert sentence in world.why("a.wav")
    world.ledger.retention.accept_quality(place.recording_id, world.now)
    assert world.plan() == {"a.wav"}


@pytest.mark.shows("retention:quality-gate")
def test_audio_stays_when_the_transcript_note_is_not_on_disk_as_written(world: World) -> None:
    world.record("a.wav")
    (world.drop / "a.transcript.md").unlink()
    world.pass_days(31)
    assert "no transcript note" in world.why("a.wav")


@pytest.mark.shows("retention:quality-gate")
def test_audio_may_go_after_a_rule_took_its_transcript(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "60d"}, "transcript": {"keep_for": "10d"}})
    world.record("a.wav")
    world.pass_days(11)
    assert world.apply().trashed == 1
    world.pass_days(50)
    assert world.plan() == {"a.wav"}


@pytest.mark.shows("retention:failed-recording-without-rule")
def test_a_failed_recording_needs_its_own_rule(root: Path) -> None:
    world = World(root, AUDIO_30D)
    place = world.record("a.wav", done=False)
    job = world.ledger.jobs.of(place.recording_id, Stage.TRANSCRIBE)
    assert job is not None
    world.ledger.jobs.fail(job.id, "no audio in it", world.now)
    for other in world.ledger.jobs.all():
        if other.stage is Stage.SUMMARIZE:
            world.ledger.jobs.fail(other.id, "no transcript", world.now)
    world.pass_days(400)
    assert world.plan() == set()
    world.set_policy({"failed": {"keep_for": "90d"}})
    assert world.plan() == {"a.wav"}


@pytest.mark.shows("retention:new-rule")
def test_a_new_or_stricter_rule_covers_what_is_there_already_but_is_reported_first(root: Path) -> None:
    world = World(root)
    world.record("a.wav")
    world.pass_days(10)
    world.sweep()
    world.set_policy({"audio": {"keep_for": "5d"}})
    assert world.plan() == {"a.wav"}
    assert world.sweep().outcome == "reported"
    assert "a.wav" in world.files()
    world.set_policy({"audio": {"keep_for": "100d"}})
    assert world.plan() == set()
    world.set_policy({"audio": {"keep_for": "4d"}})
    assert world.sweep().outcome == "reported"
    world.pass_days(1)
    assert world.sweep().trashed == 1


@pytest.mark.shows("retention:which-rule-counts")
def test_a_folder_rule_comes_before_the_class_and_an_item_rule_before_both(root: Path) -> None:
    world = World(root)
    folder = [{"path": str(world.drop), "retention": {"audio": {"keep_for": "5d"}}}]
    world.set_policy({"audio": {"keep_for": "50d"}}, folder)
    place = world.record("a.wav")
    world.record("b.wav")
    world.ledger.protection.set_item_rule(place.recording_id, "audio", '{"never": true}', world.now)
    world.pass_days(6)
    assert world.plan() == {"b.wav"}
    assert "(item)" in world.why("a.wav")


@pytest.mark.shows("retention:tags")
def test_a_tag_in_a_note_brings_its_rule(root: Path) -> None:
    world = World(root, {"audio": {"never": True}, "tags": {"private": {"audio": {"keep_for": "1d"}}}})
    place = world.record("a.wav")
    world.record("b.wav")
    note = world.note(place, Kind.SUMMARY, ".md", "text")
    note.write_text(note.read_text().replace("---\n", "---\ntags: [private]\n", 1))
    world.pass_days(2)
    assert world.plan() == {"a.wav"}


@pytest.mark.shows("retention:any-rule-that-keeps")
def test_the_newest_are_kept_by_count_and_by_size(root: Path) -> None:
    world = World(root, {"audio": {"keep_last": 2}})
    for n in range(5):
        world.record(f"{n}.wav")
        world.pass_days(1)
    assert world.plan() == {"0.wav", "1.wav", "2.wav"}
    size = (world.drop / "4.wav").stat().st_size
    world.set_policy({"audio": {"keep_within_size": size * 3}})
    assert world.plan() == {"0.wav", "1.wav"}


def test_plan_after_apply_is_empty(root: Path) -> None:
    world = World(root, {k.value: {"keep_last": 1, "keep_daily": 2} for k in Kind})
    for n in range(5):
        world.record(f"{n}.wav")
        world.pass_days(0.7)
    assert len(world.plan()) > 3
    world.apply()
    assert world.plan() == set()


@pytest.mark.shows("retention:unattended")
def test_the_first_sweep_after_a_policy_change_only_reports(world: World) -> None:
    world.record("a.wav")
    world.pass_days(31)
    report = world.sweep()
    assert (report.outcome, report.planned) == ("reported", 1)
    assert world.sweep().outcome == "reported", "a restart a moment later is nobody's consent"
    assert "a.wav" in world.files()
    world.pass_days(1)
    assert world.sweep().trashed == 1
    world.set_policy({"audio": {"keep_for": "20d"}})
    world.record("b.wav")
    world.pass_days(21)
    assert world.sweep().outcome == "reported"
    assert "b.wav" in world.files()


def test_a_sweep_that_finds_nothing_does_not_count_as_the_report_of_a_new_policy(world: World) -> None:
    world.record("a.wav")
    report = world.sweep()
    assert (report.outcome, report.sentence) == ("nothing", "Nothing is due.")
    world.pass_days(31)
    assert world.sweep().outcome == "reported", "nobody was ever shown what this policy takes"
    assert "a.wav" in world.files()
    world.pass_days(1)
    assert world.sweep().trashed == 1


@pytest.mark.shows("retention:unattended")
def test_the_fuse_stops_a_sweep_and_says_so_and_a_person_may_go_on(root: Path) -> None:
    world = World(root, AUDIO_30D | {"fuse_items": 3})
    for n in range(4):
        world.record(f"{n}.wav")
    world.pass_days(31)
    world.let_the_report_be_read()
    report = world.sweep()
    assert report.outcome == "stopped"
    assert "fuse_items" in world.ledger.journal.troubles()[0].sentence
    assert len(world.files()) == 12
    assert world.apply().trashed == 4
    assert world.sweep().outcome == "nothing"
    assert world.ledger.journal.troubles() == []


def test_a_sweep_hashes_only_what_it_moves_and_still_leaves_what_changed(world: World) -> None:
    """The plan of a sweep trusts size, time and inode; the move does not."""
    place = world.record("a.wav")
    stat = place.path.stat()
    with place.path.open("r+b") as file:
        file.seek(100)
        file.write(b"!")
    os.utime(place.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    world.pass_days(31)
    world.let_the_report_be_read()
    report = world.sweep()
    assert (report.planned, report.trashed, len(report.errors)) == (1, 0, 1)
    assert "a.wav" in world.files()


@pytest.mark.shows("retention:unattended")
@pytest.mark.parametrize(("wall", "boots"), [(400.0, 1.0), (-3.0, 1.0)])
def test_a_clock_that_jumped_stops_the_sweep_until_a_person_says_it_is_right(
    world: World, wall: float, boots: float
) -> None:
    world.record("a.wav")
    world.sweep()
    world.sweep()
    world.now = Instant(world.now + wall * DAY)
    world.boots += boots * DAY
    for _ in range(3):
        report = world.sweep()
        assert report.outcome == "stopped"
        assert "clock" in report.sentence
    assert "a.wav" in world.files()
    if wall > 0:
        approve(world.context, lambda: (world.boots, "boot-1"))
        assert world.sweep().trashed == 1


@pytest.mark.shows("retention:unattended")
def test_something_new_that_is_dated_before_the_last_sweep_stops_it(world: World) -> None:
    world.record("a.wav")
    world.pass_days(31)
    world.sweep()
    before = Instant(world.now - 20 * DAY)
    world.ledger.journal.record(before, Event.ACCEPTED, "written while the clock was wrong")
    world.pass_days(1)
    assert world.sweep().outcome == "stopped"


@pytest.mark.shows("retention:date-future")
def test_a_future_date_never_expires(world: World) -> None:
    world.record("future.wav", dated=world.now + 4000 * DAY)
    world.pass_days(3000)
    assert world.plan() == set()
    assert world.why("future.wav") == "dated in the future"


@pytest.mark.shows("retention:bounded")
def test_a_sweep_that_runs_out_of_time_goes_on_at_the_next_call(world: World) -> None:
    for n in range(3):
        world.record(f"{n}.wav")
    world.pass_days(31)
    world.let_the_report_be_read()
    ticks = iter(range(0, 1000, 10))
    world.context.clock = Clock(wall=lambda: world.now, monotonic=lambda: Tick(next(ticks)))
    taken = 0
    for _ in range(5):
        report = sweep_by_clock(world.context, budget=15.0, boot=lambda: (world.boots, "boot-1"))
        taken += report.trashed
        assert report.more == (taken < 3)
        if not report.more:
            break
    assert taken == 3


@pytest.mark.shows("retention:bounded")
def test_one_file_that_will_not_go_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        world.record(f"{n}.wav")
    world.pass_days(31)
    world.let_the_report_be_read()

    def stubborn(folder: Folder, name: str, *rest: Any, **options: Any) -> Any:
        if name == "1.wav":
            raise PermissionError(13, "Permission denied")
        return take_out(folder, name, *rest, **options)

    monkeypatch.setattr(taking, "take_out", stubborn)
    report = world.sweep()
    assert (report.trashed, len(report.errors)) == (2, 1)
    assert "1.wav" in world.files()
    assert world.ledger.trash.in_state(TrashState.MOVING) == []
    monkeypatch.undo()
    assert world.sweep().trashed == 1


@pytest.mark.shows("retention:bounded")
def test_a_sweep_that_breaks_is_recorded_and_the_next_one_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.record("a.wav")
    world.pass_days(31)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(sweep_module, "plan_now", broken)
        assert world.sweep().outcome == "failed"
    assert world.ledger.journal.troubles()[0].subject == "[retention]"
    assert not sweep_due(world.context)
    world.pass_days(3601 / DAY)
    assert sweep_due(world.context)
    assert world.sweep().outcome == "reported"
    assert world.ledger.journal.troubles() == []


def test_a_missed_sweep_is_due_at_once_and_a_done_one_at_the_next_time_of_day(world: World) -> None:
    assert sweep_due(world.context)
    world.sweep()
    assert not sweep_due(world.context)
    assert world.now < next_sweep(world.context) <= world.now + DAY
    world.pass_days(5)
    assert sweep_due(world.context)


def test_trash_is_purged_by_its_own_clock_with_a_receipt(world: World) -> None:
    world.record("a.wav")
    world.pass_days(31)
    world.let_the_report_be_read()
    world.sweep()
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    world.pass_days(29)
    world.sweep()
    assert row.trashed is not None
    assert row.trashed.exists()
    world.pass_days(2)
    assert world.sweep().purged == 1
    assert not row.trashed.exists()
    assert not row.trashed.parent.exists()
    assert [r.act for r in world.ledger.receipts.all()] == ["trashed", "purged"]
    assert receipts.verify(world.ledger) == []


def test_a_trash_whose_disk_is_away_is_neither_purged_nor_called_lost(world: World) -> None:
    world.record("a.wav")
    world.pass_days(31)
    world.apply()
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    trash = world.root / "state" / "trash"
    trash.rename(world.root / "unmounted")
    world.pass_days(60)
    count, errors = purge_due(world.context)
    assert (count, len(errors)) == (0, 1)
    with pytest.raises(RetentionError, match="not there"):
        restore(world.context, row)
    (world.root / "unmounted").rename(trash)
    assert restore(world.context, row).exists()


@pytest.mark.shows("retention:restore")
def test_a_hold_that_comes_later_still_saves_what_is_in_the_trash(world: World) -> None:
    place = world.record("a.wav")
    world.pass_days(31)
    world.apply()
    world.ledger.protection.hold(place.recording_id, "", world.now)
    world.pass_days(500)
    assert purge_due(world.context) == (0, [])


@pytest.mark.shows("retention:restore")
def test_a_restored_file_is_the_same_file_and_is_not_taken_again(world: World) -> None:
    place = world.record("a.wav")
    before = place.path.read_bytes()
    world.pass_days(31)
    world.apply()
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    restore(world.context, row)
    assert place.path.read_bytes() == before
    back = world.ledger.places.at(place.path)
    assert back is not None
    assert back.gone_at is None
    assert str(back.identity) == str(place.identity)
    assert world.plan() == set()
    assert "restored" in world.why("a.wav")


@pytest.mark.shows("retention:moved-aside")
def test_restoring_never_overwrites_what_is_there_now(world: World) -> None:
    place = world.record("a.wav")
    world.pass_days(31)
    world.apply()
    place.path.write_bytes(b"another file")
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    with pytest.raises(RetentionError, match="something else is there"):
        restore(world.context, row)
    assert place.path.read_bytes() == b"another file"


def test_the_words_in_the_ledger_go_when_the_transcript_note_is_purged(root: Path) -> None:
    world = World(root, {"transcript": {"keep_for": "10d"}, "audio": {"keep_for": "200d"}})
    place = world.record("a.wav")
    world.pass_days(11)
    world.apply()
    assert world.ledger.words.transcript(place.recording_id) is not None
    world.sweep()
    world.pass_days(31)
    assert world.sweep().purged == 1
    assert world.ledger.words.transcript(place.recording_id) is None
    assert world.ledger.words.summary(place.recording_id) is not None
    world.pass_days(200)
    assert world.plan() == {"a.wav"}


def test_a_better_summary_is_not_waited_for_when_a_rule_took_the_words(root: Path) -> None:
    world = World(root, {"transcript": {"keep_for": "10d"}})
    place = world.record("a.wav")
    job = world.ledger.jobs.of(place.recording_id, Stage.SUMMARIZE)
    assert job is not None
    world.ledger.jobs.park(job.id, "no summary server answers", world.now)
    world.pass_days(11)
    world.let_the_report_be_read()
    assert world.sweep().trashed == 1
    world.pass_days(31)
    assert world.sweep().purged == 1
    after = world.ledger.jobs.get(job.id)
    assert after is not None
    assert (after.state, after.reason) == (JobState.DONE, "a retention rule took its words")


@pytest.mark.shows("retention:trash-folder")
def test_the_trash_in_the_drop_folder_is_used_across_filesystems(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two filesystems cannot be mounted here, so the kernel's EXDEV is played for the state folder's trash."""
    world.record("a.wav")
    world.pass_days(31)

    def other_device(folder: Folder, name: str, sha256: str, into: Folder, *rest: Any, **options: Any) -> Any:
        if "state" in into.path.parts:
            raise OSError(18, "Invalid cross-device link")
        return take_out(folder, name, sha256, into, *rest, **options)

    monkeypatch.setattr(taking, "take_out", other_device)
    assert world.apply().trashed == 1
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    assert row.trashed is not None
    assert row.trashed.is_relative_to(world.drop / ".earmark-trash")
    assert restore(world.context, row).exists()


def test_a_name_that_is_no_text_goes_and_comes_back_like_any_other(world: World) -> None:
    place = world.record("sch\udcf6n\n.wav")
    before = place.path.read_bytes()
    world.pass_days(31)
    report = world.apply()
    assert (report.trashed, report.errors) == (1, [])
    (row,) = world.ledger.trash.in_state(TrashState.HERE)
    assert restore(world.context, row).read_bytes() == before


def test_history_checkpoints_and_receipts_have_their_own_clocks(root: Path) -> None:
    from earmark.messages import Heard

    world = World(root, {"history": {"keep_for": "10d"}, "checkpoints": {"keep_for": "10d"}})
    failed = world.record("failed.wav", done=False)
    under_way = world.record("under-way.wav", done=False)
    for place in (failed, under_way):
        heard = Heard(
            job=1,
            upto=5,
            segments=(Segment(0, 5, "walrus"),),
            language="en",
            language_probability=1,
            speech_seconds=5,
        )
        world.ledger.words.hear(place.recording_id, "{}", None, heard)
    job = world.ledger.jobs.of(failed.recording_id, Stage.TRANSCRIBE)
    assert job is not None
    world.ledger.jobs.fail(job.id, "broken", world.now)
    world.pass_days(9)
    world.sweep()
    assert world.ledger.words.checkpoint(failed.recording_id)
    assert world.ledger.journal.events(failed.recording_id)
    world.pass_days(2)
    world.sweep()
    assert world.ledger.words.checkpoint(failed.recording_id) is None
    assert world.ledger.words.checkpoint(under_way.recording_id) is not None
    assert world.ledger.journal.events(failed.recording_id) == []


def test_a_policy_is_written_down_once_and_again_only_when_it_changes(world: World) -> None:
    assert not remember_policy(world.context)
    first = world.ledger.retention.policy()
    world.set_policy({"audio": {"keep_for": "31d"}})
    second = world.ledger.retention.policy()
    assert first is not None
    assert second is not None
    assert second.id == first.id + 1
    assert policy_of(Config()).empty
