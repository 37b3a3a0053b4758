"""Is a note as we wrote it? What apps do to links by themselves, and what people add above the text, is no edit of words.

Obsidian, Logseq and others rewrite the links in all notes when a file is renamed or moved; so a note is compared without
the targets of its links. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from enum import Enum
from pathlib import PurePosixPath
from urllib.parse import unquote

from earmark.ledger import Artifact, Digests
from earmark.notes.frontmatter import body_of, well_formed
from earmark.notes.links import PLAYABLE

_WIKILINK = re.compile(r"(!?)\[\[(?P<target>[^\[\]|#\n]*)((?:#[^\[\]|\n]*)?)((?:\|[^\[\]\n]*)?)\]\]")
_MARKDOWN = re.compile(
    r"\[(?P<label>(?:\\.|[^\[\]\\\n]){0,1000}+)\]\("
    r"(?:<(?![a-z][a-z0-9+.-]*:)(?P<spaced>[^>#\n]{0,1000}+)(?P<at>(?:#[^>\n]{0,1000}+)?)>"
    r"|(?![a-z][a-z0-9+.-]*:)(?P<bare>[^)#\s]{0,1000}+)(?P<there>(?:#[^)\s]{0,1000}+)?))\)",
    re.I,
)
"""`[label](target#t=83)`, `[label](<a target#t=83>)`; not those with a scheme, which lead elsewhere. No name is
longer, and a page full of open brackets is read in linear time: what a run has taken (`+`) is not tried again shorter, as
what may follow it is nothing that it takes."""
_COMMENT = re.compile(r"(?:^|\s)#", re.M)


class Likeness(Enum):
    """What a file is, compared with what we wrote."""

    SAME = "same"
    """The very bytes."""
    LINKS = "links"
    """Only targets of links differ, or how properties are written: still ours."""
    PROPERTIES = "properties"
    """A person changed the frontmatter and not the words."""
    EDITED = "edited"


def plain(text: str, note: str = "") -> str:
    """The note with the kinds of its links' targets instead of their names: a recording, a transcript, or else the ending.

    Places in a recording (`#t=83`) and labels stay, but for a label that is the name of the target, or the name that the
    recording had when the note was called `note`: apps change the one and not the other.
    """
    text = _WIKILINK.sub(lambda found: f"{found[1]}[[{kind_of(found['target'])}{found[3]}{found[4]}]]", text)
    return _MARKDOWN.sub(lambda found: _bare(found, note), text)


def _bare(found: re.Match[str], note: str) -> str:
    target, at = found["spaced"] or found["bare"] or "", found["at"] or found["there"] or ""
    label = re.sub(r"\\(.)", r"\1", found["label"])
    stem, _, ending = label.rpartition(".")
    former = (
        bool(stem) and note.startswith(f"{stem}.") and target.casefold().endswith(f".{ending.casefold()}")
    )
    named = former or label == unquote(target).rpartition("/")[2]
    return f"[{'' if named else found['label']}]({kind_of(target)}{at})"


def kind_of(target: str) -> str:
    """What kind of thing a link leads to; a person who lets it lead to another kind has edited the note."""
    ending = PurePosixPath(unquote(target)).suffix.casefold()
    return "recording" if ending in PLAYABLE else ending.removesuffix(".md")


def targets(text: str) -> set[str]:
    """What the links of a note lead to, as they stand there."""
    found = {link["target"] for link in _WIKILINK.finditer(text)}
    found |= {link["spaced"] or link["bare"] or "" for link in _MARKDOWN.finditer(text)}
    return found - {""}


def _whole(text: str, note: str = "") -> str:
    """A note with its properties in one form, whatever their order and quotes: notes apps write them anew with the links in
    them. Properties with a comment, or that do not parse, count as they stand.
    """
    body = body_of(text)
    top = text[: len(text) - len(body)]
    found = None if _COMMENT.search(top) else well_formed(top)
    if found is not None:
        # With keys that no app writes for us it counts as it stands.
        with suppress(TypeError, ValueError, RecursionError):
            top = json.dumps(found, sort_keys=True, default=str)
    return plain(top + body, note)


def digests(text: str) -> Digests:
    """What is kept of a note that we wrote, to know it again."""
    return Digests(_sha(text), _sha(_whole(text)), _sha(plain(body_of(text))))


def likeness(data: bytes, artifact: Artifact) -> Likeness:
    """How these bytes compare with what we wrote. `artifact` may be half-written: both its versions count as ours."""
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in (artifact.sha256, artifact.next_sha256):
        return Likeness.SAME
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Likeness.EDITED
    if artifact.plain_sha256 is not None and _sha(_whole(text, artifact.path.name)) == artifact.plain_sha256:
        return Likeness.LINKS
    if (
        artifact.words_sha256 is not None
        and _sha(plain(body_of(text), artifact.path.name)) == artifact.words_sha256
    ):
        return Likeness.PROPERTIES
    return Likeness.EDITED


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
