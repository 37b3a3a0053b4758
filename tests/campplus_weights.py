"""Weights in the shapes of CAM++'s, of our own making: what comes out of them means nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from earmark.weights.campplus import BLOCKS
from numpy.typing import NDArray

from tests.torch_files import saved


def file() -> bytes:
    """A file of PyTorch with them."""
    return saved(random(weights()))


def weights() -> dict[str, tuple[int, ...]]:
    """The shapes of CAM++'s tensors, with 192 numbers of a print."""
    found: dict[str, tuple[int, ...]] = {}

    def norm(name: str, size: int, *, plain: bool = False) -> None:
        parts = (
            ("running_mean", "running_var") if plain else ("weight", "bias", "running_mean", "running_var")
        )
        found.update({f"{name}.{part}": (size,) for part in parts})

    found["head.conv1.weight"] = (32, 1, 3, 3)
    found["head.conv2.weight"] = (32, 32, 3, 3)
    norm("head.bn1", 32)
    norm("head.bn2", 32)
    for stage in ("1", "2"):
        for block in ("0", "1"):
            name = f"head.layer{stage}.{block}"
            for part in ("1", "2"):
                found[f"{name}.conv{part}.weight"] = (32, 32, 3, 3)
                norm(f"{name}.bn{part}", 32)
        found[f"head.layer{stage}.0.shortcut.0.weight"] = (32, 32, 1, 1)
        norm(f"head.layer{stage}.0.shortcut.1", 32)
    found["xvector.tdnn.linear.weight"] = (128, 320, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", 128)
    size = 128
    for count, (layers, _) in enumerate(BLOCKS, start=1):
        for layer in range(1, layers + 1):
            name = f"xvector.block{count}.tdnnd{layer}"
            norm(f"{name}.nonlinear1.batchnorm", size)
            norm(f"{name}.nonlinear2.batchnorm", 128)
            found[f"{name}.linear1.weight"] = (128, size, 1)
            found[f"{name}.cam_layer.linear_local.weight"] = (32, 128, 3)
            found[f"{name}.cam_layer.linear1.weight"] = (64, 128, 1)
            found[f"{name}.cam_layer.linear1.bias"] = (64,)
            found[f"{name}.cam_layer.linear2.weight"] = (32, 64, 1)
            found[f"{name}.cam_layer.linear2.bias"] = (32,)
            size += 32
        norm(f"xvector.transit{count}.nonlinear.batchnorm", size)
        found[f"xvector.transit{count}.linear.weight"] = (size // 2, size, 1)
        size //= 2
    norm("xvector.out_nonlinear.batchnorm", size)
    found["xvector.dense.linear.weight"] = (192, 2 * size, 1)
    norm("xvector.dense.nonlinear.batchnorm", 192, plain=True)
    return found


def random(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Numbers of these shapes, of such a size that what comes out is neither nothing nor all."""
    chance = np.random.default_rng(1)
    found: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        even = name.endswith(("running_mean", "running_var")) or len(shape) == 1
        numbers = chance.normal(size=shape) * math.sqrt(2 / math.prod(shape[1:]))
        fixed = np.full(shape, 0.0 if name.endswith(("mean", "bias")) else 1.0)
        found[name] = (fixed if even else numbers).astype(np.float32)
    return found
