"""Cutting the stream of samples into windows that are heard on their own, at the quietest places.

A window depends on nothing but the samples after its start. So hearing can begin again at any point where a window
was left, and gives the same windows, and with an engine that keeps no state the same words, as if it had never stopped.
Pure: the voice detector is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earmark.transcription.engine import RATE, Samples

FRAME = 512
"""Samples per probability of the Silero detector: 32 ms."""

SPEECH, QUIET = 0.5, 0.35
"""Silero's thresholds: speech begins at SPEECH and lasts until the probability falls below QUIET."""

PAUSE = 2.0
"""Seconds of quiet that are left out of what the engine hears; shorter ones help it to punctuate (faster-whisper)."""

PAD = 0.4
"""Seconds kept around speech, because the detector hears soft first and last sounds late (faster-whisper)."""

MOST_SPEECH = 24.0
"""Seconds of speech in one window. Whisper hears 30 s at a time; what it is given less costs less, and of 20, 22, 24, 27 and
29 s none made fewer mistakes with tiny.en and base together (docs/measurements.md)."""

ENOUGH_SPEECH = 20.0
"""Seconds of speech from which a window may end without looking further ahead."""

LOOK, LONGEST = 26.0, 60.0
"""Seconds looked at first, and at most; LONGEST bounds what is heard again after a kill."""

EARLIEST = 0.6
"""Share of the longest possible window before which it is not cut: short windows cost as much to hear as long ones."""

Voice = Callable[[Samples], NDArray[np.float32]]
Span = tuple[int, int]
"""First sample and sample after the last."""


