"""Where the `earmark` command begins. Its version is said before anything else is loaded."""

from __future__ import annotations

import os
import sys

from earmark import __version__


def main() -> None:
    """Entry point of the console script."""
    if sys.argv[1:] == ["--version"]:
        try:
            os.write(1, f"earmark {__version__}\n".encode())
        except OSError:
            pass  # the parser has the words for a stream that is full or closed
        else:
            return
    from earmark.cli.main import main as parsed

    parsed()
