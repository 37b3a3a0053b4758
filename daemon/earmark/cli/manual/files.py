"""Which files a wheel brings, and where they are looked for below its prefix (`/usr/local`, `~/.local`, an environment)."""

from __future__ import annotations

from earmark.cli.manual import bash, fish, man, zsh
from earmark.cli.manual.outline import Command


def files(outline: Command, version: str) -> dict[str, str]:
    """Text by place."""
    return {
        "share/man/man1/earmark.1": man.page(outline, version),
        "share/bash-completion/completions/earmark": bash.completion(outline),
        "share/zsh/site-functions/_earmark": zsh.completion(outline),
        "share/fish/vendor_completions.d/earmark.fish": fish.completion(outline),
    }
