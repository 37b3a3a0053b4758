"""What a container or unit allows counts, not what the machine has."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from earmark.allowance import allowance
from earmark.supervisor.sizing import resident, worker_count

HERE = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
MIB = 1024 * 1024
TINY, SMALL = 72 * MIB, 480 * MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")


def groups(root: Path, cgroup: str, mounts: dict[str, tuple[str, str, str]], files: dict[str, str]) -> Path:
    """A /proc/self that says so. `mounts`: by folder below `root` the root shown there, the kind and the options."""
    proc = root / "proc"
    proc.mkdir()
    (proc / "cgroup").write_text(cgroup)
    lines = [
        f"30 23 0:26 {shown} {root / at} rw,nosuid shared:4 - {kind} cgroup {options}\n"
        for at, (shown, kind, options) in mounts.items()
    ]
    (proc / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + "".join(lines))
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return proc


V2 = {"fs": ("/", "cgroup2", "rw,nsdelegate")}


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", HERE),
        ("100000 100000", 1),
        ("50000 100000", 1),
        ("1000 100000", 1),
        ("nonsense", HERE),
        ("1 0", HERE),
    ],
)
def test_version_2_shares_of_the_processor(tmp_path: Path, quota: str, cores: int) -> None:
    proc = groups(tmp_path, "0::/a/b\n", V2, {"fs/a/b/cpu.max": quota})
    assert allowance(proc).cores == cores


def test_names_of_groups_and_mount_points_need_not_be_text(tmp_path: Path) -> None:
    proc = groups(tmp_path, "", V2, {"fs/a/cpu.max": "100000 100000"})
    (proc / "cgroup").write_bytes(b"0::/a/caf\xe9\n")
    (tmp_path / "fs").joinpath(os.fsdecode(b"a/caf\xe9")).mkdir()
    with (proc / "mountinfo").open("ab") as mounts:
        mounts.write(
            b"41 23 0:27 / /mnt/caf\xe9 rw - tmpfs none rw\n42 23 0:28 / /mnt/\xe2\x80\xa8x\x0cy rw - tmpfs none rw\n"
        )
    assert allowance(proc).cores == 1


@pytest.mark.shows("durability:allowance")
def test_the_strictest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    files = {
        "fs/user.slice/memory.max": str(900 * MIB), "fs/user.slice/app.slice/memory.max": "max",
        "fs/user.slice/app.slice/earmark.service/memory.max": str(2_000 * MIB),
        "fs/user.slice/app.slice/earmark.service/memory.high": str(1_000 * MIB),
        "fs/memory.max": str(100 * MIB * 0 + 5_000 * MIB),
    }  # fmt: skip
    proc = groups(tmp_path, "0::/user.slice/app.slice/earmark.service\n", V2, files)
    assert allowance(proc).memory == 900 * MIB


def test_version_1_and_a_container_that_sees_its_own_group_as_the_top(tmp_path: Path) -> None:
    mounts = {
        "cpu": ("/docker/4f2", "cgroup", "rw,cpu,cpuacct"), "memory": ("/docker/4f2", "cgroup", "rw,memory"),
        "unified": ("/", "cgroup2", "rw"),
    }  # fmt: skip
    files = {
        "cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000",
        "memory/memory.limit_in_bytes": str(700 * MIB),
    }  # fmt: skip
    cgroup = "7:memory:/docker/4f2\n3:cpu,cpuacct:/docker/4f2\n1:name=systemd:/docker/4f2\n0::/\n"
    found = allowance(groups(tmp_path, cgroup, mounts, files))
    assert (found.cores, found.memory) == (1, 700 * MIB)


def test_no_limit_is_what_the_machine_has(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    mounts = {"memory": ("/", "cgroup", "rw,memory"), "cpu": ("/", "cgroup", "rw,cpu")}
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712", "cpu/cpu.cfs_quota_us": "-1",
        "cpu/cpu.cfs_period_us": "100000",
    }  # fmt: skip
    proc = groups(tmp_path, "4:memory:/\n1:cpu:/\n", mounts, files)
    assert allowance(proc) == allowance(tmp_path / "nowhere")
    assert allowance(proc).memory == machine


@contextlib.contextmanager
def real_group(controller: str, **limits: int) -> Iterator[Path]:
    """A control group of version 1 that this test makes, where it may."""
    group = Path("/sys/fs/cgroup", controller, f"earmark-test-{os.getpid()}")
    try:
        group.mkdir()
        for name, value in limits.items():
            (group / name.replace("__", ".")).write_text(str(value))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    try:
        yield group
    finally:
        group.rmdir()


@pytest.mark.shows("durability:allowance")
def test_a_real_limit_of_this_kernel_is_found() -> None:
    with real_group("memory", memory__limit_in_bytes=600 * MIB) as group:
        code = "from earmark.allowance import allowance; print(allowance().memory)"
        command = f'echo $$ > {group}/cgroup.procs; exec "{sys.executable}" -c "{code}"'
        told = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert int(told.stdout) == 600 * MIB


@pytest.mark.shows("durability:allowance")
def test_as_many_workers_as_fit_into_memory_and_at_least_one() -> None:
    assert worker_count(0, 8, TINY, None) == 2
    assert worker_count(0, 8, TINY, 16_000 * MIB) == 2
    assert worker_count(0, 8, TINY, 256 * MIB + 2 * resident(TINY)) == 2
    assert worker_count(0, 8, TINY, 256 * MIB + 2 * resident(TINY) - 1) == 1
    assert worker_count(0, 8, SMALL, 100 * MIB) == 1
    assert worker_count(3, 8, SMALL, 100 * MIB) == 3, "whoever sets a number means it"
