"""The worker that makes vectors of words: `python -m earmark.search.worker`, JSON lines in on stdin, out on stdout.

It lives behind the same walls as the transcription worker, by the same means, and opens nothing but its model; its first
line must be LoadEncoder. One of them works for the daemon, one for each `earmark search`.
"""

from __future__ import annotations

import base64
import os
import sys
from typing import TYPE_CHECKING

from earmark.domain import Fault
from earmark.errors import ModelError
from earmark.files import unpack_path
from earmark.locality.confinement.sandbox import if_refused, shut_the_doors
from earmark.messages import Embed, Embedded, Failed, LoadEncoder, Ready, parse_meaning_request
from earmark.transcription import limits
from earmark.transcription.serving import Say, answered, serve

if TYPE_CHECKING:
    from earmark.search.encoder import Encoder
    from earmark.transcription.between import Between

LONGEST = 5.0
"""Seconds that one text may take, for which processor time is allowed as for sound."""


def main() -> int:
    """Serve requests until stdin ends; the return value is the exit status."""
    return serve(parse_meaning_request, LoadEncoder, prepare, embed, _too_large)


def prepare(load: LoadEncoder) -> tuple[Encoder, Ready]:
    """Shut the doors, then load the encoder. Raises EarmarkError or MemoryError."""
    model, tokenizer = unpack_path(load.model), unpack_path(load.tokenizer)
    limits.cap_memory(load.memory_limit_mb)  # behind the doors no limit but that of processor time can be set
    sandbox = shut_the_doors([], model.parent, load.sandbox, "the model")
    limits.allow_cpu(LONGEST, load.threads)
    # Before numpy is imported: its threads count while they wait.
    os.environ |= {name: str(load.threads) for name in ("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")}
    try:
        from earmark.search.encoder import Encoder
    except ImportError as error:
        what_to_do = if_refused(error) or "Install earmark again."
        raise ModelError(f"What finds by meaning cannot be loaded: {error}. {what_to_do}") from error
    encoder = Encoder(model, tokenizer, load.threads, once=load.once)
    return encoder, Ready(engine="sentences", device="cpu", compute_type="int8", sandbox=sandbox)


def embed(encoder: Encoder, load: LoadEncoder, request: Embed, say: Say, _: Between) -> None:
    """Answer one request."""
    with answered(request.job, say, "making vectors"):
        limits.allow_cpu(LONGEST * len(request.texts), load.threads)
        try:
            found = encoder.vectors(request.texts)
        except ModelError as error:
            say(Failed(job=request.job, fault=Fault.ENVIRONMENT, sentence=str(error)))
            return
        vectors = base64.b64encode(found.tobytes()).decode()
        say(Embedded(job=request.job, size=found.shape[1], vectors=vectors))


def _too_large(load: LoadEncoder) -> str:
    return f"What finds by meaning does not fit into {load.memory_limit_mb} MiB of memory."


if __name__ == "__main__":
    sys.exit(main())
