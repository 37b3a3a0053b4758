"""`earmark serve`: pages show what the ledger knows, without a script, and the sound of what is there."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from earmark.context import Clock
from earmark.domain import Segment
from earmark.errors import NotFound
from earmark.files import FileLock
from earmark.paths import platform_home
from earmark.search.indexing import bring_up_to_date
from earmark.verbs.pages_at import link_now

from tests.conftest import in_memory
from tests.integration.test_assistants import TRIED
from tests.pages_rig import Answer, Pages, earmark, environment, serving
from tests.retention_world import DAY, World

pytest_plugins = ("tests.retention_root",)

RULES = "[retention.audio]\nkeep_for = '20y'\n"
EVIL = "<script>alert(1)<‍script>.m4a"
SAID = 'The purple walrus & <img src=x onerror=alert(2)> "sings".'


def made(root: Path) -> World:
    """Recordings of three days in two folders."""
    (root / "config").mkdir()
    (root / "config" / "config.toml").write_text(RULES)
    world = World(root, {"audio": {"keep_for": "20y"}})
    timed = ((0.0, 0.4, 0), (0.5, 0.9, 4), (1.0, 1.6, 11))
    segments = (
        Segment(0.0, 2.0, "The purple walrus.", speaker=1, words=timed),
        Segment(2.0, 4.0, "It sings.", speaker=2),
    )
    world.record("calls/budget.m4a", segments=segments, speakers=("Sarah Miller", ""))
    world.record("walk.m4a", dated=world.now + DAY)
    world.record(EVIL, dated=world.now + 2 * DAY, said=SAID)
    for place in (world.place("calls/budget.m4a"), world.place(EVIL)):
        note = next(a.path for a in world.ledger.artifacts.of_place(place) if a.kind == "summary")
        note.write_text(note.read_text().replace("---\n", "---\ntags: [client, '<b>']\n", 1))
    while bring_up_to_date(world.context, 10):
        pass
    World.made.remove(world)  # it stays open longer than a test's own worlds
    return world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with in_memory() as root:
        found = made(root)
        yield found
        found.ledger.close()


@pytest.fixture(scope="module")
def pages(world: World) -> Iterator[Pages]:
    with serving(world.root) as found:
        found.enter()
        yield found


def rows(answer: Answer) -> list[str]:
    """Names of the recordings that a list shows."""
    found = re.findall(r'<a href="[^"]+/recordings/[0-9a-f]{64}">([^<]*)</a>', answer.text)
    return [name.replace("&#39;", "") for name in found]


@pytest.mark.shows("serve:pages")
def test_a_list_goes_by_days_and_is_narrowed_to_a_folder_a_tag_and_a_speaker(pages: Pages) -> None:
    everything = pages.get("recordings")
    assert everything.status == 200
    assert rows(everything)[1:] == ["walk.m4a", "calls/budget.m4a".rpartition("/")[2]]
    days = re.findall(r"<h2>(\d{4}-\d\d-\d\d)</h2>", everything.text)
    assert len(days) == 3
    assert days == sorted(days, reverse=True)
    for query in ("folder=drop/calls", "folder=calls", "speaker=sarah+miller", "tag=client&folder=calls"):
        assert rows(pages.get(f"recordings?{query}")) == ["budget.m4a"], query
    assert len(rows(pages.get("recordings?tag=client"))) == 2
    assert rows(pages.get("recordings?tag=nobody")) == []
    for wrong in ("..", "../..", "/etc", "%00", "drop/../../etc"):
        found = pages.get(f"recordings?folder={wrong}")
        assert (found.status, rows(found)) == (200, [])
        assert "no recording is or was at or below this folder" in found.text
    assert rows(pages.get("recordings?skip=2")) == ["budget.m4a"]
    assert pages.get("recordings?skip=99999999999999999999").status == 200


@pytest.mark.shows("serve:pages")
def test_the_page_of_a_recording_has_its_words_with_times_and_says_when_it_goes(
    pages: Pages, world: World
) -> None:
    recording = world.place("calls/budget.m4a").recording_id
    page = pages.get(f"recordings/{recording}").text
    sound = f"{pages.base}sound/{recording}"
    assert f'<a class="time" href="{sound}#t=0.00" data-at="0.00">0:00</a>' in page
    assert f'<a class="time" href="{sound}#t=2.00" data-at="2.00">0:02</a>' in page
    words = re.findall(r'<span data-at="([\d.]+)">([^<]*)</span>', page)
    assert words == [("0.00", "The"), ("0.50", "purple"), ("1.00", "walrus."), ("2.00", "It sings.")]
    assert "Sarah Miller:" in page
    assert "Speaker 2:" in page
    assert re.search(r"<td>budget\.m4a</td>\s*<td>audio</td>\s*<td>–</td>\s*<td>quality gate: ", page)
    walk = pages.get(f"recordings/{world.place('walk.m4a').recording_id}").text
    assert (
        "<td>walk.m4a</td><td>audio</td><td>2045-10-09</td><td>kept by audio: keep_for 20y (class)</td>"
        in walk
    )
    assert re.search(
        r"<td>budget\.transcript\.md</td><td>transcript</td><td>–</td><td>kept by transcript: no rule \(class\)</td>",
        page,
    )
    later = pages.get(f"recordings/{recording}?from=2").text
    assert re.findall(r'<span data-at="([\d.]+)">', later) == ["2.00"]
    within = pages.get(f"recordings/{recording}?from=1.64").text
    assert re.findall(r'<span data-at="([\d.]+)">', within) == ["0.00", "0.50", "1.00", "2.00"]
    assert f'src="{sound}#t=1.64" data-from="1.64"' in within
    assert re.search(r'<p id="from" class="from"><a class="time" href="[^"]+#t=0\.00"', within)
    for odd in ("nan", "inf", "-1", "1e999", "x"):
        assert "walrus." in pages.get(f"recordings/{recording}?from={odd}").text
    with world.ledger.transaction():
        world.ledger.protection.hold(recording, "the <b>court</b> wants it", world.now)
    assert "held: the &lt;b&gt;court&lt;/b&gt; wants it" in pages.get(f"recordings/{recording}").text
    with world.ledger.transaction():
        world.ledger.protection.release_hold(recording)


@pytest.mark.shows("serve:pages")
def test_search_finds_what_was_said_and_says_why_it_does_not(pages: Pages, world: World) -> None:
    found = pages.get("search?q=purple+walrus")
    assert world.place("calls/budget.m4a").recording_id in found.text
    assert "Nothing was found." in pages.get("search?q=zeppelin").text
    assert "is no day" in pages.get("search?q=after:99999-01-01").text
    assert pages.get(f"search?q={'x' * 2000}").status == 200


@pytest.mark.shows("serve:pages", "privacy:pages-named")
def test_the_other_pages_say_what_is_done_and_kept_and_who_listens(pages: Pages, world: World) -> None:
    assert "Not running." in pages.get("").text
    with FileLock(world.context.home.lock_file):
        assert "<strong>Running</strong>" in pages.get("").text
    assert "The trash is empty." in pages.get("trash").text
    assert "0 receipts" in pages.get("receipts").text
    assert "There is no model here" in pages.get("models").text or "<table>" in pages.get("models").text
    said = f"listens at {pages.host}, on this device only"
    assert said in pages.get("privacy").text
    told = earmark(world.root, "privacy", "--format", "md")
    assert said in told.stdout
    assert pages.get("nothing").status == 404


@pytest.mark.shows("serve:pages")
def test_what_a_rule_took_lies_in_the_trash_with_a_receipt_and_its_words_are_gone(root: Path) -> None:
    world = World(root, {"audio": {"keep_for": "1d"}, "transcript": {"keep_for": "1d"}})
    place = world.record("old.m4a", said="a purple walrus")
    world.pass_days(2)
    world.let_the_report_be_read()
    world.sweep()
    with serving(root) as pages:
        pages.enter()
        trash, receipts = pages.get("trash").text, pages.get("receipts").text
        page = pages.get(f"recordings/{place.recording_id}")
        assert "old.m4a</td><td>audio" in trash
        assert "keep_for 1d" in trash
        assert "<td>trashed</td>" in receipts or "<td>trash</td>" in receipts, receipts
        assert page.status == 200
        assert "walrus" not in page.text
        assert pages.get(f"sound/{place.recording_id}").status == 404
        assert "not in the folder any more" in pages.get("recordings").text


class Sources(HTMLParser):
    """What a page loads or leads to, and what in it could run."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.runs: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag in ("script", "style")
        for name, value in attrs:
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                self.leads.append(value or "")
            if name.startswith("on") or name in ("style", "formaction", "srcdoc"):
                self.runs.append(f"{tag} {name}")
        if tag in ("iframe", "object", "embed", "img", "svg", "base"):
            self.runs.append(tag)

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.runs.append(data)


