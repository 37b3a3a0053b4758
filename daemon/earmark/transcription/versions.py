"""Of a file that has several versions of its sound (languages, a commentary): the first one in which somebody speaks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from earmark.errors import MediaError
from earmark.transcription.container import OpenRecording, open_recording
from earmark.transcription.decode import LEAST_VOICE, Decoder
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.windows import SPEECH, Voice

AT_A_TIME = 30
"""Seconds in which a voice is looked for together."""


def mute_tracks(
    fd: int, max_seconds: float, voice: Voice, alive: Callable[[], object] = lambda: None
) -> frozenset[int]:
    """The numbers of the tracks before the first version that speaks; none, and nothing is decoded, if there is only one.

    Without a voice in any version, all that can be heard. Raises MediaError like `open_recording`.
    """
    mute: frozenset[int] = frozenset()
    while True:
        recording = open_recording(fd, mute)
        try:
            tracks = frozenset(track.stream.index for track in recording.tracks if not track.late)
            if recording.unheard == 0 or tracks == mute or _speaks(recording, max_seconds, voice, alive):
                return mute
        finally:
            recording.close()
        mute = tracks


def _speaks(recording: OpenRecording, max_seconds: float, voice: Voice, alive: Callable[[], object]) -> bool:
    held: list[Samples] = []
    decoder = Decoder(recording, max_seconds, voice)
    try:
        for block in decoder.blocks():
            alive()
            held.append(block)
            if sum(map(len, held)) >= AT_A_TIME * RATE:
                if _has_voice(np.concatenate(held), voice):
                    return True
                held.clear()
    except MediaError:
        pass  # what is wrong with it is said when it is heard
    return bool(held) and _has_voice(np.concatenate(held), voice)


def _has_voice(sound: Samples, voice: Voice) -> bool:
    return bool(np.any(sound)) and int(np.count_nonzero(voice(sound) >= SPEECH)) >= LEAST_VOICE
