"""Each claim of the policy page, tried: on this machine, with this configuration, by real processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from earmark.config import Config, api_key
from earmark.errors import ConfigError, PrivacyError
from earmark.files import why
from earmark.locality.confinement.listener import nobody_listens
from earmark.locality.policy.destination import destination
from earmark.locality.policy.endpoint import resolve_endpoint
from earmark.paths import Home
from earmark.proof.installation import modes, supervisor_sockets, words_elsewhere
from earmark.proof.listeners import trap
from earmark.proof.outcome import Outcome
from earmark.proof.running.commands import Beside
from earmark.proof.running.fresh import real_worker
from earmark.proof.running.leftovers import SCRATCH, scratch_place
from earmark.proof.running.prove import Running
from earmark.proof.walls import WALLS, hostile_environment, walls
from earmark.verbs.opening import watched_folders


def check_everything(
    config: Config,
    home: Home,
    words: Sequence[str] = (),
    running: Running | None = None,
    recording: bool = True,
    nobody: str = "",
    beside: Beside | None = None,
) -> Iterator[Outcome]:
    """Try every claim, one after the other. `words`: phrases that were said, to look for where they must not be; those of
    this check's own recording are looked for, too.

    `running`: the daemon that runs, if one does; with `recording` it is given one to hear.
    `nobody`: why no daemon is looked at. `beside`: commands that run, which are watched meanwhile.
    """
    if beside is not None:
        beside.begin()
    if running is not None:
        yield from running.prove(recording)
    else:
        yield nobody_runs(nobody)
    if beside is not None:
        yield from beside.claims()
    heard = running.phrases if running is not None else []
    yield from on_fresh_processes(config, home, [*words, *heard])


def nobody_runs(why: str = "") -> Outcome:
    """What is not known without a daemon, or where it was not looked at."""
    found = why or "no daemon is running"
    return Outcome(
        "The running daemon and its workers keep to all this",
        None,
        f"{found}; what follows was tried on processes started for this check; "
        "sockets, files and log of a daemon at work were not looked at",
    )


def on_fresh_processes(config: Config, home: Home, words: Sequence[str]) -> Iterator[Outcome]:
    """What is tried from inside, by processes that are started for it."""
    yield from _as_far_as_it_goes(
        "Processes started for this check keep to what the daemon's keep to", _in_scratch(config, home)
    )
    yield modes(config, home)
    yield words_elsewhere(home, words)


def _in_scratch(config: Config, home: Home) -> Iterator[Outcome]:
    """What needs a folder for temporary files. Raises OSError if none can be made."""
    place = tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir=scratch_place())
    with place as scratch:
        yield from _as_far_as_it_goes(
            "Processes with the walls of each worker, started for this check, cannot get out",
            _reaching_out(config, Path(scratch)),
        )
        yield from _as_far_as_it_goes(
            "The real transcription worker, started for this check, cannot open a recording outside the drop folders",
            (real_worker(config, home, watched_folders(home, config), Path(scratch)) for _ in "1"),
        )
        yield addresses_are_judged()
        yield configured_endpoint(config)
        yield from _as_far_as_it_goes(
            "A daemon started for this check on an empty folder opens no socket but the service manager's",
            (supervisor_sockets(Path(scratch)) for _ in "1"),
        )


def _as_far_as_it_goes(claim: str, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """These, and if the machine lacks something that they need, that this claim could not be tried."""
    try:
        yield from outcomes
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        yield Outcome(claim, None, f"it could not be tried: {why(error)}")


def _reaching_out(config: Config, scratch: Path) -> Iterator[Outcome]:
    """What needs somebody on loopback who would notice."""
    with ExitStack() as stack:
        try:
            caught = stack.enter_context(trap())
        except OSError as error:
            yield Outcome(
                "Processes with the walls of each worker, started for this check, cannot reach the network",
                None,
                f"nobody can be reached at 127.0.0.1, where they would be noticed ({error.strerror}); if loopback is down: "
                "ip link set lo up",
            )
            return
        for worker in WALLS:
            yield from walls(worker, config, caught, scratch)
        yield hostile_environment(caught, scratch)


def addresses_are_judged() -> Outcome:
    """`device` refuses every address that is not this device, and a name that has even one such address."""
    claim = 'With privacy = "device" only addresses of this device are accepted'

    def half_away(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", (ip, port)) for ip in ("127.0.0.1", "192.0.2.1")]

    wrong = []
    for url in (
        "http://192.0.2.1/v1",
        "http://10.0.0.1:1234/v1",
        "http://0.0.0.0:1234/v1",
        "http://half.example/v1",
    ):
        try:
            resolve_endpoint(url, "device", (), half_away if "half" in url else None)
            wrong.append(url)
        except PrivacyError:
            pass
    return Outcome(
        claim, not wrong, f"accepted: {', '.join(wrong)}" if wrong else "four others tried, all refused"
    )


NOBODY_LISTENS = (
    "no program of this machine listens there, so a rule of its firewall or its routes leads to who answers: a container "
    "of its own, or another machine; which cannot be known"
)


UNKNOWN_WHO = (
    "it is on this device; which program listens there this system does not tell (it has no /proc), so a tunnel to another "
    "machine would not be noticed"
)


def configured_endpoint(config: Config) -> Outcome:
    """Where the configured server is, and, if it answers, whether it says that it hands the words on."""
    claim = "The summary server is where the configuration lets it be"
    summary = config.summary
    if summary.endpoint == "none":
        return Outcome(claim, True, "no server is used")
    end = destination(config, None)
    if end is not None and end.refused:
        return Outcome(claim, True, f"it is not used: {end.refused}")
    if end is None or end.scope is None:
        return Outcome(claim, None, "its name does not resolve to any address now")
    from earmark.summarization.connection import connect
    from earmark.summarization.engine import SummaryFault

    if end.scope != "device":
        detail = (
            f"words go to {end.named} only after `earmark privacy allow`; what it does with them is not known"
        )
        return Outcome(claim, True, detail)
    try:
        key = api_key(config)
        found = connect(summary.endpoint, summary.model, key, config.privacy, summary.allowed_hosts, 20.0)
    except ConfigError as error:
        return Outcome(claim, None, str(error))
    except SummaryFault:
        return Outcome(claim, True, "it is on this device; nobody answers there now")
    except PrivacyError as error:
        return Outcome(claim, False, str(error))
    said = {
        "device": "it says that it does the work itself",
        "unverified": "it is on this device; whether it hands words on, no line of this check can tell",
    }
    nobody = nobody_listens(found.pinned.ip, found.pinned.port)
    if nobody is None:
        return Outcome(claim, None, f"{found.chat.where}: {UNKNOWN_WHO}")
    if nobody:
        return Outcome(claim, None, f"{found.chat.where}: {NOBODY_LISTENS}")
    return Outcome(claim, True, f"{found.chat.where}: {said.get(found.locality, found.locality)}")
