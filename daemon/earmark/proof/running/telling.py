"""How processes and what they did are told, in claims about them."""

from __future__ import annotations

from earmark.proof.running.seen import Act, Process


def pids_of(pids: list[int]) -> str:
    """`pid 7, 9`."""
    return f"pid {', '.join(map(str, pids))}"


def did(act: Act) -> str:
    """The beginning of a sentence about something that was done with a socket."""
    return {
        "connect": "it connected to",
        "aim": "it aimed at",
        "send": "it sent to",
        "bind": "it listens at",
    }[act.what]


def command(process: Process) -> str:
    """Its command line, or what is known of it."""
    return " ".join(process.arguments)[:120] or process.program or "a program"
