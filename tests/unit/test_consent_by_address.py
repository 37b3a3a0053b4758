"""Words leave for the address that was allowed, whatever it is called: judged on what is about to be connected to."""

from __future__ import annotations

import dataclasses
import socket
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from earmark.config import Config
from earmark.errors import PrivacyError
from earmark.locality.confinement import knock
from earmark.locality.confinement.one_address import pinned_addresses
from earmark.locality.policy.addresses import scope_of, widest
from earmark.locality.policy.consent import (
    Consent,
    consent_in,
    fingerprint,
    host_away,
    missing_consent,
    written,
)
from earmark.locality.policy.destination import destination, permitted
from earmark.locality.policy.endpoint import Resolver
from earmark.locality.policy.snapshot import snapshot
from earmark.supervisor.knocking import allowed_away
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_policy_page import FACTS
from tests.unit.test_summary_endpoint import answering

pytestmark = pytest.mark.shows("privacy:by-address", "privacy:consent")


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        ("127.0.0.1", "device"), ("127.8.9.1", "device"), ("::1", "device"), ("::ffff:127.0.0.1", "device"),
        ("192.168.1.5", "lan"), ("10.0.0.1", "lan"), ("172.17.0.1", "lan"), ("172.31.255.255", "lan"),
        ("169.254.7.7", "lan"), ("100.64.0.1", "lan"), ("100.127.255.255", "lan"), ("fe80::1", "lan"),
        ("fe80::1%eth0", "lan"), ("fd7a:115c:a1e0::1", "lan"), ("::ffff:192.168.1.5", "lan"),
        ("0.0.0.0", "cloud"), ("::", "cloud"), ("::ffff:0.0.0.0", "cloud"), ("255.255.255.255", "cloud"),
        ("8.8.8.8", "cloud"), ("172.32.0.1", "cloud"), ("100.128.0.1", "cloud"), ("2001:4860::1", "cloud"),
        ("64:ff9b::7f00:1", "cloud"), ("64:ff9b:1::7f00:1", "cloud"), ("64:ff9b::c0a8:105", "cloud"),
        ("2001::1", "cloud"), ("2002:7f00:1::", "cloud"), ("::127.0.0.1", "cloud"), ("::1%eth0", "cloud"),
        ("::ffff:8.8.8.8", "cloud"), ("224.0.0.1", "cloud"), ("ff02::1", "cloud"), ("192.0.2.1", "cloud"),
        ("198.18.0.1", "cloud"), ("192.0.0.170", "cloud"), ("2001:db8::1", "cloud"), ("240.0.0.1", "cloud"),
    ],
)  # fmt: skip
def test_what_an_address_is_decides_how_far_away_it_is(address: str, scope: str) -> None:
    assert scope_of(ip_address(address)) == scope


def test_the_address_that_is_furthest_away_counts() -> None:
    assert widest([ip_address("127.0.0.1"), ip_address("192.168.1.5")]) == "lan"
    assert widest([ip_address("192.168.1.5"), ip_address("8.8.8.8"), ip_address("::1")]) == "cloud"
    assert widest([]) == "cloud"


def lan(endpoint: str = "http://box.localhost:1234/v1", privacy: str = "lan") -> Config:
    host = endpoint.split("/")[2].rsplit(":", 1)[0].strip("[]")
    return Config.model_validate(
        {"privacy": privacy, "summary": {"endpoint": endpoint, "allowed_hosts": [host]}}
    )


def addresses(config: Config, consent: str, resolver: Resolver) -> tuple[str, ...]:
    """What a worker with this configuration could connect to."""
    summary = config.summary
    found = pinned_addresses(summary.endpoint, config.privacy, summary.allowed_hosts, (), resolver, consent)
    return tuple(ip for ip, _ in found)


def consent(config: Config, resolver: Resolver) -> str:
    """What `earmark privacy allow` writes down."""
    end = destination(config, None, resolver)
    assert end is not None
    return written(Consent(fingerprint(config), end.scope or "cloud", end.addresses))


