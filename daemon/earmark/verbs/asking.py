"""Answering a question from recordings: passages by search, and sentences of the configured server that these bear out.

The server is asked by the daemon's own way, through a worker that is confined as the daemon's is, started for this one
question. What it says is bounded here as well; times and links are made here, of what the ledger has.
"""

from __future__ import annotations

import contextlib
import errno
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from earmark.config import Config
from earmark.domain import Instant, Seconds, Stage
from earmark.errors import NotFound, UsageError
from earmark.files import is_locked
from earmark.ledger import Stored
from earmark.messages import Failed, Progress
from earmark.notes.escape import clip
from earmark.notes.links import time_link
from earmark.notes.style import style_of
from earmark.paths import Home
from earmark.questions import Answered, GivenPassage, GivenSentence, Stated
from earmark.report import Working, read_report
from earmark.search.query import FILTERS, LONGEST, Query, parse
from earmark.search.said_by import sentences, theirs
from earmark.verbs.meaning import MeaningWorker
from earmark.verbs.opening import opened_context
from earmark.verbs.questioning import AskWorker, Broken, Server, unasked
from earmark.verbs.resolve import resolve
from earmark.verbs.searching import Found, Result, search
from earmark.verbs.trusting import made_anew_in_doubt

MOST_READ = 40
"""Passages that a server is given at most; a window of 8,192 tokens has room for some 30."""

MOST_SAID = 1_000
"""Sentences that a worker may state; an honest one states eight."""

MOST_MESSAGES, LONGEST_ANSWER = 20_000, 3600.0
"""Messages of a worker about one question, and seconds that an answer may take, whatever is said meanwhile. An honest worker
says that it goes on once a second, and ends a model that talks for ever.
"""

LONGEST_SHOWN = 60
"""Characters that are shown of a path that no disk takes."""

SLOW = 20.0
"""Seconds without a word of the server after which that is said."""

OVERTIME = 60.0
"""Seconds for starting and for the server's native addresses, besides `timeout_seconds` without a word."""

