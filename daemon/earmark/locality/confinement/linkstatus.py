"""Asks LM Studio's `lms` tool about LM Link for a worker that may start no programs. Standard library only.

Run as a script (`python -I -S linkstatus.py TOOL`) before the worker gives up the right to start programs, and only
where the tool is installed. For each line on stdin one line comes back on stdout: the tool's JSON, or `null`.
"""

import json
import subprocess
import sys

SECONDS = 5.0
"""The tool asks a running LM Studio over a local socket."""


def link_status(tool: str) -> object:
    """What `lms link status --json` says, parsed; None if it says nothing that can be read."""
    try:
        done = subprocess.run(
            [tool, "link", "status", "--json"],
            capture_output=True, timeout=SECONDS, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


if __name__ == "__main__":
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(link_status(sys.argv[1])) + "\n")
        sys.stdout.flush()
