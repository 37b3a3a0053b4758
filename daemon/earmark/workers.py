"""Worker processes as the supervisor sees them: started, spoken to, watched, ended. Decides nothing about recordings.

Workers are started afresh (never forked) with pipes for JSON lines. One thread per worker turns its output into posts
in the supervisor's inbox; everything else happens in the supervisor's loop. A worker is an enemy once it has opened a file:
what it says is bounded in length, number and speed, waits in its pipe while the loop has not taken what was said before,
and what it prints besides is shown only as long as it knows of no recording.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from earmark.errors import SIGNS_OF_NO_THREADS, EnvironmentFault
from earmark.files import counted
from earmark.log import get_logger
from earmark.messages import REPLY_LIMIT, Confine, LoadModel, Message, Ready, Reply, parse_reply
from earmark.output import is_gone, lines

log = get_logger(__name__)

UNTAKEN = 8
"""Messages of one worker that may wait for the loop; what it says beyond that waits in its pipe."""

AT_ONCE, PER_SECOND = 2_000, 200
"""Messages that a worker may send after a request, and so many more for each second since. A transcription says one or
two for each window and one every two seconds; a summary one a second. Each 4 kB of a message count as one."""

LEAVE_SECONDS = 15.0
"""What a worker has to leave in after it was told to; it takes a fraction of one, or what a model takes to be loaded."""

LAST_REMARK = 1.0
"""Seconds to wait for what a worker that has ended printed on stderr; only a child of it can keep that open."""

_NO_THREADS = tuple(sign.encode() for sign in SIGNS_OF_NO_THREADS)

REMARK, REMARKS = 300, 50
"""Characters of a line, and lines, of what a worker prints on stderr before it knows of a recording."""


@dataclass(frozen=True, slots=True)
class Said:
    """A post: this worker sent a message. Whoever takes it calls `taken`, so that the worker may say more."""

    worker: int
    message: Reply
    taken: Callable[[], object] = field(default=lambda: None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Left:
    """A post: this worker is gone. `exit_status` as subprocess gives it (negative: killed by a signal).

    `oom_kills`: how many processes the kernel's out-of-memory killer ended while it lived; None if unknown. `broke`: what it
    said that cannot be, if it was ended for that; "". `no_threads`: it printed that the system refused it a thread.
    """

    worker: int
    exit_status: int
    oom_kills: int | None
    broke: str = ""
    no_threads: bool = False


class Starter(Protocol):
    """Starts a worker process; passed in so that tests can start something else."""

    def __call__(self, module: str) -> subprocess.Popen[bytes]: ...


ENVIRONMENT_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "CT2_VERBOSE", "EARMARK_HOME", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHASHSEED",
    "COVERAGE_PROCESS_START", "OLLAMA_NO_CLOUD",
)  # fmt: skip
"""Environment variables a worker gets. No proxy, no OPENAI_*, no HF_*: what is not there cannot send anything astray."""


def worker_environment(environ: dict[str, str]) -> dict[str, str]:
    """The environment of a worker: the few variables it needs, and the model hub switched off."""
    kept = {name: environ[name] for name in ENVIRONMENT_KEPT if name in environ}
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_OFFLINE": "1",
        # onnxruntime (the voice detector) writes to a telemetry store by default; seen in version 1.31.
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # glibc gives every thread its own heap; with one, the worker's memory stays flat over long recordings.
        "MALLOC_ARENA_MAX": "1",
    }


def start_process(
    module: str, prefix: Sequence[str] = (), stderr: int | None = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """`python -m module` in its own session, with pipes and a clean environment."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=worker_environment(dict(os.environ)),
        # Ctrl-C in the terminal goes to the whole foreground group; the supervisor alone decides what it means.
        start_new_session=True,
        # Not where the daemon happened to be started: `-m` would import from there, and oneMKL ends the process where the
        # current folder has been deleted.
        cwd="/",
        close_fds=True,
    )


def oom_kills(vmstat: Path = Path("/proc/vmstat")) -> int | None:
    """How often the kernel's out-of-memory killer has struck since boot (Linux, cgroup kills included)."""
    try:
        for line in vmstat.read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None


