"""Sound as detector and model can hear it: without a constant offset or rumble, and not too soft. Pure.

Silero hears no voice over an offset or a rumble that is louder than it, nor under about -50 dB. What is of an ordinary
loudness and has little below the voice is left as it is, to the last bit.
"""

from __future__ import annotations

import operator

import numpy as np

from earmark.transcription.engine import RATE, Samples
from earmark.transcription.mixing import Channels

LOWEST = 80.0
"""Hertz below which there is no voice; a deep man's fundamental is at 85."""

RUMBLES = 0.5
"""Share of the power in what lies below LOWEST from which it is taken out."""

TAPS = 801
"""Length of the filter in samples: at 80 Hz a Blackman window of 50 ms falls off within an octave."""

SOFT, WANTED = 0.01, 0.05
"""Root mean square of the loudest second under which sound is made louder (-40 dB), and up to which."""

MOST_GAIN = 31.6
"""30 dB: speech at -60 dB becomes what phones record; the noise of a room under it is no voice for the detector."""

NOTHING = 1e-4
"""Root mean square of the loudest second under which there is nothing to be made louder (-80 dB)."""

_SPAN = 100
"""Samples whose mean stands for what lies below LOWEST."""


def without_rumble(sound: Samples) -> Samples:
    """The same sound above LOWEST, if most of its power lies below; else the sound itself. Shape (n,) both."""
    length = len(sound) // _SPAN
    power = float(np.dot(sound, sound))
    if length == 0 or power == 0.0:
        return sound
    low = sound[: length * _SPAN].reshape(length, _SPAN).mean(axis=1)
    if float(np.dot(low, low)) * _SPAN < RUMBLES * power:
        return sound
    # The edge is continued by its own mean level, so that an offset does not begin with a click.
    held = np.pad(sound, TAPS, mode="edge")
    size = 1 << (len(held) + TAPS).bit_length()
    filtered = np.fft.irfft(np.fft.rfft(held, size) * np.fft.rfft(_HIGH_PASS, size), size)
    first = TAPS + TAPS // 2
    kept: Samples = np.clip(filtered[first : first + len(sound)], -1.0, 1.0).astype(np.float32)
    return kept


def cleared(channels: Channels) -> Channels:
    """Each channel of shape (channels, n) without rumble; the same array if none has any."""
    before = list(channels)
    clear = [without_rumble(channel) for channel in before]
    return channels if all(map(operator.is_, clear, before)) else np.stack(clear)


def leveled(clear: Channels) -> Channels:
    """Channels of shape (channels, n), all of them louder by the same factor if they are soft."""
    gain = min(map(loud_enough, filter(np.any, clear)), default=1.0)
    if gain == 1.0:
        return clear
    louder: Channels = np.clip(clear * np.float32(gain), -1.0, 1.0)
    return louder


def loud_enough(sound: Samples) -> float:
    """The factor, 1 to MOST_GAIN, that makes soft sound of shape (n,) as loud as WANTED."""
    level = loudest_second(sound)
    return min(MOST_GAIN, WANTED / level) if NOTHING <= level < SOFT else 1.0


def loudest_second(sound: Samples) -> float:
    """The root mean square of the loudest second of sound of shape (n,), of full scale; 0 of none."""
    seconds = range(0, len(sound), RATE)
    return max((float(np.sqrt(np.mean(np.square(sound[at : at + RATE])))) for at in seconds), default=0.0)


def _high_pass() -> Samples:
    at = np.arange(TAPS) - TAPS // 2
    low = np.sinc(2 * LOWEST / RATE * at) * np.blackman(TAPS)
    taps = -low / low.sum()
    taps[TAPS // 2] += 1.0
    found: Samples = taps.astype(np.float32)
    return found


_HIGH_PASS = _high_pass()
