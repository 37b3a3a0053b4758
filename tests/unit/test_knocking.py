"""Where the daemon looks for a summary server that may have come back."""

from __future__ import annotations

import ipaddress

import pytest
from earmark.supervisor.knocking import knock_addresses
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("endpoint", "addresses"),
    [
        ("none", []),
        ("http://localhost:1234/v1", ["127.0.0.1:1234", "[::1]:1234"]),
        ("http://127.0.0.2:80/v1", ["127.0.0.2:80"]),
        ("http://[::1]:9/v1", ["[::1]:9"]),
        ("https://localhost/v1", ["127.0.0.1:443", "[::1]:443"]),
        ("http://example.org/v1", []),
        ("http://192.0.2.7:1234/v1", []),
        ("http://localhost.example.org:1234/v1", []),
    ],
)
def test_in_device_privacy_only_loopback_is_knocked_at(endpoint: str, addresses: list[str]) -> None:
    assert knock_addresses(endpoint, "device") == addresses


def test_a_named_host_is_knocked_at_only_when_the_configuration_goes_that_far() -> None:
    assert knock_addresses("http://studio.lan:1234/v1", "lan") == ["studio.lan:1234"]


@given(st.ip_addresses())
def test_no_address_but_loopback_is_ever_knocked_at(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    assert bool(knock_addresses(f"http://{host}:1234/v1", "device")) == address.is_loopback