class Worker:
    """One live worker process. `post` is called from a thread with `Said` and, last of all, one `Left`.

    Requests for work are sent once it has answered the order that comes first, if there is one. Raises EnvironmentFault
    where none can be started.
    """

    _count = 0

    def __init__(
        self, module: str, post: Callable[[Said | Left], None], start: Starter = start_process
    ) -> None:
        Worker._count += 1
        self.number = Worker._count
        self._post = post
        self._oom_before = oom_kills()
        try:
            self._process = start(module)
        except OSError as error:
            # No memory, no process ids, no descriptors: the machine's trouble, and nobody's attempt.
            raise EnvironmentFault(f"A worker cannot be started: {error.strerror or error}") from error
        self.pid = self._process.pid
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(UNTAKEN)
        self._dismissed = self._unheard = False
        self._broke = ""
        self._no_threads = False
        self._answered = threading.Event()
        self._knows_of_recordings = False
        self._asked_at, self._said = time.monotonic(), 0.0
        self._last_call = threading.Timer(LEAVE_SECONDS, self.kill)
        self._last_call.daemon = True
        self._reader = threading.Thread(target=self._read, name=f"worker-{self.number}", daemon=True)
        self._remarks = threading.Thread(target=self._read_remarks, name=f"stderr-{self.number}", daemon=True)
        try:
            threading.Thread(target=self._write, name=f"to-worker-{self.number}", daemon=True).start()
            self._remarks.start()
            self._reader.start()
        except RuntimeError as error:  # no more threads: as above
            self._abandon()
            raise EnvironmentFault(f"A worker cannot be listened to: {error}") from error

    @property
    def serves(self) -> bool:
        """False once it was told to go, was killed or has ended: what it is sent from then on, nobody reads."""
        return not self._dismissed and not self._unheard and not is_gone(self._process)

    def send(self, message: Message) -> None:
        """Give it a request, without ever waiting for it: a worker that does not read must not stop the loop.

        If it is no longer there to take it, its `Left` says so.
        """
        self._asked_at, self._said = time.monotonic(), 0.0
        self._requests.put(message)

    def dismiss(self) -> None:
        """Tell an idle worker to leave: the end of its input ends it at once. One that stays all the same is killed."""
        if not self._dismissed:
            self._dismissed = True
            self._requests.put(None)
            self._answered.set()
            self._last_call.start()

    def kill(self) -> None:
        """End it now, with everything it started. A flag would not do: a transcription call blocks for many seconds."""
        self._unheard = True
        if self._process.returncode is not None:
            return  # it is gone, and its number may be somebody else's by now
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()

    def end_for(self, what: str) -> None:
        """End it for what it said, which cannot be; its `Left` says so, too."""
        # The words in it stay out of the log.
        log.error("worker-garbled", worker=self.number, said=what)
        self._broke = self._broke or what
        self.kill()

    def wait(self, seconds: float) -> bool:
        """True if it ended within this time."""
        self._reader.join(seconds)
        return not self._reader.is_alive()

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError), stdin:  # it is gone; its `Left` tells
            while (message := self._requests.get()) is not None:
                if not isinstance(message, LoadModel | Confine):
                    self._knows_of_recordings = True
                stdin.write(message.line())
                stdin.flush()
                if isinstance(message, LoadModel | Confine):
                    self._answered.wait()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        try:
            self._read_lines()
        finally:
            status = self._see_off()
            if self._broke:
                status = os.EX_PROTOCOL  # we ended it, for what it did itself: not a kill from outside
            self._last_call.cancel()
            self._requests.put(None)
            self._answered.set()
            stdout.close()
            before, after = self._oom_before, oom_kills()
            kills = None if before is None or after is None else after - before
            self._remarks.join(LAST_REMARK)
            self._post(Left(self.number, status, kills, self._broke, self._no_threads))

    def _read_lines(self) -> None:
        for line in lines(self._process, REPLY_LIMIT):
            if not line.endswith(b"\n") and len(line) < REPLY_LIMIT:
                return  # it ended in the middle of a line: how, its exit status tells
            message = self._understood(line)
            if message is None or not self._find_room():
                return
            if isinstance(message, Ready):
                self._answered.set()
            self._post(Said(self.number, message, self._room.release))

    def _see_off(self) -> int:
        """Nothing more is to be read from it: have it end, with what it started, and return its exit status."""
        self._unheard = True
        until, pause = time.monotonic() + LEAVE_SECONDS, 0.001
        while not is_gone(self._process) and not self._broke:
            if time.monotonic() >= until:
                self.end_for("nothing more, and stayed")
            time.sleep(pause)
            pause = min(2 * pause, 0.1)
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def _abandon(self) -> None:
        """Nobody can listen to it."""
        self.kill()
        self._requests.put(None)
        self._answered.set()
        self._process.wait()

    def _understood(self, line: bytes) -> Reply | None:
        """What it says, or None after ending it for what it says, how much of it, or how fast."""
        self._said += 1 + len(line) // 4096
        if not line.endswith(b"\n"):
            self.end_for("a message that is longer than any can be")
        elif self._said > AT_ONCE + PER_SECOND * (time.monotonic() - self._asked_at):
            self.end_for("more than anybody can listen to")
        else:
            try:
                return parse_reply.validate_json(line)
            except ValidationError as error:
                # Not our protocol: something in the process went badly astray.
                self.end_for(
                    f"what is no message ({counted(len(line), 'byte')}, {counted(error.error_count(), 'problem')})"
                )
        return None

    def _find_room(self) -> bool:
        """Wait until the loop has taken what was said before; false if nobody will."""
        while not self._room.acquire(timeout=0.5):
            if self._unheard:
                return False
        return not self._unheard

    def _read_remarks(self) -> None:
        """Take what it prints on stderr, whether or not it is shown: a pipe that nobody reads would stop it."""
        stderr, shown = self._process.stderr, 0
        if stderr is None:
            return
        with stderr:
            while line := stderr.readline(1 << 16):
                self._no_threads |= any(sign in line for sign in _NO_THREADS)
                if not self._knows_of_recordings and shown < REMARKS:
                    shown += 1
                    log.warning(
                        "worker-remark",
                        worker=self.number,
                        text=line.decode("utf-8", "replace")[:REMARK].rstrip(),
                    )
