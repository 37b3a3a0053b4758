"""One recording from its open file to turns, with both models and the detector of voice loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from earmark.diarization.encoder import DVector
from earmark.diarization.features import Channel
from earmark.diarization.pieces import Both, Piece, stretches
from earmark.diarization.segmentation import Segmentation
from earmark.diarization.turns import Turns, turns_of
from earmark.errors import ModelError
from earmark.transcription.container import open_recording
from earmark.transcription.decode import Decoder
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.voice import VoiceDetector


class Voices:
    """The models that tell voices apart. Raises ModelError for files that are none."""

    name = "segmentation 3.0, d-vector"

    def __init__(self, segmentation: Path, encoder: Path, features: str, threads: int) -> None:
        if features != "logmel40":
            raise ModelError(f"This version of earmark cannot use an encoder that takes {features}.")
        try:
            self._segmentation = Segmentation(segmentation, threads)
            self._encoder = DVector(encoder, threads)
        except Exception as error:  # onnxruntime has a class of its own for each kind of trouble
            raise ModelError(
                f"The models that tell voices apart cannot be loaded from {segmentation.parent} ({type(error).__name__}); "
                "bring them again: earmark models download speakers"
            ) from error
        self._voice = VoiceDetector()

    def of(
        self,
        fd: int,
        max_seconds: float,
        wanted: tuple[int, int],
        begun: Callable[[float | None], None],
        alive: Callable[[float, float | None], None],
    ) -> Turns:
        """Who speaks when in the file, as the transcription hears it: the same tracks, the same mix. `wanted`: the fewest
        and the most people; `begun` is told the declared length once the file is open. Raises MediaError.
        """
        recording = open_recording(fd)
        try:
            total = recording.declared.duration
            begun(total)
            decoder = Decoder(recording, max_seconds, self._voice)
            pieces: list[Piece] = []
            both: list[Both] = []
            prints = [np.zeros((0, self._encoder.size), np.float32)]
            channel = Channel()
            for stretch in stretches(_beating(decoder, total, alive), self._segmentation, self._encoder):
                pieces += stretch.pieces
                both += stretch.both
                prints.append(stretch.prints)
                channel = Channel(stretch.mean)
                alive(decoder.samples / RATE, total)
            return turns_of(
                pieces, np.concatenate(prints), both, decoder.seconds, wanted, narrow=channel.narrow
            )
        finally:
            recording.close()


def _beating(
    decoder: Decoder, total: float | None, alive: Callable[[float, float | None], None]
) -> Iterator[Samples]:
    for block in decoder.blocks():
        alive(decoder.samples / RATE, total)
        yield block
