"""Small models in ONNX of our own making, which onnxruntime loads: the mean over a stretch's frames is the voice."""

from __future__ import annotations

from collections.abc import Sequence

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


def model(inputs: Sequence[bytes], outputs: Sequence[bytes], weights: Sequence[bytes] = ()) -> bytes:
    """A model with one node, which takes `frames` and gives `voice`: the mean over axis 1."""
    axes = field(1, "axes") + field(8, 1) + field(20, 7)
    keep = field(1, "keepdims") + field(3, 0) + field(20, 2)
    node = field(1, "frames") + field(2, "voice") + field(4, "ReduceMean") + field(5, axes) + field(5, keep)
    graph = field(1, node) + field(2, "made by a test") + b"".join(field(5, w) for w in weights)
    graph += b"".join(field(11, each) for each in inputs) + b"".join(field(12, each) for each in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def segmentation() -> bytes:
    """What says when voices speak, by its shape; it does not."""
    return model([tensor("frames", ("batch", "channel", "sample"))], [tensor("voice", ("batch", "frame", 7))])


def encoder(*shape: Size) -> bytes:
    """An encoder that takes this, by default what the one that is downloaded takes."""
    shape = shape or ("batch", 80, 40)
    return model([tensor("frames", shape)], [tensor("voice", (shape[0], shape[-1]))])
