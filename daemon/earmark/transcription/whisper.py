"""The engine on faster-whisper: a model directory in, phrases out. Never asks a hub, never draws a random number."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Before the import: faster-whisper reaches for a hub when a file of the model is missing.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# onnxruntime, which runs the voice detector, reports to mobile.events.data.microsoft.com unless told not to.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import ctranslate2
import faster_whisper
from faster_whisper.vad import get_vad_model

from earmark.errors import ModelError
from earmark.transcription.engine import Phrase, Samples, Wish
from earmark.transcription.guard import COMPRESSES, UNLIKELY, is_loop
from earmark.transcription.windows import FRAME

# Whisper's own answer to a failed pass is to sample at rising temperatures. CTranslate2's random generator cannot be
# seeded again once it has been used (it is a thread-local of its worker), so a window would come out differently
# after a restart. A failed pass is therefore searched again without repeats, which is the same every time.
_PASSES: tuple[dict[str, Any], ...] = (
    {},
    {"no_repeat_ngram_size": 3, "repetition_penalty": 1.1},
)


class WhisperEngine:
    """faster-whisper on one device. Loading raises ModelError if the directory cannot be used."""

    def __init__(self, model_dir: Path, device: str, compute_type: str, cpu_threads: int) -> None:
        self.device = choose_device(device)
        self.compute_type = compute_type if compute_type != "auto" else _compute_type(self.device)
        self.name = f"faster-whisper {faster_whisper.__version__}"
        try:
            self._model = faster_whisper.WhisperModel(
                str(model_dir),
                device=self.device,
                compute_type=self.compute_type,
                # One thread per worker and several workers is faster than the reverse (74x against 29x real time).
                cpu_threads=cpu_threads or 1,
                num_workers=1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"The speech model in {model_dir} cannot be loaded on {self.device} with {self.compute_type}: "
                f"{str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}. Check "
                "[transcription] device and compute_type, or copy the model again."
            ) from error
        self._voice = get_vad_model()

    @property
    def multilingual(self) -> bool:
        return bool(self._model.model.is_multilingual)

    def languages(self) -> tuple[str, ...]:
        return tuple(self._model.supported_languages)

    def voice(self, samples: Samples) -> NDArray[np.float32]:
        frames = -(-len(samples) // FRAME)
        if frames == 0:
            return np.zeros(0, dtype=np.float32)
        padded = np.zeros(frames * FRAME, dtype=np.float32)  # a copy: the detector writes into its input
        padded[: len(samples)] = samples
        return np.asarray(self._voice(padded), dtype=np.float32).reshape(-1)[:frames]

    def detect_language(self, speech: Samples) -> tuple[str, float]:
        if not self.multilingual:
            return "en", 1.0
        language, probability, _ = self._model.detect_language(audio=speech)
        return str(language), float(probability)

    def hear(self, speech: Samples, wish: Wish) -> list[Phrase]:
        if len(speech) == 0:
            return []
        best: list[Any] = []
        for number, extra in enumerate(_PASSES):
            segments, _ = self._model.transcribe(
                speech,
                language=wish.language,
                beam_size=wish.beam_size,
                temperature=0.0,
                condition_on_previous_text=False,
                initial_prompt=wish.initial_prompt or None,
                hotwords=wish.hotwords or None,
                vad_filter=False,
                without_timestamps=False,
                **extra,
            )
            heard = list(segments)
            if number == 0 or _is_better(heard, best):
                best = heard
            if not _has_failed(heard):
                break
        return [
            Phrase(
                start=float(s.start),
                end=max(float(s.start), float(s.end)),
                text=str(s.text).strip(),
                logprob=float(s.avg_logprob),
                no_speech=float(s.no_speech_prob),
            )
            for s in best
            if str(s.text).strip()
        ]


def choose_device(device: str) -> str:
    """ "cuda" if asked for, or if "auto" and CTranslate2 sees one; else "cpu"."""
    if device != "auto":
        return device
    try:
        return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
    except RuntimeError:
        return "cpu"


def _compute_type(device: str) -> str:
    supported = ctranslate2.get_supported_compute_types(device)
    wanted: Iterable[str] = (
        ("float16", "int8_float16", "float32") if device == "cuda" else ("int8", "float32")
    )
    return next((kind for kind in wanted if kind in supported), "default")


def _has_failed(segments: list[Any]) -> bool:
    return any(s.compression_ratio > COMPRESSES or s.avg_logprob < UNLIKELY for s in segments)


def _is_better(new: list[Any], old: list[Any]) -> bool:
    """Whether a second search is worth more: it no longer loops, or it is more probable."""
    if not new:
        return False
    looped = any(is_loop(s.text) or s.compression_ratio > COMPRESSES for s in old)
    loops = any(is_loop(s.text) or s.compression_ratio > COMPRESSES for s in new)
    if looped != loops:
        return looped
    return bool(np.mean([s.avg_logprob for s in new]) > np.mean([s.avg_logprob for s in old]))
