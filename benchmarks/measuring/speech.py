"""Real speech at the lengths a benchmark wants, made by copying packets (nothing is encoded again), and word error rates."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from rapidfuzz.distance import Levenshtein

ROOT = Path(__file__).parents[2]
CHAPTERS = ROOT.parent / "shared/corpus/longform/libri_10speakers_chapters.m4a"
SAMPLE = ROOT / "daemon/earmark/sample/sample.m4a"


@dataclass(frozen=True, slots=True)
class Speech:
    """Where speech comes from: the file, its length in seconds, and its words with the second each run of them ends."""

    file: Path
    duration: float
    runs: tuple[tuple[float, float, str], ...]
    name: str

    def words(self, start: float, end: float) -> str:
        """Reference text of the runs that lie wholly between the two seconds."""
        return " ".join(text for a, b, text in self.runs if a >= start - 0.01 and b <= end + 0.01)

    def end_near(self, seconds: float) -> float:
        """The end of the last run that ends before this second, so that a cut there goes through no word."""
        gaps = [(b + nxt) / 2 for (_, b, _), (nxt, _, _) in zip(self.runs, self.runs[1:], strict=False)]
        return max((gap for gap in gaps if gap <= seconds), default=seconds)


def find_speech() -> Speech:
    """Ten speakers reading chapters (LibriSpeech) where the corpus is there; else the packaged sample."""
    file = CHAPTERS if CHAPTERS.exists() else SAMPLE
    with av.open(str(file)) as container:
        duration = float((container.duration or 0) / av.time_base)
    if file is SAMPLE:
        text = SAMPLE.with_suffix(".txt").read_text()
        return Speech(file, duration, ((0.0, duration, text),), "the packaged sample, synthetic speech")
    with file.with_suffix(".segments.tsv").open(newline="") as rows:
        runs = tuple(
            (float(r[0]), float(r[1]), r[3]) for r in csv.reader(rows, delimiter="\t") if _is_number(r[0])
        )
    return Speech(file, duration, runs, "LibriSpeech chapters, ten speakers")


def cut(speech: Speech, target: Path, seconds: float, start: float = 0.0) -> tuple[Path, str]:
    """`seconds` of the speech from `start` on, begun again from its beginning when it is over, as an m4a file.

    Returns the file and its reference text.
    """
    written = 0.0
    laps: list[tuple[float, float]] = []
    with av.open(str(target), "w", format="mp4") as out:
        stream = None
        offset = 0
        begin = start
        while written < seconds:
            with av.open(str(speech.file)) as container:
                source = container.streams.audio[0]
                if stream is None:
                    stream = out.add_stream_from_template(source)
                base = float(source.time_base or 0)
                reached = begin
                for packet in container.demux(source):
                    if packet.dts is None or not packet.duration or packet.dts * base < begin:
                        continue
                    if written >= seconds:
                        break
                    reached = (packet.dts + packet.duration) * base
                    written += packet.duration * base
                    packet.pts = packet.dts = offset
                    offset += packet.duration
                    packet.stream = _audio(stream)
                    out.mux(packet)
            if reached <= begin:
                raise ValueError(f"{speech.file}: there is no sound from {begin:g} s on")
            laps.append((begin, reached))
            begin = 0.0
    return target, " ".join(speech.words(a, b) for a, b in laps)


def other_bytes(file: Path, target: Path, number: int) -> Path:
    """The same recording as another content: a `free` box with a number in it behind the end, which players skip."""
    target.write_bytes(file.read_bytes() + b"\0\0\0\x0cfree" + number.to_bytes(4, "big"))
    return target


def word_error_rate(reference: str, heard: str) -> float:
    """Words inserted, left out or replaced, in percent of the reference's words; case and punctuation do not count."""
    expected, found = _words(reference), _words(heard)
    return 100.0 * Levenshtein.distance(expected, found) / max(1, len(expected))


_SPELT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "ok": "okay"}


def _words(text: str) -> list[str]:
    plain = re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'"))
    return [_SPELT.get(word.strip("'"), word.strip("'")) for word in plain.split() if word.strip("'")]


def _audio(stream: object) -> AudioStream:
    assert isinstance(stream, AudioStream)
    return stream


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
