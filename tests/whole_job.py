"""The whole main job in one call, for tests that watch it from outside: drop, transcript, summary, retention.

`python tests/whole_job.py FOLDER [TRACE]` brings up loopback if it is down (an empty network namespace has nothing else),
starts a stub summary server on it, drops the sample recording, runs the daemon until it has caught up and applies a
retention rule. With TRACE the daemon runs under strace, which writes there. Prints what came of it as JSON.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # as a script this file is not found as part of `tests`
TRACED = "network,process,openat,open,creat,memfd_create,prctl"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1  # linux/sockios.h, linux/if.h

CONFIG = """
[intake]
settle_seconds = 0.3
scan_seconds = 1.0
[transcription]
idle_seconds = 1
[summary]
endpoint = "{url}"
[notes]
formats = ["srt", "vtt", "txt", "json"]
[retention]
sidecar = {{ delete_after_done = true }}
"""


def loopback_up() -> None:
    """What `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(asked, SIOCGIFFLAGS, request))[1]
        if not flags & IFF_UP:
            fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def do_it(folder: Path, trace: Path | None, environ: dict[str, str] | None = None) -> dict[str, Any]:
    """Run everything in `folder`; see the module."""
    from tests.stub_server import LlamaCpp, running

    home, drop = folder / "home", folder / "Recordings"
    (home / "config").mkdir(parents=True)
    (folder / "tmp").mkdir()
    drop.mkdir()
    shutil.copyfile(ROOT / "daemon" / "earmark" / "sample" / "sample.m4a", drop / "standup.m4a")
    env = os.environ | {"EARMARK_HOME": str(home), "TMPDIR": str(folder / "tmp"), **(environ or {})}
    watched = (
        []
        if trace is None
        else ["strace", "-f", "-v", "-s", "65536", "-e", f"trace={TRACED}", "-o", str(trace)]
    )

    with running(LlamaCpp()) as stub:
        url = stub.url.replace("127.0.0.1", "localhost")
        (home / "config" / "config.toml").write_text(CONFIG.format(url=url))

        def earmark(*arguments: str) -> tuple[int, str]:
            done = subprocess.run(
                [*watched, sys.executable, "-m", "earmark", *arguments],
                env=env, cwd=folder, capture_output=True, text=True, timeout=150, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            return done.returncode, done.stderr + done.stdout

        status, log = earmark("run", "--service", "--verbose", "--once", str(drop))
        watched = []
        retention, told = earmark("retention", "apply", "--yes")
        return {
            "status": status, "log": log, "retention": retention, "told": told,
            "asked": [list(path) for path in stub.paths], "files": sorted(p.name for p in drop.iterdir()),
        }  # fmt: skip


if __name__ == "__main__":
    loopback_up()
    sys.stdout.write(json.dumps(do_it(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)))
