"""Everything that has made programs like this one connect somewhere unasked. None of it reaches the trap.

The trap is a listener on loopback that writes down who comes and what they ask for. The media traps run through the whole
daemon twice: as shipped, and with the sandbox off, so that neither of the two walls stands only because of the other. The
traps at the summary server's end run through the real worker process.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from earmark.messages import Confine
from markdown_it import MarkdownIt

from tests.conftest import QUICK, SAMPLE, Installation
from tests.spoken import request
from tests.stub_server import LlamaCpp, LMStudio, LocalAI, Ollama, Said, Stub, honest, running

pytestmark = pytest.mark.shows("privacy:traps")

TrapMaker = Callable[["Trap"], bytes]


@dataclass
class Trap:
    """Listens on TCP and UDP; `visits` are first lines of what came, so that each trap's name can be told."""

    visits: list[str] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)
    port: int = 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", self.port))
        self._open = [tcp, udp]
        threading.Thread(target=self._tcp, args=(tcp,), daemon=True).start()
        threading.Thread(target=self._udp, args=(udp,), daemon=True).start()

    def _tcp(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = server.accept()
                with line, contextlib.suppress(OSError):
                    line.settimeout(2)
                    self.visits.append(
                        line.recv(4096).split(b"\r\n")[0].decode(errors="replace") or "a connection"
                    )
                    line.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _udp(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.visits.append(f"a datagram of {len(server.recv(65536))} bytes")

    def stop(self) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def a_trap() -> Iterator[Trap]:
    made = Trap()
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def trap() -> Iterator[Trap]:
    with a_trap() as made:
        yield made


# --- recordings that are not what they seem ---


def hls(trap: Trap) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{trap.url('hls')}\n#EXT-X-ENDLIST\n".encode()


def hls_key(trap: Trap) -> bytes:
    return (
        f'#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{trap.url("hls-key")}"\n'
        f"#EXTINF:9,\n{trap.url('hls-part')}\n#EXT-X-ENDLIST\n"
    ).encode()


def plain_playlist(trap: Trap) -> bytes:
    return f"{trap.url('m3u')}\n".encode()


def pls(trap: Trap) -> bytes:
    return f"[playlist]\nFile1={trap.url('pls')}\nNumberOfEntries=1\n".encode()


def concat(trap: Trap) -> bytes:
    return f"ffconcat version 1.0\nfile '{trap.url('concat')}'\n".encode()


def concat_neighbour(trap: Trap) -> bytes:
    return b"ffconcat version 1.0\nfile neighbour.wav\n"


def sdp(trap: Trap) -> bytes:
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {trap.port} RTP/AVP 0\n".encode()


def dash(trap: Trap) -> bytes:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S">'
        f'<Period><BaseURL>{trap.url("dash")}</BaseURL><AdaptationSet mimeType="audio/mp4"><Representation id="1" '
        'bandwidth="1"><SegmentTemplate media="$Number$.m4s" initialization="i.mp4" duration="9"/></Representation>'
        "</AdaptationSet></Period></MPD>"
    ).encode()


def smil(trap: Trap) -> bytes:
    return f'<smil><body><audio src="{trap.url("smil")}"/></body></smil>'.encode()


def web_vtt(trap: Trap) -> bytes:
    return f'WEBVTT\n\nSTYLE\n::cue {{ background: url("{trap.url("vtt")}") }}\n\n00:00.000 --> 00:09.000\nhello\n'.encode()


def vob_sub(trap: Trap) -> bytes:
    """An index whose subtitles are in a neighbour of the same name."""
    return b"# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n"


def encoded(name: str, seconds: int = 2, **tags: str) -> bytes:
    """Two seconds of the sample as mp3, m4a or mkv, with these tags."""
    kind = {"mp3": ("mp3", "libmp3lame"), "m4a": ("ipod", "aac"), "mkv": ("matroska", "libopus")}[name]
    out = io.BytesIO()
    with av.open(str(SAMPLE)) as source, av.open(out, "w", format=kind[0]) as made:
        made.metadata.update(tags)
        stream: Any = made.add_stream(kind[1], rate=48000 if name == "mkv" else 44100)
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=stream.rate)
        for frame in source.decode(audio=0):
            if frame.time is not None and frame.time > seconds:
                break
            for piece in resampler.resample(frame):
                made.mux(stream.encode(piece))
        made.mux(stream.encode(None))
    return out.getvalue()


