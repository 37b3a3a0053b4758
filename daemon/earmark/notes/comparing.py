"""Is a note as we wrote it? What apps do to links by themselves, and what people add above the text, is no edit of words.

Obsidian, Logseq and others rewrite the links in all notes when a file is renamed or moved; so a note is compared without
the targets of its links. The names of speakers are ours as well: a person who writes another one into the list, or in
its place throughout the text, says who it is, and has changed nothing of what was said. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from pathlib import PurePosixPath
from urllib.parse import unquote

from earmark.ledger import Artifact, Digests
from earmark.notes.encoding import with_our_ends
from earmark.notes.frontmatter import body_of, top_of, well_formed
from earmark.notes.links import PLAYABLE
from earmark.notes.name_lists import has_links, names_in
from earmark.notes.naming import numbered
from earmark.notes.property_comments import has_comment

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


class Likeness(Enum):
    """What a file is, compared with what we wrote."""

    SAME = "same"
    """The very bytes."""
    LINKS = "links"
    """Only targets of links differ, or how properties are written, or how lines end: still ours."""
    NAMES = "names"
    """The same but for names of speakers, which somebody has given there: ours again once they are known."""
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
    label = _composed(re.sub(r"\\(.)", r"\1", found["label"]))
    stem = label.rpartition(".")[0]
    former = bool(stem) and _composed(note).startswith(f"{stem}.") and kind_of(target) == kind_of(label)
    named = former or label == _composed(unquote(target).rpartition("/")[2])
    return f"[{'' if named else found['label']}]({kind_of(target)}{at})"


def _composed(name: str) -> str:
    """A label is written composed, whatever the file's own name is (a Mac may have it in pieces)."""
    return unicodedata.normalize("NFC", name)


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
    body, top = body_of(text), top_of(text)
    found = None if has_comment(top) else well_formed(top)
    if found is not None:
        # With keys that no app writes for us it counts as it stands.
        with suppress(TypeError, ValueError, RecursionError):
            top = json.dumps(found, sort_keys=True, default=str)
    return plain(top + body, note)


def _nameless(text: str, key: str, names: Sequence[str]) -> str:
    """The properties in one form, with the number of the speakers instead of their names."""
    top = top_of(text)
    found = None if has_comment(top) else well_formed(top)
    if found is not None:
        with suppress(TypeError, ValueError, RecursionError):
            return plain(json.dumps(found | {key: len(names)}, sort_keys=True, default=str))
    return plain(re.sub(rf"^{re.escape(key)}:: .*$", f"{key}:: {len(names)}", top, flags=re.MULTILINE))


def digests(text: str, key: str = "speakers") -> Digests:
    """What is kept of a note that we wrote, to know it again.

    Where it lists speakers, in the property `key`, two digests are kept of each kind, one behind the other: with their
    names and without.
    """
    words = plain(body_of(text))
    names = names_in(text, key)
    if not names:
        return Digests(_sha(text), _sha(_whole(text)), _sha(words), top=top_of(text))
    return Digests(
        _sha(text),
        _sha(_whole(text)) + _sha(_nameless(text, key, names)),
        _sha(words) + _sha(numbered(words, names)),
        names,
        top_of(text),
    )


def words_of(text: str) -> str:
    """The digest of a note's words, as `digests` has it where nobody who speaks is named in them."""
    return _sha(plain(body_of(text)))


def likeness(data: bytes, artifact: Artifact, key: str = "speakers") -> Likeness:
    """How these bytes compare with what we wrote. `artifact` may be half-written: both its versions count as ours.

    `key`: the property that lists the speakers.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if artifact.has_bytes(sha256):
        return Likeness.SAME
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Likeness.EDITED
    like, ended = _likeness(text, artifact, key), with_our_ends(text)
    return _likeness(ended, artifact, key) if like is Likeness.EDITED and ended != text else like


def _likeness(text: str, artifact: Artifact, key: str) -> Likeness:
    whole, nameless = _two(artifact.plain_sha256)
    if _sha(_whole(text, artifact.path.name)) == whole:
        return Likeness.LINKS
    words = plain(body_of(text), artifact.path.name)
    said, said_by_number = _two(artifact.words_sha256)
    names = names_in(text, key) if nameless else ()
    # By those of the list, or by those that are known, as where a person wrote them in the place of others in the text.
    written = names_in(artifact.top, key) if nameless else ()
    by_number = any(
        each and _sha(numbered(words, each, written)) == said_by_number
        for each in (names, artifact.names)
        if names
    )
    if _sha(words) != said and not by_number:
        return Likeness.EDITED
    # A link in the list is a person's, and the name that we would write in its place is less.
    if names and not has_links(text, key) and _sha(_nameless(text, key, names)) == nameless:
        return Likeness.NAMES
    return Likeness.PROPERTIES


def by_these(text: str, names: Sequence[str], artifact: Artifact) -> bool:
    """Whether the turns of a note begin with these names, and it is as we wrote it but for that."""
    words = plain(body_of(with_our_ends(text)), artifact.path.name)
    return bool(names) and _sha(numbered(words, names)) == _two(artifact.words_sha256)[1]


def _two(kept: str | None) -> tuple[str, str]:
    """The digest with the names of speakers, and the one without; "" for what there is not."""
    kept = kept or ""
    return kept[:64], kept[64:]


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
