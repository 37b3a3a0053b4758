"""The Whisper models that are known by a short name, where they come from, and what they need. Pure.

Names and repositories are those of faster-whisper 1.2 (faster_whisper.utils._MODELS; a test compares them). Licences are
as their repositories state them. Sizes are of model.bin in float16, rounded, for planning only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

MB, GB = 1_000_000, 1_000_000_000

Fit = Literal["well", "slowly", "not"]


@dataclass(frozen=True, slots=True)
class Known:
    """A published model. `size`: bytes of model.bin; `work`: floating-point work per token against tiny."""

    name: str
    repo: str
    size: int
    work: float
    license: str = "MIT"

    @property
    def english_only(self) -> bool:
        return self.name.endswith(".en") or self.name.startswith("distil-")


CATALOG: tuple[Known, ...] = (
    Known("tiny.en", "Systran/faster-whisper-tiny.en", 76 * MB, 1),
    Known("tiny", "Systran/faster-whisper-tiny", 76 * MB, 1),
    Known("base.en", "Systran/faster-whisper-base.en", 145 * MB, 1.9),
    Known("base", "Systran/faster-whisper-base", 145 * MB, 1.9),
    Known("small.en", "Systran/faster-whisper-small.en", 484 * MB, 6.2),
    Known("small", "Systran/faster-whisper-small", 484 * MB, 6.2),
    Known("distil-small.en", "Systran/faster-distil-whisper-small.en", 332 * MB, 4.2),
    Known("medium.en", "Systran/faster-whisper-medium.en", 1_528 * MB, 19.7),
    Known("medium", "Systran/faster-whisper-medium", 1_528 * MB, 19.7),
    Known("distil-medium.en", "Systran/faster-distil-whisper-medium.en", 789 * MB, 10.1),
    Known("distil-large-v2", "Systran/faster-distil-whisper-large-v2", 1_513 * MB, 19.4),
    Known("distil-large-v3", "Systran/faster-distil-whisper-large-v3", 1_513 * MB, 19.4),
    Known("distil-large-v3.5", "distil-whisper/distil-large-v3.5-ct2", 1_513 * MB, 19.4),
    Known("large-v1", "Systran/faster-whisper-large-v1", 3_087 * MB, 39.7, "Apache-2.0"),
    Known("large-v2", "Systran/faster-whisper-large-v2", 3_087 * MB, 39.7, "Apache-2.0"),
    Known("large-v3", "Systran/faster-whisper-large-v3", 3_087 * MB, 39.7, "Apache-2.0"),
    Known("large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1_618 * MB, 20.7, "MIT"),
)

ALIASES = {"large": "large-v3", "turbo": "large-v3-turbo"}

INT8_SHARE = 0.55
"""Memory of the weights in int8 as a share of the float16 file: half, and what stays in floating point."""
WORKING_SET = 600 * MB
"""Decoder state, features and Python, measured with tiny.en (0.4 GB) and rounded up."""
TINY_SPEED = 20.0
"""Times real time that tiny.en runs on one current core (facts.md: 39 alone; less with everything else around it)."""


@dataclass(frozen=True, slots=True)
class Device:
    """What there is to run on: bytes of memory, processors, and the name of a GPU if there is one."""

    memory: int
    cores: int
    gpu: str | None = None


def known(name: str) -> Known | None:
    """The published model of this name, repository or alias."""
    wanted = ALIASES.get(name, name)
    return next((model for model in CATALOG if wanted in (model.name, model.repo)), None)


def memory_needed(model_bytes: int) -> int:
    """Bytes of memory for a worker with a model of this size, in int8 on a CPU."""
    return round(model_bytes * INT8_SHARE + WORKING_SET)


def fit(model_bytes: int, work: float, device: Device, tiny: float | None = None) -> Fit:
    """Whether this device runs a model faster than twice real time, slower, or not at all for want of memory.

    An estimate from sizes, and from `tiny` (see `speed`) where something was measured here.
    """
    if memory_needed(model_bytes) > device.memory * 0.75:
        return "not"
    return "well" if device.gpu or speed(work, device, tiny) >= 2.0 else "slowly"


def speed(work: float, device: Device, tiny: float | None = None) -> float:
    """Seconds of audio per second that a model would hear on this device's processors.

    `tiny`: what tiny would do here, by what was measured (`tiny_speed`); None: by the number of processors.
    """
    return (TINY_SPEED * min(4, device.cores) ** 0.7 if tiny is None else tiny) / work


def tiny_speed(measured: Mapping[str, float]) -> float | None:
    """What tiny would do on this device, by the speeds (seconds of audio per second) that were measured of known models:
    their middle one; None if there are none.
    """
    found = [
        seconds * model.work for name, seconds in measured.items() if seconds > 0 and (model := known(name))
    ]
    return median(found) if found else None
