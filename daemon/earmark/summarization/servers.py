"""Which server is this, which of its models can chat, and how long may a prompt be? Asked at its native addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from earmark.summarization.overflow import whole

LM_STUDIO = "lm-studio"
OLLAMA = "ollama"
LLAMA_CPP = "llama.cpp"
LOCALAI = "localai"
VLLM = "vllm"
JAN = "jan"
OTHER = "openai-compatible"

NAMES = {
    LM_STUDIO: "LM Studio", OLLAMA: "Ollama", LLAMA_CPP: "llama.cpp", LOCALAI: "LocalAI", VLLM: "vLLM", JAN: "Jan",
    OTHER: "an OpenAI-compatible server",
}  # fmt: skip

NOT_CHAT = re.compile(
    r"embed|\bbge-|\be5-|\bgte-|nomic|minilm|rerank|whisper|\btts\b|kokoro|parakeet|stable-diffusion|\bflux\b|sdxl|\bvad\b"
    r"|clip|bark|piper|silero|colbert|jina-",
    re.IGNORECASE,
)
"""Model names that say that the model does something other than chat, for servers that do not tell."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said to a question: HTTP status and JSON body (None if it is not JSON).

    `fault`: what is wrong with it, to go on after the server's name; "" for an answer that can be read.
    """

    status: int
    body: Any = None
    fault: str = ""


MOST_MODELS, LONGEST_NAME = 5000, 300
"""Models of one server, and characters of a model's name, that are taken note of."""

SILENT = "does not say which models it has"

Ask = Callable[..., Reply | None]
"""`ask(path, json=None)` relative to the server's root: a GET, or a POST with a JSON body; None if it did not answer."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a server offers. `context`: tokens as loaded, 0 unknown. `longest`: what it was trained for."""

    id: str
    chat: bool = True
    loaded: bool = False
    context: int = 0
    longest: int = 0
    remote: str = ""
    """Where it runs if that is not on this server: a host name."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it described itself. `slots`: requests that it works on at once, 0 unknown."""

    kind: str
    models: tuple[Model, ...] = ()
    slots: int = 0
    locked: bool = False
    """It wants an API key that it was not given."""
    fault: str = ""
    """What is wrong with its list of models, to go on after its name."""

    @property
    def name(self) -> str:
        return NAMES[self.kind]

    def model(self, wanted: str) -> Model | None:
        """The model by its name; Ollama's implied `:latest` is understood."""
        for model in self.models:
            if wanted in (model.id, model.id.removesuffix(":latest")):
                return model
        return None


def identify(ask: Ask, models_path: str = "/v1/models") -> Server:
    """Ask a server what it is. Falls back to what the OpenAI listing says."""
    listing = ask(models_path)
    if listing is None:
        listing = Reply(0, fault=SILENT)
    locked = listing.status in (401, 403)
    for attempt in (lm_studio, ollama, llama_cpp):
        server = attempt(ask, listing)
        if server is not None:
            return with_bounded_names(server)
    return with_bounded_names(replace(openai_listing(ask, listing, locked), fault=listing.fault))


def with_bounded_names(server: Server) -> Server:
    """The server without models whose names no person could have given, or that no request can hold."""
    return replace(server, models=tuple(m for m in server.models if m.id and len(m.id) <= LONGEST_NAME))


def name_in(value: Any) -> str:
    """A name: a text that can be sent, which half a surrogate pair (JSON's `\\ud800`) cannot; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return "" if any("\ud800" <= character <= "\udfff" for character in value) else value


def part_of(value: Any, key: str) -> dict[str, Any]:
    """The object under `key`; an empty one where there is none, whatever is there instead."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def lm_studio(ask: Ask, listing: Reply | None) -> Server | None:
    """LM Studio's own listing, which tells embedding models apart and knows what is loaded with which window."""
    newer = rows(ask("/api/v1/models"), "models")
    if newer and any("key" in row and "loaded_instances" in row for row in newer):
        models = []
        for row in newer:
            loaded = objects_in(row.get("loaded_instances"))
            windows = [whole(part_of(instance, "config").get("context_length")) for instance in loaded]
            models.append(
                Model(
                    id=(name_in(loaded[0].get("id")) if loaded else "") or name_in(row.get("key")),
                    chat=row.get("type") in ("llm", "vlm"),
                    loaded=bool(loaded),
                    context=windows[0] if windows else 0,
                    longest=whole(row.get("max_context_length")),
                )
            )
        return Server(LM_STUDIO, tuple(models))
    older = rows(ask("/api/v0/models"), "data")
    if older and any("state" in row for row in older):
        return Server(
            LM_STUDIO,
            tuple(
                Model(
                    id=name_in(row.get("id")),
                    chat=row.get("type") in ("llm", "vlm"),
                    loaded=row.get("state") == "loaded",
                    context=whole(row.get("loaded_context_length")),
                    longest=whole(row.get("max_context_length")),
                )
                for row in older
            ),
        )
    return None


