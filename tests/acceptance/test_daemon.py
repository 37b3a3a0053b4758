"""The daemon as it runs for weeks: things come, grow, move, change and break while it watches. Real processes."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from earmark.transcription.engine import RATE

from tests.conftest import SAMPLE, Installation, wait_for, words
from tests.media import Decoded, write


def notes_appear(made: Installation, *names: str, seconds: float = 60) -> None:
    wait_for(lambda: set(names) <= set(made.notes()), seconds, f"{names} (there: {made.notes()})")


def test_recordings_are_found_however_they_come(installation: Installation) -> None:
    outside = installation.root / "outside" / "deep"
    outside.mkdir(parents=True)
    shutil.copyfile(SAMPLE, outside / "moved-in.m4a")
    daemon = installation.daemon()
    installation.drop("dropped.m4a")
    (installation.root / "outside").rename(installation.folder / "new-folder")
    notes_appear(
        installation, "dropped.transcript.md", "dropped.md", "new-folder/deep/moved-in.transcript.md",
        "new-folder/deep/moved-in.md",
    )  # fmt: skip
    assert [e["event"] for e in installation.events()].count("transcribed") == 1, (
        "same content: one transcription"
    )
    assert installation.stop(daemon) == 0


@pytest.mark.shows("architecture:settle")
def test_a_growing_file_is_looked_at_until_it_is_complete(installation: Installation) -> None:
    installation.daemon()
    whole = SAMPLE.read_bytes()
    target = installation.folder / "growing.m4a"
    with target.open("wb") as writer:
        for start in range(0, len(whole), len(whole) // 5 + 1):
            writer.write(whole[start : start + len(whole) // 5 + 1])
            writer.flush()
            wait_for(
                lambda: str(target) in json.dumps(installation.status()["report"]),
                20,
                "a look at it",
            )
            assert installation.notes() == []
    notes_appear(installation, "growing.transcript.md", "growing.md")
    assert "truncated" not in (installation.folder / "growing.transcript.md").read_text()


@pytest.mark.shows("architecture:hash")
def test_a_rename_is_the_same_recording_and_its_notes_follow(installation: Installation) -> None:
    daemon = installation.daemon()
    first = installation.drop("one.m4a")
    notes_appear(installation, "one.transcript.md", "one.md")
    first.rename(installation.folder / "two.m4a")
    wait_for(lambda: installation.notes() == ["two.md", "two.transcript.md"], 30, "the notes' new names")
    wait_for(lambda: "![[two.m4a]]" in (installation.folder / "two.md").read_text(), 30, "the new link")
    assert [e["event"] for e in installation.events()].count("transcribed") == 1
    assert "renamed (it is Recordings/two.m4a now)" in installation.earmark("why", first).stdout
    installation.stop(daemon)


def test_two_recordings_of_one_name_do_not_clash(installation: Installation, tmp_path: Path) -> None:
    other = tmp_path / "other.m4a"
    other.write_bytes(SAMPLE.read_bytes() + b"\0\0\0\x08free")
    installation.daemon()
    installation.drop("standup.m4a")
    notes_appear(installation, "standup.transcript.md", "standup.md")
    installation.drop("standup.mp4", other)
    notes_appear(installation, "standup.mp4.transcript.md", "standup.mp4.md")


def test_a_note_says_what_is_in_the_file_of_its_name_and_words_of_a_replaced_one_stay_beside_it(
    installation: Installation, tmp_path: Path
) -> None:
    heard = Decoded(SAMPLE).samples
    other = write(tmp_path / "other.m4a", heard[: len(heard) // 2], "aac")
    installation.daemon()
    installation.drop("a.m4a")
    notes_appear(installation, "a.transcript.md", "a.md")
    before = (installation.folder / "a.transcript.md").read_text()
    installation.drop("a.m4a", other)
    notes_appear(installation, "a.transcript.md", "a.md", "a (earlier).transcript.md", "a (earlier).md")
    earlier = (installation.folder / "a (earlier).transcript.md").read_text()
    now = (installation.folder / "a.transcript.md").read_text()
    assert "[[a.m4a" not in earlier
    assert "[[a.m4a" in now
    assert words(earlier)[-10:] == words(before)[-10:]
    assert words(now)[-10:] != words(before)[-10:]


@pytest.mark.shows("architecture:hash")
def test_a_recording_that_goes_on_keeps_its_notes(installation: Installation) -> None:
    installation.daemon()
    file = installation.drop("a.m4a")
    notes_appear(installation, "a.transcript.md", "a.md")
    with file.open("ab") as recorder:
        recorder.write(b"\0\0\0\x08free")
    twice = lambda: [e["event"] for e in installation.events()].count("transcribed") == 2  # noqa: E731
    wait_for(twice, 60, "a second run")
    wait_for(lambda: not installation.status()["waiting"], 30, "all done")
    # What stood there is under a hidden name for a moment after the new one has its place.
    wait_for(lambda: installation.notes() == ["a.md", "a.transcript.md"], 20, "nothing but the two notes")


def test_a_users_own_note_of_that_name_is_never_touched(installation: Installation) -> None:
    mine = installation.folder / "standup.md"
    mine.write_text("my own thoughts")
    installation.daemon()
    installation.drop("standup.m4a")
    notes_appear(installation, "standup.transcript.md", "standup.m4a.md")
    assert mine.read_text() == "my own thoughts"


@pytest.mark.shows("readme:edited")
def test_an_edited_note_stays_and_the_new_version_goes_beside_it(installation: Installation) -> None:
    installation.daemon()
    installation.drop("a.m4a")
    notes_appear(installation, "a.transcript.md", "a.md")
    wait_for(lambda: not installation.status()["waiting"], 30, "all done")
    edited = installation.folder / "a.transcript.md"
    edited.write_text(edited.read_text() + "\nMy remark.\n")
    assert installation.earmark("retry", installation.folder / "a.m4a").returncode == 0
    notes_appear(installation, "a (new).transcript.md")
    assert edited.read_text().endswith("My remark.\n")
    assert any(line["path"] == str(edited) for line in installation.status()["edited"])
    assert "you edited this note" in installation.earmark("why", edited).stdout


def test_ctrl_c_stops_cleanly_and_a_second_daemon_is_told_who_holds_the_ledger(
    installation: Installation,
) -> None:
    daemon = installation.daemon()
    second = installation.earmark("run", installation.folder)
    assert second.returncode == 75
    assert f"pid {daemon.pid}" in second.stderr
    installation.drop("a.m4a")
    wait_for(lambda: any(e["event"] == "transcribing" for e in installation.events()), 30, "work")
    assert installation.stop(daemon, signal.SIGINT) == 0
    assert not list(installation.folder.glob(".earmark-*"))
    status = installation.status()
    assert status["running"] is False
    again = installation.earmark("run", installation.folder, "--once")
    assert again.returncode == 0, again.stderr
    assert installation.notes() == ["a.md", "a.transcript.md"]


@pytest.mark.shows("configuration:reload")
def test_sighup_reads_the_configuration_again_and_a_broken_one_changes_nothing(
    installation: Installation,
) -> None:
    daemon = installation.daemon()
    file = installation.configure("[intake]\nsettle = 1\n")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: any(e["event"] == "config-kept" for e in installation.events()), 20, "the error")
    wait_for(
        lambda: "settle_seconds" in (installation.status()["report"]["config_error"] or ""), 20, "the status"
    )
    file.write_text(
        "[intake]\nsettle_seconds = 0.3\nscan_seconds = 1.0\n[summary]\nendpoint='none'\n[notes]\nformats=['srt']\n"
    )
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: any(e["event"] == "config-reloaded" for e in installation.events()), 20, "the reload")
    installation.drop("a.m4a")
    notes_appear(installation, "a.md")
    subtitles = installation.folder / "a.srt"
    wait_for(subtitles.exists, 20, "the subtitles")
    assert subtitles.read_text().startswith("1\n")


def test_a_folder_that_is_not_there_is_named_and_taken_when_it_comes(installation: Installation) -> None:
    away = installation.root / "usb" / "Recordings"
    installation.daemon(away)
    wait_for(
        lambda: any(t["path"] == str(away) for t in installation.status()["troubles"]), 20, "the trouble"
    )
    away.mkdir(parents=True)
    shutil.copyfile(SAMPLE, away / "a.m4a")
    wait_for((away / "a.md").exists, 60, "the note")
    wait_for(lambda: not installation.status()["troubles"], 20, "the trouble's end")


def test_a_recording_can_be_erased_while_it_is_being_transcribed(installation: Installation) -> None:
    import av

    long = installation.root / "long.flac"
    with av.open(str(long), "w") as target:
        stream = target.add_stream("flac", rate=16000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        for _ in range(12):
            with av.open(str(SAMPLE)) as source:
                for frame in source.decode(audio=0):
                    frame.pts = None
                    for part in resampler.resample(frame):
                        target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    daemon = installation.daemon()
    secret = installation.drop("secret.flac", long)
    wait_for(lambda: any(e["event"] == "transcribing" for e in installation.events()), 30, "work")
    erased = installation.earmark("forget", secret, "--yes")
    assert erased.returncode == 0, erased.stderr
    wait_for(
        lambda: (installation.status()["report"] or {}).get("working") == [], 60, "the end of work on it"
    )
    installation.drop("other.m4a")
    notes_appear(installation, "other.md")
    assert daemon.poll() is None, "the daemon lives on"
    assert installation.status()["counts"]["recordings"] == 1
    assert not secret.exists()


def test_what_could_not_be_heard_whole_is_said_wherever_one_looks(installation: Installation) -> None:
    whole = SAMPLE.read_bytes()
    wav = installation.folder / "cut.wav"
    write(wav, Decoded(SAMPLE).samples[: 8 * RATE], "pcm_s16le")
    wav.write_bytes(wav.read_bytes()[:-RATE])
    (installation.folder / "good.m4a").write_bytes(whole)
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    sentence = "The recording breaks off: the file "
    for name in ("cut.md", "cut.transcript.md"):
        note = (installation.folder / name).read_text()
        assert sentence in note
        assert "\ntruncated: true\n" in note
    assert "truncated" not in (installation.folder / "good.md").read_text()
    assert installation.status()["not_whole"] == 1
    assert "1 recording was not heard whole" in installation.earmark("status").stdout
    listed = {
        Path(row["path"]).name: row["not_heard"]
        for row in json.loads(installation.earmark("list", "--json").stdout)["recordings"]
    }
    assert listed["good.m4a"] == []
    assert listed["cut.wav"][0].startswith(sentence)
    assert "not all of it heard" in " ".join(installation.earmark("list").stdout.split())
    assert sentence in installation.earmark("why", wav).stdout


def test_why_says_what_a_file_waits_for_that_is_not_taken_yet(installation: Installation) -> None:
    plain, partial, written = (installation.folder / n for n in ("a.m4a", "b.part.m4a", "c.m4a"))
    installation.configure(
        "[intake]\nsettle_seconds = 20\nscan_seconds = 1.0\n[summary]\nendpoint = 'none'\n"
    )
    installation.daemon()
    for file in (plain, partial):
        file.write_bytes(b"x")

    def why(file: Path) -> str:
        return " ".join(installation.earmark("why", file).stdout.split())

    wait_for(lambda: "when it has stayed the same for 20 s" in why(plain), 20, "the plain one")
    assert "like that of a file that is still being downloaded" in why(partial)
    assert "stayed the same for 600 s (under another name 20 s" in why(partial)
    told = [e for e in installation.events() if e["event"] == "perhaps-partial"]
    assert [(Path(e["file"]).name, "600 s" in e["sentence"]) for e in told] == [(partial.name, True)]
    installation.configure()
    installation.earmark("status")
    installation.started[-1].send_signal(signal.SIGHUP)
    with written.open("wb") as out:
        out.write(b"x")
        out.flush()
        wait_for(lambda: "another program has it open" in why(written), 20, "the one that is written to")


def test_files_of_an_unknown_kind_are_counted_by_their_endings_until_they_are_gone(
    installation: Installation,
) -> None:
    for name in ("a.xyz", "b.xyz", "c.dvf", "notes.pdf"):
        (installation.folder / name).write_bytes(b"whatever")
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    assert installation.status()["untaken"] == {"xyz": 2, "dvf": 1}
    said = " ".join(installation.earmark("status").stdout.split())
    assert "3 files with endings that earmark does not take: .xyz (2), .dvf" in said
    for name in ("a.xyz", "b.xyz", "c.dvf"):
        (installation.folder / name).unlink()
    assert installation.earmark("run", installation.folder, "--once").returncode == 0
    assert installation.status()["untaken"] == {}


@pytest.mark.shows("architecture:settle")
def test_a_programs_files_with_endings_of_recordings_are_no_recordings_that_fail(
    installation: Installation,
) -> None:
    for name in ("src/main.ts", "index.d.mts", "board.dts"):
        (installation.folder / name).parent.mkdir(exist_ok=True)
        (installation.folder / name).write_text(f"export const name = '{name}';\n")
    (installation.folder / "plan.mpp").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))
    (installation.folder / "broken.ts").write_bytes(b"G" + bytes(range(256)) * 8)
    done = installation.earmark("run", installation.folder, "--once")
    status = installation.status()
    assert {Path(line["path"]).name for line in status["failed"]} == {"broken.ts"}, done.stderr
    assert status["untaken"] == {"dts": 1, "mpp": 1, "mts": 1, "ts": 1}
    assert "its content is none" in " ".join(
        installation.earmark("why", installation.folder / "src/main.ts").stdout.split()
    )
    assert installation.status()["counts"]["recordings"] == 1


def test_bad_input_is_named_and_nothing_else_stops(installation: Installation) -> None:
    (installation.folder / "empty.mp3").touch()
    (installation.folder / "letter.mp3").write_text("Dear Sir or Madam,\n" * 50)
    (installation.folder / "list.mp3").write_text("#EXTM3U\nhttp://127.0.0.1:9/x.ts\n")
    (installation.folder / "new\nline `[x]` #tag.m4a").write_bytes(SAMPLE.read_bytes())
    installation.drop("good.m4a")
    done = installation.earmark("run", installation.folder, "--once")
    assert done.returncode == 65, done.stderr
    status = installation.status()
    reasons = {Path(line["path"]).name: line["reason"] for line in (*status["failed"], *status["troubles"])}
    assert set(reasons) == {"empty.mp3", "letter.mp3", "list.mp3"}
    assert "0 bytes" in reasons["empty.mp3"]
    assert all(reason.endswith((".", "content")) for reason in reasons.values())
    assert "good.md" in installation.notes()
    assert len(installation.notes()) == 4


def test_a_name_cannot_write_a_line_of_the_log(installation: Installation) -> None:
    (installation.folder / "a\n✓ payroll.wav").write_bytes(b"no sound")
    done = installation.earmark("run", installation.folder, "--once")
    assert "a\\n✓ payroll.wav" in done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith("✓")]
