"""The lines of a transcript's note as blocks that belong together, whatever a person has put around them: a quote, a list,
a heading, a highlight. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from earmark.notes.before_times import name_before
from earmark.notes.comments import without_long_comments

_LINK = (
    r"(?P<embed>!?)(?:\[\[[^\[\]\n]{1,1000}#t=(?P<wiki>\d{1,7})(?:\|[^\[\]\n]{0,100})?\]\]"
    r"|\[[\d:]+\]\([^)\n]{1,3000}#t=(?P<link>\d{1,7})\))"
)
_LEAD = (
    r"(?:[ \t\xa0\u200b\ufeff]|>|\[![\w-]+\][+-]?|#{1,6}(?=[ \t])|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])"
    r"|(?<=[-*+] )(?:\[[^\]\n]\]|TODO|DOING|DONE|NOW|LATER|WAITING|WAIT|CANCELL?ED|STARTED|IN-PROGRESS)(?=[ \t]))*+"
)
"""What makes a line one of a quote, a list or a heading."""
_LABEL = r"(?:\*\*[^*\[\]\n]{1,60}(?::\*\*|\*\*:) ?|[^\W\d_][^*:\[\]\n]{0,60}?(?::| [–—-]) ?)"
"""Who speaks, as a person writes it before the time."""
_OPENED = r"(?:\{(?:--|\+\+|==|~~))?[*_=~]{0,8}(?:<[a-z][^<>\n]{0,200}>)?[*_=~]{0,8}"
_CLOSED = r"[*_=~]{0,8}(?:</[a-z]{1,20}>)?[*_=~]{0,8}"
_TIMED = re.compile(
    rf"(?P<lead>{_LEAD})(?P<opened>{_OPENED})(?P<name>\*\*(?:\\.|\*(?=[^*\n]|\*\* )|[^*\\\n]){{1,500}}?\*\* )?"
    rf"(?:(?P<label>{_LABEL})?{_LINK}|[\[(]?(?P<stamp>(?:\d{{1,3}}:)?\d{{1,2}}:\d\d)[\])]?(?={_CLOSED}(?:\s|$)))"
    rf"(?P<closed>(?:{_CLOSED}(?=\s|$))?)(?P<rest>.*)"
)
_BEGUN = re.compile(_LEAD)
_LINKED = re.compile(_LINK)
_STAMPED = re.compile(r"(?<=\s)[\[(]?(?:\d{1,3}:)?\d{1,2}:\d\d[\])]?(?=\s|$)")
_TITLE = re.compile(r"[ \t>]*\[![\w-]+\]")
"""How the title of a callout begins, which is no text of the note."""
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_QUOTE = re.compile(r"[ \t]*>")
_PROPERTY = re.compile(r"[ \t>]*(?:[-*+] )?[*_]{0,2}[\w/ -]{1,60}[*_]{0,2}::(?:[ \t]|$)")
"""A line that Logseq puts into a block, as when somebody links to that or folds it, or Dataview reads."""
_RULE = re.compile(r"[ \t>]*(?:=+|(?:-[ \t]*){2,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
"""What is drawn as a line, or makes a heading of the line above."""
_DEFINITION = re.compile(r"[ \t>]*\[\^[^\]\s]{1,200}\]:")
"""How the text of a footnote begins, which goes on until an empty line."""
_OWN = re.compile(r"\s*(?:[#>|<]|[-*+] |\d+[.)] |```|~~~|%%|!\[)")
"""How a block begins that is no paragraph of ours."""

_WITHIN = r"(?:\[\[[^\[\]\n]{1,1000}#t=\d{1,7}(?:\|[\d:]+)?\]\]|\[[\d:]+\]\([^)\s]{1,3000}#t=\d{1,7}\))"
_TIME = re.compile(rf" (?P<spaced>{_WITHIN})(?= |$)|(?P<bare>{_WITHIN}) ?")
"""A time to click on within a paragraph."""
_SECOND = re.compile(r".*#t=(\d{1,7})")


@dataclass(slots=True)
class Block:
    """Lines that belong together; none: what stands before the time of the next one. `at`: the second that it begins
    with, or None; `said`: what stands behind that, by line; `own`: a person has put markup around it, so that it is no
    paragraph as we write one.
    """

    lines: range
    said: list[str]
    at: int | None = None
    head: str = ""
    own: bool = False
    name: str = ""
    """Who speaks, as it stands before the time."""

    @property
    def rest(self) -> str:
        return " ".join(self.said)

    @property
    def links(self) -> list[tuple[int, str]]:
        """The times within it: seconds, and the links as they stand there."""
        links = [found["spaced"] or found["bare"] for found in _TIME.finditer(self.rest)]
        return [(int(found[1]), link) for link in links if (found := _SECOND.match(link)) is not None]

    @property
    def words(self) -> str:
        """What stands there but for these times."""
        return _TIME.sub("", self.rest)

    @property
    def parts(self) -> list[str]:
        """What stands between them."""
        return _TIME.sub("\n", self.rest).split("\n")


def is_fence(line: str) -> bool:
    """Whether a line opens or closes a block of code."""
    return line.lstrip().startswith(("```", "~~~"))


def blocks(lines: Sequence[str], part: Iterable[int], begins: Collection[int] = ()) -> Iterator[Block]:
    """The blocks of these lines, in order. The title of a callout, properties, and what opens and closes code, are in
    none. `begins`: the seconds at which turns begin, before whose times a person may have set anything.
    """
    numbers = [*part]
    links = [found["stamp"] is None for n in numbers if (found := _TIMED.match(lines[n])) is not None]
    links += [True for n in numbers if _TIMED.match(lines[n]) is None and _LINKED.search(lines[n])]
    linked = 2 * sum(links) > len(links)  # where times are links, one that is none is a person's
    open_lines = without_long_comments(lines, numbers)
    block: Block | None = None
    fenced = quoted = noted = False
    for n in numbers:
        line = open_lines.get(n, lines[n]).rstrip("\r")
        noted = (noted and bool(line.strip())) or _DEFINITION.match(line) is not None
        if noted or _PROPERTY.match(line) or _RULE.match(line) or (n in open_lines and not line.strip()):
            if block is not None:
                block.own = True
            if block is not None and (noted or _RULE.match(line)):
                yield block
                block = None
            continue
        if is_fence(line):
            fenced, text = not fenced, ""
        else:
            text = "" if _TITLE.match(line) else line[_begun(line) :]
        timed = _timed(line, linked=linked) or _timed_later(line, begins, linked=linked)
        own = _OWN.match(line) is not None
        in_quote = own and _QUOTE.match(line) is not None
        goes_on = block is not None and (
            not own or (in_quote and quoted) or (block.own and line.lstrip()[0] in "|<%!")
        )
        if block is not None and (timed is not None or not text.strip() or not goes_on):
            yield block
            block = None
        quoted = in_quote
        if timed is not None:
            block = _begins(n, line, timed, own=fenced or n in open_lines)
            before = line[_begun(line) : timed.start()].strip()
            if before:
                block.own, block.name = True, name_before(before)
                if not block.name:
                    yield Block(range(n, n), [before], own=True)
        elif not text.strip():
            continue
        elif block is None:
            block = Block(range(n, n + 1), [text], own=own or fenced)
        else:
            block.lines = range(block.lines.start, n + 1)
            block.said.append(text.strip())
            block.own |= n in open_lines
        if block is not None and timed is None and _HEADING.match(line):
            yield block
            block = None
    if block is not None:
        yield block


def _begun(line: str) -> int:
    found = _BEGUN.match(line)
    return found.end() if found is not None and _OWN.match(line) is not None else 0


def _timed(line: str, *, linked: bool) -> re.Match[str] | None:
    found = _TIMED.match(line)
    return None if found is None or (linked and found["stamp"] is not None) else found


def _timed_later(line: str, begins: Collection[int], *, linked: bool) -> re.Match[str] | None:
    """The time of a turn behind something that is none of what we write there."""
    found = (_LINKED if linked else _STAMPED).search(line, _begun(line))
    timed = _TIMED.match(line, found.start()) if found is not None else None
    return timed if timed is not None and _second_of(timed) in begins else None


def _second_of(timed: re.Match[str]) -> int:
    return int(timed["wiki"] or timed["link"] or _seconds(timed["stamp"]))


def _begins(n: int, line: str, timed: re.Match[str], *, own: bool) -> Block:
    """The block that begins with a time. What is opened before it and not closed behind it is so around the words."""
    rest, opened = timed["rest"], timed["opened"]
    name = timed["name"] or timed["label"] or ""
    if opened and name.endswith(f"**{opened[::-1]} "):
        # What is opened before a name and closed behind it is around that.
        name, opened = f"{name[: -len(opened) - 1]} ", ""
    if opened and not timed["closed"]:
        rest = f" {opened}{rest.removeprefix(' ')}"
    at = _second_of(timed)
    marked = timed["opened"] or timed["embed"] or timed["closed"] or timed["label"]
    ours = timed["lead"] in ("", "- ") and not (marked or own)
    return Block(range(n, n + 1), [rest], at, line[: timed.start("rest")], own=not ours, name=name)


def _seconds(stamp: str) -> int:
    total = 0
    for part in stamp.split(":"):
        total = total * 60 + int(part)
    return total
