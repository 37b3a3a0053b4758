"""Which files a wheel brings, and where they are looked for below its prefix (`/usr/local`, `~/.local`, an environment)."""

from __future__ import annotations

from earmark.cli.manual import bash, fish, man, settings, zsh
from earmark.cli.manual.outline import Command


def files(outline: Command, reference: str, version: str) -> dict[str, str]:
    """Text by place. `reference`: docs/configuration.md."""
    return {
        "share/man/man1/earmark.1": man.page(outline, version),
        "share/man/man5/earmark.toml.5": settings.page(reference, version),
        "share/bash-completion/completions/earmark": bash.completion(outline),
        "share/zsh/site-functions/_earmark": zsh.completion(outline),
        "share/fish/vendor_completions.d/earmark.fish": fish.completion(outline),
    }
