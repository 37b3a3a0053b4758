"""Whose voice it is in a later recording: how alike voices are, and how often somebody is recognized, rightly and wrongly.

    python benchmarks/recognizing.py [--seeds N]

The ten readers of ../shared/corpus/longform (nothing is measured without it), their sentences dealt out to two sides, so
that none is in both. Recordings of two to four of them are mixed of each side; those of the first are the ones in which
people were named, those of the second come later: as they are, over a telephone, with noise (15 dB), and muffled. The
readers sat before one microphone for all of it, so that real later recordings are less like the first ones than these.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from earmark.diarization.features import Channel
from earmark.diarization.hearing import Voices
from earmark.diarization.told import told
from earmark.ledger.voices import Known, Print
from earmark.pipeline.recognizing import recognized

from tests.conftest import CORPUS
from tests.mixes import RATE, Said, Sound, chapters, mixed, telephone, written
from tests.speech import speaker_model

PURE = 0.9
"""Share of a voice's speech that has to be one reader's, for it to count as theirs."""


@dataclass(frozen=True)
class Voice:
    """A voice of a recording of one side, number `mix` of it, and whose it is."""

    side: int
    mix: int
    sound: str
    who: str
    print: np.ndarray
    seconds: float


def noisy(sound: Sound, seed: int) -> Sound:
    noise = np.convolve(np.random.default_rng(seed).standard_normal(len(sound)), np.ones(8) / 8, "same")
    loud = np.sqrt((sound**2).mean() / (noise**2).mean()) * 10 ** (-15 / 20)
    mix: Sound = (sound + noise * loud).astype(np.float32)
    return mix


def muffled(sound: Sound) -> Sound:
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    dull: Sound = np.fft.irfft(spectrum / (1 + (hertz / 2_500) ** 2), len(sound)).astype(np.float32)
    return dull


def heard(
    voices: Voices, sound: Sound, said: Sequence[Said], people: int
) -> list[tuple[str, np.ndarray, float]]:
    """Whose voices are found in a recording, their prints, and seconds of each."""
    with tempfile.TemporaryDirectory() as folder:
        fd = os.open(written(Path(folder, "mix.wav"), sound), os.O_RDONLY)
        try:
            found = voices.of(fd, 3600.0, (people, people), lambda _: None, partial(told, 1), lambda *_: None)
        finally:
            os.close(fd)
    votes: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for turn in found.turns:
        for one in said:
            votes[turn.speaker][one.who] += max(
                0, round(100 * (min(turn.end, one.end) - max(turn.start, one.start)))
            )
    whose = []
    for number, (print_, seconds) in enumerate(zip(found.prints, found.seconds, strict=True), start=1):
        who, most = votes[number].most_common(1)[0]
        if most >= PURE * votes[number].total():
            whose.append((who, print_, seconds))
    return whose


def all_voices(seeds: int) -> list[Voice]:
    model = speaker_model()
    voices = Voices(model.segmentation, model.encoder, model.features, 1)
    sound, said = chapters(CORPUS)
    by_reader: defaultdict[str, list[Said]] = defaultdict(list)
    for one in said:
        by_reader[one.who].append(one)
    found = []
    for side in (0, 1):
        mine = [one for sentences in by_reader.values() for one in sentences[side::2]]
        for mix in range(seeds):
            people = 2 + mix % 3
            clean, turns = mixed(sound, mine, people, mix * 2 + side, min(200.0, 60.0 * people))
            ways = {"as it is": clean, "telephone": telephone(clean)}
            if side:
                ways |= {"noise": noisy(clean, mix), "muffled": muffled(clean)}
            for name, way in ways.items():
                found += [Voice(side, mix, name, *each) for each in heard(voices, way, turns, people)]
            print(f"side {side}, mix {mix}", file=sys.stderr, flush=True)
    return found


def told_of(known: Sequence[Voice], later: Sequence[Voice]) -> Counter[str]:
    """What is said of the voices of later recordings, by whether it is right."""
    count: Counter[str] = Counter()
    people = [Known(v.who, v.print.astype("<f4").tobytes(), v.seconds) for v in known]
    for mix in {v.mix for v in later}:
        here = [v for v in later if v.mix == mix]
        prints = [
            Print(n, "", v.print.astype("<f4").tobytes(), v.seconds) for n, v in enumerate(here, start=1)
        ]
        for strangers in (False, True):
            there = {v.who for v in here}
            among = [k for k in people if not strangers or k.name not in there]
            found = recognized(among, prints)
            for n, voice in enumerate(here, start=1):
                guess = found.get(n)
                said = "nobody" if guess is None else "sure" if guess.sure else "maybe"
                right = (
                    "a stranger" if strangers else "right" if guess and guess.name == voice.who else "wrong"
                )
                count[f"{right}: {said}" if guess or strangers else "not known: nobody"] += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=12, help="recordings of each side")
    with patch.object(
        Channel, "narrow", False
    ):  # else none is told of over a telephone, as this shows should be
        found = all_voices(parser.parse_args().seeds)
    first, later = ([v for v in found if v.side == side] for side in (0, 1))
    for named in ("as it is", "telephone"):
        known = [v for v in first if v.sound == named]
        for sound in ("as it is", "telephone", "noise", "muffled"):
            mine = [v for v in later if v.sound == sound]
            pairs = [(float(a.print @ b.print), a.who == b.who) for a in known for b in mine]
            same, other = ([like for like, one in pairs if one is wanted] for wanted in (True, False))
            print(
                f"named {named}, later {sound}: the same voice {np.percentile(same, [1, 10, 50]).round(2)} (1, 10, 50 %), "
                f"others {np.percentile(other, [50, 99, 100]).round(2)} (50, 99, 100 %)"
            )
            print("   ", dict(sorted(told_of(known, mine).items())))


if __name__ == "__main__":
    main()
