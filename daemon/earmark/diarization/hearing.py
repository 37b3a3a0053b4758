"""One recording from its open file to turns, with both models and the detector of voice loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from earmark.diarization.encoder import DVector, Encoder
from earmark.diarization.features import Channel
from earmark.diarization.larger import LargerEncoder
from earmark.diarization.lines import turns_in_call
from earmark.diarization.pieces import Stretch, stretches
from earmark.diarization.segmentation import Segmentation
from earmark.diarization.sides import Heard, channels_of
from earmark.diarization.told import Kept
from earmark.diarization.turns import Turns, turns_of
from earmark.errors import ModelError
from earmark.messages import Stretch as Told
from earmark.transcription.container import open_recording
from earmark.transcription.decode import Decoder
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.versions import mute_tracks
from earmark.transcription.voice import VoiceDetector


class Voices:
    """The models that tell voices apart. Raises ModelError for files that are none."""

    def __init__(self, segmentation: Path, encoder: Path, features: str, threads: int) -> None:
        kind = LargerEncoder if features == "fbank80" else DVector
        try:
            self._segmentation = Segmentation(segmentation, threads)
            self._encoder: Encoder = kind(encoder, threads)
        except ModelError:
            raise
        except Exception as error:  # onnxruntime has a class of its own for each kind of trouble
            raise ModelError(
                f"The models that tell voices apart cannot be loaded from {segmentation.parent} ({type(error).__name__}); "
                "bring them again: earmark models download speakers"
            ) from error
        self.name = f"segmentation 3.0, {self._encoder.name}"
        self._voice = VoiceDetector()

    def of(
        self,
        fd: int,
        max_seconds: float,
        wanted: tuple[int, int],
        begun: Callable[[float | None], None],
        found: Callable[[Stretch, float], Told],
        alive: Callable[[float, float | None], None],
        done: Iterable[Told] = (),
    ) -> Turns:
        """Who speaks when in the file, as the transcription hears it: the same tracks, the same mix. `wanted`: the fewest
        and the most people; `begun` is told the declared length once the file is open, `found` each stretch and up to which
        second it goes, for a message; `done`: those messages of an earlier time. Raises MediaError.
        """
        mute = mute_tracks(fd, max_seconds, self._voice, lambda: alive(0.0, None))
        recording = open_recording(fd, mute)
        try:
            total = recording.declared.duration
            begun(total)
            sides = Heard(self._voice)
            heed = sides.add if channels_of(recording) > 1 and wanted[1] > 1 else None
            decoder = Decoder(recording, max_seconds, self._voice, heed=heed)
            kept = Kept(done)
            blocks = _beating(decoder, total, alive)
            before = kept.windows, kept.mean, kept.above
            for stretch in stretches(blocks, self._segmentation, self._encoder, *before):
                kept.add(found(stretch, decoder.samples / RATE))
                alive(decoder.samples / RATE, total)
            channel = Channel(kept.mean, kept.above)
            narrow = channel.narrow
            likeness = self._encoder.likeness(narrow=narrow)
            known = kept.pieces, kept.prints, kept.both, decoder.seconds, likeness, wanted
            spoken = [*((p.start, p.end) for p in kept.pieces), *((b.start, b.end) for b in kept.both)]
            call = None if heed is None else sides.call(spoken)
            by_channel = None if call is None else turns_in_call(call, *known, narrow=narrow)
            return by_channel or turns_of(*known, narrow=narrow, poor=channel.poor)
        finally:
            recording.close()


def _beating(
    decoder: Decoder, total: float | None, alive: Callable[[float, float | None], None]
) -> Iterator[Samples]:
    for block in decoder.blocks():
        alive(decoder.samples / RATE, total)
        yield block
