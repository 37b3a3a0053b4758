"""By what a server's certificate is checked on macOS, where the library would ask a service that no worker may ask."""

from __future__ import annotations

import contextlib
import platform
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest
import truststore
from earmark.locality.confinement import transport
from earmark.locality.policy.endpoint import Pinned
from earmark.summarization.connection import tls_fault
from earmark.summarization.streaming import NO_TRUST

CRYPTIC = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of a server called localhost, with its key in the same file."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed, so there is no certificate")
    file = tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", tmp_path / "key.pem", "-out", file,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + (tmp_path / "key.pem").read_bytes())
    return file


@pytest.fixture
def server(certificate: Path) -> Iterator[Pinned]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = listening.accept()
                with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as secret:
                    secret.recv(65536)
                    secret.sendall(CRYPTIC)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        threading.Thread(target=answer, args=(listening,), daemon=True).start()
        yield Pinned(f"https://127.0.0.1:{port}/v1", "localhost", "127.0.0.1", port, "device")
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.shows("privacy:macos-certificates")
@pytest.mark.parametrize("lists", ["Python's", "Apple's", "none"])
def test_a_worker_checks_a_certificate_by_a_list_in_a_file_and_asks_no_service(
    server: Pinned, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lists: str
) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    library = httpx2.create_ssl_context(trust_env=False)
    assert isinstance(library, truststore.SSLContext), "what asks trustd"

    monkeypatch.setattr(transport.authorities, "__defaults__", ("darwin",))
    here = {
        name: str(certificate if name == lists else tmp_path / "none") for name in ("Python's", "Apple's")
    }
    paths = SimpleNamespace(openssl_cafile=here["Python's"], openssl_capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setattr(transport, "APPLES_LIST", here["Apple's"])
    monkeypatch.setattr(
        truststore.SSLContext, "wrap_bio", lambda *_, **__: pytest.fail("a service was asked")
    )
    with transport.http_client(server, 5.0) as client:
        if lists == "none":
            with pytest.raises(httpx2.ConnectError) as refused:
                client.get(f"{server.root_url}/v1/models")
            assert tls_fault(refused.value) == NO_TRUST
        else:
            assert client.get(f"{server.root_url}/v1/models").json() == {}
