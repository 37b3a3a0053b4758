"""A name that sounds like this device and is mapped to another address, with a real daemon in a network of its own.

Needs root and `unshare` (a mount namespace for /etc/hosts, a network namespace with an address that is not loopback).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import QUICK, Installation
from tests.stub_server import LlamaCpp, running

pytestmark = pytest.mark.shows("privacy:by-address")

HERE = Path(__file__).resolve().parents[2]

NAMESPACES = ["unshare", "--mount", "--net"]


def can_unshare() -> bool:
    return (
        os.geteuid() == 0
        and shutil.which("unshare") is not None
        and shutil.which("ip") is not None
        and subprocess.run([*NAMESPACES, "true"], capture_output=True, check=False).returncode == 0
    )


BOX, OTHER = "192.168.77.7", "192.168.77.8"


def inside(root: Path) -> None:
    """What happens in the namespaces; what was found goes to found.json."""
    for command in (
        ["link", "set", "lo", "up"],
        *(["addr", "add", f"{ip}/32", "dev", "lo"] for ip in (BOX, OTHER)),
    ):
        subprocess.run(["ip", *command], check=True)
    hosts = root / "hosts"

    def mapped(ip: str) -> None:
        hosts.write_text(f"127.0.0.1 localhost\n{ip} box.localhost\n")

    mapped(BOX)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    made = Installation(root)
    found: dict[str, str | int] = {}

    def run(recording: Path | None = None) -> str:
        if recording is not None:
            made.earmark("resummarize", recording)
        assert made.earmark("run", "--once", made.folder).returncode == 0
        waiting = made.status()["wants_better_summary"]
        return str(waiting[0]["reason"]) if waiting else ""

    with running(LlamaCpp(), 1234, BOX) as box, running(LlamaCpp(), 1234, OTHER) as other:
        allowed = "'http://box.localhost:1234/v1'\nallowed_hosts = ['box.localhost']"
        made.folder.mkdir()
        recording = made.drop()
        for privacy in ("device", "lan"):
            made.configure(f"privacy = '{privacy}'\n" + QUICK.replace("'none'", allowed))
            found[privacy] = run(recording if privacy == "lan" else None)
            found[f"page {privacy}"] = made.earmark("privacy", "--format", "json").stdout
        found["test"] = made.earmark("summary", "test").stdout
        found["before"] = len(box.paths)
        found["allow"] = made.earmark("privacy", "allow", "--yes").stdout
        found["allowed"] = run()
        found["sent"] = len(box.requests)
        found["page allowed"] = made.earmark("privacy", "--format", "json").stdout
        mapped(OTHER)
        found["moved"] = run(recording)
        found["elsewhere"] = len(other.paths)
        mapped("127.0.0.1")
        found["back"] = run(recording)
    (root / "found.json").write_text(json.dumps(found))


@pytest.mark.speech
@pytest.mark.skipif(not can_unshare(), reason="needs root, unshare and ip")
def test_a_name_below_localhost_that_ends_on_the_network_is_asked_about_and_only_that_address_is_reached(
    tmp_path: Path,
) -> None:
    code = f"from {__name__} import inside; from pathlib import Path; inside(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [*NAMESPACES, sys.executable, "-c", code],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert "192.168.77.7, which is not on this device" in found["device"]
    assert "box.localhost at 192.168.77.7" in found["lan"]
    assert "earmark privacy allow" in found["lan"]
    assert found["lan"] in found["test"]
    assert found["before"] == 0, "nobody was connected to before it was allowed"

    pages = {
        name: json.loads(found[f"page {name}"])["quick"]["zero_data_retention"]
        for name in ("device", "lan", "allowed")
    }
    assert pages["device"].startswith("yes")
    assert "sent to box.localhost (192.168.77.7)" in pages["lan"]
    assert "192.168.77.7" in found["allow"]

    assert found["allowed"] == ""
    assert found["sent"] > 0
    assert "box.localhost is at 192.168.77.8 now; you allowed it at 192.168.77.7" in found["moved"]
    assert found["elsewhere"] == 0
    assert "no summary server answers at box.localhost" in found["back"]
