"""Starting the download process and following it: what it may know, where it may write, and when a model is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.files import make_private
from earmark.models.catalog import known
from earmark.models.inventory import Card
from earmark.models.sideload import valid_name
from earmark.transcription.models import require_files

KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
PROXIES = (
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
)
"""Of all that earmark does, only this may go through the proxy that the user has set."""


def download_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of the download process: no token, no telemetry, no home to read tokens from."""
    kept = {name: environ[name] for name in (*KEPT, *PROXIES) if name in environ}
    return kept | {
        "HOME": str(folder),
        "HF_HOME": str(folder / ".hub"),
        "TMPDIR": str(folder),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_XET": "1",  # its own transport and cache; plain HTTP resumes as well
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_EXPERIMENTAL_WARNING": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def download(
    name: str,
    models_dir: Path,
    now: Instant,
    *,
    revision: str | None = None,
    environ: Mapping[str, str] = os.environ,
    on_progress: Callable[[int, int], None] = lambda at, total: None,
) -> tuple[Card, tuple[str, ...]]:
    """Download a model by its short name or hub repository; returns its card and what was enforced meanwhile.

    `on_progress(bytes so far, bytes in all)`. What a broken download left is gone on with by the next call. Raises
    ModelError with a sentence.
    """
    published = known(name)
    if published is None and "/" not in name:
        raise ModelError(
            f"{name!r} is not a model that is known here; earmark models list --all shows those that are, and OWNER/NAME "
            "takes any CTranslate2 Whisper repository."
        )
    repo = published.repo if published else name
    chosen = valid_name(published.name if published else name.split("/")[-1])
    target = models_dir / chosen
    if target.exists():
        raise ModelError(
            f"There is a model named {chosen} already; earmark models remove {chosen} takes it away."
        )
    make_private(models_dir)
    partial = make_private(models_dir / f".partial-{chosen}")
    last, enforced = _fetch(repo, revision, partial, environ, on_progress)
    if last.get("type") != "done":
        raise ModelError(
            f"{name} could not be downloaded: {last.get('sentence', 'the download process ended')}. What is there is kept; "
            "the same command goes on from there."
        )
    shutil.rmtree(partial / ".hub", ignore_errors=True)
    require_files(partial)
    license = str(last["license"]) if last["license"] != "unknown" or not published else published.license
    source = f"{environ.get('HF_ENDPOINT') or 'https://huggingface.co'}/{repo}"
    card = Card(chosen, source, license, str(last["commit"]), now, dict(last["files"]))
    card.write(partial)
    partial.rename(target)
    return card, enforced


def _fetch(
    repo: str,
    revision: str | None,
    partial: Path,
    environ: Mapping[str, str],
    on_progress: Callable[[int, int], None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Run the process that downloads into `partial`; its last message and what was enforced on it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "earmark.models.download"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=download_environment(environ, partial), start_new_session=True, text=True,
    )  # fmt: skip
    asked = {
        "repo": repo, "revision": revision, "folder": str(partial), "endpoint": environ.get("HF_ENDPOINT"),
    }  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.close()
        return _follow(process, on_progress)
    finally:
        process.kill()
        process.wait(10)


def _follow(
    process: subprocess.Popen[str], on_progress: Callable[[int, int], None]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read what the process says until it ends; returns the last message and what is enforced."""
    assert process.stdout is not None
    total = 0
    last: dict[str, Any] = {}
    enforced: tuple[str, ...] = ()
    for line in process.stdout:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        match said.get("type"):
            case "confined":
                enforced = tuple(said["enforced"])
            case "total":
                total = int(said["bytes"])
            case "at":
                on_progress(int(said["bytes"]), total)
        last = said
    return last, enforced