_FILTER = re.compile(rf'(?<!\S)-?(?:{"|".join(FILTERS)}):(?:"[^"]*"?|[^\s"]*)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer that holds. `at`: the second of its words, which are `said`, by `speaker` or ""."""

    text: str
    result: Result
    at: Seconds
    said: str
    speaker: str
    link: str
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a question. `why`: why no server answered it, or ""; then `found` has what could be read instead.
    `answered`: by whom, and how many sentences were dropped; None where no server was asked or it gave no answer.
    """

    found: Found
    sentences: tuple[Sentence, ...] = ()
    answered: Answered | None = None
    why: str = ""

    @property
    def nothing(self) -> bool:
        """True if the recordings do not answer it."""
        return not self.sentences and (self.answered is not None or not self.found.results)


class Listener(Protocol):
    """Is told how far it is. What is not said to a person may be left as it is."""

    def indexed(self, done: int, of: int) -> None: ...
    def reads(self, passages: int, recordings: int) -> None: ...
    def writes(self) -> None: ...
    def waits(self, sentence: str) -> None: ...
    def stated(self, sentence: Sentence) -> None: ...


def question_of(typed: str, where: Path | None = None) -> tuple[str, Query]:
    """What is asked without its filters, and how it is looked for. Raises UsageError."""
    asked = " ".join(_FILTER.sub(" ", typed).split())
    if len(typed) > LONGEST:
        raise UsageError(f"the question has {len(typed):,} characters; ask in {LONGEST:,} at most")
    if not any(c.isalnum() for c in asked):
        raise UsageError('ask something, as in: earmark ask "What did we decide about the payment page?"')
    query = replace(parse(typed), asks=True)
    if where is not None:
        query = replace(query, folders=(*query.folders, str(where)))
    return asked, query


def place_of(home: Home, config: Config, file: Path) -> Path:
    """The recording of a note, or the file or folder itself. Raises NotFound, NeverRan."""
    try:
        if file.is_dir():
            return file
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        named = clip(str(file), LONGEST_SHOWN)
        raise NotFound(
            f"--in {named}: no recording is or was at or below it; no file has a name as long"
        ) from None
    with opened_context(home, config, read_only=True) as context, contextlib.suppress(NotFound):
        meant = resolve(context, file)
        if meant.place is not None:
            return meant.place.path
    return file


def ask(
    home: Home, config: Config, typed: str, listener: Listener, *, where: Path | None = None, most: int = 8,
    server: Server | str | None = None, standing: MeaningWorker | None = None,
) -> Reply:  # fmt: skip
    """Answer a question. `where`: a recording, its note, or a folder. `server`: who is asked, or why nobody is; None for a
    worker of its own. `standing`: who says what the question means; None as well. Raises UsageError, NotFound.
    """
    question, query = question_of(typed, where if where is None else place_of(home, config, where))
    try:
        found = search(home, config, query, most, listener.indexed, standing)
    except NotFound as error:
        raise NotFound(str(error).replace("folder:", "--in ", 1)) if where else error from None
    if not found.results:
        return Reply(found)
    if why := unasked(home, config) if server is None else server if isinstance(server, str) else "":
        return Reply(found, why=why)
    given = list(_given(home, config, found, query))
    if not given:
        return Reply(found)
    listener.reads(len(given), len({result.hit.recording_id for result, _ in given}))
    asking = _Asking(home, config, given, listener)
    if server is not None and not isinstance(server, str):
        reply = asking.run(question, found, server)
    else:
        own = AskWorker(home, config)
        try:
            reply = asking.run(question, found, own)
        finally:
            own.stop()
    if reply.nothing and made_anew_in_doubt(home, config, writes=standing is None):
        return ask(home, config, typed, listener, where=where, most=most, server=server, standing=standing)
    return reply


def _given(home: Home, config: Config, found: Found, query: Query) -> Iterator[tuple[Result, Stored]]:
    """The passages that were found, as far as they are there still; of who is asked for what they say only."""
    with opened_context(home, config, read_only=True) as context:
        gone = context.ledger.index.unfound.unseen()
        for result in found.results:
            stored = context.ledger.index.passage(result.hit.recording_id, result.hit.number)
            if stored is not None and query.speakers:
                stored = theirs(stored, query)
            if stored is not None and stored.entry.sentences and result.hit.recording_id not in gone:
                yield result, stored


def _passage(result: Result, stored: Stored) -> GivenPassage:
    called = "\n".join(dict.fromkeys([result.title, result.place.path.stem])).strip()
    readable = called.encode("utf-8", "replace").decode()
    sentences = tuple(
        GivenSentence(at=at, speaker=speaker, text=text) for at, speaker, text in _sentences(stored)
    )
    return GivenPassage(
        called=readable[:500], day=day_of(result.recorded), language=stored.language, sentences=sentences
    )


def _sentences(stored: Stored) -> Iterator[tuple[Seconds, str, str]]:
    entry = stored.entry
    for (_, at, speaker), text in zip(entry.sentences, sentences(stored), strict=True):
        name = entry.speakers[speaker - 1] if 0 < speaker <= len(entry.speakers) else ""
        yield at, name, text


def day_of(recorded: Instant) -> str:
    """The local day; "" for one that no calendar knows."""
    try:
        return time.strftime("%Y-%m-%d", time.localtime(recorded))
    except (OverflowError, ValueError, OSError):
        return ""


@dataclass
class _Asking:
    """One question to one worker."""

    home: Home
    config: Config
    given: list[tuple[Result, Stored]]
    listener: Listener
    sentences: list[Sentence] = field(default_factory=list)
    said: int = 0

    def run(self, question: str, found: Found, server: Server) -> Reply:
        server.ask(question, tuple(_passage(*each) for each in self.given))
        try:
            end = self._listen(server)
        except Broken as broken:
            end = str(broken)
        told = tuple(self.sentences)
        return Reply(found, told, end) if isinstance(end, Answered) else Reply(found, told, why=end)

    def _listen(self, server: Server) -> Answered | str:
        """Pass on what the server says until it ends; a sentence says why there is no answer. Raises Broken."""
        began = heard = time.monotonic()
        messages, slow = 0, False
        while True:
            silent = time.monotonic() - heard
            if messages > MOST_MESSAGES or time.monotonic() - began > LONGEST_ANSWER:
                server.stop()
                return "the summary worker goes on and on, and comes to no end"
            if silent > self.config.summary.timeout_seconds + OVERTIME:
                server.stop()
                return f"The server said nothing for {silent:.0f} seconds: it is busy, or hangs"
            if silent > SLOW and not slow:
                slow = True
                self.listener.waits(self._why_slow())
            message = server.next(0.5)
            messages += 1
            if isinstance(message, Answered):
                return message
            if isinstance(message, Failed):
                return message.sentence
            if isinstance(message, Stated) or (isinstance(message, Progress) and message.at > 0):
                heard, slow = time.monotonic(), False
                self.listener.writes()
            if isinstance(message, Stated) and not self._take(message):
                server.stop()
                return "the summary worker said something that cannot be"

    def _take(self, stated: Stated) -> bool:
        """False for what no honest worker says."""
        self.said += 1
        if stated.passage >= len(self.given) or self.said > MOST_SAID:
            return False
        result, stored = self.given[stated.passage]
        told = list(_sentences(stored))
        if stated.sentence >= len(told):
            return False
        at, speaker, said = told[stated.sentence]
        place = result.place
        link = time_link(place.path.name, at, style_of(self.config.notes).dialect)
        url = f"{place.path.as_uri()}#t={max(0, int(at))}" if result.here else result.url
        self.sentences.append(Sentence(stated.text, result, at, said, speaker, link, url))
        self.listener.stated(self.sentences[-1])
        return True

    def _why_slow(self) -> str:
        """What the server may be doing: a daemon's summary comes before what was asked after it."""
        working: tuple[Working, ...] = ()
        with contextlib.suppress(OSError):  # a process that may not open a lock cannot know
            report = read_report(self.home.status_file)
            working = report.working if report is not None and is_locked(self.home.lock_file) else ()
        if any(work.stage == Stage.SUMMARIZE for work in working):
            return "The server is busy: the daemon has it summarize a recording; the answer comes after that"
        return "The server has not said a word yet: it reads, or is busy with something else"
