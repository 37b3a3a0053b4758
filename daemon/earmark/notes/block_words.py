"""The words of a block of a note held against those that were heard there. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from earmark.corrections import Word, compared
from earmark.notes.blocks import Block
from earmark.notes.runs import read_back

MOST_PLACED = 2_000
"""Words of a section that are compared to find out whether a paragraph belongs there."""

_ALIKE = str.maketrans(
    {**dict.fromkeys("’‘ʼ＇", "'"), **dict.fromkeys("“”„‟", '"'), "…": "...", "‐": "-", "‑": "-"}
)
"""Signs that editors put for others, as iA Writer and Word do for all of a text."""
_SIGN = re.compile(r"[.,;:!?…]+$")


def with_our_signs(words: Sequence[Word], heard: Sequence[str]) -> Sequence[Word]:
    """The words, but for signs that editors put in the place of others by themselves: those stay as they were heard."""
    plain = [word.text.translate(_ALIKE) for word in words][:MOST_PLACED]
    if {word.text for word in words} <= {*heard}:
        return words
    found = [*words]
    for same, i1, i2, j1, _ in compared([text.translate(_ALIKE) for text in heard], plain):
        for n in range(i2 - i1 if same else 0):
            found[j1 + n] = replace(found[j1 + n], text=heard[i1 + n])
    return found


def words_in(block: Block, heard: Sequence[str]) -> tuple[Sequence[Word], bool]:
    """The words of a block, and whether there is markup that we do not write. A tag is a word where one was heard."""
    reading = read_back(block.words)
    if not reading.tags:
        return reading.words, reading.foreign
    codes = compared(heard, [word.text for word in reading.words][:MOST_PLACED])
    said = {
        n
        for same, i1, i2, first, last in codes
        if same or i2 < len(heard)  # what is behind the last word that was heard is in the place of none
        for n in range(first, min(last, first + i2 - i1))
    }
    words: list[Word] = []
    for n, word in enumerate(reading.words):
        if n in said or n not in reading.tags:
            words.append(word)
        elif words and (end := _SIGN.search(word.text)) is not None and _SIGN.search(words[-1].text) is None:
            words[-1] = replace(
                words[-1], text=f"{words[-1].text}{end[0]}"
            )  # of the sentence that it stands in
    return words, reading.foreign


def without(heard: list[str], words: Sequence[Word]) -> list[str]:
    """What was heard but for what these words are of it."""
    codes = compared(heard, [word.text for word in words][:MOST_PLACED])
    return [word for same, i1, i2, _, _ in codes if not same for word in heard[i1:i2]]
