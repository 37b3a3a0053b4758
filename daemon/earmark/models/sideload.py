"""Bringing a model in from a folder or an archive that somebody carried here. Nothing in it is trusted.

Only the files that a model consists of are taken, as regular files, by their base names; links, devices, paths that lead
out and anything that unpacks to more than it should are refused. The model appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import IO

from earmark.diarization.models import FILES as SPEAKER_FILES
from earmark.diarization.models import NAME, features_told, require_segmentation, require_speaker_files
from earmark.domain import Instant
from earmark.errors import ModelError, ModelUsage
from earmark.files import Busy, FileLock, make_private
from earmark.search.models import FILES as MEANING_FILES
from earmark.search.models import NAME as MEANING
from earmark.search.models import require_encoder, require_meaning_files
from earmark.transcription.models import require_files
from earmark.weights.card import CARD, Card
from earmark.weights.packaged import MODEL

TEXTS = frozenset({"LICENSE", "LICENSE.txt", "README.md"})
"""What says whose a model is."""

SPEECH = TEXTS | {
    "config.json", "model.bin", "tokenizer.json", "preprocessor_config.json", "vocabulary.txt", "vocabulary.json",
}  # fmt: skip
"""What faster-whisper reads; its download_model takes the same."""

SPEAKERS = TEXTS | set(SPEAKER_FILES)
"""What tells who speaks."""

SENTENCES = TEXTS | set(MEANING_FILES)
"""What finds by meaning."""

ALL = SPEECH | SPEAKERS | SENTENCES

LARGEST = 8_000_000_000
"""Bytes of one file; large-v3 in float32 has 6.2 GB."""

PIECE = 1 << 20


def valid_name(name: str) -> str:
    """The name itself, if it can be a folder's; raises ModelUsage."""
    if not name or name.startswith(".") or any(c in name for c in "/\\\0") or len(name) > 100:
        raise ModelUsage(
            f"{name!r} cannot be a model's name; use letters, digits, dots and dashes, such as small.en"
        )
    return name


def speech_name(name: str) -> str:
    """The name itself, if a speech model can have it; raises ModelUsage."""
    if name in (NAME, MEANING):
        does = "tells who speaks" if name == NAME else "finds by meaning"
        raise ModelUsage(f"{name!r} is the name of what {does}; no speech model can have it.")
    return valid_name(name)


def add(
    source: Path,
    models_dir: Path,
    now: Instant,
    name: str | None = None,
    license: str = "unknown",
    features: str = "",
) -> Card:
    """Copy the model in `source` (folder, .zip, .tar, .tar.gz/xz/bz2) into `models_dir`; returns its card.

    One that tells who speaks, or finds by meaning, has a name of its own; `features`: what the encoder of the former takes,
    where that does not say it. Raises ModelError with a sentence if it is no complete model, if a model of that name is
    there, or if the archive is not one to be opened.
    """
    plain = source.name.removesuffix(".zip")
    for suffix in (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".tar"):
        plain = plain.removesuffix(suffix)
    chosen = valid_name(name or plain)
    _require_free(models_dir / chosen)
    with adding(models_dir) as staged:
        digests = _copied(source, staged)
        takes = ""
        own = _own_name(digests.keys())
        if not own:
            _keep(digests, SPEECH, staged)
            speech_name(chosen)
        else:
            _keep(digests, SPEAKERS if own == NAME else SENTENCES, staged)
            if name not in (None, own):
                does = "tells who speaks" if own == NAME else "finds by meaning"
                raise ModelUsage(f"{source} {does}, and is called {own}: leave out --name.")
            chosen = own
            _require_free(models_dir / chosen)
        try:
            takes = _complete(staged, chosen, features)
        except ModelUsage:
            raise
        except ModelError as error:
            raise ModelError(
                f"{source} is not a complete model. {error}".replace(str(staged), str(source))
            ) from None
        card = Card(chosen, f"added from {source}", license, "", now, digests, takes)
        write_card(card, staged)
        staged.rename(models_dir / chosen)
    return card


def _own_name(files: Set[str]) -> str:
    """What a model with these files is called in any case; "" for a speech model."""
    if "model.bin" in files:
        return ""
    if files & set(SPEAKER_FILES):
        return NAME
    return MEANING if MODEL in files else ""


def _require_free(target: Path) -> None:
    if target.exists():
        raise ModelError(
            f"There is a model named {target.name} already; remove it first or choose another --name."
        )


