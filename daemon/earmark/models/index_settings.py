"""Which package index the user has pip or uv ask: weights in packages come from the same. Reads settings, asks nobody."""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

DEFAULT = "https://pypi.org/simple"

VARIABLES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")


def package_index(environ: Mapping[str, str]) -> str:
    """The address of the index: of a variable of pip or uv, else of the last pip.conf that names one, else PyPI."""
    for name in VARIABLES:
        if environ.get(name):
            return environ[name]
    found = DEFAULT
    for file in _files(environ):
        settings = configparser.RawConfigParser()
        try:
            settings.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue
        for section in ("global", "download"):
            found = settings.get(section, "index-url", fallback=found)
    return found


def certificates(environ: Mapping[str, str]) -> dict[str, str]:
    """The certificates that pip is told to trust, under the name that TLS libraries know; {} if they have been told."""
    if environ.get("SSL_CERT_FILE") or not environ.get("PIP_CERT"):
        return {}
    return {"SSL_CERT_FILE": environ["PIP_CERT"]}


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files; a later one counts for more (https://pip.pypa.io/en/stable/topics/configuration/)."""
    home = Path(environ.get("HOME") or "/nonexistent")
    yield Path("/Library/Application Support/pip/pip.conf")
    for folder in reversed((environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")):
        yield Path(folder or "/etc/xdg") / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if environ.get("PIP_CONFIG_FILE"):
        yield Path(environ["PIP_CONFIG_FILE"])
