"""CAM++ as 3D-Speaker published it, a PyTorch file of weights, as a model in ONNX. Neither PyTorch nor numpy is needed.

Wang and others, "CAM++: A fast and efficient network for speaker verification using context-aware masking" (2023); layers
are those of speakerlab/models/campplus (https://github.com/modelscope/3D-Speaker). Nodes and fields of ONNX are those of
https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto and of its operators' version 13. The same weights give the same
bytes, always.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers of each block, and how far apart the samples of their kernels are (DTDNN.py)."""

SEGMENT = 100
"""Frames over which a mask looks, besides all of them."""

FLOAT, INT64, INT, INTS, FLOATS = 1, 7, 2, 7, 1
"""Numbers of types, of elements and of attributes."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers in rows, little endian."""

    shape: tuple[int, ...]
    data: bytes
    element: int = FLOAT


def to_onnx(weights: Path) -> bytes:
    """The model of a file of weights. Raises ValueError if it is not one of CAM++'s."""
    try:
        with zipfile.ZipFile(weights) as archive:
            root = archive.namelist()[0].split("/")[0]
            known = _Weights(io.BytesIO(archive.read(f"{root}/data.pkl")), archive, root).load()
        return _model(known)
    except (zipfile.BadZipFile, pickle.UnpicklingError, LookupError, TypeError, EOFError) as error:
        raise ValueError(f"{weights.name} does not hold the weights of CAM++ ({error})") from None


