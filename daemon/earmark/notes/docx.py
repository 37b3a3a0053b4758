"""A transcript as a document of Word, LibreOffice and Pages: the smallest package of ECMA-376 that has headings, styles, a
title and a language. The same transcript makes the same bytes. Pure.

python-docx would write it as well, with 15 MB of it and lxml, the time of day in each file, and no way to say the language.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from html import escape

from earmark.notes.document import Document, Said, is_right_to_left

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPC = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"

_TYPES = (
    f'{_HEAD}<Types xmlns="{_OPC}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_WORD}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_WORD}.styles+xml"/>'
    '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
    "</Types>"
)
_ROOT = (
    f'{_HEAD}<Relationships xmlns="{_OPC}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    f'<Relationship Id="rId2" Type="{_OPC}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    "</Relationships>"
)
_RELATED = (
    f'{_HEAD}<Relationships xmlns="{_OPC}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
)

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 may hold (its production 2), not even as a number."""

_DAY = (1980, 1, 1, 0, 0, 0)
"""The day of the files in the package, the first that zip knows, so that its bytes say nothing but the transcript."""


def as_docx(document: Document) -> bytes:
    """The package."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as package:
        for name, text in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _ROOT),
            ("docProps/core.xml", _core(document)),
            ("word/_rels/document.xml.rels", _RELATED),
            ("word/document.xml", _body(document)),
            ("word/styles.xml", _styles(document.language)),
        ):
            info = zipfile.ZipInfo(name, _DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0  # the same on every system
            package.writestr(info, text)
    return found.getvalue()


def _text(said: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", said))


def _core(document: Document) -> str:
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="{_OPC}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{_text(document.title)}</dc:title><dc:creator>earmark</dc:creator>"
        f"<dc:language>{_text(document.language)}</dc:language></cp:coreProperties>"
    )


def _styles(language: str) -> str:
    code = _text(language or "en")
    spoken = f'<w:lang w:val="{code}" w:eastAsia="{code}" w:bidi="{code}"/>'

    def heading(id: str, name: str, size: int, level: int | None) -> str:
        outline = "" if level is None else f'<w:outlineLvl w:val="{level}"/>'
        return (
            f'<w:style w:type="paragraph" w:styleId="{id}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/>'
            '<w:next w:val="Normal"/><w:qFormat/>'
            f'<w:pPr><w:keepNext/><w:spacing w:before="240" w:after="120"/>{outline}</w:pPr>'
            f'<w:rPr><w:b/><w:bCs/><w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr></w:style>'
        )

    return (
        f"{_HEAD}<w:styles {_W}><w:docDefaults><w:rPrDefault><w:rPr>"
        f'<w:sz w:val="22"/><w:szCs w:val="22"/>{spoken}</w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:after="160" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault>'
        "</w:docDefaults>"
        '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>'
        f"{heading('Title', 'Title', 40, None)}{heading('Heading1', 'heading 1', 28, 0)}</w:styles>"
    )


def _body(document: Document) -> str:
    about = (_paragraph(_run(f"{name}: ", bold=True) + _run(value)) for name, value in document.about)
    notices = (_paragraph(_run(notice, italic=True)) for notice in document.notices)
    parts = (
        _paragraph(_run(part.heading, spoken=part.language), style="Heading1", language=part.language)
        + "".join(map(_said, part.said))
        for part in document.parts
    )
    title = _paragraph(
        _run(document.title, spoken=document.language), style="Title", language=document.language
    )
    return (
        f"{_HEAD}<w:document {_W}><w:body>{title}{''.join(about)}{''.join(notices)}{''.join(parts)}"
        '<w:sectPr><w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="720" w:footer="720"'
        ' w:gutter="0"/></w:sectPr></w:body></w:document>'
    )


def _said(said: Said) -> str:
    runs = [_run(f"{said.name} ", bold=True, spoken=said.language)] if said.name else []
    runs.append(_run(f"{said.stamp} ", color="777777"))
    runs += [
        _run(
            words.shown + ("" if n + 1 == len(said.words) else " "), italic=words.italic, spoken=said.language
        )
        for n, words in enumerate(said.words)
    ]
    return _paragraph("".join(runs), language=said.language)


def _paragraph(runs: str, *, style: str = "", language: str = "en") -> str:
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + (
        "<w:bidi/>" if is_right_to_left(language) else ""
    )
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}{runs}</w:p>"


def _run(text: str, *, bold: bool = False, italic: bool = False, color: str = "", spoken: str = "en") -> str:
    """Some words. The order of what is said of them is the schema's (CT_RPr)."""
    code = _text(spoken or "en")
    said: Iterable[str] = (
        "<w:b/><w:bCs/>" if bold else "",
        "<w:i/><w:iCs/>" if italic else "",
        f'<w:color w:val="{color}"/>' if color else "",
        "<w:rtl/>" if is_right_to_left(spoken) else "",
        f'<w:lang w:val="{code}" w:eastAsia="{code}" w:bidi="{code}"/>',
    )
    return f'<w:r><w:rPr>{"".join(said)}</w:rPr><w:t xml:space="preserve">{_text(text)}</w:t></w:r>'
