"""Small models in ONNX of our own making, which onnxruntime loads: the mean over a stretch's frames is the voice."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

Size = int | str
"""Of a dimension: a number, or a name for one that is open."""

FLOAT, INT64 = 1, 7


def field(number: int, value: bytes | str | int) -> bytes:
    """A field of a protobuf message: a number, or bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def tensor(name: str, shape: Sequence[Size] | None, element: int = FLOAT) -> bytes:
    """A ValueInfoProto: what a graph takes or gives. `shape` None: nothing is said of it."""
    dims = b"".join(field(1, field(1 if isinstance(size, int) else 2, size)) for size in shape or ())
    said = field(1, element) + (b"" if shape is None else field(2, dims))
    return field(1, name) + field(2, field(1, said))


def model(
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    weights: Sequence[bytes] = (),
    said: Mapping[str, str] | None = None,
) -> bytes:
    """A model with one node, which takes `frames` and gives `voice`: the mean over axis 1. `said`: its metadata."""
    axes = field(1, "axes") + field(8, 1) + field(20, 7)
    keep = field(1, "keepdims") + field(3, 0) + field(20, 2)
    node = field(1, "frames") + field(2, "voice") + field(4, "ReduceMean") + field(5, axes) + field(5, keep)
    graph = field(1, node) + field(2, "made by a test") + b"".join(field(5, w) for w in weights)
    graph += b"".join(field(11, each) for each in inputs) + b"".join(field(12, each) for each in outputs)
    return _whole(graph, said)


def segmentation() -> bytes:
    """What says when voices speak, by its shape; it does not."""
    return model([tensor("frames", ("batch", "channel", "sample"))], [tensor("voice", ("batch", "frame", 7))])


def encoder(*shape: Size) -> bytes:
    """An encoder that takes this, by default what the one that is downloaded takes."""
    shape = shape or ("batch", 80, 40)
    return model([tensor("frames", shape)], [tensor("voice", (shape[0], shape[-1]))])


def hearing(
    shape: Sequence[Size] = ("batch", "frame", 80),
    taken: str = "feature",
    given: str = "embedding",
    size: int = 192,
    said: Mapping[str, str] | None = None,
) -> bytes:
    """An encoder that hears something: `size` waves over the logarithm of how much each of 80 banks varies in a stretch."""
    turned = shape[1] == 80 and shape[2] != 80
    wave = [math.cos(math.pi * (n % 79 + 1) * (bank + 0.5) / 80) for bank in range(80) for n in range(size)]
    weights = [
        field(1, 80) + field(1, size) + field(2, FLOAT) + field(8, "waves") + field(9, struct.pack(f"<{80 * size}f", *wave)),
        field(1, 1) + field(2, FLOAT) + field(8, "floor") + field(9, struct.pack("<f", 1e-3)),
    ]  # fmt: skip
    axes = field(5, field(1, "axes") + field(8, 2 if turned else 1) + field(20, 7))
    keep = field(5, field(1, "keepdims") + field(3, 0) + field(20, 2))
    nodes = [
        _node("Mul", (taken, taken), "square"),
        _node("ReduceMean", ("square",), "varies") + axes + keep,
        _node("Add", ("varies", "floor"), "more"),
        _node("Log", ("more",), "log"),
        _node("MatMul", ("log", "waves"), given),
    ]
    graph = b"".join(field(1, node) for node in nodes) + field(2, "made by a test")
    graph += b"".join(field(5, each) for each in weights) + field(11, tensor(taken, shape))
    graph += field(12, tensor(given, (shape[0], size)))
    return _whole(graph, said)


def _node(kind: str, takes: Sequence[str], gives: str) -> bytes:
    return b"".join(field(1, name) for name in takes) + field(2, gives) + field(4, kind)


def _whole(graph: bytes, said: Mapping[str, str] | None) -> bytes:
    told = b"".join(field(14, field(1, key) + field(2, text)) for key, text in (said or {}).items())
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13)) + told
