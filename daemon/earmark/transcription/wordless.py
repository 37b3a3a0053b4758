"""Where somebody speaks for seconds and no phrase stands: between phrases, before the first and after the last. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from earmark.transcription.engine import RATE
from earmark.transcription.voicing import Frames, seconds
from earmark.transcription.windows import FRAME, SPEECH, Span

LEAST = 3.0
"""Seconds of voice from which a sentence is missing. Measured: in 134 recordings of speech (read, in meetings, over a
telephone) tiny.en left no place of a single second."""

SLACK = RATE // 3
"""Samples by which Whisper's times are wide of the mark at either side."""


def wordless(voice: Frames, at: Sequence[Span], upto: int) -> Iterator[Span]:
    """The first and last sample of the voice in each place in which it lasts LEAST seconds and no phrase stands.

    `voice`: probability of speech per FRAME of the window; `at`: first and last sample of each phrase; `upto`: the sample
    where the window is left.
    """
    free = np.ones(-(-upto // FRAME), dtype=bool)
    for first, last in at:
        free[max(0, first - SLACK) // FRAME : (last + SLACK) // FRAME + 1] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([0], free.astype(np.int8), [0]))))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        there = voice[first:last]
        if seconds(there) >= LEAST:
            speaks = np.flatnonzero(there >= SPEECH)
            yield (first + int(speaks[0])) * FRAME, min(upto, (first + int(speaks[-1]) + 1) * FRAME)
