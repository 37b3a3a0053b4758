"""Where the readable unit files are: beside this module in an installed wheel, at the top of a checkout otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from earmark.errors import NotFound

UnitName = Literal[
    "systemd/earmark.service", "systemd/system/earmark.service", "launchd/org.earmark.daemon.plist"
]

UNIT_NAMES: tuple[UnitName, ...] = (
    "systemd/earmark.service",
    "systemd/system/earmark.service",
    "launchd/org.earmark.daemon.plist",
)


def unit_file(name: UnitName) -> Path:
    """The shipped file of that name. Raises NotFound when the installation is incomplete."""
    here = Path(__file__).resolve().parent
    for root in (here / "units", here.parents[2]):
        if (root / name).is_file():
            return root / name
    raise NotFound(
        f"The unit file {name} is not in this installation of earmark ({here}); install the package again."
    )


def unit_text(name: UnitName) -> str:
    """The shipped file's text."""
    return unit_file(name).read_text(encoding="utf-8")