def ollama(ask: Ask, listing: Reply | None) -> Server | None:
    """Ollama's tags; `/api/ps` knows the window of what is loaded, tags know what runs in the cloud."""
    answer = ask("/api/tags")
    tags = rows(answer, "models")
    if (
        answer is None
        or answer.status != 200
        or not isinstance(answer.body, dict)
        or "models" not in answer.body
    ):
        return None
    running = {
        name_in(row.get("model")) or name_in(row.get("name")): row for row in rows(ask("/api/ps"), "models")
    }
    models = []
    for row in tags:
        name = name_in(row.get("model")) or name_in(row.get("name"))
        capabilities = row.get("capabilities")
        chats = "completion" in capabilities if isinstance(capabilities, list) else not NOT_CHAT.search(name)
        models.append(
            Model(
                id=name,
                chat=chats,
                loaded=name in running,
                context=whole(running.get(name, {}).get("context_length")),
                remote=str(row.get("remote_host") or ""),
            )
        )
    return Server(OLLAMA, tuple(models))


def llama_cpp(ask: Ask, listing: Reply | None) -> Server | None:
    """llama.cpp's `/props`: the window of one slot as it is really configured."""
    answer = ask("/props")
    if answer is None or answer.status != 200 or not isinstance(answer.body, dict):
        return None
    settings = answer.body.get("default_generation_settings")
    if not isinstance(settings, dict) or "n_ctx" not in settings:
        return None
    window = whole(settings.get("n_ctx"))
    served = rows(listing, "data")
    names = [name_in(row.get("id")) for row in served] or [
        name_in(answer.body.get("model_alias")) or "default"
    ]
    trained = whole(part_of(served[0], "meta").get("n_ctx_train")) if served else 0
    return Server(
        LLAMA_CPP,
        tuple(Model(id=name, loaded=True, context=window, longest=trained) for name in names),
        slots=whole(answer.body.get("total_slots")),
    )


def openai_listing(ask: Ask, listing: Reply | None, locked: bool) -> Server:
    """A server that is known only by `/v1/models`, and by the small things in which it differs."""
    served = rows(listing, "data")
    owners = {str(row.get("owned_by", "")).lower() for row in served}
    kind = OTHER
    if "vllm" in owners or any("max_model_len" in row for row in served):
        kind = VLLM
    elif owners & {"jan", "cortex", "menlo"}:
        kind = JAN
    else:
        system = ask("/system")
        if (
            system is not None
            and system.status == 200
            and isinstance(system.body, dict)
            and "backends" in system.body
        ):
            kind = LOCALAI
    models = tuple(
        Model(
            id=name_in(row.get("id")),
            chat=not NOT_CHAT.search(name_in(row.get("id"))),
            loaded=kind == VLLM,
            context=whole(row.get("max_model_len")),
            longest=whole(row.get("max_model_len") or row.get("context_length")),
        )
        for row in served
    )
    return Server(kind, models, locked=locked)


def rows(answer: Reply | None, key: str) -> list[dict[str, Any]]:
    """The list of objects under `key` in an answer, empty for every other answer."""
    if answer is None or answer.status != 200 or not isinstance(answer.body, dict):
        return []
    return objects_in(answer.body.get(key))


def objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, up to a limit; an empty list for anything else."""
    return [row for row in value[:MOST_MODELS] if isinstance(row, dict)] if isinstance(value, list) else []


def pick_model(server: Server, wanted: str, local_only: bool) -> Model | None:
    """The model to use: the named one, or with "auto" a chat model, a loaded one before all others.

    With `local_only` models that say they run elsewhere are not picked by "auto". A named model that the listing
    does not have is tried all the same: some servers list nothing, or take any name.
    """
    if wanted != "auto":
        return server.model(wanted) or Model(id=wanted)
    able = [model for model in server.models if model.chat and not (local_only and is_remote(model))]
    loaded = [model for model in able if model.loaded]
    return next(iter(loaded or able), None)


def is_remote(model: Model) -> bool:
    """True if a model's listing or name says that it runs elsewhere (Ollama's cloud models)."""
    return bool(model.remote) or model.id.endswith((":cloud", "-cloud"))


def context_of(server: Server, model: Model, ask: Ask) -> int:
    """The window of a model that is now loaded, asked again because loading may have fixed it; 0 if nobody says."""
    if server.kind in (OLLAMA, LM_STUDIO) and not model.context:
        again = ollama(ask, None) if server.kind == OLLAMA else lm_studio(ask, None)
        found = again.model(model.id) if again else None
        if found is not None and found.context:
            return found.context
        return 0
    return model.context


def exact_counter(server: Server, ask: Ask) -> Callable[[str], int | None] | None:
    """llama.cpp's `/tokenize` as a function from text to its number of tokens."""
    if server.kind != LLAMA_CPP:
        return None

    def count(text: str) -> int | None:
        answer = ask("/tokenize", {"content": text})
        if answer is None or answer.status != 200 or not isinstance(answer.body, dict):
            return None
        tokens = answer.body.get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    return count
