"""What is said where a graphics card does not compute: CTranslate2's errors, told from ours by how they begin. Pure."""

from __future__ import annotations

GPU_FAILED = ("CUDA failed", "cuBLAS failed", "parallel_for failed", "Library libcu")
"""How the errors begin that CTranslate2 and thrust raise where a card, its driver or NVIDIA's libraries fail (seen in
CTranslate2 4.8: src/cuda/utils.h, and the stub that finds cuBLAS when it is first needed)."""

MOST_SAID = 120
"""Characters of such an error that are passed on."""

PROCESSOR = 'hear on the processor ([transcription] device = "cpu")'


def is_gpu_failure(error: BaseException) -> bool:
    return isinstance(error, RuntimeError) and str(error).startswith(GPU_FAILED)


def is_out_of_memory(error: BaseException) -> bool:
    """True if what was asked of the card is more than its memory holds."""
    return isinstance(error, RuntimeError) and _says_no_memory(str(error))


def why_not(said: str) -> str:
    """Why a model does not run on the card, by what the library said, and what to do about it."""
    return f"The graphics card cannot be used ({said}). {_what_to_do(said)}"


def if_gpu_failed(error: BaseException) -> str:
    """A sentence if it was the card that failed while a recording was heard, else "". It holds nothing of what was said."""
    if not is_gpu_failure(error):
        return ""
    said = str(error).splitlines()[0][:MOST_SAID]
    return f"The graphics card failed ({said}); a new worker goes on from here. {_what_to_do(said)}"


def _what_to_do(said: str) -> str:
    if _says_no_memory(said):
        return f"Close what else uses its memory, choose a smaller model ([transcription] model), or {PROCESSOR}."
    if "Library" in said:
        return f"Install NVIDIA's cuBLAS for CUDA 12 (pip install nvidia-cublas-cu12), or {PROCESSOR}."
    return f"Look at its driver (nvidia-smi), or {PROCESSOR}."


def _says_no_memory(said: str) -> bool:
    return "out of memory" in said or "ALLOC_FAILED" in said
