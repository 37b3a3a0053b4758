"""Files as `torch.save` writes them, without PyTorch: an archive with a pickle, and the numbers of each tensor in a file."""

from __future__ import annotations

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class _Storage:
    """The numbers of a tensor, which lie in a file of their own."""

    def __init__(self, key: int, data: bytes) -> None:
        self.key, self.data = key, data


class _Tensor:
    def __init__(self, storage: _Storage, values: NDArray[np.float32]) -> None:
        self._storage, self._values = storage, values

    def __reduce__(self) -> tuple[Any, ...]:
        strides = tuple(step // 4 for step in self._values.strides)
        return _rebuild(), (self._storage, 0, self._values.shape, strides, False, OrderedDict())


def _rebuild() -> Any:
    return vars(sys.modules["torch._utils"])["_rebuild_tensor_v2"]


class _Pickler(pickle.Pickler):
    def persistent_id(self, what: Any) -> Any:
        if not isinstance(what, _Storage):
            return None
        kind = vars(sys.modules["torch"])["FloatStorage"]
        return "storage", kind, str(what.key), "cpu", len(what.data) // 4


def saved(tensors: Mapping[str, Any]) -> bytes:
    """A file with these tensors of float32, and anything else as pickle has it."""
    storages: list[_Storage] = []
    named: OrderedDict[str, Any] = OrderedDict()
    for name, values in tensors.items():
        if not isinstance(values, np.ndarray):
            named[name] = values
            continue
        storages.append(_Storage(len(storages), values.tobytes()))
        named[name] = _Tensor(storages[-1], values)
    stream = io.BytesIO()
    with _names():
        _Pickler(stream, protocol=2).dump(named)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", stream.getvalue())
        for storage in storages:
            archive.writestr(f"archive/data/{storage.key}", storage.data)
    return made.getvalue()


class _names:
    """Modules under PyTorch's names, by which pickle finds what it writes."""

    def __enter__(self) -> None:
        torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

        class FloatStorage: ...

        def _rebuild_tensor_v2(*_: object) -> None: ...

        for module, what in ((torch, FloatStorage), (utils, _rebuild_tensor_v2)):
            what.__module__, what.__qualname__ = module.__name__, what.__name__
            setattr(module, what.__name__, what)
        sys.modules |= {"torch": torch, "torch._utils": utils}

    def __exit__(self, *_: object) -> None:
        del sys.modules["torch"], sys.modules["torch._utils"]
