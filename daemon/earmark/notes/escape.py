"""What was said is hostile text: here it becomes Markdown that can only be read.

A transcript or a model's answer may spell out a link, an embed, a remote image, a tag, HTML, a query or a template
call. Two tools keep it from becoming one, and both leave the text reading as it was said:

* A **backslash**, for what CommonMark itself gives a meaning. It renders as nothing.
* An invisible break, U+2060 WORD JOINER, for what backslashes do not stop. Dataview, Templater, Tasks, Local Images
  and their like search the *raw* file with regular expressions and know no backslashes, so every opening that they
  look for (`[[`, `<%`, `::`, `](`, `://`, `#` before a word ...) must not stand there as such. It is also what stops
  autolinks: linkify-it looks at the text *after* backslashes are gone. U+2060 has no width, allows no line break,
  ends a tag in Obsidian and in Dataview (both end one at U+2000-206F), and is not among the characters that
  CodeMirror draws as a dot. HTML entities would do for a renderer, but read badly in the editor.

Logseq gets the joiner alone around brackets: its parser (mldoc, lib/syntax/inline.ml) takes `\\[ ... \\]` and
`\\( ... \\)` for LaTeX.

What cannot be seen is removed first (controls, bidi overrides, zero-width characters, Unicode tag characters), so
the only joiners in a note are ours.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Dialect = Literal["obsidian", "logseq", "plain"]

JOINER = "\u2060"
"""U+2060 WORD JOINER."""

_SELECTOR = "\ufe0e\ufe0f"
_JOIN_CONTROL = "\u200c\u200d"
_STRAY_SELECTOR = re.compile(f"(?<![^\\x00-\\x7f\\s{_JOIN_CONTROL}{_SELECTOR}])[{_SELECTOR}]")
_STRAY_JOIN_CONTROL = re.compile(
    f"(?<![^\\x00-\\x7f\\s{_JOIN_CONTROL}])[{_JOIN_CONTROL}]|[{_JOIN_CONTROL}](?![^\\x00-\\x7f\\s{_JOIN_CONTROL}])"
)
"""Persian, Indic scripts and emoji need ZWNJ, ZWJ and the emoji selectors; after and between non-ASCII characters only."""

_VISIBLE_FORMAT = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
"""General category Cf, and yet drawn: number and verse signs (Unicode 15.1, Prepended_Concatenation_Mark)."""

_INVISIBLE_OTHER = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point outside Cf, assigned or not, without the emoji selectors U+FE0E and U+FE0F."""

_ODD = re.compile(r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff]")
"""Anything that needs a closer look; plain European speech passes without one."""

_BREAKS = "|".join(
    (
        # a mark of syntax doubled: [[ ]] (( )) {{ }} %% == ^^ :: // @@ $$ || ++ && ;; << >> ## \\
        r"(?<=([#$%&()+/:;<=>@\[\\\]^{|}]))(?=\1)",
        # [text](url)  [text][ref]  [ref]: url  [^note]  [!callout]  ![alt]
        r"(?<=\])(?=[(:\[])|(?<=\[)(?=[\^!])|(?<=!)(?=\[)",
        # <% templater %>  {% liquid %}  {# jinja #}  {: kramdown}
        r"(?<=[<{])(?=%)|(?<=%)(?=[>}])|(?<=\{)(?=[#:.])|(?<=#)(?=\})",
        # #tag  #+BEGIN  ^block-id  ^[inline note]  <html>  <2026-01-01 Thu>
        r"(?<=[#^<])(?=\S)",
        # &entity;
        r"(?<=&)(?=#?\w{1,40};)",
    )
)
_STRESS = r"(?<=([*_`~]))(?=\2)"
"""The same of ** __ `` ~~, where no backslash stands before each of the two, with which nobody takes them for anything, in
the raw text neither.
"""
_ADDRESSES = "|".join(
    (
        # somebody@example.com: before the at, because linkify-it takes a joiner for a letter of a host name
        r"(?<=\S)(?=@)",
        # www.example.com and example.com: after the dot, so that no known top-level domain follows it
        r"(?i:(?<=www)(?=\.))|(?<=\S\.)(?=[^\W\d_]{2})",
    )
)
_BREAK = re.compile(f"{_BREAKS}|{_ADDRESSES}")
_BREAK_LOGSEQ = re.compile(f"{_BREAKS}|{_ADDRESSES}|(?<=\\[)(?=.)")
_BREAK_VALUE = re.compile(f"{_BREAKS}|{_STRESS}")

_BACKSLASH = re.compile(r"[\\`*_\[\]<$#|~^]")
_BACKSLASH_LOGSEQ = re.compile(r"[\\`*_$#|~]")

_CODE = re.compile(r"(?<![`\\])`(?:earmark [A-Za-z][\w./ -]*|[a-z]+ = [\w\"\[\], ]+|[a-z]{2,3})`(?!`)")
"""What our sentences have as code: a command, a setting, a language. Apps run what begins with a sign, as `= this.file`."""
_CODE_HERE = "\ue0c0"
"""Stands for code while what is around it is escaped; private use, so in no sentence of ours."""

