"""The transcript in any form but a note: subtitles, text, JSON, a page of HTML, a document for Word. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from earmark.domain import Transcript
from earmark.notes import sidecars as lines
from earmark.notes.document import document
from earmark.notes.docx import as_docx
from earmark.notes.html import as_html
from earmark.notes.style import NoteContext
from earmark.translation import in_english, is_translated

_LINES: Mapping[str, Callable[[Transcript], str]] = {
    "srt": lines.srt, "vtt": lines.vtt, "txt": lines.txt, "json": lines.as_json,
}  # fmt: skip
_IN_ENGLISH = ("srt", "vtt", "txt")
"""Forms that hold one language, so that there is another file of what was translated; the others hold both."""


def written(transcript: Transcript, context: NoteContext, form: str) -> bytes:
    """The transcript in this form."""
    if form == "docx":
        return as_docx(document(transcript, context))
    text = as_html(document(transcript, context)) if form == "html" else _LINES[form](transcript)
    return text.encode()


def in_one_language(transcript: Transcript, form: str) -> Transcript:
    """The transcript as it goes into a single file of this form: in English, if that was wanted, where it holds one only."""
    if form not in _IN_ENGLISH or not is_translated(transcript):
        return transcript
    return replace(transcript, segments=in_english(transcript), english=(), language="en")


def sidecars(
    transcript: Transcript, context: NoteContext, forms: Iterable[str]
) -> Iterator[tuple[str, bytes]]:
    """Suffix and bytes of each file in these forms. What was translated is in those in English, too: `en.srt` beside `srt`,
    as players of video look for it.
    """
    for form in forms:
        yield form, written(transcript, context, form)
        if (english := in_one_language(transcript, form)) is not transcript:
            yield f"en.{form}", written(english, context, form)
