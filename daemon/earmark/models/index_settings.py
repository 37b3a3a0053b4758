"""Which package index the user has pip or uv ask: weights in packages come from the same. Reads settings, asks nobody."""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

DEFAULT = "https://pypi.org/simple"

VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


SECTIONS = ("global", "install", "download")
"""Of pip's configuration, a later one counts for more, in whichever file it stands. `pip download` itself has no use for
what is under "install": a machine on which packages come from there has them from nowhere else.
"""


def package_index(environ: Mapping[str, str]) -> str:
    """The address of the index: of a variable of pip or uv, else of pip's configuration, else PyPI."""
    for name in VARIABLES:
        if environ.get(name):
            return re.sub(
                r"^[\w.-]+=(?=\w+://)", "", environ[name].strip()
            )  # uv has names for them: firm=https://...
    found: dict[str, str] = {}
    for file in _files(environ):
        settings = configparser.RawConfigParser()
        try:
            settings.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue
        for section in set(SECTIONS) & set(settings.sections()):
            for key, value in settings.items(section):
                # As pip takes them: index_url and --index-url, too.
                if key.replace("_", "-").removeprefix("--") == "index-url" and value.strip():
                    found[section] = value.strip()
    return next((found[section] for section in reversed(SECTIONS) if section in found), DEFAULT)


def certificates(environ: Mapping[str, str]) -> dict[str, str]:
    """The certificates that pip is told to trust, under the name that TLS libraries know; {} if they have been told."""
    if environ.get("SSL_CERT_FILE") or not environ.get("PIP_CERT"):
        return {}
    return {"SSL_CERT_FILE": environ["PIP_CERT"]}


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files; a later one counts for more (https://pip.pypa.io/en/stable/topics/configuration/)."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:  # said to mean that there are none
        return
    home = Path(environ.get("HOME") or "/nonexistent")
    yield Path("/Library/Application Support/pip/pip.conf")
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(folder or "/etc/xdg") / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    if not (named and Path(named).exists()):
        yield home / ".pip" / "pip.conf"
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
        yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if named:
        yield Path(named)