_LINE_START = re.compile(r"^(?:(?P<mark>[-+=>:]|!!!)|(?P<number>\d{1,9})(?P<dot>[.)])(?=\s|$))")
_LOGSEQ_MARKER = re.compile(
    r"^(TODO|DOING|DONE|LATER|NOW|WAITING|WAIT|CANCELED|CANCELLED|STARTED|IN-PROGRESS)(?=\s|$)"
)


def normalize(text: str) -> str:
    """The text on one line as a reader sees it: NFC, single spaces, nothing invisible.

    Lone surrogates become U+FFFD. This is what an escaped text renders to.
    """
    if _ODD.search(text):
        # NFC comes before any escaping: it can make syntax out of something else (U+1FEF becomes a backtick). It is
        # applied after each removal, because what was apart may compose now.
        text = unicodedata.normalize("NFC", "".join(map(_visible, text)))
        text = _STRAY_JOIN_CONTROL.sub("", _STRAY_SELECTOR.sub("", text))
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.split())


def escape_inline(text: str, dialect: Dialect = "obsidian") -> str:
    """One line of Markdown that renders to `normalize(text)` and to nothing else, wherever in a line it stands.

    The result holds no line break. Put a space between it and any markup of your own: a text that ends in `!`
    directly before a link of yours would make an image of it.
    """
    text = normalize(text)
    logseq = dialect == "logseq"
    start = _LINE_START.match(text)
    marker = _LOGSEQ_MARKER.match(text) if logseq else None
    text = (_BREAK_LOGSEQ if logseq else _BREAK).sub(JOINER, text)
    text = (_BACKSLASH_LOGSEQ if logseq else _BACKSLASH).sub(r"\\\g<0>", text)
    if start is not None:
        at = len(start["number"] or "")
        text = f"{text[:at]}\\{text[at:]}"
    if marker is not None:
        text = f"{marker[0]}{JOINER}{text[len(marker[0]) :]}"
    return text


def escape_notice(text: str, dialect: Dialect = "obsidian") -> str:
    """A sentence of ours, as `escape_inline`, but that what stands in it as code, such as a command to type, is code in the
    note, and the name of a model is whole. What is in it of others, as a name, is code only if no app could run it.
    """
    text, codes = normalize(text), list[str]()
    if _CODE_HERE in text:
        return escape_inline(text, dialect)

    def kept(found: re.Match[str]) -> str:
        if neutralize(found[0]) != found[0]:
            return found[0]
        codes.append(found[0])
        return _CODE_HERE

    shown = escape_inline(_CODE.sub(kept, text), dialect).replace(f".{JOINER}en ", ".en ")
    for code in codes:
        shown = shown.replace(_CODE_HERE, code, 1)
    return shown


def escape_block(text: str, dialect: Dialect = "obsidian") -> str:
    """Paragraphs, separated by one empty line each; a line break in `text` begins a new paragraph."""
    lines = (escape_inline(line, dialect) for line in text.splitlines())
    return "\n\n".join(line for line in lines if line)


def neutralize(text: str) -> str:
    """The text for a place that knows no backslashes and no bare links (a YAML value): joiners only."""
    return _BREAK_VALUE.sub(JOINER, normalize(text))


def openings(text: str) -> frozenset[int]:
    """The characters of a text before which `neutralize` would break what looks like markup."""
    return frozenset(found.start() for found in _BREAK_VALUE.finditer(text))


def clip(text: str, length: int) -> str:
    """The text cut at a word to at most `length` characters, with an ellipsis if anything is missing."""
    text = normalize(text)
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    if text[length - 1] != " " and " " in cut[length // 2 :]:
        cut = cut.rsplit(" ", 1)[0]
    return cut.rstrip(" ,;:") + "…"


def as_tag(text: str) -> str | None:
    """A tag that Obsidian and Logseq accept (letters, digits, `-`, `_`, `/`; not only digits), or None."""
    words = re.sub(r"[^\w/-]+", "-", normalize(text).lstrip("#"))
    tag = re.sub(r"/{2,}", "/", words).strip("-/")[:60].rstrip("-/")
    return tag if re.search(r"[^\W\d_]", tag) else None


def _visible(char: str) -> str:
    if char <= "~":
        return char if char >= " " else " " if char.isspace() else ""
    if _INVISIBLE_OTHER.match(char):
        return ""
    match unicodedata.category(char):
        case "Zs" | "Zl" | "Zp":
            return " "
        case "Cs":
            return "\ufffd"
        case "Cc":
            return " " if char.isspace() else ""
        case "Cf":
            return char if char in _VISIBLE_FORMAT or char in _JOIN_CONTROL else ""
        case _:
            return char


_FORMULA = re.compile(r"""(?:\A|[;\t]["\s]*)(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])""")
"""Where a spreadsheet takes a cell for a formula, which may start programs (OWASP, CSV injection; the wide signs are for
those of East Asia): at its beginning, and where the cells of a file with commas are taken apart at semicolons or tabs, as
Excel does in countries that write 1,5.
"""


def spreadsheet_cell(text: str) -> str:
    """The text as a cell that is no formula: a `'` in front of what begins like one, which spreadsheets take for text."""
    return _FORMULA.sub(r"\g<0>'", text)