def id3_cover(trap: Trap) -> bytes:
    """An mp3 whose tag names its cover, its web page and its audio by URL (ID3v2.3: APIC with type "-->", WXXX, WOAF)."""
    url = trap.url("cover").encode()

    def frame(name: bytes, body: bytes) -> bytes:
        return name + struct.pack(">I", len(body)) + b"\0\0" + body

    frames = frame(b"APIC", b"\0-->\0\x03\0" + url) + frame(b"WXXX", b"\0\0" + url) + frame(b"WOAF", url)
    size = len(frames)
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + syncsafe + frames + encoded("mp3")


def external_reference(trap: Trap) -> bytes:
    """An m4a whose sound is said to be elsewhere: the `url ` entry of its dref names an address."""
    data = bytearray(encoded("m4a"))
    at = data.index(b"url \0\0\0\x01") - 4
    entry = b"url \0\0\0\0" + trap.url("dref").encode() + b"\0"
    new = struct.pack(">I", len(entry) + 4) + entry
    data[at : at + 12] = new
    grown = len(new) - 12
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        place = data.rindex(box, 0, at + 8) - 4
        data[place : place + 4] = struct.pack(">I", struct.unpack(">I", data[place : place + 4])[0] + grown)
    return bytes(data)


def mkv_with_addresses(trap: Trap) -> bytes:
    """A Matroska file whose tags are addresses, as players that fetch artwork and lyrics by them would read."""
    return encoded("mkv", title=trap.url("title"), cover_url=trap.url("cover"), lyrics=trap.url("lyrics"))


MEDIA: dict[str, TrapMaker] = {
    "hls.mp3": hls,
    "hls-key.m4a": hls_key,
    "playlist.mp3": plain_playlist,
    "playlist-pls.ogg": pls,
    "concat.mp3": concat,
    "concat-neighbour.mp3": concat_neighbour,
    "session.wav": sdp,
    "dash.mp4": dash,
    "smil.aac": smil,
    "subtitles.mp3": web_vtt,
    "vobsub.mp3": vob_sub,
    "cover.mp3": id3_cover,
    "reference.m4a": external_reference,
    "addresses.mkv": mkv_with_addresses,
}
"""By the name under which it is dropped."""

NAMES = (
    "http:127.0.0.1:{port}.wav",
    "tcp:127.0.0.1:{port}.mp3",
    "12:30 meeting.m4a",
    "concat:neighbour.wav|x.m4a",
    "-i.m4a",
)
"""Names that FFmpeg would take for an address, a protocol or an option."""

HEARD = {"cover.mp3", "reference.m4a", "addresses.mkv"}
"""Traps that are recordings all the same."""


@dataclass
class Sprung:
    """What came of dropping them all."""

    trap: Trap
    folder: Path
    status: dict[str, Any]
    log: str

    def reason(self, name: str) -> str:
        return next(
            (str(line["reason"]) for line in self.status["failed"] if Path(line["path"]).name == name), ""
        )


@pytest.fixture(scope="module", params=["auto", "off"], ids=["as-shipped", "sandbox-off"])
def sprung(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sprung]:
    made = Installation(tmp_path_factory.mktemp(f"traps-{request.param}"))
    made.configure(QUICK + f'[transcription]\nsandbox = "{request.param}"\n')
    made.folder.mkdir()
    with a_trap() as trap:
        for name, maker in MEDIA.items():
            (made.folder / name).write_bytes(maker(trap))
        for pattern in NAMES:
            (made.folder / pattern.format(port=trap.port)).write_bytes(encoded("m4a"))
        (made.folder / "neighbour.wav").write_bytes(
            b"RIFF"
        )  # it must not be opened on somebody else's behalf
        (made.folder / "vobsub.sub").write_bytes(b"\0" * 64)
        done = made.earmark("run", "--service", "--once", made.folder, timeout=200)
        yield Sprung(trap, made.folder, made.status(), done.stderr)


