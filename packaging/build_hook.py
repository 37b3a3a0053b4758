"""Writes the man page and the completions when a wheel is built, and has it install them where programs look for them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Manual(BuildHookInterface[Any]):
    """Runs before the wheel is put together. The outline that it reads is held to the parser by a test."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to a wheel; an editable install, which has none, is left as it is."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "daemon"))
        from earmark.cli.manual.files import files
        from earmark.cli.manual.outline import from_text

        self._folder = tempfile.TemporaryDirectory()
        outline = from_text((root / "packaging" / "commands.json").read_text("utf-8"))
        reference = (root / "docs" / "configuration.md").read_text("utf-8")
        for place, text in files(outline, reference, self.metadata.version).items():
            file = Path(self._folder.name, Path(place).name)
            file.write_text(text, "utf-8")
            build_data["shared_data"][str(file)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only made to be put in."""
        if version != "editable":
            self._folder.cleanup()
