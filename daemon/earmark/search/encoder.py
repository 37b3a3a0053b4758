"""Vectors of sentences by an encoder in ONNX: those of one meaning lie close together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earmark.errors import ModelError
from earmark.search.models import FEWEST, MOST

LONGEST = 256
"""Tokens of a text that count, as sentence-transformers has it for all-MiniLM-L6-v2. A passage has some 160."""

Tokens = NDArray[np.int64]


class Encoder:
    """An encoder with its tokenizer, loaded. `once`: for one text, without making it ready for many, which takes longer than
    the text. Raises ModelError if it is none.
    """

    def __init__(self, model: Path, tokenizer: Path, threads: int = 1, *, once: bool = False) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = (
            "1"  # before the import: it reports to its makers unless told not to
        )
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.enable_cpu_mem_arena = False  # it keeps what the largest batch took
        options.log_severity_level = 3
        if once:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
            self._session: Any = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each of the two has its own kinds
            raise ModelError(
                f"{model.parent} cannot be loaded: {type(error).__name__}. Delete it and bring it again: earmark models "
                "download search"
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)
        self._takes = {taken.name for taken in self._session.get_inputs()}

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """One of length 1 for each text, by row: the mean of its tokens. Raises ModelError where there is none."""
        return np.concatenate([self._vector(text) for text in texts])

    def _vector(self, text: str) -> NDArray[np.float16]:
        ids: Tokens = np.array([self._tokenizer.encode(text).ids or [0]], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        tokens = np.asarray(
            self._session.run(None, {k: v for k, v in given.items() if k in self._takes})[0], np.float32
        )
        if tokens.ndim != 3 or tokens.shape[:2] != ids.shape or not FEWEST <= tokens.shape[2] <= MOST:
            raise ModelError("The encoder gives no vector for each token, as one of sentences does.")
        mean = tokens.mean(axis=1)
        length = np.linalg.norm(mean, axis=1, keepdims=True)
        found: NDArray[np.float16] = (mean / np.where(length > 0, length, 1.0)).astype("<f2")
        return found
