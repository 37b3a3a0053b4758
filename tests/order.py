"""In which order several processes of pytest run all tests: what takes long first, so that none is left with it at the end.

`--dist worksteal` gives each process a share of the list in one piece, of the same number of tests, and whoever is done
takes half of what waits in the longest share. What runs and the test behind it cannot be taken: where those two take
minutes, late in the list, the other processes have nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Test = TypeVar("Test")

SECONDS: Mapping[str, float] = {
    "test_under_systemd": 760, "test_summary_llama_cpp": 500, "test_notes_following": 420, "test_privacy_breaches": 390,
    "test_daemon": 390, "test_speakers": 360, "test_all_pairs": 330, "test_transcription_worker": 320,
    "test_transcription_tracks": 280, "test_privacy_verbs": 270, "test_durability_machine_faults": 260,
    "test_durability_crash_points": 250, "test_odd_notes": 250, "test_first_run": 250,
    "test_transcription_languages": 240, "test_calls": 230, "test_summaries": 225, "test_durability_resume": 220,
    "test_durability_protection": 200, "test_durability_folder": 170, "test_worker_escapes": 160,
    "test_fault_boundary": 140, "test_consent_daemon": 130, "test_heard_in_batches": 120, "test_locality_traps": 110,
    "test_under_a_service_manager": 100, "test_worker_starting": 90, "test_summary_worker": 90, "test_nothing_leaves": 80,
    "test_durability_bad_media": 80, "test_durability_system_calls": 50, "test_durability_state_machine": 50,
    "test_recorders": 40,
}  # fmt: skip
"""Files of tests that take long: measured in one run beside other work, so that only what they are to each other counts."""


def long_first(tests: Sequence[Test], processes: int, file_of: Callable[[Test], str]) -> list[Test]:
    """The tests in such an order that the share of each process begins with files that take long, of about the same seconds
    in all; the rest as it was. The tests of one of those files stay together: many share what is costly to start.
    """
    sizes = [(len(tests) + number) // processes for number in range(processes)]
    files: dict[str, list[Test]] = {name: [] for name in sorted(SECONDS, key=lambda name: -SECONDS[name])}
    rest: list[Test] = []
    for test in tests:
        files.get(file_of(test), rest).append(test)
    shares: list[list[Test]] = [[] for _ in range(processes)]
    seconds = [0.0] * processes
    for name, found in files.items():
        free = [n for n in range(processes) if len(shares[n]) + len(found) <= sizes[n]]
        if found and free:
            least = min(free, key=lambda n: seconds[n])
            shares[least] += found
            seconds[least] += SECONDS[name]
        else:
            rest += found
    for share, size in zip(shares, sizes, strict=True):
        more = size - len(share)
        share.extend(rest[:more])
        del rest[:more]
    return [test for share in shares for test in share]
