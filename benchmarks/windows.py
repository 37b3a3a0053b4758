"""Word errors and processor time of hearing in windows that depend on nothing, beside the library's default.

    python benchmarks/windows.py MODEL_DIR [--seeds N] [--most SECONDS] [--after SECONDS] [--step SECONDS] [--library]

Needs ../shared/corpus. Sets: chapters (ten readers, 822 s, begun at other seconds by each seed), telephone (prompts at
8 kHz, in an order of each seed's), turns (sentences of many readers with 0.1 to 0.5 s between them, likewise), shorts (each
sentence alone). One thread. `--most`: seconds of speech in a window; `--after`, `--step`: what the encoder is given beyond
it, and in which steps. A window's seam falls elsewhere with each seed: differences under a point are noise, and so are those
between processors, because the same weights round differently.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from measuring.speech import CHAPTERS, ROOT, word_error_rate
from numpy.typing import NDArray

os.environ["HF_HUB_OFFLINE"] = "1"
CORPUS = ROOT.parent / "shared/corpus"
RATE = 16_000
MOST_MIXED = 360.0
"""Seconds of a mix of sentences."""

Samples = NDArray[np.float32]
Said = tuple[Samples, str]


def _sentences(prefix: str) -> list[Said]:
    from faster_whisper.audio import decode_audio

    with (CORPUS / "manifest.tsv").open(newline="") as rows:
        listed = list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        (decode_audio(str(CORPUS / row["file"])), row["ref"])
        for row in sorted(listed, key=lambda row: row["file"])
        if row["file"].startswith(prefix) and row["ref"] and (CORPUS / row["file"]).exists()
    ]


def _mixed(sentences: list[Said], seed: int, least: float, most: float) -> Said:
    chance = random.Random(seed)
    order = chance.sample(sentences, len(sentences))
    sound: list[Samples] = []
    words: list[str] = []
    length = 0.0
    for samples, text in order:
        sound += [samples, np.zeros(int(chance.uniform(least, most) * RATE), dtype=np.float32)]
        words.append(text)
        length += len(samples) / RATE
        if length > MOST_MIXED:
            break
    return np.concatenate(sound), " ".join(words)


def _sets(seeds: int) -> Iterator[tuple[str, list[Said]]]:
    from faster_whisper.audio import decode_audio

    sound, text = (
        decode_audio(str(CHAPTERS)),
        CHAPTERS.with_name(CHAPTERS.name + ".ref.txt").read_text(),
    )
    yield "chapters", [(sound[seed * 6 * RATE :], text) for seed in range(seeds)]
    prompts, read = _sentences("librispeech/telephone8k"), _sentences("librispeech/test-")
    yield "telephone", [_mixed(prompts, seed, 0.3, 0.9) for seed in range(1, seeds + 1)]
    yield "turns", [_mixed(read, seed, 0.1, 0.5) for seed in range(1, seeds + 1)]
    yield "shorts", read


def _library(model: str) -> Callable[[Samples], str]:
    from faster_whisper import WhisperModel

    whisper = WhisperModel(model, compute_type="int8", cpu_threads=1)

    def hear(samples: Samples) -> str:
        segments, _ = whisper.transcribe(samples, language="en", condition_on_previous_text=False)
        return " ".join(segment.text.strip() for segment in segments)

    return hear


def _earmark(
    model: str, most: float | None, after: float | None, step: float | None
) -> Callable[[Samples], str]:
    from earmark.domain import is_speech
    from earmark.transcription import hearing, limits, whisper, windows

    if most is not None:
        windows.MOST_SPEECH, windows.ENOUGH_SPEECH, windows.LOOK = most, most - 4, most + 2
        setattr(hearing, "MOST_SPEECH", most)  # noqa: B010
    if after is not None:
        whisper.FRAMES_AFTER = int(after * 100)
    if step is not None:
        whisper.FRAMES_STEP = int(step * 100)
    limits.keep_freed_memory()
    engine = whisper.WhisperEngine(Path(model), "cpu", "int8", 1)

    def hear(samples: Samples) -> str:
        blocks = (samples[at : at + RATE] for at in range(0, len(samples), RATE))
        passages = hearing.listen(engine, blocks, hearing.Asked("en"))
        return " ".join(segment.text for p in passages for segment in p.segments if is_speech(segment))

    return hear


def main() -> None:
    """Print a line a set: word errors in percent, and processor seconds for ten minutes of sound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--seeds", type=int, default=1)
    for name in ("--most", "--after", "--step"):
        parser.add_argument(name, type=float)
    parser.add_argument("--library", action="store_true")
    given = parser.parse_args()
    hear = (
        _library(given.model) if given.library else _earmark(given.model, given.most, given.after, given.step)
    )
    for name, recordings in _sets(given.seeds):
        began, errors, words, seconds = time.process_time(), 0.0, 0, 0.0
        for samples, text in recordings:
            count = len(text.split())
            errors += word_error_rate(text, hear(samples)) * count
            words += count
            seconds += len(samples) / RATE
        spent = (time.process_time() - began) * 600 / seconds
        print(f"{name:10} word errors {errors / words:5.1f} %   processor time {spent:5.1f} s for 600 s")


if __name__ == "__main__":
    main()