@dataclass(frozen=True, slots=True)
class Window:
    """`samples` from sample `start` of the recording on. `spans`: where speech is, in samples of this window.

    `voice`: probability of speech per FRAME. `last` is true if the recording ends with this window.
    """

    start: int
    samples: Samples
    spans: tuple[Span, ...]
    voice: NDArray[np.float32]
    last: bool

    @property
    def end(self) -> int:
        """The recording's sample after this window: where the next one starts."""
        return self.start + len(self.samples)

    @property
    def speech_seconds(self) -> float:
        """Seconds that the detector takes for speech, without padding."""
        return float(np.count_nonzero(self.voice >= SPEECH)) * FRAME / RATE

    def after(self, sample: int) -> Window:
        """What is left of this window from one of its samples on."""
        spans = tuple((max(a, sample) - sample, b - sample) for a, b in self.spans if b > sample)
        voice = self.voice[sample // FRAME :]
        return Window(self.start + sample, self.samples[sample:], spans, voice, self.last)

    def speech(self) -> Samples:
        """Only the speech, one span after the other."""
        if not self.spans:
            return np.zeros(0, dtype=np.float32)
        return np.concatenate([self.samples[a:b] for a, b in self.spans])

    def sample_of(self, seconds: float, *, end: bool = False) -> int:
        """The sample of this window of a moment in `speech()`.

        A moment at the seam of two spans belongs to the earlier one if `end`, else to the later.
        """
        at = round(seconds * RATE)
        for number, (a, b) in enumerate(self.spans):
            length = b - a
            if at < length or (end and at == length) or number == len(self.spans) - 1:
                return a + min(at, length)
            at -= length
        return 0


class Windows:
    """The windows of a recording, one at a time, from sample `start` on: 0 or where an earlier window was left.

    `blocks` is the recording from its beginning; what lies before `start` is passed over.
    """

    def __init__(self, blocks: Iterable[Samples], voice: Voice, start: int = 0) -> None:
        self._source = _Source(blocks, start)
        self._voice = voice

    def __iter__(self) -> Iterator[Window]:
        while (window := self.next()) is not None:
            yield window

    def next(self) -> Window | None:
        """The window after the one before; None after the last."""
        source = self._source
        held, ends = source.first(LOOK)
        if len(held) == 0:
            return None
        probabilities = self._voice(held)
        spans = speech_spans(probabilities, len(held))
        if _length(spans) < ENOUGH_SPEECH * RATE and not ends:
            held, ends = source.first(LONGEST)
            probabilities = self._voice(held)
            spans = speech_spans(probabilities, len(held))
        if ends and _length(spans) <= MOST_SPEECH * RATE:
            source.drop(len(held))
            return Window(source.position - len(held), held, spans, probabilities, last=True)
        cut = choose_cut(held, probabilities, spans)
        kept = probabilities[: -(-cut // FRAME)]
        samples = held[:cut].copy()
        source.drop(cut)
        return Window(source.position - cut, samples, speech_spans(kept, cut), kept, last=False)


def speech_spans(probabilities: NDArray[np.float32], length: int) -> tuple[Span, ...]:
    """Padded spans of speech in `length` samples, apart by more than nothing, none of them empty.

    The rule is Silero's as faster-whisper uses it: hysteresis between two thresholds, pauses under PAUSE are bridged,
    PAD on each side, half of the pause where both pads would meet.
    """
    raw: list[list[int]] = []
    quiet_from: int | None = None
    speaking = False
    for frame, probability in enumerate(probabilities):
        if probability >= SPEECH:
            quiet_from = None
            if not speaking:
                speaking = True
                raw.append([frame * FRAME, length])
        elif speaking and probability < QUIET:
            if quiet_from is None:
                quiet_from = frame
            if (frame - quiet_from) * FRAME >= PAUSE * RATE:
                raw[-1][1] = quiet_from * FRAME
                speaking, quiet_from = False, None
    if speaking and quiet_from is not None:
        raw[-1][1] = quiet_from * FRAME
    pad = int(PAD * RATE)
    padded: list[Span] = []
    for number, (a, b) in enumerate(raw):
        before = raw[number - 1][1] if number else -2 * pad
        after = raw[number + 1][0] if number + 1 < len(raw) else length + 2 * pad
        first = max(0, a - min(pad, (a - before) // 2))
        last = min(length, b + min(pad, (after - b) // 2))
        if last > first:
            padded.append((first, last))
    return tuple(padded)


def choose_cut(samples: Samples, probabilities: NDArray[np.float32], spans: tuple[Span, ...]) -> int:
    """The sample at which to end the window: in the longest late pause that leaves at most MOST_SPEECH before it.

    Speech without any pause is cut at the quietest tenth of a second of the last third.
    """
    limit = min(_sample_after(spans, MOST_SPEECH * RATE), int(LONGEST * RATE), len(samples))
    frames = limit // FRAME
    quiet = np.asarray(probabilities[:frames] < QUIET)
    best, best_score = 0, -1.0
    for first, last in _runs(quiet):
        # Half a second of quiet is left before the next window's first word, however long the pause.
        middle = max((first + last) // 2, last - int(0.5 * RATE / FRAME))
        share = _length(_before(spans, middle * FRAME)) / (MOST_SPEECH * RATE)
        progress = middle * FRAME / limit
        if progress < EARLIEST:
            continue
        pause = min((last - first) * FRAME / RATE, 1.0)
        score = pause + 0.7 * max(share, progress)
        if score > best_score:
            best, best_score = middle * FRAME, score
    if best > 0:
        return best
    tenth = RATE // 10
    earliest = limit * 2 // 3
    loudness = [
        (float(np.mean(np.square(samples[at : at + tenth]))), at)
        for at in range(earliest, max(limit - tenth, earliest + 1), tenth // 2)
    ]
    return min(loudness)[1] + tenth // 2


class _Source:
    """A buffer over the blocks that knows where in the recording it begins."""

    def __init__(self, blocks: Iterable[Samples], start: int) -> None:
        self._blocks = iter(blocks)
        self._skip = start
        self._held: list[Samples] = []
        self._length = 0
        self.position = start

    def first(self, seconds: float) -> tuple[Samples, bool]:
        """The next `seconds` of the recording, and whether it ends with them (they may be fewer then)."""
        wanted = int(seconds * RATE)
        # One sample more than wanted, so that the answer never depends on how much happened to be held already.
        while self._length <= wanted:
            block = next(self._blocks, None)
            if block is None:
                break
            if self._skip:
                passed = min(self._skip, len(block))
                self._skip -= passed
                block = block[passed:]
            if len(block):
                self._held.append(block)
                self._length += len(block)
        whole = np.concatenate(self._held) if self._held else np.zeros(0, dtype=np.float32)
        self._held = [whole] if len(whole) else []
        return whole[:wanted], self._length <= wanted

    def drop(self, count: int) -> None:
        """Forget the first `count` of the samples held."""
        if count == 0:
            return
        whole = np.concatenate(self._held)[count:]
        self._held = [whole.copy()]
        self._length = len(whole)
        self.position += count


def _length(spans: Iterable[Span]) -> int:
    return sum(b - a for a, b in spans)


def _before(spans: tuple[Span, ...], sample: int) -> Iterator[Span]:
    return ((a, min(b, sample)) for a, b in spans if a < sample)


def _sample_after(spans: tuple[Span, ...], speech: float) -> int:
    """The sample before which there are `speech` samples of speech (the largest such; huge if never)."""
    left = int(speech)
    for a, b in spans:
        if b - a > left:
            return a + left
        left -= b - a
    return int(LONGEST * RATE)


def _runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """(first, after the last) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
