"""Where the speech model runs: on a graphics card that was seen to compute, or on the processor."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import ctranslate2

from earmark.errors import ModelError
from earmark.locality.confinement.sandbox import if_refused
from earmark.transcription.gpu import MOST_SAID, is_gpu_failure, why_not

Model = TypeVar("Model")

DRIVER = "libcuda.so.1"

MOST_ON_CARD = 16
"""Windows that are heard in one call on a card at most; a processor that prepares more of them is behind."""

ON_ANY_CARD = 4
"""Windows where nobody knows how much memory is free."""

WINDOW_ON_CARD = 64 * 1024 * 1024
"""Bytes that a window takes on a card with any model; see `batch_for`."""

CUBLAS = ("libcublasLt.so.12", "libcublas.so.12")
"""What CTranslate2 computes with on a card; its wheels are built for CUDA 12 and need no cuDNN (seen in 4.8.5)."""


def choose_device(device: str) -> str:
    """ "cuda" if asked for, or if "auto" and CTranslate2 sees one; else "cpu"."""
    if device != "auto":
        return device
    try:
        return "cuda" if ctranslate2.get_cuda_device_count() > 0 else "cpu"
    except RuntimeError:
        return "cpu"


def compute_type_of(device: str, configured: str) -> str:
    """The number format to compute in on this device: the one that is configured, unless that is "auto"."""
    if configured != "auto":
        return configured
    supported = ctranslate2.get_supported_compute_types(device)
    wanted: Iterable[str] = (
        ("float16", "int8_float16", "float32") if device == "cuda" else ("int8", "float32")
    )
    return next((kind for kind in wanted if kind in supported), "default")


def batch_for(free: int | None, model_bytes: int) -> int:
    """Windows that a card hears in one call, with so many bytes free after the model was loaded: as many as half of that
    holds. What a window takes grows with the model: 0.25 GB for large-v3-turbo (1.6 GB) and 0.7 GB for large-v3 (3.1 GB), as
    reckoned from the sizes of their layers with a beam of five, and measured nowhere.
    """
    if free is None:
        return ON_ANY_CARD
    return max(1, min(MOST_ON_CARD, free // 2 // (WINDOW_ON_CARD + model_bytes // 4)))


def free_on_card(load: Callable[[str], Any] = ctypes.CDLL) -> int | None:
    """Bytes of memory that are free on the card, by its driver; None if that does not say."""
    device, context = ctypes.c_int(), ctypes.c_void_p()
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    try:
        driver = load(DRIVER)
        failed = (
            driver.cuInit(0)
            or driver.cuDeviceGet(ctypes.byref(device), 0)
            or driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
            or driver.cuCtxSetCurrent(context)
            or driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
        )
    except (OSError, AttributeError):
        return None
    return None if failed else free.value


def packaged_libraries(within: Sequence[str]) -> list[Path]:
    """cuBLAS as NVIDIA's Python package nvidia-cublas-cu12 brings it, in the order in which one needs the other; none if it
    is not installed in one of these folders of packages.
    """
    for folder in within:
        found = [Path(folder, "nvidia", "cublas", "lib", name) for name in CUBLAS]
        if all(library.is_file() for library in found):
            return found
    return []


def _load_packaged() -> None:
    # The linker does not look into folders of Python packages; a library that is there already it takes by its name.
    for library in packaged_libraries(sys.path):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def opened(
    open_model: Callable[[], Model], try_out: Callable[[Model], None], where: str, device: str
) -> Model:
    """What `open_model` loads. On a graphics card it is tried out at once: CTranslate2 looks for NVIDIA's libraries only
    when it computes, which would be in the middle of a recording. `where` names the model and its number format. Raises
    ModelError.
    """
    try:
        if device == "cuda":
            _load_packaged()
        model = open_model()
        if device == "cuda":
            try_out(model)
    except (RuntimeError, ValueError, OSError) as error:
        text = str(error).strip()
        said = text.splitlines()[0][:MOST_SAID] if text else type(error).__name__
        if is_gpu_failure(error):
            raise ModelError(why_not(said)) from error
        what_to_do = if_refused(error) or (
            "Check [transcription] device and compute_type, or copy the model again."
        )
        raise ModelError(
            f"The speech model {where} cannot be loaded on {device}: {said}. {what_to_do}"
        ) from error
    return model
