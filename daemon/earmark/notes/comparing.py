"""Is a note as we wrote it? What apps do to links by themselves, and what people add above the text, is no edit of words.

Obsidian, Logseq and others rewrite the links in all notes when a file is renamed or moved; so a note is compared without
the targets of its links. Pure.
"""

from __future__ import annotations

import hashlib
import re
from enum import Enum

from earmark.ledger import Artifact, Digests
from earmark.notes.frontmatter import body_of

_WIKILINK = re.compile(r"(!?)\[\[[^\]|#\n]*((?:#[^\]|\n]*)?)((?:\|[^\]\n]*)?)\]\]")
_MARKDOWN = re.compile(
    r"\]\((?:<(?![a-z][a-z0-9+.-]*:)[^>#\n]*((?:#[^>\n]*)?)>|(?![a-z][a-z0-9+.-]*:)[^)#\s]*((?:#[^)\s]*)?))\)",
    re.I,
)
"""`[label](target#t=83)`, `[label](<a target#t=83>)`; not those with a scheme, which lead elsewhere."""


class Likeness(Enum):
    """What a file is, compared with what we wrote."""

    SAME = "same"
    """The very bytes."""
    LINKS = "links"
    """Only targets of links differ: still ours."""
    PROPERTIES = "properties"
    """A person changed the frontmatter and not the words."""
    EDITED = "edited"


def plain(text: str) -> str:
    """The note without the targets of its links; places in a recording (`#t=83`) and labels stay."""
    text = _WIKILINK.sub(lambda found: f"{found[1]}[[{found[2]}{found[3]}]]", text)
    return _MARKDOWN.sub(lambda found: f"]({found[1] or found[2] or ''})", text)


def digests(text: str) -> Digests:
    """What is kept of a note that we wrote, to know it again."""
    return Digests(_sha(text), _sha(plain(text)), _sha(plain(body_of(text))))


def likeness(data: bytes, artifact: Artifact) -> Likeness:
    """How these bytes compare with what we wrote. `artifact` may be half-written: both its versions count as ours."""
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in (artifact.sha256, artifact.next_sha256):
        return Likeness.SAME
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Likeness.EDITED
    if artifact.plain_sha256 is not None and _sha(plain(text)) == artifact.plain_sha256:
        return Likeness.LINKS
    if artifact.words_sha256 is not None and _sha(plain(body_of(text))) == artifact.words_sha256:
        return Likeness.PROPERTIES
    return Likeness.EDITED


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
