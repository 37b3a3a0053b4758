"""A port of this device behind which another machine answers: the program that listens is looked at before any word."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from earmark.config import Config
from earmark.errors import PrivacyError
from earmark.locality.confinement.listener import who_listens
from earmark.locality.policy.consent import Consent, fingerprint_of, written
from earmark.locality.policy.forwarding import Verdict, ask_listener
from earmark.messages import Confine
from earmark.proof.claims import configured_endpoint
from earmark.summarization.connection import connect

from tests.spoken import request
from tests.stub_server import Ollama, Stub, running

pytestmark = pytest.mark.shows("privacy:tunnels")

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tables are Linux's")

PIPE = """
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536): b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError: pass
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    one, _ = server.accept()
    other = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for pair in ((one, other), (other, one)): threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@contextmanager
def held_by(name: str, stub: Stub, folder: Path) -> Iterator[str]:
    """The stub's URL behind a program of this name, which stands in for the real one and hands every connection on."""
    program = folder / name
    program.symlink_to(os.path.realpath(sys.executable))
    port = stub.url.split(":")[2].split("/")[0]
    with subprocess.Popen([program, "-I", "-c", PIPE, port], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def summarized(url: str, **options: Any) -> dict[str, Any]:
    """The last word of a real, confined worker."""
    lines = Confine(endpoint=url, **options).line() + request(url, **options).line()
    done = subprocess.run(
        [sys.executable, "-m", "earmark.summarization.worker"],
        input=lines,
        capture_output=True,
        timeout=60,
        check=False,
    )
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return last


@linux_only
def test_a_tunnel_gets_no_words(tmp_path: Path) -> None:
    with running(Ollama()) as stub, held_by("ssh", stub, tmp_path) as url:
        said = summarized(url)
        assert stub.requests == []
    assert (said["type"], said["fault"]) == ("failed", "locality")
    assert "is held by ssh, which hands connections on to another machine" in said["sentence"]


@linux_only
def test_a_tunnel_that_is_allowed_is_named_in_the_note(tmp_path: Path) -> None:
    with running(Ollama()) as stub, held_by("kubectl", stub, tmp_path) as url:
        hosts = ("api.example.com",)
        with pytest.raises(PrivacyError, match="earmark privacy allow"):
            connect(url, privacy="cloud", allowed_hosts=hosts)
        consent = written(Consent(fingerprint_of("cloud", url, hosts), "cloud"))
        assert connect(url, privacy="cloud", allowed_hosts=hosts, consent=consent).locality == "cloud"
        with pytest.raises(PrivacyError, match="kubectl"):
            connect(url, privacy="lan", allowed_hosts=hosts)


@linux_only
def test_behind_a_relay_no_server_is_believed_that_it_is_here(tmp_path: Path) -> None:
    with running(Ollama()) as stub:
        assert connect(stub.url).locality == "device"
        with held_by("docker-proxy", stub, tmp_path) as url:
            assert connect(url).locality == "unverified"


@linux_only
def test_a_listener_is_known_by_its_program(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = who_listens("127.0.0.1", server.getsockname()[1])
    assert found is not None
    assert found["certain"] is True
    assert any("python" in name for name in found["names"])  # type: ignore[attr-defined]
    assert who_listens("127.0.0.1", 1) is None
    if socket.has_dualstack_ipv6():
        with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
            for ip in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
                assert who_listens(ip, server.getsockname()[1])
    assert who_listens("127.0.0.1", 80, tmp_path) is None


ELSEWHERE = """
set -e
ip link set lo up
unshare -n "$1" -c '
import subprocess, time
from tests.stub_server import Ollama, running
subprocess.run(["ip", "link", "set", "lo", "up"])
with running(Ollama(), 1234): time.sleep(99)' >/dev/null & far=$!
trap 'kill $far' EXIT
until grep -q ':04D2 00000000:0000 0A' /proc/$far/net/tcp; do kill -0 $far; sleep 0.05; done
ip link add v0 type veth peer name v1 netns $far
there() { nsenter -t $far -n "$@"; }
both='for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done
for f in /proc/sys/net/ipv4/conf/*/route_localnet /proc/sys/net/ipv4/conf/*/accept_local; do echo 1 >$f; done
ip rule add pref 10 lookup local
ip rule del pref 0'
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
there ip addr add 192.0.2.2/24 dev v1
there ip link set v1 up
sh -c "$both"
there sh -c "$both"
ip rule add pref 5 ipproto tcp dport 1234 lookup 100
ip route add 127.0.0.1 via 192.0.2.2 dev v0 table 100
"$1" -c 'from tests.integration.test_tunnels import *; tell_of_elsewhere()'
ip route replace 127.0.0.1 via 192.0.2.2 dev v0 src 127.0.0.1 table 100
there ip rule add pref 5 ipproto tcp sport 1234 lookup 100
there ip route add 127.0.0.1 via 192.0.2.1 dev v1 table 100
"$1" -c 'from tests.integration.test_tunnels import *; tell_of_elsewhere()'
"""
"""A network in which 127.0.0.1 port 1234 is another machine's, by a rule of the routing (ip-rule(8)): first so that the
connection begins at another address, then so that it begins at loopback, as with a rule of the firewall.
"""


def tell_of_elsewhere() -> None:
    """For a process of its own in that network: what the worker says, and what the check."""
    url = "http://127.0.0.1:1234/v1"
    config = Config.model_validate({"summary": {"endpoint": url}})
    print(json.dumps([summarized(url), asdict(configured_endpoint(config))]))  # noqa: T201


@linux_only
@pytest.mark.shows("privacy:another-machine", "privacy:nobody-listens")
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ip"), reason="only root makes networks")
def test_a_loopback_address_that_is_another_machine_gets_no_words_where_that_shows() -> None:
    """Where it does not, as with a container's published port to which the firewall leads, note and check do not know."""
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", ELSEWHERE, "sh", sys.executable],
        capture_output=True, text=True, timeout=90, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    if not done.stdout:
        pytest.skip(f"no such network can be made here: {done.stderr[-300:]}")
    (shown, found), (hidden, unknown) = map(json.loads, done.stdout.splitlines())
    assert (shown["type"], shown["fault"]) == ("failed", "locality")
    assert "127.0.0.1 port 1234 is another machine by a rule of this one's routing" in shown["sentence"]
    assert (found["held"], found["detail"]) == (False, shown["sentence"])
    assert hidden["summary"]["locality"] == "unverified"
    assert unknown["held"] is None
    assert "no program of this machine listens there" in unknown["detail"]


def listens(*names: str, certain: bool = True) -> dict[str, Any]:
    return {"names": list(names), "certain": certain}


def test_a_tunnel_of_somebody_else_is_known_by_the_port_that_it_was_started_with() -> None:
    found = {"names": ["bash"], "certain": False, "mentions": ["ssh", "vim"]}
    with pytest.raises(PrivacyError, match="held by ssh"):
        ask_listener(found, "ollama", "device", "localhost port 1234")


@pytest.mark.parametrize(
    ("found", "kind", "verdict"),
    [
        (None, "ollama", "unverified"),
        (listens("ollama"), "ollama", "device"),
        (listens("python3.11"), "ollama", "device"),
        (listens("nginx"), "ollama", "unverified"),
        (listens("docker-proxy"), "localai", "unverified"),
        (listens("ollama", "ollama_llama_server", certain=False), "ollama", "device"),
        (listens("bash", "python3", certain=False), "ollama", "unverified"),
        (listens("ollama", "ssh", certain=False), "ollama", "unverified"),
    ],
)
def test_a_server_is_believed_as_far_as_its_program_is_known(found: Any, kind: str, verdict: Verdict) -> None:
    assert ask_listener(found, kind, "device", "localhost port 1") == verdict
    assert ask_listener(found, kind, "unverified", "localhost port 1") == "unverified"
