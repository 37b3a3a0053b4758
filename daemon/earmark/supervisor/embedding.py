"""Making vectors of what was said, for search by meaning: one worker, one recording at a time, while nothing else waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from earmark.context import Context
from earmark.domain import Stage as StageName
from earmark.domain import Tick
from earmark.errors import ModelError
from earmark.events import Event
from earmark.ledger.jobs import backoff
from earmark.ledger.vectors import Said as Words
from earmark.messages import Embed, Embedded, Failed, LoadEncoder, Ready
from earmark.messages.meaning import AT_ONCE
from earmark.pipeline.drafts import on_battery
from earmark.pipeline.verdict import End, describe
from earmark.search.models import MeaningModel, find_meaning_model
from earmark.search.order import MODULE, meaning_order
from earmark.search.vectors import checked, signs_of
from earmark.workers import Left, Said, Starter, Worker

TROUBLE = "[search]"
"""Under which name `status` shows why no vectors are made."""

MOST_TRIES = 3
"""Workers that may end over one recording, or before they are ready, in a row."""

REST_SECONDS = 3600.0
"""Until one is started again after that; reading the configuration again does it at once."""

LOOK_SECONDS = 30.0
"""Until it is looked again whether a model is there, where nothing has changed in the ledger."""


@dataclass(slots=True)
class _Work:
    """What is said in a recording, and the vectors of its first passages. `asked`: how many more are being made."""

    said: Words
    model: MeaningModel
    job: int = 0
    asked: int = 0
    vectors: list[bytes] = field(default_factory=list)


class Embedding:
    """Asked by the loop's thread only. A recording for which workers end again and again is found by its words only."""

    def __init__(self, context: Context, post: Callable[[Said | Left], None], start: Starter) -> None:
        self._context, self._post, self._start = context, post, start
        self.sandbox: tuple[str, ...] = ()
        self.more = False
        """There are recordings without vectors, which could have some now."""
        self._worker: Worker | None = None
        self._order: LoadEncoder | None = None
        self._ready = False
        self._work: _Work | None = None
        self._jobs = 0
        self._deaths: dict[str, int] = {}
        self._starts_failed = 0
        self._not_before = self._sign_of_life = self._idle_since = Tick(0.0)
        self._nothing: tuple[object, Tick] = (None, Tick(0.0))
        """The ledger in which nothing was due, and until when that is believed."""

    def turn(self, free: Callable[[], bool]) -> None:
        """Go on, or begin with another recording, if nobody else has anything to do (`free`); send away who is hung or has
        been idle too long.
        """
        now = self._context.clock.monotonic()
        if self.busy():
            if self._worker is not None and now - self._sign_of_life >= self._patience:
                self._worker.kill()  # its `Left` tells
            return
        self.more = False
        if now >= self._not_before and not on_battery(self._context) and free() and not self._others_wait():
            work = self._work or self._due(now)
            self.more = work is not None
            if work is not None:
                self._ask(work, now)
                return
        if self._worker is not None and now - self._idle_since >= self._idle_seconds:
            self._worker.dismiss()

    def said(self, post: Said) -> bool:
        """A message from the worker; true if it was this one."""
        if self._worker is None or post.worker != self._worker.number:
            return False
        self._sign_of_life = now = self._context.clock.monotonic()
        work = self._work
        match post.message:
            case Ready() as ready if not self._ready:
                self._ready, self._starts_failed = True, 0
                self._context.ledger.journal.clear(TROUBLE)
                if ready.sandbox != self.sandbox:
                    self.sandbox = ready.sandbox
                    self._context.tell(Event.SANDBOX, enforced=list(ready.sandbox) or "nothing")
            case Failed() as failed if not self._ready:
                self._refused(failed.sentence, now)
            case Embedded() as told if work is not None and work.asked and told.job == work.job:
                self._take(work, told, now)
            case Failed() as failed if work is not None and work.asked and failed.job == work.job:
                self._over(work, failed.sentence)
            case _:
                self._worker.end_for("what making vectors does not say")
        return True

    def left(self, post: Left) -> bool:
        """The worker is gone; true if it was this one."""
        if self._worker is None or post.worker != self._worker.number:
            return False
        now, work = self._context.clock.monotonic(), self._work
        end = End(post.exit_status, post.oom_kills, self._ready, broke=post.broke)
        was_ready, self._worker, self._order, self._ready = self._ready, None, None, False
        if work is not None and work.asked and was_ready:
            self._over(work, describe(end))
            self._not_before = Tick(now + backoff(self._deaths.get(work.said.recording_id, 1), 1.0, base=2.0))
        elif work is not None and work.asked:
            work.asked = 0
            self._refused(describe(end), now)
        return True

    def busy(self) -> bool:
        return self._work is not None and self._work.asked > 0

    def next_at(self, now: Tick) -> float:
        """When something is due here, on the monotonic clock."""
        times = [now + LOOK_SECONDS]
        if self._work is not None and self._work.asked:
            times.append(self._sign_of_life + self._patience)
        elif self._worker is not None:
            times.append(self._idle_since + self._idle_seconds)
        if self._not_before > now:
            times.append(self._not_before)
        return min(times)

    def reconfigure(self) -> None:
        """What rested may be tried again, by a worker with the new configuration."""
        self._starts_failed, self._not_before = 0, Tick(0.0)
        self._nothing = (None, Tick(0.0))
        if self._worker is not None and not self.busy():
            self._worker.dismiss()

    def kill(self) -> None:
        """Down at once; what is not stored is made again."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait(1.0)
        self._worker, self._work = None, None

    @property
    def _patience(self) -> float:
        return self._context.config.transcription.hang_seconds

    @property
    def _idle_seconds(self) -> float:
        return self._context.config.transcription.idle_seconds

    def _due(self, now: Tick) -> _Work | None:
        """The next recording. In a large ledger it costs to find that there is none, so that is believed for a while."""
        vectors, version = self._context.ledger.index.vectors, self._context.ledger.db.version()
        if self._nothing[0] == version and now < self._nothing[1]:
            return None
        model = self._model()
        due = vectors.due(model.digest, model.languages) if model is not None else None
        said = vectors.said(due) if due is not None else None
        if model is None or said is None:
            self._nothing = (version, Tick(now + LOOK_SECONDS))
            return None
        return _Work(said, model)

    def _model(self) -> MeaningModel | None:
        context = self._context
        try:
            model = find_meaning_model(context.home.models)
        except ModelError as error:
            context.ledger.journal.trouble(TROUBLE, "system", str(error), context.now())
            return None
        if model is None or not self._starts_failed:
            context.ledger.journal.clear(TROUBLE)
        return model

    def _ask(self, work: _Work, now: Tick) -> None:
        """Have vectors made of the next passages. A recording without a word has none."""
        texts = work.said.texts[len(work.vectors) : len(work.vectors) + AT_ONCE]
        self._work = work
        if not any(work.said.texts):
            self._store(work, [])
            return
        order = meaning_order(self._context.config, work.model)
        if self._worker is not None and not (self._worker.serves and self._order == order):
            self._worker.dismiss()
            self._worker = None
        if self._worker is None:
            self._worker, self._order, self._ready = Worker(MODULE, self._post, self._start), order, False
            self._worker.send(order)
        self._jobs += 1
        work.job, work.asked, self._sign_of_life = self._jobs, len(texts), now
        self._worker.send(Embed(job=work.job, texts=texts))

    def _take(self, work: _Work, told: Embedded, now: Tick) -> None:
        vectors = checked(told, work.asked)
        if isinstance(vectors, str):
            if self._worker is not None:
                self._worker.end_for(vectors)
            return
        work.asked, self._idle_since = 0, now
        work.vectors += vectors
        if len({len(vector) for vector in work.vectors}) > 1:
            self._over(work, "the encoder gives vectors of different sizes")
        elif len(work.vectors) == len(work.said.texts):
            self._store(work, work.vectors)

    def _store(self, work: _Work, vectors: list[bytes]) -> None:
        """Keep them, unless something else is said there by now."""
        signs = b"".join(map(signs_of, vectors))
        with self._context.ledger.transaction():
            self._context.ledger.index.vectors.put(work.said, work.model.digest, vectors, signs)
        self._deaths.pop(work.said.recording_id, None)
        self._work = None

    def _over(self, work: _Work, sentence: str) -> None:
        """It was not done. After a few tries the recording is left to its words."""
        recording_id = work.said.recording_id
        self._deaths[recording_id] = deaths = self._deaths.get(recording_id, 0) + 1
        work.asked = 0
        self._work = None
        if deaths >= MOST_TRIES:
            told = f"It is found by its words only, because no vectors of them can be made: {sentence}"
            self._context.tell(
                Event.NO_VECTORS, told, recording=recording_id, level="warning", by_worker=True
            )
            self._store(work, [])

    def _refused(self, sentence: str, now: Tick) -> None:
        """A worker did not get ready, which is no recording's fault."""
        self._starts_failed += 1
        self._work = None
        rest = self._starts_failed >= MOST_TRIES
        pause = REST_SECONDS if rest else backoff(self._starts_failed, 1.0, base=2.0)
        self._not_before = Tick(now + pause)
        if rest:
            self._starts_failed = 1  # one more, after the rest
            told = f"What was said is found by words only: {sentence}"
            self._context.ledger.journal.trouble(TROUBLE, "system", told, self._context.now())
            self._context.tell(Event.WORKER_NOT_READY, sentence, level="warning", journal=False)

    def _others_wait(self) -> bool:
        """True if there is work of other kinds that could be begun."""
        jobs, now, silent = self._context.ledger.jobs, self._context.now(), self._context.silent
        stages = (StageName.TRANSCRIBE, StageName.DIARIZE, StageName.SUMMARIZE)
        return any(jobs.any_waiting(stage, now, but=silent) for stage in stages)