@pytest.mark.speech
@pytest.mark.parametrize("name", [name for name in MEDIA if name not in HEARD])
def test_a_file_that_points_elsewhere_is_refused_with_a_sentence_and_opens_nothing(
    sprung: Sprung, name: str
) -> None:
    assert sprung.reason(name), f"{name} should have failed: {sprung.log}"
    assert not (sprung.folder / f"{Path(name).stem}.transcript.md").exists()
    assert sprung.trap.visits == []


@pytest.mark.speech
@pytest.mark.parametrize("name", sorted(HEARD))
def test_a_recording_with_addresses_in_it_is_heard_and_none_is_visited(sprung: Sprung, name: str) -> None:
    assert (sprung.folder / f"{Path(name).stem}.transcript.md").exists(), sprung.reason(name)
    assert sprung.trap.visits == []


@pytest.mark.speech
@pytest.mark.parametrize("pattern", NAMES)
def test_a_name_that_looks_like_an_address_is_a_name(sprung: Sprung, pattern: str) -> None:
    name = pattern.format(port=sprung.trap.port)
    assert sprung.reason(name) == ""
    written = [p.name for p in sprung.folder.glob("*.transcript.md")]
    assert len(written) == len(HEARD) + len(NAMES), written
    assert sprung.trap.visits == []


def test_the_trap_catches_whoever_opens_such_a_file_carelessly(trap: Trap, tmp_path: Path) -> None:
    """The control: FFmpeg as libraries usually call it does fetch what the playlist names."""
    careless = tmp_path / "hls.m3u8"
    careless.write_bytes(hls(trap))
    with pytest.raises(av.FFmpegError):
        av.open(str(careless), options={"protocol_whitelist": "file,http,tcp", "extension_picky": "0"})
    assert any("/hls" in visit for visit in trap.visits)


# --- summary servers that are not what they seem ---


def worker(
    *lines: bytes, environ: dict[str, str] | None = None, prelude: str = ""
) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[bytes]]:
    """The real summarization worker; `prelude` is Python run in its process first."""
    start = "from earmark.summarization import worker; raise SystemExit(worker.main())"
    done = subprocess.run(
        [sys.executable, "-c", f"{prelude}\n{start}"],
        input=b"".join(lines), env={**os.environ, **(environ or {})}, capture_output=True, timeout=60,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()], done


def asked(stub: Stub, **options: Any) -> tuple[bytes, bytes]:
    """Confinement and one request for this stub."""
    return Confine(endpoint=stub.url).line(), request(stub.url, **options).line()


def words_sent(stub: Stub) -> int:
    return sum("budget" in json.dumps(body) for body in stub.requests)


@pytest.mark.shows("privacy:environment")
def test_a_server_that_redirects_is_not_followed(trap: Trap) -> None:
    class Redirecting(LlamaCpp):
        def chat(self, body: dict[str, Any]) -> Said:
            return Said(307, {}, headers={"Location": trap.url("redirected")})

    with running(Redirecting()) as stub:
        replies, _ = worker(*asked(stub))
        assert stub.requests
    assert replies[-1]["type"] == "failed"
    assert trap.visits == []


@pytest.mark.shows("privacy:environment")
def test_a_listing_that_redirects_is_not_followed_either(trap: Trap) -> None:
    class Redirecting(Stub):
        def get(self, path: str) -> Said:
            return Said(302, {}, headers={"Location": trap.url("listing")})

    with running(Redirecting()) as stub:
        worker(*asked(stub))
        assert stub.paths
    assert trap.visits == []