NAMES = [
    "localhost",
    "box.localhost",
    "a.b.localhost",
    "LOCALHOST",
    "box",
    "box.lan",
    "127.0.0.1.nip.example",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_ends_on_the_network_gets_no_words_without_consent_whatever_it_is_called(
    name: str,
) -> None:
    config, box = lan(f"http://{name}:1234/v1"), answering("192.168.1.20")
    assert addresses(config, "", box) == ()
    with pytest.raises(PrivacyError, match="earmark privacy allow"):
        permitted(config.summary.endpoint, config.privacy, config.summary.allowed_hosts, "", box)
    assert addresses(config, consent(config, box), box) == ("192.168.1.20",)


@pytest.mark.parametrize(
    "also", ["192.168.1.20", "8.8.8.8", "::ffff:192.168.1.20", "100.100.1.1", "0.0.0.0", "fe80::1%2"]
)
def test_one_address_away_beside_loopback_needs_consent_for_all(also: str) -> None:
    for privacy in ("device", "lan", "cloud"):
        config = lan("https://box.localhost:1234/v1", privacy)
        assert addresses(config, "", answering("127.0.0.1", also)) == ()


def test_loopback_needs_no_consent_by_whatever_setting() -> None:
    for privacy in ("device", "lan", "cloud"):
        config = lan("http://box.localhost:1234/v1", privacy)
        assert addresses(config, "", answering("127.0.0.1", "::1")) == ("127.0.0.1", "::1")
        assert missing_consent(config, None) is None


def test_without_tls_another_address_is_asked_about_again_with_both_addresses() -> None:
    config = lan("http://nas.lan:1234/v1")
    given_then = consent(config, answering("192.168.1.20"))
    assert addresses(config, given_then, answering("192.168.1.20")) == ("192.168.1.20",)
    assert addresses(config, given_then, answering("127.0.0.1")) == ("127.0.0.1",)
    assert addresses(config, given_then, answering("192.168.1.20", "192.168.1.21")) == ()
    with pytest.raises(PrivacyError, match=r"192\.168\.1\.66 now; you allowed it at 192\.168\.1\.20"):
        permitted(config.summary.endpoint, "lan", ["nas.lan"], given_then, answering("192.168.1.66"))


@pytest.mark.parametrize("spelled", ["::ffff:192.168.1.20", "::ffff:c0a8:114", "192.168.1.20"])
def test_an_address_that_was_allowed_is_the_same_however_it_was_spelled(spelled: str) -> None:
    config = lan("http://nas.lan:1234/v1")
    given_then = written(Consent(fingerprint(config), "lan", (spelled,)))
    for found in ("192.168.1.20", "::ffff:192.168.1.20"):
        assert addresses(config, given_then, answering(found)) == ("192.168.1.20",)
    with pytest.raises(PrivacyError, match=r"you allowed it at 192\.168\.1\.20, "):
        permitted(config.summary.endpoint, "lan", ["nas.lan"], given_then, answering("192.168.1.21"))


def test_with_tls_an_address_may_change_but_not_to_further_away() -> None:
    config = lan("https://nas.lan/v1", "cloud")
    given_then = consent(config, answering("192.168.1.20"))
    assert addresses(config, given_then, answering("192.168.1.66")) == ("192.168.1.66",)
    assert addresses(config, given_then, answering("8.8.8.8")) == ()
    far = consent(config, answering("8.8.8.8"))
    assert addresses(config, far, answering("9.9.9.9")) == ("9.9.9.9",)


def test_consent_that_was_given_before_addresses_were_written_down_is_asked_for_again_without_tls() -> None:
    config, box = lan("http://nas.lan:1234/v1"), answering("192.168.1.20")
    assert missing_consent(config, fingerprint(config)) is None
    assert addresses(config, fingerprint(config), box) == ()
    tls = lan("https://nas.lan/v1", "cloud")
    assert addresses(tls, fingerprint(tls), answering("8.8.8.8")) == ("8.8.8.8",)


def test_consent_to_one_configuration_is_none_for_another() -> None:
    one, two = lan("http://nas.lan:1234/v1"), lan("http://nas.lan:1235/v1")
    box = answering("192.168.1.20")
    assert addresses(two, consent(one, box), box) == ()
    for nonsense in ("{}", "[]", "null", '{"fingerprint": 1}', "x"):
        assert addresses(one, nonsense, box) == ()
        assert consent_in(nonsense) is not None
    assert consent_in("") is None


def test_a_name_that_was_unknown_when_it_was_allowed_is_asked_about_when_it_is_known() -> None:
    config = lan("http://nas.lan:1234/v1")
    assert addresses(config, consent(config, answering()), answering("192.168.1.20")) == ()


def test_a_literal_address_is_judged_by_nobody_but_us() -> None:
    def never(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise AssertionError("a literal was looked up")

    assert addresses(lan("http://127.0.0.1:1/v1"), "", never) == ("127.0.0.1",)
    assert addresses(lan("http://[::1]:1/v1"), "", never) == ("::1",)
    assert addresses(lan("http://192.168.1.5:1/v1"), "", never) == ()
    assert host_away(lan("http://192.168.1.5:1/v1")) == "192.168.1.5"


@pytest.mark.shows("readme:leaves")
@given(st.lists(st.ip_addresses(), min_size=1, max_size=4), st.sampled_from(["device", "lan", "cloud"]))
def test_without_consent_nothing_but_loopback_is_ever_connected_to(found: list[Any], privacy: str) -> None:
    config = lan("https://box.localhost:1234/v1", privacy)
    for ip in addresses(config, "", answering(*map(str, found))):
        assert scope_of(ip_address(ip)) == "device"


# --- the page ---


def page(config: Config, resolver: Callable[..., Any], allowed: str | None = None) -> Any:
    end = destination(config, allowed, resolver)
    return snapshot(
        config, dataclasses.replace(FACTS, destination=end, consent=end is not None and end.allowed)
    )


def test_the_page_says_where_a_local_sounding_name_ends() -> None:
    config, box = lan(), answering("192.168.1.20")
    made = page(config, box)
    assert made.quick.zero_data_retention.startswith(
        "not known: transcripts are sent to box.localhost (192.168.1.20)"
    )
    (summaries,) = [o for o in made.operations if o.name.startswith("summaries by")]
    assert (summaries.where, summaries.connects_to) == ("local network", "box.localhost (192.168.1.20)")
    assert "not allowed yet" in summaries.sends
    allowed = page(config, box, consent(config, box))
    assert "allowed by you" in next(o for o in allowed.operations if o.name.startswith("summaries by")).sends


def test_the_page_says_what_stays_here_and_what_is_refused() -> None:
    here = page(lan(), answering("127.0.0.1"))
    assert here.quick.zero_data_retention.startswith("yes")
    refused = page(lan(privacy="device"), answering("192.168.1.20"))
    (summaries,) = [o for o in refused.operations if o.name.startswith("summaries by")]
    assert summaries.sends.startswith("nothing: ")
    assert "192.168.1.20" in summaries.sends


def test_a_name_that_nobody_knows_now_counts_as_away_on_the_page() -> None:
    made = page(lan(), answering())
    assert made.quick.zero_data_retention.startswith("not known")
    assert snapshot(lan(), FACTS).quick.zero_data_retention.startswith("not known")


# --- the knock ---


def test_a_knock_goes_to_loopback_or_to_what_was_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(socket, "getaddrinfo", answering("192.168.1.20"))
    for allowed in ("", "device", "192.168.1.2", "10.0.0.1,192.168.1.21"):
        assert not knock.answers("box.localhost:1234", allowed)
    assert tried == []
    for allowed in ("192.168.1.20", "10.0.0.1,::ffff:192.168.1.20", "lan", "cloud"):
        knock.answers("box.localhost:1234", allowed)
    assert tried == ["192.168.1.20"] * 4
    monkeypatch.setattr(socket, "getaddrinfo", answering("127.0.0.1", "8.8.8.8"))
    knock.answers("box.localhost:1234", "lan")
    assert len(tried) == 4


def test_what_may_be_knocked_at_is_what_was_allowed_for_this_configuration() -> None:
    plain, tls = lan("http://nas.lan:1/v1"), lan("https://nas.lan/v1", "cloud")
    box = answering("192.168.1.20")
    assert allowed_away(plain, consent(plain, box)) == ["--allowed=192.168.1.20"]
    assert allowed_away(tls, consent(tls, box)) == ["--allowed=lan"]
    assert allowed_away(plain, None) == allowed_away(plain, consent(tls, box)) == []
    assert allowed_away(lan(privacy="device"), consent(lan(privacy="device"), box)) == []


def test_the_knock_needs_nothing_but_the_standard_library() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for address, status in ((f"127.0.0.1:{port}", 0), (f"localhost:{port}", 0), ("127.0.0.1:1", 1)):
            command = [sys.executable, "-I", "-S", str(Path(knock.__file__)), address]
            assert subprocess.run(command, env={}, check=False).returncode == status


def test_a_server_here_that_may_hand_words_on_is_on_the_page_once_that_was_allowed() -> None:
    config = lan("http://localhost:1234/v1", "cloud")
    end = destination(config, None, answering("127.0.0.1"))
    quiet = snapshot(config, dataclasses.replace(FACTS, destination=end))
    assert quiet.quick.zero_data_retention.startswith("yes")
    made = snapshot(config, dataclasses.replace(FACTS, destination=end, handing_on=True, consent=True))
    assert made.quick.zero_data_retention.startswith(
        "not known: transcripts are sent to localhost (on this device"
    )
    (summaries,) = [o for o in made.operations if o.name.startswith("summaries by")]
    assert summaries.where == "cloud"
