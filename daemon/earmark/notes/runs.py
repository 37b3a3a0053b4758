"""The words of a paragraph as Markdown, and back: what is hard to hear stands in italics before (?), what is said while
somebody else talks before (+). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import groupby

from earmark.corrections import Word, text_of, words_of
from earmark.domain import Mark, Seconds
from earmark.notes.escape import JOINER, Dialect, escape_inline, normalize
from earmark.notes.paragraphs import Paragraph, Run
from earmark.notes.struck import without_struck
from earmark.notes.style import stamp
from earmark.spacing import spaceless

_ESCAPED = re.compile(r"\\(?P<char>[!-/:-@\[-`{-~])")
_HIDDEN = 0xF0000
"""Where characters behind a backslash are put while markup is looked for (Unicode: private use)."""
_SHOWN = re.compile(f"[{chr(_HIDDEN)}-{chr(_HIDDEN + 0x7F)}]")

_OURS = re.compile(
    r"(?:\*(?P<text>[^*]+)\*|(?<!\S)_(?P<other>[^_]+)_)(?P<marks>(?: \(\?\))?(?: \(\+\))?)(?= |$)"
)
"""Words with marks; what formats notes may have put underscores there for the stars."""

_NOT_WORDS = re.compile(
    r"%%.{0,1000}?%%"  # Obsidian's comment
    r"|<!--.{0,1000}?-->"
    # a footnote, also one with its text in it; a citation
    r"|\[\^[^\]\s]{1,200}\]|\^\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]{0,1000}\]){0,1000}\]){0,1000}\]|\[@[^\[\]]{1,200}\]"
    r"|[\[(][\w/ -]{1,60}::[^\[\]()]{0,1000}[\])]"  # a field of Dataview
    r"|\(\([0-9a-f-]{36}\)\)|\{\{(?!cloze )[^{}]{0,1000}\}\}|<%.{0,1000}?%>"  # a block, a macro, a template
    r"|\$\$[^$]{1,1000}\$\$"
    r"|!\[\[[^\]]{0,1000}\]\]|!\[[^\]]{0,1000}\]\([^)]{0,3000}\)"  # something embedded
    r"|\s\^[A-Za-z0-9-]+$"  # the name of a block
)
_NOTHING = chr(_HIDDEN + 0x100)
"""What is put there for what is no word, until it is known what stands around it."""
_GAP = re.compile(f"[ \\t]*{_NOTHING}(?=[.,;:!?])|{_NOTHING}")
"""Where something was taken out, with the space before it if a sign follows."""
_TAG = re.compile(r"(?<!\S)#(?P<tag>[\w/-]*[^\W\d][\w/-]*)")
_FORMULA = re.compile(r"(?<![\w$])\$(?P<formula>(?=[^\s$])[^$]{1,1000}(?<=\S))\$(?![\w$])")
_CLOZE = re.compile(r"\{\{cloze (?P<text>[^{}]{0,1000})\}\}")
_TAGGED = chr(_HIDDEN + 0x101)
"""What is put before the word of a tag, or of a formula, while words are looked for."""
_HTML = re.compile(
    r"</?(?:a|abbr|b|big|center|cite|code|del|details|div|em|font|i|ins|kbd|li|mark|ol|p|q|s|small|span|strike|strong"
    r"|sub|summary|sup|u|ul)(?:\s[^<>]{0,1000})?>",
    re.I,
)
"""Tags of HTML that only say how words look."""
_ENTITY = re.compile(r"&(?:#?\w{1,40});")
_BREAK = re.compile(r"<br ?/?>", re.I)
_LINK = re.compile(r"\[\[(?:[^\[\]|]*\|)?(?P<wiki>[^\[\]|]+)\]\]|\[(?P<label>[^\[\]]*)\]\([^()]*\)")
_AROUND = (re.compile(r"==(?=\S)(?P<text>(?:(?!==).)+)(?<=\S)=="),)
"""What is between marks of highlights, in which words with marks of ours may stand."""
_STRESS = (
    re.compile(r"\*\*\*(?=[^\s*])(?P<text>[^*]+)(?<=\S)\*\*\*"),
    re.compile(r"\*\*(?=[^\s*])(?P<text>[^*]+)(?<=\S)\*\*"),
    re.compile(r"(?<!\*)\*(?=[^\s*])(?P<text>[^*]+)(?<=\S)\*(?!\*(?!\*))"),
    re.compile(r"`(?=\S)(?P<text>[^`]+)(?<=\S)`"),
    re.compile(r"(?<!\w)__(?=\S)(?P<text>(?:(?!__).)+)(?<=\S)__(?!\w)"),
    re.compile(r"(?<!\w)_(?=[^\s_])(?P<text>(?:[^_]|(?<=\w)_(?=\w))+)(?<=[^\s_])_(?!\w)"),
)
"""What is between marks of bold, italics and code. None runs over its own mark, so that a line full of
them takes no longer than others."""

_DEEPEST = 20
"""How deep marks may stand in marks."""

_ACTS = re.compile(
    r"<[A-Za-z/!?]|://|::|\{[{%#]|\(\(|\]\[|\]\(|\^\[|\[!|&#?\w{1,40};|\$\S[^$]{0,1000}\$|~[^\s~]{1,100}~|\^[^\s^]{1,100}\^|<%"
)
"""HTML, addresses, fields, macros, formulas: words as they stand there, which we would write so that they do nothing."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The words that stand somewhere. `foreign`: markup that we do not write stands there as well. `tags`: which of the
    words are tags, or of a formula.
    """

    words: tuple[Word, ...]
    foreign: bool
    tags: frozenset[int] = frozenset()


def marked_up(
    runs: Iterable[Run], dialect: Dialect, *, marks: bool, link: Callable[[Seconds], str] = stamp
) -> str:
    """The words of a paragraph, each run behind a space. `marks`: what is hard to hear is marked. `link`: what stands before
    a sentence with a time.
    """
    return "".join(
        f"{'' if run.at is None else f' {link(run.at)}'} {_marked(run, dialect, marks)}" for run in runs
    )


def _marked(run: Run, dialect: Dialect, marks: bool) -> str:
    said = escape_inline(run.text, dialect)
    unsure = run.unsure and marks
    if not unsure and not run.overlapped:
        return said
    return f"*{said}*{' (?)' if unsure else ''}{' (+)' if run.overlapped else ''}"


def why_left_out(part: Paragraph) -> str:
    """What stands there instead of words; "" where these stand."""
    if part.left_out is Mark.UNTRANSLATED:
        return f"not translated until {stamp(part.until)}"
    if part.left_out is Mark.REPETITION:
        return f"the same words over and over until {stamp(part.until)}; left out"
    if part.left_out is Mark.OVER_SILENCE:
        return f"no voice until {stamp(part.until)}; words heard into the silence are left out"
    if part.left_out is Mark.WORDLESS:
        return f"somebody speaks until {stamp(part.until)}; no words were made out"
    return ""


def read_back(text: str) -> Reading:
    """The words of a paragraph, whoever wrote them. Markup is taken off, what is no speech (a comment) and what is struck
    out are left out.
    """
    # What is behind a backslash is no markup.
    hidden = _ESCAPED.sub(lambda found: chr(_HIDDEN + ord(found["char"])), text)
    words: list[Word] = []
    bare = _without_marks(_HTML.sub("", _BREAK.sub(" ", without_struck(hidden, _NOTHING))), _AROUND)
    foreign = bare != hidden
    for part, unsure, overlapped in _parts(bare):
        plain = _plain(part)
        foreign = foreign or plain != part or _ACTS.search(part) is not None
        shown = _SHOWN.sub(lambda found: chr(ord(found[0]) - _HIDDEN), plain).replace(JOINER, "")
        words += words_of(normalize(shown), unsure=unsure, overlapped=overlapped)
    tags = frozenset(n for n, word in enumerate(words) if word.text.startswith(_TAGGED))
    return Reading(tuple(replace(w, text=w.text.removeprefix(_TAGGED)) for w in words), foreign, tags)


def is_spelled_so(parts: Iterable[str], dialect: Dialect, *, marks: bool) -> bool:
    """Whether the words of a paragraph stand there, to the letter and the space, as we would write them."""
    return all(part == _spelled(read_back(part).words, dialect, marks) for part in parts)


def _spelled(words: Sequence[Word], dialect: Dialect, marks: bool) -> str:
    runs = [
        Run(text_of([*run]), *looks)
        for looks, run in groupby(words, key=lambda word: (word.unsure, word.overlapped))
    ]
    return marked_up(runs, dialect, marks=marks)


def _parts(text: str) -> Iterator[tuple[str, bool, bool]]:
    """Runs as we mark them, with what they are marked as, and what is between them."""
    at = 0
    for found in _OURS.finditer(text):
        if not found["marks"] or (found.start() and text[found.start() - 1] != " "):
            continue
        yield text[at : found.start()], False, False
        yield found["text"] or found["other"], "?" in found["marks"], "+" in found["marks"]
        at = found.end()
    yield text[at:], False, False


def _plain(text: str) -> str:
    """The text without markup."""
    text = _NOT_WORDS.sub(_NOTHING, _CLOZE.sub(lambda found: found["text"], text))
    text = _FORMULA.sub(lambda found: " ".join(f"{_TAGGED}{word}" for word in found[0].split()), text)
    text = _GAP.sub("", _TAG.sub(_as_tagged, text))
    text = _ENTITY.sub(lambda found: unescape(found[0]), text)
    text = _LINK.sub(lambda found: found["wiki"] or found["label"] or "", text)
    return _without_marks(text, _STRESS)


def _without_marks(text: str, stress: Sequence[re.Pattern[str]]) -> str:
    for _ in range(_DEEPEST):
        before = text
        for marks in stress:
            text = marks.sub(lambda found: found["text"], text)
        if text == before:
            break
    return text


def _as_tagged(found: re.Match[str]) -> str:
    """A tag as a word that is marked as one; where words have no spaces nobody can tell where one would end."""
    return _NOTHING if any(map(spaceless, found["tag"])) else f"{_TAGGED}{found['tag']}"
