"""What summary servers keep on their own account, by what their makers say. Pure."""

from __future__ import annotations


def endpoint_keeps(endpoint: str, away: str | None) -> tuple[str, ...]:
    """What the summary server may keep on its own account; earmark cannot see or change it."""
    if endpoint == "none":
        return ()
    if away is not None:
        return (
            f"{away} receives the text of transcripts; what it logs, keeps or learns from is its operator's rule.",
        )
    return (
        "LM Studio: server logs below ~/.lmstudio/server-logs, with prompts if logging of prompts is on; with LM Link the "
        "work may be done on another of your devices.",
        "Ollama: its service log; prompts only with OLLAMA_DEBUG. Models named :cloud or -cloud run elsewhere.",
        "llama.cpp server: prompts in memory until it ends; on disk only with --slot-save-path or verbose logs.",
        "LocalAI: its log; prompts with DEBUG=true.",
    )