@contextmanager
def adding(models_dir: Path) -> Iterator[Path]:
    """A folder in the models folder that nobody sees, for one that is to be a model's. Raises ModelError while another
    process has one.
    """
    make_private(models_dir)
    try:
        with FileLock(models_dir / ".locks" / "adding"):
            for left in models_dir.glob(".adding-*"):  # of a call that was killed
                shutil.rmtree(left)
            with tempfile.TemporaryDirectory(dir=models_dir, prefix=".adding-") as scratch:
                staged = Path(scratch) / "model"
                staged.mkdir(mode=0o700)
                yield staged
    except Busy:
        raise ModelError("Another process is adding a model right now; wait until it is done.") from None


def _copied(source: Path, staged: Path) -> dict[str, str]:
    """Copy what a model may consist of; returns name → SHA-256."""
    digests: dict[str, str] = {}
    with _opened(source) as members:
        for file, stream in members:
            if file in digests:
                raise ModelError(f"{source} holds {file} twice, so it is not clear which one is meant.")
            digests[file] = copy(stream, staged / file)
    return digests


def _keep(digests: dict[str, str], files: Set[str], staged: Path) -> None:
    """Leave out what is no part of this kind of model."""
    for file in digests.keys() - files:
        (staged / file).unlink()
        del digests[file]


def _complete(staged: Path, name: str, features: str) -> str:
    """Raise ModelError unless everything is there; returns what the encoder takes, "" for a speech model."""
    if name == MEANING:
        require_meaning_files(staged)
        require_encoder(staged / MODEL)
    elif name != NAME:
        require_files(staged)
    if name != NAME:
        if features:
            what = "finds by meaning" if name == MEANING else "is a speech model"
            raise ModelUsage(f"--features is for what tells who speaks, and this {what}.")
        return ""
    require_speaker_files(staged)
    segmentation, encoder = SPEAKER_FILES
    require_segmentation(staged / segmentation)
    return features_told(staged / encoder, features)


def write_card(card: Card, folder: Path) -> None:
    said = {name: value for name, value in asdict(card).items() if name != "features" or value}
    (folder / CARD).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


@contextmanager
def _opened(source: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """The model's files in a folder or archive as (base name, stream)."""
    try:
        if source.is_dir():
            yield _in_folder(source)
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                yield _in_zip(archive)
        elif source.is_file() and tarfile.is_tarfile(source):
            with tarfile.open(source) as tar:
                yield _in_tar(tar)
        else:
            raise ModelError(
                f"{source} is neither a folder nor a .zip or .tar archive; a CTranslate2 Whisper model is a folder with "
                "model.bin, config.json, tokenizer.json and a vocabulary. A speaker encoder is a file that ends in .onnx."
            )
    except (
        OSError,
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise ModelError(f"{source} cannot be read: {error}") from None


def _in_folder(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for file in sorted(ALL):
        path = folder / file
        if path.is_file():
            with path.open("rb") as stream:
                yield file, stream


def _in_zip(archive: zipfile.ZipFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive.infolist():
        base = _base(member.filename)
        # The upper half of the attributes is the Unix mode: 0o120000 marks a link.
        if (
            base
            and not member.is_dir()
            and (member.external_attr >> 16) & 0o170000 not in (0o120000, 0o020000)
        ):
            with archive.open(member) as stream:
                yield base, stream


def _in_tar(archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for member in archive:
        base = _base(member.name)
        if base and member.isreg():
            stream = archive.extractfile(member)
            if stream is not None:
                with stream:
                    yield base, stream


def _base(name: str) -> str | None:
    """The base name of a member that is one of a model's files; None for everything else. Where it lies is ignored,
    so that no path in an archive means anything here.
    """
    base = PurePosixPath(name.replace("\\", "/")).name
    return base if base in ALL else None


def copy(stream: IO[bytes], target: Path) -> str:
    """Copy up to LARGEST bytes; returns their SHA-256."""
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        target.chmod(0o600)
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > LARGEST:
                raise ModelError(f"{target.name} unpacks to more than {LARGEST:,} bytes, which no model has.")
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()


def remove(folder: Path, instead: Path | None = None) -> None:
    """Delete a model's folder, at once or not at all for everybody else; of a link, the link. Only for folders that the
    inventory calls removable. `instead`: a folder that takes its place.
    """
    going = folder.with_name(f".removing-{folder.name}")
    _delete(going)  # of a removal that was killed
    folder.rename(going)
    if instead is not None:
        instead.rename(folder)
    _delete(going)


def _delete(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
