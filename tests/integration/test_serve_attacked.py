"""`earmark serve` and those who should get nothing from it: other sites, other programs, requests that never end."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from earmark.paths import platform_home
from earmark.proof.outcome import Outcome
from earmark.proof.running.beside import commands_of

from tests.conftest import in_memory, wait_for
from tests.integration.test_privacy_beside import looked_at
from tests.integration.test_privacy_breaches import PLANTED, Row, follows, missed
from tests.pages_rig import Pages, serving
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)

PATIENCE = (1.5, 1.5)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with in_memory() as root:
        world = World(root)
        World.made.remove(world)
        world.record("talk.m4a", said="a purple walrus")
        yield world
        world.ledger.close()


@pytest.fixture(scope="module")
def pages(world: World) -> Iterator[Pages]:
    with serving(world.root, patience=PATIENCE) as found:
        found.enter()
        yield found


def is_well(pages: Pages) -> bool:
    return "talk.m4a" in pages.get("recordings").text


@pytest.mark.shows("serve:host")
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}",
     "0.0.0.0:{port}", "127.1:{port}", "2130706433:{port}", "127.0.0.1:{port}@evil.example", "localhost.:{port}", "",
     "127.0.0.1:{port}, evil.example"],
)  # fmt: skip
def test_whoever_asks_by_another_name_gets_nothing(pages: Pages, host: str) -> None:
    answer = pages.get("recordings", Host=host.format(port=pages.port))
    assert (answer.status, b"walrus" in answer.body, b"talk" in answer.body) == (421, False, False)


@pytest.mark.shows("serve:host")
def test_a_request_with_no_host_or_two_gets_nothing(pages: Pages) -> None:
    for hosts in ("", f"Host: {pages.host}\r\nHost: evil.example\r\n"):
        for version in ("1.0", "1.1"):
            with pages.line() as line:
                line.sendall(
                    f"GET {pages.base}recordings HTTP/{version}\r\n{hosts}Cookie: {pages.cookie}\r\n\r\n".encode()
                )
                said = line.recv(65536)
            assert said.split()[1] in (b"400", b"421")
            assert b"talk.m4a" not in said
    assert pages.get("recordings", Host=f"localhost:{pages.port}").status == 200


@pytest.mark.shows("serve:origin")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost:{port}"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "audio"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
    ],
)  # fmt: skip
def test_what_another_site_has_the_browser_ask_is_refused(pages: Pages, headers: dict[str, str]) -> None:
    sent = {name: value.format(port=pages.port) for name, value in headers.items()}
    for path in ("recordings", f"enter?{pages.link().partition('?')[2]}"):
        answer = pages.get(path, **sent)
        assert (answer.status, b"talk" in answer.body, "set-cookie" in answer.headers) == (403, False, False)
        assert "access-control-allow-origin" not in answer.headers
    own = {"Origin": f"http://{pages.host}", "Sec_Fetch_Site": "same-origin"}
    assert pages.get("recordings", **own).status == 200


@pytest.mark.shows("serve:opened")
def test_another_local_page_can_have_a_page_opened_and_nothing_else(pages: Pages) -> None:
    opened = {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    answer = pages.get("recordings", **opened)
    assert answer.status == 200
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"
    for other in ({"Sec_Fetch_Mode": "cors"}, {"Sec_Fetch_Dest": "iframe"}, {"Origin": "http://127.0.0.1:1"}):
        assert pages.get("recordings", **(opened | other)).status == 403, other
    for path in ("enter", "enter?until=1&seal=x"):
        refused = pages.ask(pages.base + path)
        assert (refused.status, "This link is too old, or none of ours" in refused.text) == (403, True)


@pytest.mark.shows("serve:cookie")
def test_without_the_right_cookie_every_path_is_refused_alike(pages: Pages, world: World) -> None:
    right = pages.cookie.partition("=")[2]
    recording = world.place("talk.m4a").recording_id
    paths = [
        "",
        "recordings",
        f"recordings/{recording}",
        f"sound/{recording}",
        "privacy",
        "page.css",
        "nothing",
        "recordings/0",
    ]
    for cookie in (
        "", "earmark=", "earmark=wrong", f"earmark={right[:-1]}", f"earmark={right}0", f"earmark={right.upper()}",
        f"other={right}", f"earmark=x; other={right}", '"', "earmark=%C3%A9", ";;;=", f"earmark={'x' * 3000}",
    ):  # fmt: skip
        answers = {pages.ask(pages.base + path, Cookie=cookie)[::2] for path in paths}
        assert answers == {(403, b"These pages are opened with the link that `earmark open` prints.\n")}, (
            cookie
        )
    for path in (
        "/",
        "/recordings",
        "/favicon.ico",
        "//",
        f"/{pages.base}",
        "/0123456789abcdef/recordings",
        pages.base[:-1],
    ):
        assert pages.ask(path, Cookie=pages.cookie).status == 403, path
    assert pages.ask(pages.base + "recordings", Cookie=f"other=1; {pages.cookie}; more=2").status == 200


@pytest.mark.shows("serve:paths")
def test_no_path_leads_out_of_the_pages(pages: Pages) -> None:
    for path in (
        "../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//....//etc/passwd",
        "page.css/../../../pages/gate.py", "page.css%00.js", "static/page.css", "templates/frame.html", "..\\..\\secret",
        "%c0%ae%c0%ae/etc/passwd", "sound/../../state/serve.key", "sound/%2e%2e%2fserve.key", "recordings//etc/passwd",
        "%ff%fe", "recordings/%0d%0aSet-Cookie:%20x=1", "x" * 3000,
    ):  # fmt: skip
        answer = pages.get(path)
        assert answer.status in (403, 404), path
        assert b"root:" not in answer.body
        assert "x=1" not in answer.headers.get("set-cookie", "")
    assert pages.get("recordings?folder=" + "x" * 5000).status == 414


@pytest.mark.shows("serve:reads-only")
@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"]
)
def test_whatever_would_act_is_refused(pages: Pages, method: str) -> None:
    with pages.line() as line:
        line.sendall(
            f"{method} {pages.base}recordings HTTP/1.1\r\nHost: {pages.host}\r\nCookie: {pages.cookie}\r\n\r\n".encode()
        )
        said = line.recv(65536).decode()
    assert said.split()[1] == "405"
    assert "allow: GET, HEAD\r\n" in said.lower().replace("get, head", "GET, HEAD")
    assert "connection: close" in said.lower()
    head = pages.ask(pages.base + "recordings", "HEAD", Cookie=pages.cookie)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(pages.get("recordings").body)


@pytest.mark.shows("serve:reads-only")
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("how", ["Content-Length: 10000000000", "Transfer-Encoding: chunked"])
def test_ten_gigabytes_are_refused_before_they_are_sent(pages: Pages, method: str, how: str) -> None:
    """Nobody waits for them: the answer comes after the headers, and the connection ends."""
    with pages.line() as line:
        line.sendall(
            f"{method} {pages.base} HTTP/1.1\r\nHost: {pages.host}\r\nCookie: {pages.cookie}\r\n{how}\r\n\r\n".encode()
        )
        said = b""
        while more := line.recv(65536):
            said += more
        assert said.split()[1] == (b"405" if method == "POST" else b"413")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50 << 20:
                sent += line.send(bytes(65536))
        assert sent < 50 << 20
    assert is_well(pages)


@pytest.mark.shows("serve:patience")
@pytest.mark.parametrize(
    "begin",
    [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 50],
)
def test_a_request_that_never_ends_is_ended(pages: Pages, begin: bytes) -> None:
    """Also one of which a byte comes now and then."""
    with pages.line() as line:
        line.sendall(begin)
        began, ended = time.monotonic(), False
        while not ended and time.monotonic() - began < 30:
            if select.select([line], [], [], 0.2)[0]:
                with contextlib.suppress(ConnectionError):
                    line.recv(65536)
                ended = True
            elif begin:
                with contextlib.suppress(ConnectionError):
                    line.send(b"x")
    assert ended
    assert is_well(pages)


@pytest.mark.shows("serve:patience")
def test_a_request_after_another_on_the_same_line_has_to_end_too(pages: Pages) -> None:
    with pages.line() as line:
        request = f"GET {pages.base}page.css HTTP/1.1\r\nHost: {pages.host}\r\nCookie: {pages.cookie}\r\n\r\n".encode()
        line.sendall(request)
        assert line.recv(65536).startswith(b"HTTP/1.1 200")
        line.sendall(request[:-2])
        line.settimeout(20)
        while line.recv(65536):
            pass
    assert is_well(pages)


@pytest.mark.shows("serve:patience")
def test_headers_without_end_and_a_request_that_is_none_are_refused(pages: Pages) -> None:
    for begin in (
        b"GET / HTTP/1.1\r\nA: ",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"\0" * 100,
        b"G" * 100_000,
    ):
        with pages.line() as line:
            with contextlib.suppress(ConnectionError):
                line.sendall(begin)
                for _ in range(100):
                    line.sendall(b"x" * 1000)
            with contextlib.suppress(ConnectionError):
                said = line.recv(65536)
                assert said == b"" or said.split()[1] == b"400"
    assert is_well(pages)


@pytest.mark.shows("serve:patience")
def test_who_does_not_take_the_answer_is_let_go(pages: Pages, world: World) -> None:
    place = world.record("long.wav", audio=bytes(64 << 20))
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", pages.port))
        path = f"{pages.base}sound/{place.recording_id}"
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {pages.host}\r\nCookie: {pages.cookie}\r\n\r\n".encode())

        def has_ended() -> bool:
            try:
                line.send(b"G")
            except ConnectionError:
                return True
            return False

        wait_for(has_ended, 30, "the end of the connection")
    assert is_well(pages)


@pytest.mark.shows("serve:many")
def test_two_hundred_at_once_are_answered_and_as_many_who_say_nothing_keep_nobody_out(pages: Pages) -> None:
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: pages.get("recordings"), range(200)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    lines = [pages.line() for _ in range(200)]
    try:
        assert is_well(pages)
    finally:
        for line in lines:
            line.close()


@pytest.mark.shows("serve:many")
def test_ten_thousand_recordings_are_listed_by_little_work_and_little_memory(root: Path) -> None:
    """Processor time, not seconds by the clock: other tests run beside it."""
    many(World(root))
    with serving(root) as pages:
        pages.enter()
        for path in ("", "recordings?tag=x", "search?q=walrus", "models", "privacy", "recordings?skip=9000"):
            assert pages.get(path).status == 200, path
        before = worked(pages)
        for _ in range(10):
            assert pages.get("recordings").text.count("<li>") == 50
        assert (worked(pages) - before) / 10 < 0.1
        with ThreadPoolExecutor(50) as pool:
            assert {a.status for a in pool.map(lambda _: pages.get("recordings"), range(50))} == {200}
        assert own_memory(pages) < 80_000


def many(world: World) -> None:
    """One recording, and nine thousand nine hundred and ninety-nine more like it."""
    first = world.record("r.m4a", said="the purple walrus sings").recording_id
    also = {"id": "printf('%064x', n)", "path": "CAST(printf('%s/%d/r%05d.m4a', folder, n % 20, n) AS BLOB)",
            "recorded_at": "recorded_at + 3600 * n"}  # fmt: skip
    db = world.ledger.db
    with world.ledger.transaction():
        for table in ("recordings", "places", "jobs", "transcripts", "summaries"):
            names = [row["name"] for row in db.all(f"SELECT name FROM pragma_table_info('{table}')")]
            key = "id" if table == "recordings" else "recording_id"
            if table == "jobs":
                names.remove("id")
            new = also | {key: also["id"]}
            db.execute(
                "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 9999)"
                f" INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(new.get(n, n) for n in names)}"
                f" FROM more, {table} WHERE {key} = ?",
                (first,),
            )
    assert world.ledger.shelf.count() == 10_000


def worked(pages: Pages) -> float:
    import psutil

    times = psutil.Process(pages.process.pid).cpu_times()
    return float(times.user + times.system)


def own_memory(pages: Pages) -> int:
    """KiB that are its own, and neither a library's nor a file's."""
    try:
        lines = Path(f"/proc/{pages.process.pid}/status").read_text().splitlines()
    except OSError:
        pytest.skip("the system does not say how much memory is a process's own")
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


PLANTS = [
    Row("never shuts", r"running earmark serve \(.* is held", "no system-call filter"),
    Row(
        "line",
        r"running earmark serve \(.* listens at 127\.0\.0\.1 only",
        r"had a socket: udp 192\.0\.2\.1:9",
    ),
    Row(
        "everywhere",
        r"running earmark serve \(.* listens at 127\.0\.0\.1 only",
        r"had a socket: tcp listens 0\.0\.0\.0:\d",
    ),
    Row("file", "earmark serve and its workers .* have nothing open", r"can write to .*/copied"),
    Row("child", "running earmark serve .* starts its workers and no other", r"started pid \d+"),
]


@pytest.mark.shows("privacy:pages", "serve:checked")
@follows
def test_each_breach_in_what_serves_pages_is_noticed_by_the_claim_that_it_breaks(root: Path) -> None:
    world = World(root)
    (root / "planted.json").write_text(json.dumps({"serve": [row.breach for row in PLANTS]}))
    with serving(world.root, PYTHONPATH=str(PLANTED)):
        found = looked_at(world.root)
    assert missed(PLANTS, found) == [], [asdict(o) for o in found]


@pytest.mark.shows("privacy:pages", "serve:checked")
@follows
def test_sound_pages_pass_while_a_browser_reads_them(root: Path) -> None:
    world = World(root)
    world.record("talk.m4a", said="a purple walrus")
    with serving(root) as pages, ThreadPoolExecutor(1) as pool, pages.line() as line:
        pages.enter()
        assert [c.verb for c in commands_of(platform_home({"EARMARK_HOME": str(root)}))] == ["serve"]
        line.sendall(f"GET {pages.base}page.css HTTP/1.1\r\nHost: {pages.host}\r\n".encode())
        checked = pool.submit(looked_at, world.root)
        while not checked.done():
            assert is_well(pages)
            assert pages.get("search?q=walrus").status == 200
        found: list[Outcome] = checked.result()
    assert [o for o in found if o.held is not True] == []
    claim = f"The running earmark serve (pid {pages.process.pid}) listens at 127.0.0.1 only, and connects to nothing"
    assert claim in [o.claim for o in found]
