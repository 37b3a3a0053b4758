"""Where a URL really ends, decided before anything is sent."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest
from earmark.errors import PrivacyError
from earmark.locality.confinement.sockets import address_and_port
from earmark.locality.policy.endpoint import NameNotFound, resolve_endpoint, scope_of
from earmark.locality.policy.forwarding import ask_endpoint
from earmark.summarization.connection import unanswered
from earmark.summarization.servers import Reply
from hypothesis import given
from hypothesis import strategies as st


def answering(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that always says the same, in the shape of `socket.getaddrinfo`."""

    def resolve(host: str, port: int, **options: object) -> list[tuple[Any, ...]]:
        if not addresses:
            raise socket.gaierror("unknown")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]

    return resolve


def test_localhost_is_pinned_to_an_address_and_keeps_its_name_for_the_host_header() -> None:
    pinned = resolve_endpoint("http://localhost:1234/v1", resolver=answering("::1", "127.0.0.1"))
    assert pinned.base_url == "http://127.0.0.1:1234/v1"
    assert (pinned.host, pinned.host_header, pinned.scope) == ("localhost", "localhost:1234", "device")
    assert pinned.others == ("::1",)
    assert pinned.at("::1").base_url == "http://[::1]:1234/v1"


def test_a_url_without_a_path_gets_the_usual_one() -> None:
    assert resolve_endpoint("http://127.0.0.1:11434").base_url == "http://127.0.0.1:11434/v1"
    assert (
        resolve_endpoint("http://127.0.0.1:11434/openai/v1/").base_url == "http://127.0.0.1:11434/openai/v1"
    )


@pytest.mark.shows("privacy:loopback-names")
@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.20",
        "10.0.0.3",
        "8.8.8.8",
        "fe80::1",
        "2001:4860:4860::8888",
        "100.101.102.103",
        "0.0.0.0",
        "169.254.1.1",
    ],
)
def test_one_address_outside_the_device_is_enough_to_refuse(address: str) -> None:
    with pytest.raises(PrivacyError, match="not on this device"):
        resolve_endpoint("http://model.local:1234/v1", resolver=answering("127.0.0.1", address))


def test_an_ipv4_address_in_ipv6_clothes_is_judged_as_what_it_is() -> None:
    assert resolve_endpoint("http://x/v1", resolver=answering("::ffff:127.0.0.1")).scope == "device"
    with pytest.raises(PrivacyError):
        resolve_endpoint("http://x/v1", resolver=answering("::ffff:8.8.8.8"))


def test_an_address_has_one_spelling_whatever_the_resolver_and_python_call_it() -> None:
    found = resolve_endpoint(
        "http://x/v1", resolver=answering("::ffff:127.0.0.1", "127.0.0.1", "::ffff:7f00:2")
    )
    assert (found.base_url, found.others) == ("http://127.0.0.1:80/v1", ("127.0.0.2",))
    with pytest.raises(PrivacyError, match=r"is at 8\.8\.8\.8, "):
        resolve_endpoint("http://x/v1", resolver=answering("::ffff:808:808"))


def test_the_kernels_tables_are_read_in_the_same_spelling() -> None:
    words = struct.unpack("=4I", bytes(10) + b"\xff\xff\x7f\0\0\1")
    column = "".join(f"{word:08X}" for word in words) + ":1F90"
    assert address_and_port(column) == ("127.0.0.1", 8080)


def test_lan_needs_the_host_named_and_a_private_address() -> None:
    home = answering("192.168.1.20")
    with pytest.raises(PrivacyError, match="allowed_hosts"):
        resolve_endpoint("http://nas:1234/v1", "lan", resolver=home)
    assert resolve_endpoint("http://NAS:1234/v1", "lan", ["nas"], resolver=home).scope == "lan"
    with pytest.raises(PrivacyError, match="outside the local network"):
        resolve_endpoint("http://nas:1234/v1", "lan", ["nas"], resolver=answering("8.8.8.8"))


