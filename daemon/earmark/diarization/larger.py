"""Larger speaker encoders, which take Kaldi's filter banks: CAM++, ERes2Net, WeSpeaker's ResNet, as their toolkits export
them to ONNX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from earmark.diarization.encoder import Frames, Prints, repeated, unit, windows_of
from earmark.diarization.features import Bands, Channel
from earmark.diarization.filterbanks import BANKS, SPEAKER_3D, WESPEAKER, Toolkit, centered, filter_banks
from earmark.diarization.likeness import FILTER_BANKS, FILTER_BANKS_NARROW, Likeness
from earmark.diarization.models import FEWEST, MOST, is_turned
from earmark.diarization.segmentation import session
from earmark.errors import ModelError
from earmark.transcription.engine import Samples

LEAST = 50
"""Frames that are given at least: half a second, from which these models are not surprised."""

TRIED = (100, 83)
"""Frames with which a model is tried that says it takes any number."""


class LargerEncoder:
    """Encoder of stretches of any length, or of one that the model has. Raises ModelError for a model that is none."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        self._session = session(file, threads)
        taken = self._session.get_inputs()[0]
        self._input, self._output = taken.name, self._session.get_outputs()[0].name
        self._toolkit = toolkit_of(taken.name, self._session.get_modelmeta().custom_metadata_map)
        sizes = [size if isinstance(size, int) else None for size in taken.shape] or [1, None, BANKS]
        self._turned = is_turned(sizes)
        self._fixed = sizes[2] if self._turned else sizes[1]
        self.size = self._tried(file)
        self.name = f"an encoder of {self.size} numbers"

    def likeness(self, *, narrow: bool) -> Likeness:
        return FILTER_BANKS_NARROW if narrow else FILTER_BANKS

    def frames(self, window: Samples, heard: Bands) -> Frames:
        return filter_banks(window, self._toolkit)

    def prints(self, speech: Sequence[Frames], channel: Channel) -> Prints:
        """One stretch at a time: several at once have to be equally long, and take no less time each."""
        found = np.zeros((len(speech), self.size), np.float32)
        for number, heard in enumerate(speech):
            found[number] = unit(np.concatenate([self._run(one) for one in self._given(heard)])).sum(axis=0)
        return unit(found)

    def _given(self, heard: Frames) -> list[Frames]:
        if self._fixed is None:
            return [centered(repeated(heard, LEAST))]
        return [centered(one) for one in windows_of(heard, self._fixed, max(1, self._fixed // 2))]

    def _run(self, frames: Frames) -> Prints:
        (answer,) = self._session.run(
            [self._output], {self._input: (frames.T if self._turned else frames)[None]}
        )
        return np.nan_to_num(np.asarray(answer, np.float32))

    def _tried(self, file: Path) -> int:
        """Numbers of a print, as the model gives them."""
        chance = np.random.default_rng(0)
        found = set()
        for count in TRIED if self._fixed is None else (self._fixed,):
            try:
                found.add(self._run(chance.normal(size=(count, BANKS)).astype(np.float32)).shape)
            except Exception as error:  # onnxruntime has a class of its own for each kind of trouble
                raise ModelError(
                    f"{file} cannot be used to tell voices apart: it does not take {count} frames of {BANKS} filter banks "
                    f"({type(error).__name__})."
                ) from error
        shape = found.pop()
        if found or len(shape) != 2 or shape[0] != 1 or not FEWEST <= shape[1] <= MOST:
            raise ModelError(
                f"{file} cannot be used to tell voices apart: for one stretch it gives {' x '.join(map(str, shape))} "
                f"numbers, not one vector of {FEWEST} to {MOST}."
            )
        return int(shape[1])


def toolkit_of(input_name: str, said: Mapping[str, str]) -> Toolkit:
    """Where a model comes from: by what sherpa-onnx's scripts write into its metadata (scripts/wespeaker, scripts/3dspeaker
    there), else by the name that its toolkit gives to the input: `feats` WeSpeaker (wespeaker/bin/export_onnx.py), `feature`
    3D-Speaker (speakerlab/bin/export_speaker_embedding_onnx.py).
    """
    framework = said.get("framework", "")
    return WESPEAKER if framework == "wespeaker" or (not framework and input_name == "feats") else SPEAKER_3D
