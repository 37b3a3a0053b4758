"""Whether this machine runs on its battery now: what takes hours and can wait is not done then; and keeping it from sleep.

Linux: /sys/class/power_supply (kernel: Documentation/ABI/testing/sysfs-class-power). macOS: `pmset -g batt`. What cannot be
told is no battery: a machine that says nothing of one is plugged in.

Only a Mac is kept from sleep, by its own caffeinate(8): `-s` is "valid only when system is running on AC power", and with
`-w PID` it ends with that process, however that ended. Refused for Linux: systemd-inhibit knows nothing of the mains, asks
for a password where there is no session (polkit, inhibit-block-sleep), and is two more programs, one of them on D-Bus.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")

PLUGS = frozenset({"Mains", "USB", "Wireless"})
"""Types of supplies that power comes in by."""

PMSET = ("/usr/bin/pmset", "-g", "batt")

CAFFEINATE = "/usr/bin/caffeinate"

KeepAwake = Callable[[int], "subprocess.Popen[bytes] | None"]
"""Starts what keeps the machine awake as long as this process lives; None where there is nothing that does."""

Supply = Mapping[str, str]
"""What one supply says of itself, by the names of the kernel: `type`, `online`, `status`, `scope`."""


def on_battery(platform: str = sys.platform) -> bool:
    """True if this machine is known to live on its battery at this moment."""
    if platform == "darwin":
        return says_battery(_pmset())
    return lives_on_battery(supplies())


def lives_on_battery(found: Iterable[Supply]) -> bool:
    """Whether a machine with these supplies lives on its battery. Pure.

    One of a mouse or a headset (`scope` Device) is not the machine's. Where no plug is listed, as on some boards, the
    battery tells by its `status`.
    """
    own = [supply for supply in found if supply.get("scope") != "Device"]
    batteries = [supply for supply in own if supply.get("type") == "Battery"]
    plugs = [supply.get("online") for supply in own if supply.get("type") in PLUGS]
    if not batteries or any(online not in ("0", None) for online in plugs):
        return False
    return "0" in plugs or any(battery.get("status") == "Discharging" for battery in batteries)


def supplies(folder: Path = SUPPLIES) -> list[Supply]:
    """What each supply of this machine says of itself; empty where there are none, or nobody may look."""
    try:
        return [_supply(path) for path in sorted(folder.iterdir())]
    except OSError:
        return []


def says_battery(answer: str) -> bool:
    """Whether `pmset -g batt` says so: its first line is "Now drawing from 'Battery Power'". Pure."""
    return "'Battery Power'" in answer.partition("\n")[0]


def awake_command(daemon: int, tool: str = CAFFEINATE) -> tuple[str, ...]:
    """What is started to keep a Mac awake for the daemon with this pid."""
    return (tool, "-s", "-w", str(daemon))


def keep_awake(
    daemon: int, tool: str = CAFFEINATE, platform: str = sys.platform
) -> subprocess.Popen[bytes] | None:
    """Start it, with nothing of ours open in it and none of our variables; None where it is not macOS. Raises OSError."""
    if platform != "darwin":
        return None
    return subprocess.Popen(
        awake_command(daemon, tool), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={}, cwd="/", start_new_session=True, close_fds=True,
    )  # fmt: skip


def _supply(path: Path) -> Supply:
    found = {}
    for name in ("type", "online", "status", "scope"):
        try:
            found[name] = (path / name).read_text("utf-8", "replace").strip()
        except OSError:
            continue
    return found


def _pmset() -> str:
    try:
        asked = subprocess.run(PMSET, capture_output=True, text=True, errors="replace", timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout
