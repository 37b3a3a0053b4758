"""What a model in ONNX takes and gives, read from its file without loading it.

Loading runs a library of a million lines on a file that somebody carried here; this skips from field to field and reads a
few hundred bytes. Field numbers are those of https://github.com/onnx/onnx/blob/v1.17.0/onnx/onnx.proto, how fields are
written https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

GRAPH, METADATA = 7, 14  # of a model
KEY, TEXT = 1, 2  # of its metadata
INITIALIZER, INPUT, OUTPUT = 5, 11, 12  # of a graph
VALUE_NAME, VALUE_TYPE = 1, 2
TENSOR_TYPE = 1  # of a type
ELEMENT, SHAPE = 1, 2  # of a tensor's type
DIMENSION, SIZE = 1, 1  # of a shape, and of a dimension
TENSOR_NAME, TENSOR_LOCATION = 8, 14  # of an initializer
FLOAT, ELSEWHERE = 1, 1

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5

MOST = 200_000
"""Fields that are looked at; a large encoder has some ten thousand."""
LONGEST_NAME = 1_000


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output. `shape`: None for a size that is open; () also where nothing is said of it."""

    name: str
    shape: tuple[int | None, ...]
    floats: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """What a model takes and gives. `whole`: its weights are in this file, and in no other. `said`: what is said of it."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    whole: bool
    said: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Field:
    """`value`: of a number, and `end` is 0; of bytes where they begin."""

    number: int
    value: int
    end: int = 0


def look(file: Path) -> Graph:
    """What the model in a file takes and gives. Raises ValueError if it is no ONNX model, OSError as the file does."""
    with file.open("rb") as stream:
        return _Look(stream).graph()


class _Look:
    """One pass over a stream, with an end whatever is in it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        self._left = MOST

    def graph(self) -> Graph:
        parts = [f for f in self._fields(0, self._size) if f.number in (GRAPH, METADATA) and f.end]
        graphs = [f for f in parts if f.number == GRAPH]
        if len(graphs) != 1:
            raise ValueError("it is no ONNX model")
        inputs, outputs, weights, whole = [], [], set(), True
        for part in self._fields(graphs[0].value, graphs[0].end):
            if part.number == INITIALIZER:
                name, elsewhere = self._initializer(part)
                weights.add(name)
                whole = whole and not elsewhere
            elif part.number == INPUT:
                inputs.append(self._tensor(part))
            elif part.number == OUTPUT:
                outputs.append(self._tensor(part))
        said = dict(self._pair(part) for part in parts if part.number == METADATA)
        # Before version 4 of the format, weights are listed among what a model takes.
        return Graph(tuple(t for t in inputs if t.name not in weights), tuple(outputs), whole, said)

    def _pair(self, field: _Field) -> tuple[str, str]:
        found = {part.number: self._short(part) for part in self._inside(field) if part.end}
        return found.get(KEY, ""), found.get(TEXT, "")

    def _short(self, field: _Field) -> str:
        """The beginning of a text."""
        self._stream.seek(field.value)
        return self._stream.read(min(field.end - field.value, LONGEST_NAME)).decode("utf-8", "replace")

    def _initializer(self, field: _Field) -> tuple[str, bool]:
        name, elsewhere = "", False
        for part in self._inside(field):
            if part.number == TENSOR_NAME:
                name = self._text(part)
            elif part.number == TENSOR_LOCATION:
                elsewhere = part.value == ELSEWHERE
        return name, elsewhere

    def _tensor(self, field: _Field) -> Tensor:
        name, shape, element = "", [], 0
        for part in self._inside(field):
            if part.number == VALUE_NAME:
                name = self._text(part)
            elif part.number == VALUE_TYPE:
                for kind in (k for k in self._inside(part) if k.number == TENSOR_TYPE):
                    for said in self._inside(kind):
                        if said.number == ELEMENT:
                            element = said.value
                        elif said.number == SHAPE:
                            shape = [self._dimension(d) for d in self._inside(said) if d.number == DIMENSION]
        return Tensor(name, tuple(shape), element == FLOAT)

    def _dimension(self, field: _Field) -> int | None:
        sizes = [part.value for part in self._inside(field) if part.number == SIZE and not part.end]
        return sizes[-1] if sizes else None

    def _text(self, field: _Field) -> str:
        length = field.end - field.value
        if not 0 <= length <= LONGEST_NAME:
            raise ValueError("it is no ONNX model: a name in it has no end")
        self._stream.seek(field.value)
        return self._stream.read(length).decode("utf-8", "replace")

    def _inside(self, field: _Field) -> Iterator[_Field]:
        return self._fields(field.value, field.end)

    def _fields(self, at: int, end: int) -> Iterator[_Field]:
        """The fields between two places in the file."""
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError("it has more parts than any speaker encoder")
            key, at = self._varint(at, end)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value, at = self._varint(at, end)
                yield _Field(number, value)
                continue
            start = at
            if kind == BYTES:
                length, start = self._varint(at, end)
            elif kind in (EIGHT, FOUR):
                length = 8 if kind == EIGHT else 4
            else:
                raise ValueError("it is no ONNX model")
            at = start + length
            if at > end:
                raise ValueError("it is no ONNX model, or only the beginning of one")
            if kind == BYTES:
                yield _Field(number, start, at)

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """A number at a place, and the place behind it: seven bits a byte, ten bytes at most."""
        self._stream.seek(at)
        value = 0
        for count, byte in enumerate(self._stream.read(min(10, end - at))):
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                return value, at + count + 1
        raise ValueError("it is no ONNX model")