def test_the_cloud_needs_the_host_named_and_tls() -> None:
    far = answering("8.8.8.8")
    assert (
        resolve_endpoint("https://api.example.com/v1", "cloud", ["api.example.com"], resolver=far).scope
        == "cloud"
    )
    with pytest.raises(PrivacyError, match="TLS"):
        resolve_endpoint("http://api.example.com/v1", "cloud", ["api.example.com"], resolver=far)
    with pytest.raises(PrivacyError, match="allowed_hosts"):
        resolve_endpoint("https://api.example.com/v1", "cloud", resolver=far)


@pytest.mark.parametrize("url", ["", "localhost:1234", "ftp://localhost/", "http://", "http://user:secret@localhost/v1",
                                 "http://localhost:99999/v1", "file:///etc/passwd"])  # fmt: skip
def test_a_url_that_cannot_be_judged_is_refused_without_showing_a_secret(url: str) -> None:
    with pytest.raises(PrivacyError) as refused:
        resolve_endpoint(url)
    assert "secret" not in str(refused.value)


def test_a_name_that_does_not_resolve_is_told_as_that() -> None:
    with pytest.raises(NameNotFound, match="does not resolve"):
        resolve_endpoint("http://nowhere.invalid/v1", resolver=answering())


@given(st.ip_addresses())
def test_only_loopback_is_ever_called_the_device(address: Any) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert (scope_of(address) == "device") == (mapped or address).is_loopback


# --- does it forward? ---


def server(answers: dict[str, Any]) -> Callable[..., Reply | None]:
    return lambda path, body=None: Reply(200, answers[path]) if path in answers else Reply(404)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (None, "unverified"),
        ({"enabled": False}, "device"),
        ({"status": "disconnected"}, "device"),
        ({"status": "connected", "devices": []}, "device"),
        ({"something": "else"}, "unverified"),
        ("text", "unverified"),
    ],
)
def test_lm_studio_is_believed_as_far_as_its_tool_tells(status: object, verdict: str) -> None:
    assert ask_endpoint("lm-studio", "m", server({}), lambda: status) == verdict


@pytest.mark.parametrize(
    "status", [{"enabled": True, "devices": ["desktop"]}, {"status": "connected", "peers": [{"a": 1}]}]
)
def test_a_linked_lm_studio_is_refused_with_what_to_turn_off(status: object) -> None:
    with pytest.raises(PrivacyError, match="LM Link"):
        ask_endpoint("lm-studio", "m", server({}), lambda: status)


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "glm-4.6:cloud"])
def test_a_cloud_model_is_known_by_its_name(name: str) -> None:
    with pytest.raises(PrivacyError, match="runs in the cloud"):
        ask_endpoint("ollama", name, server({}))


def test_a_cloud_model_in_disguise_is_known_by_its_remote_host() -> None:
    with pytest.raises(PrivacyError):
        ask_endpoint("ollama", "mine", server({"/api/show": {"remote_host": "https://ollama.com:443"}}))
    with pytest.raises(PrivacyError):
        ask_endpoint(
            "ollama", "mine", server({"/api/tags": {"models": [{"name": "mine", "remote_model": "gpt-oss"}]}})
        )


def test_an_ollama_that_does_not_answer_is_unverified() -> None:
    assert ask_endpoint("ollama", "m", lambda path, body=None: None) == "unverified"
    assert ask_endpoint("ollama", "m", server({"/api/show": {"details": {}}})) == "device"
    assert ask_endpoint("ollama", "m", server({"/api/status": {"cloud": {"disabled": True}}})) == "device"


@pytest.mark.shows("macos:local-network")
@pytest.mark.parametrize(
    ("address", "system", "says"),
    [("192.168.1.20", "darwin", True), ("127.0.0.1", "darwin", False), ("192.168.1.20", "linux", False)],
)
def test_that_macos_may_keep_the_service_from_the_local_network_is_said_where_that_can_be(
    address: str, system: str, says: bool
) -> None:
    pinned = resolve_endpoint(f"http://{address}:11434/v1", "lan", (address,))
    said = unanswered(pinned, system)
    assert said.startswith(f"no summary server answers at {address} port 11434")
    assert ("System Settings, Privacy & Security, Local Network" in said) is says
