"""What a knock may do, by which the daemon looks whether a summary server has come back: connect, and send nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from earmark.locality.policy.addresses import literal, scope_of
from earmark.proof.running.reach import LOOKUPS, RESOLVERS, Reach, is_resolver
from earmark.proof.running.seen import Act, Process, Seen
from earmark.proof.running.setting import Setting, plain, shown

DOES = "looks only whether a server listens where summaries go, and sends nothing"

_STARTED = ("-I", "-S")
"""How knocking.py starts it: with nothing of anybody's environment."""


def astray(seen: Seen, process: Process, setting: Setting) -> Iterator[str]:
    """What a knock was told or did that it may not."""
    told = [a for a in process.arguments[4:] if not a.startswith("--allowed=")]
    if process.arguments[1:3] != _STARTED:
        yield "it was not started as the daemon starts one"
    yield from (f"it was told to look at {a}" for a in told if a not in setting.knocks)
    told = [a for a in told if a in setting.knocks]
    named = any(literal(_host(a)) is None for a in told)
    reach = Reach(replace(setting, named=named))
    for row in process.sockets:
        table, _, remote = row.partition(" ")
        asks = named and (table == "netlink" or is_resolver(remote, setting))
        if not (table == "unix" or asks or reach.allowed_row(row) or _is_told(remote, told, setting)):
            yield f"it is connected to {row}"
    for act in seen.by(process.pid, "connect", "aim", "send", "bind"):
        if act.done and not _may(act, named, told, reach):
            did = {"connect": "connected to", "aim": "aimed at", "send": "sent to", "bind": "listens at"}
            yield f"it {did[act.what]} {act.about}"
    for where in seen.said:
        pid, _, target = where.partition(" ")
        if pid == str(process.pid) and target.startswith("socket") and not _asks(target, named, setting):
            yield f"it sent something by its {target}"


def _may(act: Act, named: bool, told: Sequence[str], reach: Reach) -> bool:
    if act.what == "bind":
        return named and act.about.startswith("AF_NETLINK")  # which addresses this machine has
    if act.what == "send":
        lookup = (
            act.about == "AF_NETLINK"
            or is_resolver(act.about, reach.setting)
            or act.about.startswith(RESOLVERS)
        )
        return act.about.startswith(LOOKUPS) or (named and lookup)
    return _is_told(act.about, told, reach.setting) or reach.allowed(act, before=True)


def _is_told(address: str, told: Sequence[str], setting: Setting) -> bool:
    """Whether it was told of this address and port, which is this device or where summaries may go."""
    where = plain(address)
    ip, port = literal(_host(where)), where.rpartition(":")[2]
    if ip is None:
        return False
    near = scope_of(ip) == "device" or where in {plain(shown(*pinned)) for pinned in setting.pinned}
    of_a_name = any(literal(_host(a)) is None and a.rpartition(":")[2] == port for a in told)
    return near and (of_a_name or where in {plain(a) for a in told})


def _asks(target: str, named: bool, setting: Setting) -> bool:
    """Whether what was written to this socket is a question for an address. A unix socket is judged by where it leads."""
    table, _, remote = target.removeprefix("socket ").partition(" ")
    return table == "unix" or (named and (table == "netlink" or is_resolver(remote, setting)))


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