@pytest.mark.shows("privacy:environment")
@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
def test_proxy_variables_are_ignored(trap: Trap, case: Callable[[str], str]) -> None:
    hostile = dict.fromkeys(map(case, ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")), trap.url(""))
    with running(LlamaCpp()) as stub:
        replies, _ = worker(*asked(stub), environ={**hostile, "NO_PROXY": "", "no_proxy": ""})
    assert replies[-1]["type"] == "summarized"
    assert trap.visits == []


@pytest.mark.shows("privacy:environment")
def test_the_openai_variables_are_ignored(trap: Trap) -> None:
    hostile = {
        "OPENAI_BASE_URL": trap.url("v1"), "OPENAI_API_BASE": trap.url("v1"), "OPENAI_API_KEY": "sk-trap",
        "OPENAI_ORG_ID": "trap", "AZURE_OPENAI_ENDPOINT": trap.url(""),
    }  # fmt: skip
    with running(LlamaCpp()) as stub:
        replies, _ = worker(*asked(stub), environ=hostile)
        assert not any("sk-trap" in str(headers) or "trap" in str(headers) for headers in stub.headers)
    assert replies[-1]["type"] == "summarized"
    assert trap.visits == []


@pytest.mark.shows("privacy:environment")
def test_a_password_in_netrc_is_not_sent(trap: Trap, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    with running(LlamaCpp()) as stub:
        worker(*asked(stub), environ={"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")})
        sent = [
            value
            for headers in stub.headers
            for key, value in headers.items()
            if key.lower() == "authorization"
        ]
    assert not [value for value in sent if value.lower().startswith("basic")]


FLIPPING = """
import socket
from earmark.locality.confinement import doorway
answers = iter(["127.0.0.1"])
def resolver(host, port, *a, **k):
    ip = next(answers, "127.0.0.2")
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]
doorway._getaddrinfo = socket.getaddrinfo = resolver
"""


@pytest.mark.shows("privacy:loopback-names")
def test_a_name_that_changes_its_answer_still_ends_where_it_was_checked() -> None:
    """DNS rebinding, with a resolver that gives the right address once and another one ever after."""
    with running(LlamaCpp()) as stub:
        port = int(stub.url.split(":")[2].split("/")[0])
        with socket.create_server(("127.0.0.2", port)) as elsewhere:
            url = f"http://rebinding.example:{port}/v1"
            replies, done = worker(Confine(endpoint=url).line(), request(url).line(), prelude=FLIPPING)
            assert replies[-1]["type"] == "summarized", done.stderr
            elsewhere.setblocking(False)
            with pytest.raises(BlockingIOError):
                elsewhere.accept()
        assert stub.requests


@pytest.mark.shows("privacy:loopback-names")
def test_a_name_with_one_address_outside_is_refused_as_a_whole(trap: Trap) -> None:
    both = FLIPPING.replace('ip = next(answers, "127.0.0.2")', "").replace(
        'return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]',
        'return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ("127.0.0.1", "192.0.2.1")]',
    )
    url = f"http://two-faced.example:{trap.port}/v1"
    replies, _ = worker(Confine(endpoint=url).line(), request(url).line(), prelude=both)
    assert (replies[-1]["type"], replies[-1]["fault"]) == ("failed", "locality")
    assert trap.visits == []


@pytest.mark.shows("privacy:loopback-names")
@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1@127.0.0.1:{port}/v1",
        "file:///etc/passwd",
        "http://192.0.2.1:{port}/v1",
        "http://10.11.12.13:{port}/v1",
        "http://[::ffff:192.0.2.1]:{port}/v1",
        "http://0.0.0.0:{port}/v1",
    ],
)
def test_an_address_that_only_looks_local_is_refused(trap: Trap, url: str) -> None:
    where = url.format(port=trap.port)
    replies, _ = worker(Confine(endpoint=where).line(), request(where).line())
    assert (replies[-1]["type"], replies[-1]["fault"]) == ("failed", "locality")
    assert trap.visits == []


