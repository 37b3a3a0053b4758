"""A server on loopback that behaves like LM Studio, Ollama, llama.cpp, LocalAI or vLLM, with the bodies they really send.

It stands in for servers that cannot run here. Its "model" is a function from messages to text; `honest` is one that
notes what is in the transcript it was given, so that whole summaries can be followed through.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Model = Callable[[list[dict[str, str]]], str]
LINE = re.compile(r"^\[(\d+)\] (.+)$", re.MULTILINE)


def tokens_in(messages: list[dict[str, str]]) -> int:
    """What the stub counts as tokens: four characters each."""
    return sum(len(message["content"]) for message in messages) // 4 + 8


def lines_in(messages: list[dict[str, str]]) -> list[tuple[int, str]]:
    """The transcript lines in a prompt as (seconds, words)."""
    return [(int(at), words) for at, words in LINE.findall(messages[-1]["content"])]


def honest(messages: list[dict[str, str]]) -> str:
    """A model that reports what was said: first line as overview, every fifth as a point, "will" as a task."""
    lines = lines_in(messages)
    if not lines:  # The last step: points instead of a transcript.
        points = re.findall(r"^(\d+)\. (.+)$", messages[-1]["content"], re.MULTILINE)
        texts = [text for _, text in points]
        return json.dumps(
            {"title": "All of it", "overview": " ".join(texts[:2]), "best": [int(n) for n, _ in points[:5]]}
        )
    picked = lines[:: max(1, len(lines) // 3)][:4]
    return json.dumps(
        {
            "title": " ".join(lines[0][1].split()[:5]),
            "overview": lines[0][1],
            "key_points": [{"quote": words, "at": at, "text": words} for at, words in picked],
            "decisions": [{"quote": w, "at": a, "text": w} for a, w in lines if "decided" in w],
            "tasks": [
                {
                    "quote": w,
                    "at": a,
                    "text": w,
                    "owner": w.split()[0],
                    "due": "Friday" if "Friday" in w else "",
                }
                for a, w in lines
                if " will " in w
            ],
            "open_questions": [{"quote": w, "at": a, "text": w} for a, w in lines if w.endswith("?")],
            "people": [],
            "tags": [],
        }
    )


@dataclass
class Said:
    """One response. `body` is sent as JSON unless it is bytes. `drop`: close the connection after so many bytes."""

    status: int = 200
    body: Any = None
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    drop: int | None = None


def sse(*events: Any, done: bool = True) -> bytes:
    """Server-sent events, as Chat Completions streams are made of."""
    out = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return out + (b"data: [DONE]\n\n" if done else b"")


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def usage(prompt: int, completion: int) -> dict[str, Any]:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub",
        "choices": [],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


def streamed(text: str, prompt_tokens: int, finish: str = "stop", field_name: str = "content") -> bytes:
    """A whole answer as a stream, in pieces of 40 characters, with usage at the end."""
    pieces = [text[i : i + 40] for i in range(0, len(text), 40)]
    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({field_name: piece}) for piece in pieces]
    events.append(chunk({}, finish))
    if prompt_tokens:
        events.append(usage(prompt_tokens, len(text) // 4))
    return sse(*events)


class Stub:
    """One server. Subclasses say what is special; tests override `chat` or `model` for a single quirk."""

    window = 0
    """Tokens; a longer prompt gets `overflow`. 0: no limit."""

    def __init__(self, model: Model = honest, **settings: Any) -> None:
        self.model = model
        self.requests: list[dict[str, Any]] = []
        """Bodies of all chat requests that came in, in order."""
        self.paths: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        for name, value in settings.items():
            setattr(self, name, value)

    def get(self, path: str) -> Said:
        if path == "/v1/models":
            return Said(body={"object": "list", "data": [{"id": "stub-7b-instruct", "object": "model"}]})
        return Said(404, {"error": {"message": "not found"}})

    def post(self, path: str, body: dict[str, Any]) -> Said:
        if path == "/v1/chat/completions":
            self.requests.append(body)
            return self.chat(body)
        return Said(404, {"error": {"message": "not found"}})

    def chat(self, body: dict[str, Any]) -> Said:
        prompt = tokens_in(body["messages"])
        if self.window and prompt + (body.get("max_tokens") or 0) > self.window:
            return self.overflow(prompt, body)
        return self.say(self.model(body["messages"]) if body.get("max_tokens") != 1 else "ok", prompt)

    def say(self, text: str, prompt: int, finish: str = "stop") -> Said:
        return Said(body=streamed(text, prompt, finish), kind="text/event-stream")

    def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
        return Said(400, {"error": {"message": "context size exceeded", "code": 400}})

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """The chat requests without the ones that only measure."""
        return [request for request in self.requests if request.get("max_tokens") != 1]


class LMStudio(Stub):
    loaded = True
    linked = False

    def get(self, path: str) -> Said:
        if path == "/api/v1/models":
            instance = {"id": "qwen3-4b", "config": {"context_length": self.window or 8192}}
            return Said(
                body={
                    "models": [
                        {
                            "type": "embedding",
                            "key": "text-embedding-nomic-embed-text-v1.5",
                            "loaded_instances": [],
                        },
                        {
                            "type": "llm",
                            "key": "llama-3.2-1b",
                            "loaded_instances": [],
                            "max_context_length": 131072,
                        },
                        {
                            "type": "llm",
                            "key": "qwen3-4b",
                            "loaded_instances": [instance] if self.loaded else [],
                            "max_context_length": 262144,
                        },
                    ]
                }
            )
        if path == "/v1/models":
            names = ("text-embedding-nomic-embed-text-v1.5", "llama-3.2-1b", "qwen3-4b")
            return Said(
                body={
                    "data": [
                        {"id": name, "object": "model", "owned_by": "organization_owner"} for name in names
                    ]
                }
            )
        return Said(200, {"error": f"Unexpected endpoint or method. (GET {path})"})

    def chat(self, body: dict[str, Any]) -> Said:
        if (body.get("response_format") or {}).get("type") == "json_object":
            return Said(400, {"error": "'response_format.type' must be 'json_schema' or 'text'"})
        return super().chat(body)

    def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
        message = (
            f"Trying to keep the first {prompt} tokens when context the overflows. However, the model is loaded with "
            f"context length of only {self.window} tokens, which is not enough. Try to load the model with a larger "
            "context length, or provide a shorter input"
        )
        return Said(400, {"error": message})


class Ollama(Stub):
    """Cuts the front of what does not fit, silently. `real`: its window, which only `/api/ps` knows once loaded."""

    real = 0
    tells = False
    cloud: str = ""

    def get(self, path: str) -> Said:
        if path == "/api/version":
            return Said(body={"version": "0.20.1"})
        if path == "/api/tags":
            models: list[dict[str, Any]] = [
                {
                    "name": "nomic-embed-text:latest",
                    "model": "nomic-embed-text:latest",
                    "capabilities": ["embedding"],
                },
                {
                    "name": "gpt-oss:120b-cloud",
                    "model": "gpt-oss:120b-cloud",
                    "remote_host": "https://ollama.com:443",
                },
                {"name": "llama3.2:3b", "model": "llama3.2:3b", "details": {"family": "llama"}},
            ]
            return Said(body={"models": models})
        if path == "/api/ps":
            row = {"name": "llama3.2:3b", "model": "llama3.2:3b", "context_length": self.real}
            return Said(body={"models": [row] if self.tells and self.requests else []})
        if path == "/api/status":
            return Said(body={"cloud": {"disabled": False}})
        if path == "/v1/models":
            return Said(body={"data": [{"id": "llama3.2:3b", "object": "model", "owned_by": "library"}]})
        return Said(404, b"404 page not found", "text/plain")

    def post(self, path: str, body: dict[str, Any]) -> Said:
        if path == "/api/show":
            if self.cloud and self.cloud == body.get("model"):
                return Said(body={"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"})
            return Said(body={"details": {"family": "llama"}, "model_info": {"llama.context_length": 131072}})
        return super().post(path, body)

    def chat(self, body: dict[str, Any]) -> Said:
        if not self.real:
            return super().chat(body)
        messages = [dict(message) for message in body["messages"]]
        excess = tokens_in(messages) - self.real
        if excess > 0:
            messages[-1]["content"] = messages[-1]["content"][excess * 4 :]
        text = self.model(messages) if body.get("max_tokens") != 1 else "ok"
        return self.say(text, min(tokens_in(messages), self.real))


class LlamaCpp(Stub):
    slots = 1

    def get(self, path: str) -> Said:
        if path == "/props":
            settings = {"n_ctx": self.window or 8192}
            return Said(
                body={"default_generation_settings": settings, "total_slots": self.slots, "model_alias": "m"}
            )
        if path == "/v1/models":
            row = {
                "id": "model.gguf",
                "object": "model",
                "owned_by": "llamacpp",
                "meta": {"n_ctx_train": 32768},
            }
            return Said(body={"object": "list", "data": [row]})
        return Said(404, {"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}})

    def post(self, path: str, body: dict[str, Any]) -> Said:
        if path == "/tokenize":
            return Said(body={"tokens": [1] * (len(body["content"]) // 4)})
        return super().post(path, body)

    def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
        return Said(
            400,
            {
                "error": {
                    "code": 400,
                    "message": f"request ({prompt} tokens) exceeds the available context size ({self.window} tokens), "
                    "try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": prompt,
                    "n_ctx": self.window,
                }
            },
        )


class LocalAI(Stub):
    backend = "llama-cpp"
    peers: tuple[str, ...] = ()

    def get(self, path: str) -> Said:
        if path == "/system":
            return Said(body={"backends": ["llama-cpp", "cloud-proxy"], "loaded_models": []})
        if path.startswith("/api/models/config-json/"):
            return Said(body={"name": "gemma", "backend": self.backend})
        if path == "/api/p2p":
            return Said(body={"nodes": list(self.peers)})
        if path == "/v1/models":
            return Said(
                body={"data": [{"id": "whisper-1", "object": "model"}, {"id": "gemma", "object": "model"}]}
            )
        return Said(404, {"error": {"code": 404, "message": "Not found", "type": ""}})

    def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
        return Said(413, {"error": {"code": 413, "message": "Request Entity Too Large", "type": ""}})


class VLLM(Stub):
    def get(self, path: str) -> Said:
        if path == "/v1/models":
            row = {
                "id": "Qwen/Qwen3-8B",
                "object": "model",
                "owned_by": "vllm",
                "max_model_len": self.window or 8192,
            }
            return Said(body={"object": "list", "data": [row]})
        return Said(404, {"detail": "Not Found"})

    def overflow(self, prompt: int, body: dict[str, Any]) -> Said:
        completion = body.get("max_tokens") or 0
        message = (
            f"This model's maximum context length is {self.window} tokens. However, you requested {prompt + completion} "
            f"tokens ({prompt} in the messages, {completion} in the completion). Please reduce the length of the "
            "messages or completion."
        )
        return Said(
            400,
            {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400},
        )


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def do_GET(self) -> None:
        self.answer("GET", None)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.answer("POST", json.loads(self.rfile.read(length) or b"{}"))

    def answer(self, method: str, body: dict[str, Any] | None) -> None:
        self.stub.paths.append((method, self.path))
        self.stub.headers.append({name.lower(): value for name, value in self.headers.items()})
        said = self.stub.get(self.path) if body is None else self.stub.post(self.path, body)
        data = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        self.send_response(said.status)
        self.send_header("content-type", said.kind)
        self.send_header("content-length", str(len(data)))
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if said.drop is not None:
            self.wfile.write(data[: said.drop])
            self.wfile.flush()
            # RST instead of FIN: the peer sees a server that died, not one that is done.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError, OSError):
            self.close_connection = True


@contextmanager
def running(stub: Stub, port: int = 0, host: str = "127.0.0.1") -> Iterator[Stub]:
    """The stub on a port of this host (0: a free one); its `url` is the base URL to configure."""
    handler = type("StubHandler", (Handler,), {"stub": stub})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stub.url = f"http://{host}:{server.server_address[1]}/v1"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
