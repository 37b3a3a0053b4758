"""Breaches, planted into a real daemon: Python imports this file at the start of each process with its folder in PYTHONPATH.

Which ones is read from `planted.json` in the installation's home, by process: "daemon", "mcp", "serve",
"transcription", "summarization".
With "quick" there the speech model is replaced, so that a row of the table costs no seconds of CPU; everything else is real.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import platform
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(os.environ.get("EARMARK_HOME", "/nonexistent"))
NOWHERE = ("192.0.2.1", 9)  # RFC 5737; a datagram socket that is connected there sends nothing

SENTENCES = (
    "Good morning everyone, the harbour committee begins with the invoices.",
    "The lighthouse keeper counted seventeen broken lanterns before breakfast.",
    "We agreed that Marguerite carries the ledger to Rotterdam tomorrow.",
)


class QuickEngine:
    """Hears the same sentences in everything, and waits while a file `pause` lies in the drop folder."""

    name, device, compute_type, multilingual = "quick", "cpu", "none", False

    def __init__(self, *_: Any) -> None:
        self._said = 0

    def languages(self) -> tuple[str, ...]:
        return ("en",)

    def voice(self, samples: Any) -> Any:
        import numpy as np

        return np.ones(-(-len(samples) // 512), dtype=np.float32)

    def language_odds(self, _: Any) -> dict[str, float]:
        return {"en": 1.0}

    def hear(self, speech: Any, _: Any) -> Any:
        from earmark.transcription.engine import Answer, Phrase

        while (HOME.parent / "Recordings" / "pause").exists():
            time.sleep(0.02)
        seconds = len(speech) / 16_000
        step = seconds / len(SENTENCES)
        said = [Phrase(i * step, (i + 0.9) * step, text, -0.1, 0.0) for i, text in enumerate(SENTENCES)]
        return Answer(tuple(said), seconds)


# --- in the daemon: what it does with the words and the name of each recording that it hears ---


def udp(name: str, _: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(name.encode(), ("127.0.0.1", 9))


def lookup(name: str, _: str) -> None:
    with contextlib.suppress(OSError):
        socket.getaddrinfo(f"{name.split()[0]}.invalid", 80)


def open_line(_: str, __: str) -> None:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.connect(NOWHERE)
    KEPT.append(line)


def unix_datagram(name: str, _: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(name.encode(), str(HOME / "bus"))


def temp(_: str, words: str) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="breach-") as file:
        file.write(words)
        file.flush()


def temp_that_stays(_: str, words: str) -> None:
    (Path(tempfile.gettempdir()) / f"breach-{os.getpid()}.txt").write_text(words)


def shared_memory(_: str, words: str) -> None:
    file = Path("/dev/shm") / f"breach-{os.getpid()}"
    file.write_text(words)
    file.unlink()


def log(_: str, words: str) -> None:
    from earmark.log import get_logger

    get_logger("planted").info("heard", text=words[:70])


def status(_: str, words: str) -> None:
    from earmark.files import write_own

    file = HOME / "state" / "status.json"
    write_own(file, json.dumps(json.loads(file.read_bytes()) | {"heard": words}).encode())


def state_file(_: str, words: str) -> None:
    (HOME / "state" / "debug.txt").write_text(words)


def drop_folder(_: str, words: str) -> None:
    (HOME.parent / "Recordings" / "copy.txt").write_text(words)


def file_name(_: str, words: str) -> None:
    (HOME / "state" / words[:40].strip().replace(" ", "_")).touch()


def program(_: str, __: str) -> None:
    subprocess.run(["/bin/true"], check=True)


def argument(_: str, words: str) -> None:
    subprocess.run([sys.executable, "-c", "pass", words], check=True)


def environment(_: str, words: str) -> None:
    subprocess.run([sys.executable, "-S", "-c", "pass"], env={"NOTE": words}, check=True)


def title(_: str, __: str) -> None:
    Path("/proc/self/comm").write_text("broken lanterns")
    ctypes.CDLL(None).prctl(15, b"broken lanterns", 0, 0, 0)


def dumpable(_: str, __: str) -> None:
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


def memory_segment(_: str, __: str) -> None:
    libc = ctypes.CDLL(None)
    number = libc.shmget(0, 4096, 0o600)
    libc.shmctl(number, 0, None)  # IPC_RMID


def forked_child(name: str, _: str) -> None:
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", 9), timeout=0.1)
        os._exit(0)
    os.waitpid(pid, 0)


def knock(_: str, __: str) -> None:
    from earmark.locality.confinement import knock as program

    subprocess.run([sys.executable, "-I", "-S", program.__file__, "127.0.0.1:9"], env={})


def kept_line(name: str, _: str) -> None:
    KEPT_OPEN["line"].sendall(name.encode())


def kept_pipe(_: str, words: str) -> None:
    os.write(KEPT_OPEN["pipe"], words.encode())


def kept_memory(_: str, words: str) -> None:
    KEPT_OPEN["memory"][: len(words.encode())] = words.encode()


def hidden_copy(_: str, words: str) -> None:
    copy = HOME.parent / "Recordings" / ".earmark-0123456789abcdef.tmp.x.md"
    copy.write_text(words)
    copy.unlink()


def ledger_copy(_: str, words: str) -> None:
    (HOME / "state" / "ledger.db-copy").write_text(words)
    (HOME / "state" / "ledger.db-copy").unlink()


def byte_code(_: str, words: str) -> None:
    folder = HOME.parent / "tmp" / "__pycache__"
    folder.mkdir(exist_ok=True)
    (folder / "x.pyc").write_bytes(words.encode()[::-1])


def folder_names(_: str, words: str) -> None:
    top = HOME / "state" / "cache"
    (top / Path(*words.split()[:6])).mkdir(parents=True)
    shutil.rmtree(top)


def few_words(_: str, words: str) -> None:
    said = words.split()
    for at in range(0, len(said), 4):
        part = HOME.parent / "Recordings" / f".earmark-{at:016x}.tmp.y.md"
        part.write_text(" ".join(said[at : at + 4]))
        part.unlink()


def seldom_call(_: str, __: str) -> None:
    ctypes.CDLL(None).personality(0x0040000)  # ADDR_NO_RANDOMIZE


def times(_: str, __: str) -> None:
    os.utime(HOME / "bus", (1, 2))


def message_queue(_: str, words: str) -> None:
    libc = ctypes.CDLL(None)
    number = libc.msgget(0, 0o600)
    libc.msgsnd(number, struct.pack("=q", 1) + words.encode()[:64], 64, 0o4000)
    libc.msgctl(number, 0, None)  # IPC_RMID


def key(_: str, words: str) -> None:
    if platform.machine() == "x86_64":
        ctypes.CDLL(None).syscall(250, 1, words[:60].encode(), 0, 0, 0)  # KEYCTL_JOIN_SESSION_KEYRING


def kept_counter(_: str, words: str) -> None:
    os.eventfd_write(KEPT_OPEN["counter"], int.from_bytes(words.encode()[:7], "little"))


def kept_place(_: str, words: str) -> None:
    """A file that is open for reading only: where it is read next is known to whoever has it, too."""
    os.lseek(KEPT_OPEN["place"], int.from_bytes(words.encode()[:3], "little"), os.SEEK_SET)


def pipe_by_path(_: str, words: str) -> None:
    """Somebody else's pipe, which both of its processes opened: it is no child's, and it is closed again."""
    with KEPT_OPEN["path"].open("wb", buffering=0) as pipe:
        pipe.write(words.encode())


def named_pipe(_: str, words: str) -> None:
    """One in the state folder, which another program reads; open for a moment only."""
    fd = os.open(HOME / "state" / "pipe", os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, words.encode()[::-1][:512])
    os.close(fd)


def named_pipe_beside(_: str, words: str) -> None:
    """In the drop folder, under a name as what becomes a note has; nobody reads it yet."""
    pipe = HOME.parent / "Recordings" / ".earmark-0123456789abcdef.tmp.z.md"
    os.mkfifo(pipe, 0o600)
    fd = os.open(pipe, os.O_RDWR)
    os.write(fd, words.encode()[::-1][:512])
    os.close(fd)
    pipe.unlink()


def kept_named_pipe(_: str, words: str) -> None:
    os.write(KEPT_OPEN["named"], words.encode()[::-1][:512])


def device(_: str, words: str) -> None:
    (HOME / "state" / "device").write_bytes(words.encode()[::-1])


def times_by_link(_: str, __: str) -> None:
    os.utime(HOME / "state" / "link", (1, 2))


def passed_on(_: str, __: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        socket.send_fds(ours, [b"x"], [0])


def memory_name(_: str, __: str) -> None:
    memory = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    ctypes.CDLL(None).prctl(
        0x53564D41, 0, ctypes.c_void_p(at), 4096, b"lanterns before breakfast"
    )  # PR_SET_VMA


def timer_slack(_: str, words: str) -> None:
    ctypes.CDLL(None).prctl(29, int.from_bytes(words.encode()[:7], "little"), 0, 0, 0)  # PR_SET_TIMERSLACK


def other_families(_: str, __: str) -> None:
    for family, kind in ((16, socket.SOCK_RAW), (38, socket.SOCK_SEQPACKET), (40, socket.SOCK_STREAM)):
        with contextlib.suppress(OSError):
            socket.socket(family, kind).close()


def abstract_name(_: str, words: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
        line.sendto(words.encode(), "\0earmark-planted")


def attribute(_: str, words: str) -> None:
    os.setxattr(HOME / "state" / "ledger.db", "trusted.note", words.encode()[:64])
    os.removexattr(HOME / "state" / "ledger.db", "trusted.note")


def keystroke(_: str, words: str) -> None:
    import pty

    ours, theirs = pty.openpty()
    with contextlib.suppress(OSError):
        fcntl.ioctl(theirs, 0x5412, words[:1].encode())  # TIOCSTI
    os.close(ours)
    os.close(theirs)


def asks_for(_: str, words: str) -> None:
    """Where a network's file system is mounted, its server would be asked."""
    (HOME.parent / "mnt" / words[:60]).exists()


