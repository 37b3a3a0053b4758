"""Another speaker encoder in the place of the one that is here, out of a file that somebody carried to this device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from earmark.diarization.models import NAME, features_told, speaker_folder
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.files import Busy, FileLock
from earmark.models.sideload import adding, copy, remove, write_card
from earmark.weights.card import Card, read_card
from earmark.weights.packaged import ENCODER, SEGMENTATION, SPEAKERS

ENDING = ".onnx"

ADDED = "; encoder added from "
"""Between where the segmentation came from and where the encoder did, in the source of a card."""


@dataclass(frozen=True, slots=True)
class Added:
    """`replaced`: the models folder had an encoder, which is gone now; else one beside the program is there as before."""

    card: Card
    replaced: bool


def add_encoder(
    source: Path,
    models_dir: Path,
    now: Instant,
    license: str = "unknown",
    features: str = "",
    shared: Path | None = None,
    came_from: str = "",
) -> Added:
    """Copy an encoder in ONNX into the models folder, with the segmentation that is here; the two appear together.

    `features`: what it takes, where it does not say that itself; `shared`: the folder beside the program; `came_from`: where
    the encoder is from, if not out of a file that somebody brought. Raises ModelError with a sentence if it is no encoder,
    if nobody knows what it takes, or if there is no segmentation here.
    """
    target = models_dir / NAME
    with adding(models_dir) as staged:
        digests = {ENCODER: _copied(source, staged / ENCODER)}
        try:
            takes = features_told(staged / ENCODER, features)
        except ModelError as error:
            raise ModelError(str(error).replace(str(staged / ENCODER), str(source))) from None
        try:
            with FileLock(models_dir / ".locks" / NAME):  # a download of it would appear there, too
                before = speaker_folder(models_dir, shared)
                digests[SEGMENTATION] = _segmentation(before, staged)
                card = _card(
                    read_card(before) if before else None,
                    came_from or str(source),
                    license,
                    now,
                    digests,
                    takes,
                )
                write_card(card, staged)
                replaced = target.is_symlink() or target.is_dir()
                if replaced:
                    remove(target, staged)
                else:
                    staged.rename(target)
        except Busy:
            raise ModelError(
                f"Another process is downloading {NAME} right now; wait until it is done."
            ) from None
    return Added(card, replaced)


def _copied(source: Path, target: Path) -> str:
    try:
        with source.open("rb") as stream:
            return copy(stream, target)
    except OSError as error:
        raise ModelError(f"{source} cannot be read: {error.strerror or error}") from None


def _segmentation(before: Path | None, staged: Path) -> str:
    """Copy the segmentation that is here; returns its SHA-256. Raises ModelError if there is none, or it is another."""
    if before is None or not (before / SEGMENTATION).is_file():
        raise ModelError(
            f"An encoder alone does not tell who speaks, and {SEGMENTATION} is not here: first `earmark models download "
            f"{NAME}`, or bring both in one folder."
        )
    found, card = _copied(before / SEGMENTATION, staged / SEGMENTATION), read_card(before)
    if card and card.files.get(SEGMENTATION, found) != found:
        raise ModelError(
            f"{before / SEGMENTATION} is not what was brought in; bring it again: earmark models remove {NAME}, then "
            f"earmark models download {NAME}"
        )
    return found


def _card(
    before: Card | None, source: str, license: str, now: Instant, digests: dict[str, str], takes: str
) -> Card:
    released = {file.sha256: file.license for file in SPEAKERS.files}
    licenses = ", ".join(
        f"{released.get(digests[name], other)} ({name})"
        for name, other in ((SEGMENTATION, "unknown"), (ENCODER, license))
    )
    first = before.source.partition(ADDED)[0] if before else "put there by hand"
    return Card(NAME, f"{first}{ADDED}{source}", licenses, "", now, digests, takes)
