"""The only process of earmark that talks to a model hub: `python -m earmark.models.download`, for one model, then gone.

It is started by `earmark models download` and by nothing else. Before huggingface_hub is imported it gives up all files
but the models folder (Landlock), so that it cannot read a recording. JSON lines go out on stdout: `total`, `at`, then
`done` or `failed`. A later call goes on where an earlier one was cut off.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from earmark.locality import landlock
from earmark.locality.process import die_with_parent, harden_process
from earmark.locality.sandbox import NOT_ENFORCED, python_folders

WANTED = (
    "config.json",
    "model.bin",
    "tokenizer.json",
    "preprocessor_config.json",
    "vocabulary.*",
    "LICENSE*",
)
"""What faster_whisper.utils.download_model takes, and the licence."""

READABLE = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/hosts", "/etc/resolv.conf",
    "/run/systemd/resolve", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/localtime",
    "/usr/share/zoneinfo", "/etc/ld.so.cache", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/dev/urandom",
)  # fmt: skip
"""What Python, the resolver and TLS read; none of it is anybody's document."""


def confine_download(folder: Path) -> tuple[str, ...]:
    """Leave only this folder to write in, and of all other files the system's own to read."""
    harden_process()
    reads = [*python_folders(), *(Path(p) for p in READABLE)]
    try:
        version = landlock.restrict(reads, [Path("/dev/null")], writable=[folder], ports=None)
    except OSError as error:
        return (f"{NOT_ENFORCED}the download process can read your files ({error.strerror or error})",)
    return (f"files: only the models folder can be written, none of yours read (Landlock {version})",)


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def git_blob(path: Path) -> str:
    """The id that git gives a file's content: SHA-1 over a header and the bytes. What the hub says of small files."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def fetch(
    repo: str, revision: str | None, folder: Path, endpoint: str | None
) -> tuple[str, dict[str, str], str]:
    """Bring a repository's model files into `folder`; returns (commit, name → SHA-256, licence).

    Raises ValueError if a file is not what the hub said it would be; what huggingface_hub raises passes through.
    """
    from fnmatch import fnmatch

    from huggingface_hub import HfApi, hf_hub_download

    api = HfApi(endpoint=endpoint, token=False)
    info = api.model_info(repo, revision=revision, files_metadata=True)
    files = [f for f in info.siblings or [] if any(fnmatch(f.rfilename, pattern) for pattern in WANTED)]
    licence = str(getattr(info.card_data, "license", None) or "unknown")
    say(type="total", files=len(files), bytes=sum(f.size or 0 for f in files), commit=info.sha)
    digests, before = {}, 0
    for file in files:
        path = Path(
            hf_hub_download(
                repo, file.rfilename, revision=info.sha, local_dir=folder, endpoint=endpoint, token=False,
                tqdm_class=_reporter(before),
            )
        )  # fmt: skip
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        promised = (file.lfs.sha256 if file.lfs else None) or None
        if promised is not None and found != promised:
            path.unlink()
            raise ValueError(
                f"{file.rfilename}: expected sha256 {promised}, found {found}; it was deleted, try again"
            )
        if promised is None and file.blob_id and git_blob(path) != file.blob_id:
            path.unlink()
            raise ValueError(
                f"{file.rfilename} is not the file that the hub lists; it was deleted, try again"
            )
        digests[file.rfilename] = found
        before += file.size or 0
        say(type="at", bytes=before)
    return str(info.sha), digests, licence


def _reporter(before: int) -> Any:
    """A tqdm that says how many bytes of the whole are there, at most ten times a second."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class Reporter(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            self._said = 0.0
            super().__init__(*args, **{**options, "file": sys.stderr, "disable": False, "mininterval": 3600})

        def display(self, *args: Any, **options: Any) -> bool:
            return True

        def update(self, n: float | None = 1) -> bool | None:
            shown: bool | None = super().update(n)
            if time.monotonic() - self._said > 0.1:
                self._said = time.monotonic()
                say(type="at", bytes=before + int(self.n))
            return shown

    return Reporter


def main() -> int:
    die_with_parent()
    asked = json.loads(sys.stdin.readline())
    folder = Path(asked["folder"])
    say(type="confined", enforced=confine_download(folder))
    os.environ["TMPDIR"] = str(folder)
    try:
        commit, digests, licence = fetch(asked["repo"], asked["revision"], folder, asked["endpoint"])
    except Exception as error:
        say(
            type="failed",
            sentence=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        )
        return 69
    say(type="done", commit=commit, files=digests, licence=licence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