@pytest.mark.shows("serve:own", "serve:text")
def test_each_page_loads_from_itself_alone_and_what_was_said_or_named_is_text_in_it(
    pages: Pages, world: World
) -> None:
    paths = ["", "recordings", "search?q=%3Cscript%3E", "trash", "receipts", "models", "privacy", "nothing"]
    paths += [
        "recordings?tag=%22%3E%3Cscript%3E&speaker='onx=",
        f"recordings/{world.place(EVIL).recording_id}",
    ]
    for path in paths:
        answer = pages.get(path)
        found = Sources()
        found.feed(answer.text)
        assert found.runs == [], path
        assert all(to.startswith(pages.base) or to.startswith("#") for to in found.leads), (path, found.leads)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert not re.search(r"https?:|data:", policy)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    page = pages.get(paths[-1]).text
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;img src=x onerror=alert(2)&gt; &#34;sings&#34;." in page
    for name in ("page.css", "player.js"):
        own = pages.get(name)
        assert own.status == 200
        assert not re.search(rb"https?:|@import|url\(|eval|innerHTML", own.body)


@pytest.mark.shows("serve:sound")
@pytest.mark.parametrize(
    ("asked", "status", "of"),
    [
        (None, 200, (0, None)),
        ("bytes=0-", 206, (0, None)),
        ("bytes=5-9", 206, (5, 10)),
        ("bytes=-3", 206, (-3, None)),
        ("bytes=-999999", 206, (0, None)),
        ("bytes=5-999999", 206, (5, None)),
        ("bytes=999999-", 416, None),
        ("bytes=999999-1000000", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-5", 200, (0, None)),
        ("bytes=0-1,4-5", 200, (0, None)),
        ("bytes=", 200, (0, None)),
        ("bytes=a-b", 200, (0, None)),
        ("bytes=99999999999999999999999-", 200, (0, None)),
        ("pages=1-2", 200, (0, None)),
        ("bytes=٣-٤", 200, (0, None)),
    ],
)
def test_any_range_gives_those_bytes_or_the_whole_or_416(
    pages: Pages, world: World, asked: str | None, status: int, of: tuple[int, int | None] | None
) -> None:
    place = world.place("walk.m4a")
    whole = place.path.read_bytes()
    headers = {"Range": asked.encode().decode("latin-1")} if asked else {}
    found = pages.get(f"sound/{place.recording_id}", **headers)
    assert found.status == status
    assert found.body == (whole[of[0] : of[1]] if of else b"")
    assert found.headers.get("content-range", f"/{len(whole)}").endswith(f"/{len(whole)}")
    if status != 416:
        assert found.headers["content-type"] == "audio/mp4"
    head = pages.ask(f"{pages.base}sound/{place.recording_id}", "HEAD", Cookie=pages.cookie, **headers)
    assert (head.status, head.body) == (status, b"")
    assert head.headers["content-length"] == str(len(found.body))


@pytest.mark.shows("serve:sound")
def test_a_part_without_an_end_is_a_mebibyte_and_the_rest_is_asked_for_again(
    pages: Pages, world: World
) -> None:
    place = world.record("long.wav", audio=os.urandom(3 << 20))
    whole, heard = place.path.read_bytes(), b""
    while len(heard) < len(whole):
        part = pages.get(f"sound/{place.recording_id}", Range=f"bytes={len(heard)}-")
        assert part.status == 206
        assert (
            part.headers["content-range"] == f"bytes {len(heard)}-{len(heard) + (1 << 20) - 1}/{len(whole)}"
        )
        heard += part.body
    assert heard == whole
    assert pages.get(f"sound/{place.recording_id}").body == whole
    tag = part.headers["etag"]
    assert pages.get(f"sound/{place.recording_id}", Range="bytes=0-0", If_Range=tag).body == whole[:1]
    assert pages.get(f"sound/{place.recording_id}", Range="bytes=0-0", If_Range='"other"').body == whole


@pytest.mark.shows("serve:sound")
def test_no_other_file_than_the_recording_that_was_taken_in_is_sent(pages: Pages, world: World) -> None:
    secret = world.root / "secret"
    secret.write_bytes(b"secret")
    place = world.record("swapped.m4a")
    path, sound = place.path, f"sound/{place.recording_id}"
    assert pages.get(sound).status == 200
    content = path.read_bytes()
    path.unlink()
    assert pages.get(sound).status == 404
    path.symlink_to(secret)
    assert pages.get(sound).status == 404
    path.unlink()
    os.mkfifo(path)
    assert pages.get(sound).status == 404
    path.unlink()
    path.write_bytes(content[::-1])  # another file under its name
    assert pages.get(sound).status == 404
    path.unlink()
    inner = world.record("inner/one.m4a")
    away = world.root / "away"
    inner.path.parent.rename(away)
    inner.path.parent.symlink_to(away)  # the same file, behind a link
    assert pages.get(f"sound/{inner.recording_id}").status == 404
    world.restat(world.record("erased.m4a").path)
    erased = world.place("erased.m4a").recording_id
    with world.ledger.transaction():
        world.ledger.erasing.begin(erased, [], [], world.now)
    assert pages.get(f"sound/{erased}").status == 404
    assert pages.get(f"recordings/{erased}").status == 404
    real = world.place("walk.m4a").recording_id
    for wrong in (
        real[:16], real.upper(), "0" * 64, "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd",
        f"..%2f{real}", f"{real}%00", f"{real}/../../secret", "%252e%252e%252fsecret", str(world.drop / "walk.m4a"),
    ):  # fmt: skip
        for below in ("sound", "recordings"):
            answer = pages.get(f"{below}/{wrong}")
            assert (answer.status, b"secret" in answer.body, b"root:" in answer.body) == (404, False, False)


@pytest.mark.shows("serve:walls", "privacy:pages")
def test_who_serves_has_one_socket_no_file_open_for_writing_and_the_kernel_holds_it(
    pages: Pages, world: World
) -> None:
    process = psutil.Process(pages.process.pid)
    pages.get("recordings")
    status = Path(f"/proc/{process.pid}/status").read_text() if sys.platform == "linux" else ""
    if status:
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status
    assert process.children() == []
    if os.geteuid() == 0:
        lines = process.net_connections("inet")
        assert {c.laddr for c in lines} == {("127.0.0.1", pages.port)}
        assert sum(c.status == psutil.CONN_LISTEN for c in lines) == 1
        assert {f.path for f in process.open_files() if f.mode not in ("r", "")} == set()
    for name in ("serve.key", "serve.lock"):
        assert stat.S_IMODE((world.root / "state" / name).stat().st_mode) == 0o600
    assert pages.cookie.partition("=")[2] not in (world.root / "state" / "serve.key").read_text()


@pytest.mark.shows("serve:walls", "privacy:pages")
@pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")
def test_behind_these_walls_nothing_can_be_reached_started_or_changed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("words")
    tried = TRIED.replace("ASSISTANTS", "PAGES")
    assert tried != TRIED
    done = subprocess.run(
        [sys.executable, "-c", tried, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.shows("serve:ended")
def test_one_serves_at_a_time_and_a_signal_or_a_kill_ends_it_without_a_word(world: World) -> None:
    env = environment(world.root)

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "earmark", *words], env=env, capture_output=True, text=True, timeout=60
        )

    with in_memory() as root:
        other = made(root)
        env = environment(root)
        silent = said("open")
        assert (silent.returncode, silent.stdout) == (66, "")
        assert "earmark serve does not run; start it with: earmark serve" in silent.stderr
        with socket.create_server(("127.0.0.1", 0)) as taken:
            busy = said("serve", "--port", str(taken.getsockname()[1]))
            assert busy.returncode == 74
            assert (
                "cannot be listened at: Address already in use; name another port, or 0 for any"
                in busy.stderr
            )
        with serving(root) as first:
            again = said("serve", "--port", "0")
            assert again.returncode == 75
            assert (
                f"earmark serve runs already, at http://{first.host}; `earmark open` prints a link"
                in again.stderr
            )
            first.process.send_signal(signal.SIGINT)
            assert first.process.wait(20) == 0
            assert first.process.stderr is not None
            assert "Traceback" not in first.process.stderr.read().decode()
        other.ledger.close()


@pytest.mark.shows("serve:ended")
@pytest.mark.parametrize("both", [False, True])
def test_who_serves_ends_without_a_word_where_nobody_reads_what_it_says(world: World, both: bool) -> None:
    with in_memory() as root:
        other = made(root)
        reads, writes = os.pipe()
        os.close(reads)
        with subprocess.Popen(
            [sys.executable, "-m", "earmark", "serve", "--port", "0"], env=environment(root),
            stdin=subprocess.DEVNULL, stdout=writes, stderr=writes if both else subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            os.close(writes)
            said = process.communicate(timeout=60)[1]
        assert process.returncode == 141
        assert both or "Traceback" not in said
        assert both or "earmark:" not in said
        other.ledger.close()


@pytest.mark.shows("serve:once")
def test_a_second_one_says_where_the_first_serves_and_open_what_became_of_its_key(root: Path) -> None:
    World(root)
    key = root / "state" / "serve.key"

    def said(*words: str) -> tuple[int, str, str]:
        done = earmark(root, *words)
        return done.returncode, done.stdout, done.stderr

    with serving(root) as pages:
        at = f"earmark serve runs already, at http://{pages.host}"
        for port in (str(pages.port), "0"):
            code, _, told = said("serve", "--port", port)
            assert (code, at in told) == (75, True), told
        secret = key.read_bytes()
        for left, sentence in (
            (None, f"{key}: is not there any more"), (b"", f"{key}: is no key"), (b"\xff" * 40, f"{key}: is no key"),
            (b"0" * 64 + b"\n", f"{key}: is another key than it was when earmark serve was started"),
        ):  # fmt: skip
            key.unlink(missing_ok=True)
            if left is not None:
                key.write_bytes(left)
            with pytest.raises(NotFound) as refused:
                link_now(platform_home({"EARMARK_HOME": str(root)}), Clock().wall())
            assert sentence in str(refused.value)
        code, link, told = said("open")
        assert (code, link) == (66, ""), told
        assert sentence in told
        assert f"earmark serve runs at http://{pages.host}" in told
        assert f"end it (pid {pages.process.pid}) and start it anew" in told
        code, _, told = said("serve", "--port", "0")
        assert (code, at in told) == (75, True), told
        assert key.read_bytes() == left, "nobody but who serves makes a key"
        key.write_bytes(secret)
        code, link, _ = said("open")
        assert pages.ask(link.strip().removeprefix(f"http://{pages.host}")).status == 200


@pytest.mark.shows("serve:key")
@pytest.mark.parametrize("left", [b"", b"garbage", b"\0" * 64, b"00" * 31])
def test_a_key_that_is_none_is_made_anew(root: Path, left: bytes) -> None:
    World(root)
    key = root / "state" / "serve.key"
    key.write_bytes(left)
    with serving(root) as pages:
        assert pages.enter().status == 200
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.shows("serve:key")
def test_a_key_that_others_could_read_is_made_anew_and_that_is_said(root: Path) -> None:
    World(root)
    key = root / "state" / "serve.key"
    with serving(root) as pages:
        pages.enter()
        known = pages.cookie
    for mode in (0o644, 0o606):
        before = key.read_bytes()
        key.chmod(mode)
        with serving(root) as pages:
            pages.enter()
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
            assert key.read_bytes() != before
            assert pages.ask(f"{pages.base}recordings", Cookie=known).status == 403
            pages.process.send_signal(signal.SIGTERM)
            assert pages.process.wait(20) == 0
            assert pages.process.stderr is not None
            assert (
                f"{key}: others could read it, so it is another one now"
                in pages.process.stderr.read().decode()
            )


@pytest.mark.shows("serve:link")
def test_a_link_lets_in_for_ten_minutes_and_no_other_does(pages: Pages) -> None:
    link = pages.link_printed().removeprefix(f"http://{pages.host}")
    entered = pages.ask(link)
    assert entered.status == 200
    kept = entered.headers["set-cookie"]
    assert "; HttpOnly; " in kept
    assert f"; Path={pages.base}; " in kept
    assert kept.endswith("; SameSite=strict")
    until, seal = (part.partition("=")[2] for part in link.partition("?")[2].split("&"))
    wrong = [
        f"until={int(until) + 1}&seal={seal}", f"until={until}&seal={seal[:-1]}x", f"until={until}", "",
        f"until=&seal={seal}",
        f"until=-1&seal={seal}", f"until={until}&seal=%C3%A9", f"until={'9' * 400}&seal={seal}", f"until=%D9%A3&seal={seal}",
    ]  # fmt: skip
    for query in wrong:
        answer = pages.ask(f"{pages.base}enter?{query}")
        assert (answer.status, "set-cookie" in answer.headers) == (403, False), query


@pytest.mark.shows("serve:link")
def test_a_link_that_was_used_too_late_is_none() -> None:
    from earmark.domain import Instant
    from earmark.verbs.pages_at import Key

    key, now = Key(b"k" * 32), Instant(1_760_000_000.0)
    _, _, query = key.link("127.0.0.1:1", now).partition("?")
    until, seal = (part.partition("=")[2] for part in query.split("&"))
    assert key.opens(until, seal, now)
    assert key.opens(until, seal, Instant(now + 599))
    assert not key.opens(until, seal, Instant(now + 601))
    assert not key.opens(until, seal, Instant(now - 60)), "it is from a time that has not come"
    assert json.dumps([key.place, key.cookie]).count(key.secret.hex()) == 0