@pytest.mark.shows("privacy:handed-on")
@pytest.mark.parametrize(
    ("server", "model"),
    [
        (Ollama(), "gpt-oss:120b-cloud"),
        (Ollama(cloud="innocent:7b"), "innocent:7b"),
        (LocalAI(backend="cloud-proxy"), "gemma"),
        (LocalAI(peers=("peer-1",)), "gemma"),
    ],
    ids=["ollama-cloud-name", "ollama-remote-host", "localai-cloud-proxy", "localai-peers"],
)
def test_a_local_server_that_hands_words_on_gets_none(server: Stub, model: str) -> None:
    with running(server) as stub:
        replies, _ = worker(*asked(stub, model=model))
        assert stub.paths, "the server must at least have been asked"
        assert words_sent(stub) == 0
    assert (replies[-1]["type"], replies[-1]["fault"]) == ("failed", "locality")
    assert (
        "turn" in replies[-1]["sentence"]
        or "choose" in replies[-1]["sentence"]
        or "start it" in replies[-1]["sentence"]
    )


@pytest.mark.shows("privacy:handed-on")
def test_a_linked_lm_studio_gets_no_words_although_the_worker_may_start_no_programs(tmp_path: Path) -> None:
    """A stand-in for LM Studio's `lms`: the real one cannot run here. It is asked by a process of its own."""
    tool = tmp_path / "lms"
    tool.write_text('#!/bin/sh\necho \'{"status": "connected", "devices": [{"name": "workstation"}]}\'\n')
    tool.chmod(0o755)
    with running(LMStudio()) as stub:
        replies, _ = worker(*asked(stub), environ={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
        assert words_sent(stub) == 0
    assert (replies[-1]["type"], replies[-1]["fault"]) == ("failed", "locality")
    assert "LM Link" in replies[-1]["sentence"]


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_words(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed, so there is no certificate to distrust")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heard = []

    def answer(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = server.accept()
                with contextlib.suppress(OSError), context.wrap_socket(line, server_side=True) as secret:
                    heard.append(secret.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        url = f"https://localhost:{server.getsockname()[1]}/v1"
        replies, _ = worker(Confine(endpoint=url).line(), request(url).line())
        server.shutdown(socket.SHUT_RDWR)
    assert replies[-1]["type"] == "failed"
    assert "certificate that nobody here vouches for" in replies[-1]["sentence"]
    assert [data for data in heard if data] == []


@pytest.mark.speech
def test_a_remote_image_in_a_models_answer_does_not_become_one_in_the_note(
    installation: Installation, trap: Trap
) -> None:
    leak = f"![x]({trap.url('image')}?q=words) <img src='{trap.url('img')}'> [[{trap.url('wiki')}]] {trap.url('bare')}"

    def hostile(messages: list[dict[str, str]]) -> str:
        answer = json.loads(honest(messages))
        for point in (*answer.get("key_points", ()), *answer.get("decisions", ()), *answer.get("tasks", ())):
            point["text"] += " " + leak
        answer["title"] = leak
        answer["overview"] = f"{answer['overview']} {leak}"
        return json.dumps(answer)

    with running(LlamaCpp(hostile)) as stub:
        installation.configure(QUICK.replace("'none'", f"'{stub.url}'"))
        installation.drop()
        done = installation.earmark("run", "--once", installation.folder)
        assert stub.requests, done.stderr
    note = (installation.folder / "standup.md").read_text()
    body = re.sub(r"\A---\n.*?\n---\n", "", note, flags=re.DOTALL)
    tokens = [
        t
        for block in MarkdownIt("commonmark", {"html": True}).parse(body)
        for t in (block, *(block.children or ()))
    ]
    fetched = [
        t for t in tokens if t.type in ("image", "html_inline", "html_block") or "127.0.0.1" in str(t.attrs)
    ]
    assert fetched == []
    assert f"[[{trap.url('wiki')}" not in note
    assert trap.visits == []


def test_the_document_counts_these_traps() -> None:
    """docs/privacy.md says how many there are: as many as there are tests here, without this one and the control."""
    module = sys.modules[__name__]
    tests = [
        f
        for n, f in vars(module).items()
        if n.startswith("test_the_trap_catches") is False and n.startswith("test_")
    ]
    count = 0
    for test in tests:
        sizes = [len(m.args[1]) for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"]
        count += sizes[0] if sizes else 1
    count -= 1
    document = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
    stated = re.search(r"(\d+) traps", document.read_text())
    assert stated
    assert int(stated[1]) == count
