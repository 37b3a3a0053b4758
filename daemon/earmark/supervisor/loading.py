"""Which model a worker is to load, and what is said while there is none."""

from __future__ import annotations

from earmark.context import Context
from earmark.errors import ModelError
from earmark.locality.sandbox import start_prefix
from earmark.log import get_logger
from earmark.messages import LoadModel, pack_path
from earmark.supervisor.crew import cores, memory_limit, thread_count, worker_count
from earmark.transcription.models import SpeechModel, find_model

log = get_logger(__name__)

TROUBLE = "[model]"
"""Under which name `status` shows that there is no model."""

AGAIN_SECONDS = 30.0
"""How often to look again for a model that was not there."""


class Loading:
    """`name` is that of the model found last. Only the loop's thread calls it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.name = ""
        self.next_look = 0.0

    def find(self, name: str) -> SpeechModel | None:
        """The model of this name, or None after putting the reason where `status` shows it."""
        context = self._context
        try:
            model = find_model(name, context.config.transcription.model_dir, context.home.models)
        except ModelError as error:
            if context.ledger.journal.trouble(TROUBLE, "system", str(error), context.now()):
                log.error("no-model", reason=str(error))
            self.next_look = context.clock.monotonic() + AGAIN_SECONDS
            return None
        if context.ledger.journal.clear(TROUBLE):
            log.info("model-found", model=model.name)
        self.name = model.name
        return model

    def missing(self) -> bool:
        """True if the last look found no model."""
        return any(t.subject == TROUBLE for t in self._context.ledger.journal.troubles())

    def seats(self, model: SpeechModel) -> int:
        """How many recordings are transcribed at once with this model."""
        return worker_count(self._context.config.transcription.workers, cores(), _size(model))

    def order(self, model: SpeechModel, seats: int) -> LoadModel:
        """The first request to a worker that is to use this model, beside so many others."""
        configured = self._context.config.transcription
        threads = thread_count(configured.threads, cores(), seats)
        return LoadModel(
            model_dir=pack_path(model.dir),
            model_name=model.name,
            device=configured.device,
            compute_type=configured.compute_type,
            cpu_threads=threads,
            sandbox=self._context.config.sandbox,
            readable=tuple(pack_path(f) for f in self._context.folders),
            memory_limit_mb=memory_limit(
                configured.memory_limit_mb, _size(model), threads, configured.device
            ),
        )

    def prefix(self, model: SpeechModel, starts_failed: int) -> list[str]:
        """What has to stand before a worker's command line for the system to confine it (macOS; nothing elsewhere).

        A profile that keeps the worker from starting is given up after two tries, which the worker then says, unless
        the configuration requires the sandbox.
        """
        mode = self._context.config.sandbox
        if mode == "off" or (mode == "auto" and starts_failed >= 2):
            return []
        return start_prefix(self._context.folders, model.dir)


def _size(model: SpeechModel) -> int:
    return (model.dir / "model.bin").stat().st_size