class _Weights(pickle.Unpickler):
    """Reads names and tensors, and runs nothing that a file names."""

    def __init__(self, stream: io.BytesIO, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(stream)
        self._archive, self._root = archive, root

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _tensor
            case "torch", ("FloatStorage" | "LongStorage"):
                return name
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> tuple[str, bytes]:
        _, kind, key, _, _ = pid
        return kind, self._archive.read(f"{self._root}/data/{int(key)}")


def _tensor(
    storage: tuple[str, bytes], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> Tensor:
    kind, data = storage
    rows, step = [], 1
    for size in reversed(shape):
        rows.append(step)
        step *= size
    if strides != tuple(reversed(rows)):
        raise TypeError("its numbers are not in rows")
    width = 4 if kind == "FloatStorage" else 8
    return Tensor(shape, data[offset * width : (offset + step) * width], FLOAT if width == 4 else INT64)


class _Graph:
    """Nodes in their order, and the numbers that they take."""

    def __init__(self, known: Mapping[str, Tensor]) -> None:
        self.known = known
        self.nodes: list[bytes] = []
        self.held: dict[str, Tensor] = {}

    def node(
        self, kind: str, takes: Sequence[str], gives: str = "", **attributes: int | float | list[int]
    ) -> str:
        gives = gives or f"t{len(self.nodes)}"
        said = b"".join(field(1, name) for name in takes) + field(2, gives) + field(4, kind)
        for name, value in attributes.items():
            if isinstance(value, list):
                how = b"".join(field(8, each) for each in value) + field(20, INTS)
            elif isinstance(value, float):
                how = varint(2 << 3 | 5) + struct.pack("<f", value) + field(20, FLOATS)
            else:
                how = field(3, value) + field(20, INT)
            said += field(5, field(1, name) + how)
        self.nodes.append(said)
        return gives

    def weight(self, name: str) -> str:
        self.held[name] = self.known[name]
        return name

    def number(self, *values: int) -> str:
        name = "n" + "_".join(map(str, values))
        self.held[name] = Tensor((len(values),), struct.pack(f"<{len(values)}q", *values), INT64)
        return name

    def convolved(
        self,
        x: str,
        name: str,
        stride: Sequence[int] = (1,),
        pad: int = 0,
        apart: int = 1,
        *,
        bias: bool = False,
    ) -> str:
        kernel = list(self.known[f"{name}.weight"].shape[2:])
        takes = [x, self.weight(f"{name}.weight"), *([self.weight(f"{name}.bias")] if bias else [])]
        return self.node(
            "Conv", takes, kernel_shape=kernel, strides=list(stride), pads=[pad] * (2 * len(kernel)),
            dilations=[apart] * len(kernel),
        )  # fmt: skip

    def normed(self, x: str, name: str) -> str:
        """Batch normalization, the last of which has no scale and no shift."""
        parts = [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
        count = self.known[parts[2]].shape[0]
        for part, value in zip(parts, (1.0, 0.0), strict=False):
            plain = Tensor((count,), struct.pack("<f", value) * count)
            self.held[part] = self.known.get(part, plain)
        return self.node("BatchNormalization", [x, *parts[:2], *map(self.weight, parts[2:])], epsilon=1e-5)

    def active(self, x: str, name: str) -> str:
        return self.node("Relu", [self.normed(x, name)])


def _model(known: Mapping[str, Tensor]) -> bytes:
    graph = _Graph(known)
    x = _head(graph, "feature")
    x = graph.active(graph.convolved(x, "xvector.tdnn.linear", (2,), 2), "xvector.tdnn.nonlinear.batchnorm")
    for number, (layers, apart) in enumerate(BLOCKS, start=1):
        for layer in range(1, layers + 1):
            x = _masked(graph, x, f"xvector.block{number}.tdnnd{layer}", apart)
        transit = f"xvector.transit{number}"
        x = graph.convolved(graph.active(x, f"{transit}.nonlinear.batchnorm"), f"{transit}.linear")
    x = _pooled(graph, graph.active(x, "xvector.out_nonlinear.batchnorm"))
    x = graph.normed(graph.convolved(x, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")
    graph.node("Squeeze", [x, graph.number(2)], "embedding")
    size = known["xvector.dense.linear.weight"].shape[0]
    whole = b"".join(field(1, node) for node in graph.nodes) + field(2, "CAM++")
    whole += b"".join(field(5, _initial(name, tensor)) for name, tensor in graph.held.items())
    whole += field(11, _value("feature", ("batch", "frame", 80)))
    whole += field(12, _value("embedding", ("batch", size)))
    said = field(14, field(1, "framework") + field(2, "3d-speaker"))
    return field(1, 8) + field(7, whole) + field(8, field(1, "") + field(2, 13)) + said


def _head(graph: _Graph, x: str) -> str:
    """Two-dimensional residual layers, by which 80 banks become 10 with 32 channels each."""
    x = graph.node("Unsqueeze", [graph.node("Transpose", [x], perm=[0, 2, 1]), graph.number(1)])
    x = graph.active(graph.convolved(x, "head.conv1", (1, 1), 1), "head.bn1")
    for layer in (1, 2):
        for block in (0, 1):
            name, stride = f"head.layer{layer}.{block}", (1, 1) if block else (2, 1)
            y = graph.active(graph.convolved(x, f"{name}.conv1", stride, 1), f"{name}.bn1")
            y = graph.normed(graph.convolved(y, f"{name}.conv2", (1, 1), 1), f"{name}.bn2")
            if not block:
                x = graph.normed(graph.convolved(x, f"{name}.shortcut.0", stride), f"{name}.shortcut.1")
            x = graph.node("Relu", [graph.node("Add", [y, x])])
    x = graph.active(graph.convolved(x, "head.conv2", (2, 1), 1), "head.bn2")
    return graph.node("Reshape", [x, graph.number(0, 320, -1)])


def _masked(graph: _Graph, x: str, name: str, apart: int) -> str:
    """A layer of a block: what it finds, masked by what is there all along and within SEGMENT frames, is added to `x`."""
    y = graph.convolved(graph.active(x, f"{name}.nonlinear1.batchnorm"), f"{name}.linear1")
    y = graph.active(y, f"{name}.nonlinear2.batchnorm")
    found = graph.convolved(y, f"{name}.cam_layer.linear_local", (1,), apart, apart)
    near = graph.node(
        "AveragePool", [y], kernel_shape=[SEGMENT], strides=[SEGMENT], ceil_mode=1, count_include_pad=0
    )
    near = graph.node(
        "Expand", [graph.node("Unsqueeze", [near, graph.number(3)]), graph.number(1, 1, 1, SEGMENT)]
    )
    near = graph.node("Reshape", [near, graph.number(0, 0, -1)])
    near = graph.node("Slice", [near, graph.number(0), _length(graph, y), graph.number(2)])
    around = graph.node("Add", [near, graph.node("ReduceMean", [y], axes=[-1], keepdims=1)])
    around = graph.node("Relu", [graph.convolved(around, f"{name}.cam_layer.linear1", bias=True)])
    mask = graph.node("Sigmoid", [graph.convolved(around, f"{name}.cam_layer.linear2", bias=True)])
    return graph.node("Concat", [x, graph.node("Mul", [found, mask])], axis=1)


def _pooled(graph: _Graph, x: str) -> str:
    """Mean and deviation over all frames; of one frame there is no deviation."""
    mean = graph.node("ReduceMean", [x], axes=[-1], keepdims=1)
    away = graph.node("Sub", [x, mean])
    total = graph.node("ReduceSum", [graph.node("Mul", [away, away]), graph.number(2)], keepdims=1)
    graph.held["one"] = Tensor((1,), struct.pack("<f", 1.0))
    count = graph.node("Cast", [_length(graph, x)], to=FLOAT)
    rest = graph.node("Max", [graph.node("Sub", [count, "one"]), "one"])
    return graph.node("Concat", [mean, graph.node("Sqrt", [graph.node("Div", [total, rest])])], axis=1)


def _length(graph: _Graph, x: str) -> str:
    return graph.node("Slice", [graph.node("Shape", [x]), graph.number(2), graph.number(3), graph.number(0)])


def _initial(name: str, tensor: Tensor) -> bytes:
    if math.prod(tensor.shape) * (4 if tensor.element == FLOAT else 8) != len(tensor.data):
        raise TypeError(f"{name} is not whole")
    return (
        b"".join(field(1, size) for size in tensor.shape)
        + field(2, tensor.element)
        + field(8, name)
        + field(9, tensor.data)
    )


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, sizes)))


def field(number: int, value: bytes | str | int) -> bytes:
    """A field of a message of protobuf: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Seven bits a byte; negative numbers as 64 bits."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
