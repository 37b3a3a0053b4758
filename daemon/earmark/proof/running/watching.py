"""The process that watches, from the check's side; and giving up root where it is only needed for that."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from earmark.proof.outcome import SECONDS
from earmark.proof.running.seen import Seen


class Watcher:
    """Started early, with the rights that the check was started with; it looks at nothing before `begin`."""

    def __init__(self, supervisor: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "earmark.proof.running.watcher", str(supervisor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C is for the check, which then takes its recording away.
            start_new_session=True,
            # Not where somebody asks: `-m` imports from there first, and this process may be root's.
            cwd="/",
        )

    def begin(self, watched: Sequence[Path], quiet: Sequence[str], follow: bool, since: float) -> str:
        """Watch from now on; `since`: when the daemon says that it began. Returns why system calls cannot be followed,
        or "". Raises OSError if it does not come up.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        asked = {"watched": [str(p) for p in watched], "quiet": list(quiet), "follow": follow, "since": since}
        stdin.write(json.dumps(asked).encode() + b"\n")
        stdin.flush()
        said = stdout.readline()
        if not said:
            raise OSError("the process that watches did not come up")
        return str(json.loads(said)["why_not"])

    def end(self) -> Seen:
        """What was seen. Raises OSError."""
        try:
            said, _ = self._process.communicate(timeout=SECONDS)
            return Seen.of(json.loads(said))
        except (ValueError, subprocess.TimeoutExpired) as error:
            raise OSError(f"the process that watches said nothing ({type(error).__name__})") from error
        finally:
            self.close()

    def close(self) -> None:
        """Let everybody go."""
        self._process.kill()
        self._process.wait(5)


def step_down(state: Path) -> None:
    """Become the owner of the state folder, if root asks about somebody's daemon: what is made is theirs.

    There is no way back. Nothing is done for anybody but root.
    """
    if os.geteuid() != 0 or not state.exists() or (owner := state.stat().st_uid) == 0:
        return
    group, name = state.stat().st_gid, None
    with contextlib.suppress(KeyError):
        name = pwd.getpwuid(owner)
        group = name.pw_gid
        os.initgroups(name.pw_name, group)
    if sys.platform == "linux":
        os.setresgid(group, group, group)
        os.setresuid(owner, owner, owner)
    else:  # of root's, these two set the saved ones, too (setuid(2))
        os.setgid(group)
        os.setuid(owner)
    if name is not None and not os.access(Path.home(), os.X_OK):
        os.environ["HOME"] = name.pw_dir  # that of root, which its owner may not look into
