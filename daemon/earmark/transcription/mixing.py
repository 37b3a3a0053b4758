"""Many channels into the one that is heard: those that carry voice, without what only disturbs it. Pure.

A mean of all channels, as it is usual, loses a voice beside a loud noise, and one whose two channels are out of phase.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE, Samples

Channels = NDArray[np.float32]
"""Sound of several channels at 16 kHz, shape (channels, n)."""

Speaks = Callable[[Samples], bool]
"""Whether somebody speaks in it."""

SILENT = 2e-5
"""Root mean square under which a channel holds nothing: less than one step of 16 bits (-94 dB)."""

ALIKE = 0.5
"""Correlation from which two channels are one source, whose mean is better than either; below -ALIKE out of phase."""

COPY = 0.9
"""Correlation from which a source is another one that comes a little earlier or later."""

LATEST_COPY = 0.12
"""Seconds by which a copy may lie beside its source: what encoders put before the sound, and sound cards' delays."""

HARMLESS = 0.1
"""A source without voice is left in if it has no more than this share of the loudest voice's amplitude (-20 dB)."""

COARSE = 4
"""Copies and echoes are looked for in every fourth sample's mean: at 4 kHz, where voices have most of their power."""


@dataclass(frozen=True, slots=True)
class Source:
    """Sound that comes from one place: `sound` of shape (n,), first found in this channel of this track."""

    sound: Samples
    track: int
    channel: int


def clean(channels: Channels) -> Channels:
    """Samples that are no numbers become silence, everything else is cut off at full scale."""
    finite = np.nan_to_num(channels, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(finite, -1.0, 1.0).astype(np.float32, copy=False)


def sources(tracks: Sequence[Channels]) -> list[Source]:
    """The sources in the cleaned channels of each track, all of n samples; the silence of the whole if there is none.

    Channels of a track that are alike are one source, with the sign turned where one of them is out of phase. A source
    that another track has, too, is named once.
    """
    if len(tracks) == 1 and len(tracks[0]) == 1:
        return [Source(tracks[0][0], 0, 0)]
    found: list[Source] = []
    for number, channels in enumerate(tracks):
        for channel, sound in _of_track(channels).items():
            if not any(s.track != number and _is_copy(s.sound, sound) for s in found):
                found.append(Source(sound, number, channel))
    if not found:
        return [Source(np.zeros(tracks[0].shape[1] if tracks else 0, dtype=np.float32), 0, 0)]
    return found


def mix(found: Sequence[Source], speaks: Speaks, core: slice = slice(None)) -> Samples:
    """The part `core` of the sources that carry voice, and of those too quiet to disturb it; their mean if none does.

    Who speaks is judged on everything that the sources hold, so that a word at the edge of the core is noticed.
    """
    if len(found) == 1:
        return found[0].sound[core]
    voices = [s.sound for s in found if speaks(s.sound)]
    if not voices:
        return _mean(_in_phase([s.sound[core] for s in found]), len(found))
    loudest = max(map(_loudness, voices))
    others = [
        s.sound
        for s in found
        if not any(s.sound is v for v in voices) and _loudness(s.sound) <= HARMLESS * loudest
    ]
    return _mean(_in_phase([sound[core] for sound in (*voices, *others)]), len(voices))


def _of_track(channels: Channels) -> dict[int, Samples]:
    """One sound per group of channels that are alike, by the number of its first channel."""
    groups: dict[int, list[Samples]] = {}
    for number, channel in enumerate(channels):
        if _loudness(channel) < SILENT:
            continue
        for group in groups.values():
            likeness = _correlation(group[0], channel)
            if abs(likeness) >= ALIKE:
                group.append(channel if likeness > 0 else -channel)
                break
        else:
            groups[number] = [channel]
    return {number: _mean(group, len(group)) for number, group in groups.items()}


def _is_copy(first: Samples, second: Samples) -> bool:
    """Whether the two are alike at any shift up to LATEST_COPY."""
    return best_correlation(coarse(first), coarse(second), int(LATEST_COPY * RATE)) >= COPY


def coarse(sound: Samples) -> Samples:
    """The sound at a COARSE-th of its rate."""
    length = len(sound) // COARSE
    means: Samples = sound[: length * COARSE].reshape(length, COARSE).mean(axis=1)
    return means


def best_correlation(a: Samples, b: Samples, latest: int) -> float:
    """The peak of the correlation of two coarse sounds of one length, 0 to 1, at any shift of at most `latest` samples.

    `latest` counts the samples of what they were made from.
    """
    length, power = len(a), float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    if length < 2 or power == 0.0:
        return 0.0
    shift = max(1, min(length - 1, latest // COARSE))
    size = 1 << (length + shift).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    peak = np.abs(np.concatenate((correlation[: shift + 1], correlation[-shift:]))).max()
    return float(peak) / power


def _correlation(a: Samples, b: Samples) -> float:
    power = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return float(np.dot(a, b)) / power if power > 0.0 else 0.0


def _loudness(sound: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) if len(sound) else 0.0


def _in_phase(sounds: Sequence[Samples]) -> list[Samples]:
    """The sounds, each turned round in the seconds in which it would cancel those before it.

    Of a middle and a side microphone each voice is in both, one of them turned round: neither is alike as a whole.
    """
    total, turned = sounds[0].copy(), [sounds[0]]
    for sound in sounds[1:]:
        signs = np.ones(len(sound), dtype=np.float32)
        for at in range(0, len(sound), RATE):
            second = slice(at, at + RATE)
            if _correlation(total[second], sound[second]) <= -ALIKE:
                signs[second] = -1.0
        turned.append(sound * signs if signs.min(initial=1.0) < 0.0 else sound)
        total += turned[-1]
    return turned


def _mean(sounds: Sequence[Samples], among: int) -> Samples:
    if len(sounds) == 1 and among == 1:
        return sounds[0]
    total = np.zeros(len(sounds[0]), dtype=np.float32)
    for sound in sounds:
        total += sound
    mean: Samples = np.clip(total / np.float32(among), -1.0, 1.0)
    return mean
