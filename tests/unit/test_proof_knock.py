"""How `earmark privacy check` judges the process by which the daemon looks whether a summary server has come back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from earmark.locality.confinement import knock
from earmark.proof.outcome import Outcome
from earmark.proof.running.rules import Judge
from earmark.proof.running.seen import Act, Process, Seen
from earmark.proof.running.setting import Setting
from earmark.supervisor.knocking import knock_addresses

PYTHON = "/usr/bin/python3"
LOCAL = ("127.0.0.1:1234", "[::1]:1234")


def judged(
    *acts: tuple[str, str],
    told: Sequence[str] = LOCAL,
    by: int = 1,
    endpoint: str = "http://localhost:1234/v1",
    how: Sequence[str] = ("-I", "-S"),
    **more: str,
) -> dict[str, Outcome]:
    """All claims about a daemon (1), its summarization worker (2) and a knock (4) of `by` that did this. Its server's
    name leads to 127.0.0.1, and one that it knocks at in the network was allowed.
    """
    seen = Seen(True, "", began=0.0, ended=1.0)
    for pid, parent, arguments in (
        (1, 0, (PYTHON, "-m", "earmark", "run")),
        (2, 1, (PYTHON, "-m", "earmark.summarization.worker")),
        (4, by, (PYTHON, *how, knock.__file__, *told)),
    ):
        seen.processes[pid] = Process(pid, parent, arguments, PYTHON, looks=1)
    seen.processes[4].sockets = [more["row"]] if "row" in more else []
    seen.acts = [Act(i, 4, what, about, True) for i, (what, about) in enumerate(acts)]
    seen.said = {f"4 {more['wrote']}": ""} if "wrote" in more else {}
    pinned = (("127.0.0.1", 1234), ("192.168.7.7", 1234))
    knocks = tuple(knock_addresses(endpoint, "lan"))
    setting = Setting(
        1,
        (Path("/drop"),),
        Path("/state"),
        pinned,
        named="localhost" in endpoint,
        knocks=knocks,
        resolvers=("192.0.2.53",),
    )
    return {o.claim: o for o in Judge(seen, setting).claims()}


def failed(claims: dict[str, Outcome]) -> dict[str, str]:
    return {claim: o.detail for claim, o in claims.items() if o.held is False}


AWAY, NAMED = "http://192.168.7.7:1234/v1", "http://box.lan:1234/v1"


@pytest.mark.shows("privacy:knock")
@pytest.mark.parametrize(
    ("acts", "told", "endpoint"),
    [
        ([("connect", "127.0.0.1:1234"), ("connect", "[::1]:1234")], LOCAL, "http://localhost:1234/v1"),
        ([("connect", "192.168.7.7:1234")], ["--allowed=192.168.7.7", "192.168.7.7:1234"], AWAY),
        (
            [
                ("connect", "unix /run/systemd/resolve/io.systemd.Resolve"), ("aim", "192.0.2.53:53"),
                ("send", "192.0.2.53:53"), ("aim", "192.168.7.7:1234"), ("connect", "192.168.7.7:1234"),
            ],
            ["--allowed=192.168.7.7", "box.lan:1234"],
            NAMED,
        ),
    ],
)  # fmt: skip
def test_a_knock_where_the_daemon_may_look_is_no_breach(
    acts: list[tuple[str, str]], told: Sequence[str], endpoint: str
) -> None:
    claims = judged(*acts, told=told, endpoint=endpoint)
    assert failed(claims) == {}
    (own,) = [o for claim, o in claims.items() if claim.startswith("The running knock (pid 4) looks only")]
    assert own.held
    assert [
        claim for claim in claims if "with its helpers" in claim and "4" in claim.partition(" reaches")[0]
    ] == []


def test_a_knock_that_is_only_looked_at_is_no_breach_either() -> None:
    assert failed(judged(row="tcp6 [::1]:1234")) == {}


@pytest.mark.shows("privacy:knock")
@pytest.mark.parametrize(
    ("act", "told", "said"),
    [
        (("connect", "127.0.0.1:9"), LOCAL, "connected to 127.0.0.1:9"),
        (("connect", "192.0.2.1:1234"), LOCAL, "connected to 192.0.2.1:1234"),
        (
            ("connect", "127.0.0.1:9"),
            ["127.0.0.1:9"],
            "told to look at 127.0.0.1:9; it connected to 127.0.0.1:9",
        ),
        (("connect", "unix /run/bus"), LOCAL, "connected to unix /run/bus"),
        (("aim", "192.0.2.54:53"), ["localhost:1234"], "aimed at 192.0.2.54:53"),
        (("send", "192.0.2.54:53"), ["localhost:1234"], "sent to 192.0.2.54:53"),
        (("aim", "192.0.2.53:53"), LOCAL, "aimed at 192.0.2.53:53"),
        (("send", "127.0.0.1:1234"), LOCAL, "sent to 127.0.0.1:1234"),
        (("bind", "127.0.0.1:80"), LOCAL, "listens at 127.0.0.1:80"),
    ],
)
def test_a_knock_elsewhere_is_a_breach(act: tuple[str, str], told: Sequence[str], said: str) -> None:
    (claim,) = (found := failed(judged(act, told=told)))
    assert "running knock (pid 4)" in claim
    assert said in found[claim]


@pytest.mark.shows("privacy:knock")
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"wrote": "socket tcp 127.0.0.1:1234"}, "sent something by its socket tcp 127.0.0.1:1234"),
        ({"wrote": "socket:[7]"}, "sent something by its socket:[7]"),
        ({"row": "tcp 192.0.2.1:80"}, "connected to tcp 192.0.2.1:80"),
    ],
)
def test_a_knock_that_sends_anything_is_a_breach(more: dict[str, str], said: str) -> None:
    (detail,) = failed(judged(**more)).values()  # type: ignore[arg-type]
    assert said in detail


def test_a_knock_that_is_started_in_another_way_is_a_breach() -> None:
    (detail,) = failed(judged(how=("-B", "-S"))).values()
    assert "not started as the daemon starts one" in detail


def test_what_a_worker_starts_under_that_name_is_held_to_what_its_helpers_may() -> None:
    (claim,) = failed(judged(("connect", "[::1]:1234"), by=2))
    assert "with its helpers" in claim
