"""Recordings of several people, mixed by script out of readers of the corpus, with who speaks when."""

from __future__ import annotations

import functools
import random
import wave
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tests.speech import words

RATE = 16_000
LONGEST = 6.0
"""Seconds of a turn; longer sentences are cut, so that people talk in quick turns."""

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Said:
    """Somebody says something from `start` to `end` seconds."""

    start: float
    end: float
    who: str
    text: str = ""


def loaded(file: Path) -> Sound:
    """A file as mono at 16 kHz."""
    with av.open(str(file)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        return np.concatenate([f.to_ndarray()[0] for f in [*frames, *resampler.resample(None)]])


@functools.cache
def chapters(corpus: Path) -> tuple[Sound, tuple[Said, ...]]:
    """Ten readers, one after the other, 822 s. To read them takes 2 s, so that each process of tests does it once."""
    base = corpus / "longform" / "libri_10speakers_chapters"
    rows = [line.split("\t") for line in base.with_suffix(".segments.tsv").read_text().splitlines()]
    sound = loaded(base.with_suffix(".m4a"))
    sound.flags.writeable = False
    return sound, tuple(Said(float(a), float(b), who, text) for a, b, who, text in rows)


def mixed(
    sound: Sound,
    said: Sequence[Said],
    people: int,
    seed: int,
    seconds: float,
    overlap: float = 0.0,
    whole: bool = False,
) -> tuple[Sound, list[Said]]:
    """So many of the readers in random order, pauses of 0.2-0.9 s between them; a share `overlap` of the turns begins up to
    1.5 s before the last one ends. `whole`: sentences are not cut, so that all their words are known.
    """
    heard, turns = apart(sound, said, people, seed, seconds, overlap, whole)
    return np.sum(list(heard.values()), axis=0, dtype=np.float32), turns


def apart(
    sound: Sound,
    said: Sequence[Said],
    people: int,
    seed: int,
    seconds: float,
    overlap: float = 0.0,
    whole: bool = False,
) -> tuple[dict[str, Sound], list[Said]]:
    """The same, each reader alone."""
    chance = random.Random(seed)
    chosen = chance.sample(sorted({one.who for one in said}), people)
    left: dict[str, list[Said]] = {who: [] for who in chosen}
    heard = {who: np.zeros(round((seconds + 60) * RATE), np.float32) for who in chosen}
    turns: list[Said] = []
    at, last = 0.0, ""
    while at < seconds:
        who = chance.choice([one for one in chosen if one != last] or chosen)
        if not left[who]:
            left[who] = [one for one in said if one.who == who]
            chance.shuffle(left[who])
        one, last = left[who].pop(), who
        piece = sound[round(one.start * RATE) : round(one.end * RATE)]
        cut = len(piece) > LONGEST * RATE and not whole
        piece = piece[: round(chance.uniform(2.0, LONGEST) * RATE)] if cut else piece
        early = bool(turns) and chance.random() < overlap
        at = max(0.0, at - chance.uniform(0.3, 1.5) if early else at + chance.uniform(0.2, 0.9))
        first = round(at * RATE)
        heard[who][first : first + len(piece)] += piece
        turns.append(Said(at, at + len(piece) / RATE, who, "" if cut else one.text))
        at += len(piece) / RATE
    return {who: alone[: round((at + 1.0) * RATE)] for who, alone in heard.items()}, turns


def sides_of(mix: Sound, said: Sequence[Said], sides: Sequence[Collection[str]]) -> Sound:
    """A channel for each side of a call: of the mix, what its people say; they must not talk at once. The shape is
    (sides, n).
    """
    found = np.zeros((len(sides), len(mix)), np.float32)
    for one in said:
        here = slice(round(one.start * RATE), round(one.end * RATE))
        for side, who in enumerate(sides):
            if one.who in who:
                found[side, here] = mix[here]
    return found


def leaking(sides: Sound, decibels: float, late: float = 0.0) -> Sound:
    """Two sides, each heard in the other one's channel, so much softer and so many seconds later."""
    through = np.pad(sides[::-1], ((0, 0), (round(late * RATE), 0)))[:, : sides.shape[1]]
    return (sides + np.float32(10 ** (decibels / 20)) * through).astype(np.float32)


def in_a_room(sound: Sound, seed: int) -> Sound:
    """As a microphone hears it from somewhere in a room: with an echo that falls by 60 dB in 0.4 s."""
    length = round(0.4 * RATE)
    echo = 0.1 * np.random.default_rng(seed).normal(size=length) * 10 ** (-3 * np.arange(length) / length)
    echo[0] = 1.0
    size = 1 << (len(sound) + length).bit_length()
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: len(sound)]
    return (0.4 * heard).astype(np.float32)


def words_right(said: Sequence[Said], spoken: Sequence[tuple[int, str]]) -> tuple[int, int]:
    """How many words of what was said were heard, and how many of them with the right speaker. `spoken`: who says what, by
    number; a number is taken for whomever it says the most words of.
    """
    reference = [(word, one.who) for one in said for word in words(one.text)]
    heard = [(word, speaker) for speaker, text in spoken for word in words(text)]
    same = SequenceMatcher(None, [w for w, _ in reference], [w for w, _ in heard], autojunk=False)
    pairs = Counter(
        (reference[a + n][1], heard[b + n][1])
        for a, b, size in same.get_matching_blocks()
        for n in range(size)
    )
    right = 0
    people, speakers = set[str](), set[int]()
    for (who, speaker), count in pairs.most_common():
        if who not in people and speaker not in speakers:
            people.add(who)
            speakers.add(speaker)
            right += count
    return pairs.total(), right


def telephone(sound: Sound) -> Sound:
    """As it comes out of a telephone: 300-3400 Hz, eight thousand samples a second, eight bits each (G.711, mu-law)."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3_400)] = 0
    narrow = np.fft.irfft(spectrum, len(sound))[::2]
    coded = (
        np.round(np.sign(narrow) * np.log1p(255 * np.minimum(1.0, np.abs(narrow))) / np.log(256) * 127) / 127
    )
    decoded = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
    frame = av.AudioFrame.from_ndarray(decoded.astype(np.float32)[None], format="flt", layout="mono")
    frame.sample_rate = RATE // 2
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    return np.concatenate(
        [f.to_ndarray()[0] for f in [*resampler.resample(frame), *resampler.resample(None)]]
    )


def written(file: Path, sound: Sound) -> Path:
    """The sound as a WAV file."""
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(sound, -1.0, 1.0) * 32_767).astype("<i2").tobytes())
    return file
