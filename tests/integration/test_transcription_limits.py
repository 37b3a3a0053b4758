"""What the worker may take from the machine, tried in processes of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")


def run(code: str) -> subprocess.CompletedProcess[str]:
    prelude = "import os, resource\nfrom earmark.transcription import limits\n"
    return subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True, timeout=60)


def test_a_recording_that_costs_too_much_processor_time_ends_its_worker_with_a_signal_that_says_so() -> None:
    done = run("limits.CPU_GRACE = 1\nlimits.allow_cpu(0.0, 1)\nwhile True: pass\n")
    assert done.returncode == -signal.SIGXCPU


def test_each_stretch_of_audio_allows_more_processor_time() -> None:
    done = run(
        "soft = lambda: resource.getrlimit(resource.RLIMIT_CPU)[0]\n"
        "limits.allow_cpu(0.0, 1); first = soft()\n"
        "limits.allow_cpu(60.0, 2); print(first, soft())\n"
    )
    first, second = map(int, done.stdout.split())
    assert second - first == pytest.approx(60 * 60 * 2, abs=2)


def test_memory_over_the_cap_is_a_python_error_and_not_the_end() -> None:
    done = run(
        "limits.cap_memory(400)\n"
        "try: bytearray(600 << 20)\n"
        "except MemoryError: print('caught')\n"
        "limits.cap_memory(0); print(resource.getrlimit(resource.RLIMIT_AS)[0] == 400 << 20)\n"
    )
    assert done.stdout.split() == ["caught", "True"]


@LINUX
@pytest.mark.shows("privacy:private-files")
def test_no_core_file_is_left_and_no_debugger_gets_in() -> None:
    done = run(
        "import ctypes\n"
        "from earmark.locality.confinement.process import harden_process; harden_process()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    assert done.stdout.strip() == "(0, 0) 0"


def test_the_worker_steps_back_behind_what_the_person_does() -> None:
    before = os.nice(0)
    done = run("limits.step_back(); print(os.nice(0))")
    assert int(done.stdout) == min(19, before + 10)


def test_keeping_freed_memory_is_harmless_where_it_means_nothing() -> None:
    assert (
        run("limits.keep_freed_memory(); x = [bytearray(1 << 20) for _ in range(50)]; print(len(x))").stdout
        == "50\n"
    )
