"""Follows the system calls of a daemon and of all that it starts."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.proof.running import harmless, ptrace
from earmark.proof.running.calls import AUDIT, NAMES, X32
from earmark.proof.running.descriptors import status_of, tasks_of
from earmark.proof.running.noting import Notes, Thread


@dataclass
class Tracer:
    """Follows `root` and all that it starts, and has `notes` taken of their calls; `on_process` hears of each process.

    All of it has to be called from one thread, which is what the kernel asks of a tracer.
    """

    root: int
    notes: Notes
    on_process: Callable[[int, int, bool], None]
    calls: int = 0
    _threads: dict[int, Thread] = field(default_factory=dict)
    _unread: set[int] = field(default_factory=set)
    """Threads that were there before, whose filters were not read yet."""

    def begin(self, processes: Iterable[int]) -> None:
        """Seize all threads of these processes. Raises OSError where the system does not allow it."""
        for pid in processes:
            found = True
            while found:  # threads that started while the others were being seized
                found = False
                for tid in (int(task.name) for task in tasks_of(pid)):
                    if tid not in self._threads:
                        try:
                            ptrace.seize(tid)
                        except ProcessLookupError:
                            continue
                        except PermissionError:
                            if status_of(Path(f"/proc/{tid}")).get("State", "X")[:1] in "ZX":
                                continue  # it ended, and nobody has asked for it
                            raise
                        self._threads[tid], found = Thread(pid), True
                        self._unread.add(tid)
                        ptrace.interrupt(tid)
            self.on_process(pid, 0, False)

    def holds_any(self) -> bool:
        """Whether any thread has to be let go on at each of its stops."""
        return bool(self._threads)

    def follow(self, ended: int) -> None:
        """Until `ended` (a descriptor) can be read. Signals of the children wake the wait."""
        wake, note = os.pipe()
        os.set_blocking(note, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(note, warn_on_full_buffer=False)
        while True:
            while self._next():
                pass
            ready, _, _ = select.select([ended, wake], [], [], 0.05)
            if wake in ready:
                os.read(wake, 4096)
            if ended in ready:
                return

    def _next(self) -> bool:
        try:
            tid, status = os.waitpid(-1, ptrace.WAIT_ALL | os.WNOHANG)
        except ChildProcessError:
            return False
        if tid == 0:
            return False
        if not os.WIFSTOPPED(status):
            self._threads.pop(tid, None)
            return True
        if tid in self._unread:
            self._unread.discard(tid)
            self._read_filters(tid)
        number, event = os.WSTOPSIG(status), status >> 16
        thread = self._threads.get(tid) or self._meet(tid)
        if number == ptrace.AT_CALL:
            with contextlib.suppress(OSError, ValueError, struct.error):
                self._at_call(tid, thread)
            ptrace.go_on(tid)
        elif event == ptrace.EVENT_EXEC:
            self._exec(thread.pid)
            ptrace.go_on(tid)
        elif event == ptrace.EVENT_STOP:
            if number in ptrace.STOPPING:
                ptrace.stay_stopped(tid)
            else:
                ptrace.go_on(tid)
        elif event:
            ptrace.go_on(tid)
        else:
            ptrace.go_on(tid, number)
        return True

    def _read_filters(self, tid: int) -> None:
        """What stands on a thread that was there before; a filter that is put on later is seen as a call."""
        if tid in self._threads:
            for code in ptrace.filters_of(tid) or ():
                self.notes.note(self._threads[tid].pid, "standing", code.hex())

    def _meet(self, tid: int) -> Thread:
        """A thread or process that a followed one started."""
        pid, parent = _process_of(tid)
        self._threads[tid] = thread = Thread(pid)
        if tid == pid:
            self.on_process(pid, parent, True)
        return thread

    def _at_call(self, tid: int, thread: Thread) -> None:
        found = ptrace.call_of(tid)
        if found is None:
            return
        kind, architecture, (first, *rest) = found
        if kind == 2:
            if thread.after is not None:
                after, thread.after = thread.after, None
                after(first if first < 1 << 63 else first - (1 << 64))
            return
        self.calls += 1
        if architecture != AUDIT or first & X32:
            self.notes.note(thread.pid, "odd", "calls of another architecture")
        name = NAMES.get(first)
        if kind == 1:
            thread.after = None
            if name is not None:
                self.notes.called(thread, name, tuple(rest))
            elif first not in harmless.NUMBERS:
                self.notes.unknown(thread, first)

    def _exec(self, pid: int) -> None:
        parent = _process_of(pid)[1]
        self.on_process(pid, parent, True)


def _process_of(tid: int) -> tuple[int, int]:
    """Process and parent of a thread."""
    fields = status_of(Path(f"/proc/{tid}"))
    return int(fields.get("Tgid", tid)), int(fields.get("PPid", 0))