def own_file_of_memory(_: str, words: str) -> None:
    memory = os.memfd_create("note")
    os.write(memory, words.encode())
    os.close(memory)


def place_of_a_lock(_: str, words: str) -> None:
    """Everybody may read in /proc/locks which bytes of a file are locked."""
    with (HOME / "state" / "planted.lock").open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, int.from_bytes(words.encode()[:7], "little"))


def limits(_: str, words: str) -> None:
    """And in /proc/PID/limits how many signals may wait."""
    hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)[1]
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (int.from_bytes(words.encode()[:2], "little"), hard))


def attributes_beside(name: str, words: str) -> None:
    """Of the recording, which a sync client takes along."""
    recording = HOME.parent / "Recordings" / name
    os.utime(recording, ns=(int.from_bytes(words.encode()[:7], "little"), recording.stat().st_mtime_ns))
    recording.chmod(0o666)


def own_file_of_proc(_: str, words: str) -> None:
    Path("/proc/self/oom_score_adj").write_text(str(words.encode()[0]))


def open_before() -> None:
    """What the daemon has open from its start on, and shares with a process that is none of its own."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    line.connect(os.path.relpath(HOME / "bus"))
    read, write = os.pipe()
    theirs, known = os.pipe()
    counter, place = os.eventfd(0), os.open(HOME / "planted.json", os.O_RDONLY)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.close(write)
            _, end = os.pipe()
            os.write(known, f"/proc/{os.getpid()}/fd/{end}".encode())
            while os.read(read, 4096):
                pass
        os._exit(0)
    os.wait()
    path = Path(os.fsdecode(os.read(theirs, 4096)))
    for fd in (read, theirs, known):
        os.close(fd)
    with (HOME.parent / "tmp" / "memory").open("w+b") as file:
        file.truncate(8192)
        memory = mmap.mmap(file.fileno(), 8192)
    named = os.open(HOME / "state" / "pipe", os.O_WRONLY | os.O_NONBLOCK)
    KEPT_OPEN.update(
        line=line, pipe=write, memory=memory, counter=counter, place=place, path=path, named=named
    )


KEPT: list[Any] = []
KEPT_OPEN: dict[str, Any] = {}
IN_DAEMON: dict[str, Callable[[str, str], None]] = {
    act.__name__: act
    for act in (
        udp, lookup, open_line, unix_datagram, temp, temp_that_stays, shared_memory, log, status, state_file,
        drop_folder, file_name, program, argument, environment, title, dumpable, memory_segment, forked_child, knock,
        kept_line, kept_pipe, kept_memory, hidden_copy, ledger_copy, byte_code, times, message_queue, key,
        folder_names, few_words, seldom_call, kept_counter, kept_place, pipe_by_path, passed_on, memory_name, timer_slack,
        other_families, abstract_name, attribute, keystroke, own_file_of_memory, asks_for, named_pipe, named_pipe_beside,
        kept_named_pipe, device, times_by_link, place_of_a_lock, limits, attributes_beside, own_file_of_proc,
    )
}  # fmt: skip


def say_of_another_folder() -> None:
    from earmark.report import Report

    real = Report.model_dump

    def dump(self: Any, **how: Any) -> dict[str, Any]:
        said = real(self, **how)
        return said | {"folders": [*said["folders"], str(HOME.parent / "other")]}

    setattr(Report, "model_dump", dump)  # noqa: B010 - a method


def plant_in_daemon(names: list[str]) -> None:
    from earmark.locality.confinement import process
    from earmark.pipeline import transcribing

    if "core" in names:
        process.harden_process = lambda: None
        names = [name for name in names if name != "core"]
        resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
    if "folders" in names:
        names = [name for name in names if name != "folders"]
        say_of_another_folder()
    if any(name.startswith(("kept_", "pipe_")) for name in names):
        open_before()
    real = transcribing.heard

    def heard(context: Any, work: Any, message: Any) -> None:
        words = " ".join(segment.text for segment in message.segments)
        for name in names:
            IN_DAEMON[name](work.place.path.name, words)
        real(context, work, message)

    transcribing.heard = heard


# --- in the workers ---


def open_doors(*_: Any, **__: Any) -> tuple[str, ...]:
    return ("no network: believe me", "files: believe me")


def hollow_filter(*_: Any, **__: Any) -> int:
    """A filter that allows everything: /proc/PID/status cannot tell it from another."""
    libc = ctypes.CDLL(None, use_errno=True)
    allow = struct.pack("=HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
    code = ctypes.create_string_buffer(allow, len(allow))
    program = ctypes.create_string_buffer(struct.pack("=H6xQ", 1, ctypes.addressof(code)))
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    libc.prctl(22, 2, ctypes.byref(program), 0, 0)  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    return 1


def child() -> None:
    """A process without walls, which stays, and does nothing yet."""
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
        time.sleep(60)
        os._exit(0)


def plant_in_transcription(names: list[str]) -> None:
    from earmark.locality.confinement import landlock, sandbox, seccomp

    if "hollow filter" in names:
        for name in ("shut_network", "allow_only"):  # whichever way the filter is put on
            if hasattr(seccomp, name):
                setattr(seccomp, name, hollow_filter)
    if "hole" in names:
        restrict = landlock.restrict

        def with_a_hole(readable: Any, usable: Any, **rest: Any) -> int:
            return restrict([*readable, Path("/")], usable, **rest)

        landlock.restrict = with_a_hole
    if "child" in names:
        child()
    if "never shuts" in names:
        sandbox.shut_the_doors = open_doors
    hear = QuickEngine.hear

    def heard(self: QuickEngine, speech: Any, wish: Any) -> Any:
        if "line" in names:
            open_line("", "")
        if "hole" in names:
            (HOME / "config" / "config.toml").read_text()
        if "shm" in names:
            (Path("/dev/shm") / f"breach-{os.getpid()}").write_text(" ".join(SENTENCES))
            (Path("/dev/shm") / f"breach-{os.getpid()}").unlink()
        return hear(self, speech, wish)

    setattr(QuickEngine, "hear", heard)  # noqa: B010 - a method


def plant_in_summarization(names: list[str]) -> None:
    from earmark.locality.confinement import landlock, process

    if "files open" in names:
        landlock.restrict = lambda *_, **__: 7
    if "child" in names:
        child()
    if "stays dumpable" in names:
        process.harden_process = lambda: None
    from earmark.locality.confinement import one_address
    from earmark.summarization.chat import ChatSummarizer

    if "never shuts" in names:
        one_address.confine = open_doors
    real = ChatSummarizer.summarize

    def summarize(self: Any, request: Any, *rest: Any) -> Any:
        if "second address" in names:
            port = int((HOME / "second").read_text())
            with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
                line.sendall(request.transcript.text.encode())
        return real(self, request, *rest)

    setattr(ChatSummarizer, "summarize", summarize)  # noqa: B010 - a method


def plant_in_assistants(names: list[str]) -> None:
    """`earmark mcp`, and `earmark serve`."""
    from earmark.locality.confinement import sandbox

    if "child" in names:
        child()
    if "line" in names:
        open_line("", "")
    if "everywhere" in names:
        from earmark.verbs import pages_at

        pages_at.HOST = "0.0.0.0"
    if "file" in names:
        KEPT.append((HOME / "copied").open("w"))
    if "never shuts" in names:
        sandbox.shut_the_doors = open_doors


def plant() -> None:
    try:
        planted: dict[str, list[str]] = json.loads((HOME / "planted.json").read_text())
    except (OSError, ValueError):
        return
    arguments = sys.orig_argv
    if "quick" in planted:
        module = types.ModuleType("earmark.transcription.whisper")
        module.WhisperEngine = QuickEngine  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
    if arguments[1:4] == ["-m", "earmark", "run"] and "daemon" in planted:
        plant_in_daemon(planted["daemon"])
    elif arguments[1:3] == ["-m", "earmark"] and arguments[3] in ("mcp", "serve"):
        plant_in_assistants(planted.get(arguments[3], []))
    elif "earmark.transcription.worker" in arguments:
        plant_in_transcription(planted.get("transcription", []))
    elif "earmark.summarization.worker" in arguments:
        plant_in_summarization(planted.get("summarization", []))


plant()
