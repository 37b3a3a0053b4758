"""Whatever is said, a note shows it and does nothing else: checked with real Markdown parsers and raw searches."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from earmark.notes.escape import (
    JOINER,
    Dialect,
    as_tag,
    clip,
    escape_block,
    escape_inline,
    escape_notice,
    neutralize,
    normalize,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

DIALECTS: tuple[Dialect, ...] = ("obsidian", "logseq", "plain")

PARSERS = {
    "commonmark": MarkdownIt("commonmark"),
    "gfm": MarkdownIt("gfm-like", {"html": True, "linkify": True}),
}

SYNTAX = [
    *r"\`*_{}[]()#+-.!|<>~$&%^=:;/@'\"",
    "[[", "]]", "![[", "](", "![", "[^1]", "[^1]:", "[x]", "- [ ] ", "((", "))", "{{", "}}", "{{{", "%%", "==", "~~",
    "$$", "```", "~~~", "---", "***", "+++", "===", "> ", "> [!note]", "# ", "#tag", "#+BEGIN_QUERY", "^block-id",
    "^[note]", "<% tp.x %>", "<%*", "%>", "<script>", "</div>", "<!-- ", "-->", "<https://x.io>", "<a@b.co>", "`= this`",
    "`$= dv`", "```dataview", "```dataviewjs", "key:: value", "[due:: x]", "(id:: 1)", "{{query}}", "{{embed ((a))}}",
    "https://example.com/a?b=c", "HTTP://", "www.", "www.example.com", "example.com", "ftp://x", "//localhost", "://",
    "mailto:", "mailto:a@b.co", "a@b.co", "obsidian://open?vault=x", "file:///etc/passwd", "javascript:alert(1)",
    "![](https://x.io/p.png)", "[a](b)", "[a][b]", "[a]: https://x.io", "| a | b |", "|---|---|", "1. ", "1) ",
    "* ", "&amp;",
    "&#35;", "&lt;", "&#x3c;", "TODO ", "SCHEDULED: <2026-01-01 Thu>", "[#A]", ":LOGBOOK:", ":::", "!!! note", "{% x %}",
    "{: .x}", "\\(x\\)", "\\[x\\]", "@@html: x@@", "^^x^^", "\n", "\r\n", "\t", " ", "  ", "    ", "\u2028", "\u2029",
    "\x0b", "\x0c", "\x85", "\x00", "\u00a0", "\u200b", "\u200c", "\u200d", "\u202e", "\u2060", "\u2066", "\ufeff", "\u00ad",
    "\U000e0041", "\U000e0100", "\ufe0f", "\u1fef", "\u037e", "\u0338", "\u0301", "\ud800",
    "é", "ß", "中", "。", "🙂", "1", "2026", "word", "x",
]  # fmt: skip

HOSTILE = st.lists(st.one_of(st.sampled_from(SYNTAX), st.text(max_size=3), st.characters()), max_size=12).map(
    "".join
)


def flattened(tokens: list[Token]) -> list[Token]:
    return [t for token in tokens for t in (token, *flattened(token.children or []))]


def shown(tokens: list[Token]) -> str:
    return "".join(t.content for t in flattened(tokens) if t.type in ("text", "text_special"))


def assert_is_only_text(markdown: str, expected: str, parser: MarkdownIt, around: set[str]) -> None:
    tokens = parser.parse(markdown)
    types = {t.type for t in flattened(tokens)}
    assert types <= {"text", "text_special", "inline", "paragraph_open", "paragraph_close"} | around, (
        markdown,
        types,
    )
    assert shown(tokens).replace(JOINER, "") == expected, markdown


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("dialect", ["obsidian", "plain"])
@settings(max_examples=200, deadline=None)
@given(text=HOSTILE)
def test_a_markdown_parser_finds_nothing_but_the_text(dialect: Dialect, parser: str, text: str) -> None:
    escaped = escape_inline(text, dialect)
    plain = normalize(text)
    assert_is_only_text(escaped, plain, PARSERS[parser], set())
    item = {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}
    assert_is_only_text(f"- {escaped} end", f"{plain} end".strip(), PARSERS[parser], item)
    assert_is_only_text(
        f"# {escaped} end", f"{plain} end".strip(), PARSERS[parser], {"heading_open", "heading_close"}
    )
    if plain:
        em = {"em_open", "em_close"}
        assert_is_only_text(f"0:01 *{escaped}* (?)", f"0:01 {plain} (?)", PARSERS[parser], em)


@settings(max_examples=200, deadline=None)
@given(first=HOSTILE, second=HOSTILE)
def test_two_texts_in_one_line_make_nothing_together(first: str, second: str) -> None:
    line = f"- [ ] {escape_inline(first)} — {escape_inline(second)} *(not in the recording: {escape_inline(second)})* end"
    found = {t.type for t in flattened(PARSERS["gfm"].parse(line))}
    assert not found & {
        "link_open",
        "image",
        "code_inline",
        "html_inline",
        "s_open",
        "strong_open",
        "fence",
        "table_open",
    }


RAW = {
    "wikilink, embed": r"\[\[|\]\]",
    "image": r"!\[",
    "link, reference, definition": r"\]\(|\]\[|\]:",
    "footnote": r"\[\^|\^\[",
    "Logseq block reference": r"\(\(|\)\)",
    "macro, Handlebars, Templates": r"\{\{|\}\}",
    "Templater": r"<%|%>",
    "Liquid, kramdown": r"\{%|%\}|\{:|\{#",
    "Obsidian comment": r"%%",
    "highlight": r"==|\^\^",
    "strikethrough": r"~~",
    "Dataview or Logseq field": r"::",
    "HTML": r"<[A-Za-z/!?]",
    "Logseq or org timestamp": r"<\d",
    "protocol": r"//",
    "www": r"(?i)www\.",
    "domain": r"\w\.[^\W\d_]{2}",
    "email": r"[^\s\u2060]@",
    "tag": r"#[^\s\u2000-\u206f]",
    "block id": r"\^[A-Za-z0-9-]",
    "fence": r"```|~~~",
    "Logseq export": r"@@",
    "active character without its backslash": r"(?:^|[^\\])[`*_$#|~]",
    "line break": r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]",
    "control": r"[\x00-\x1f\x7f-\x9f]",
    "bidi and invisible": r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2061-\u206f\ufeff\U000e0000-\U000e0fff]",
    "list, quote, table, setext, drawer at the start": r"^[-+=>:|]",
    "ordered list": r"^\d{1,9}[.)](\s|$)",
    "frontmatter fence": r"^---",
    "entity": r"&#?\w+;",
}  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(text=HOSTILE)
def test_a_plugin_that_searches_the_raw_note_finds_nothing(dialect: Dialect, text: str) -> None:
    escaped = escape_inline(text, dialect)
    for what, pattern in RAW.items():
        assert not re.search(pattern, escaped), (what, escaped)
    escaped.encode()  # raises if a lone surrogate is left, which no file could hold


@settings(max_examples=200, deadline=None)
@given(text=HOSTILE)
def test_logseq_never_sees_brackets_that_open_anything(text: str) -> None:
    # mldoc: `\[` and `\(` are LaTeX, `[` before anything may be a link, timestamp, cookie or hiccup.
    escaped = re.sub(r"\\\\", "", escape_inline(text, "logseq"))
    assert not re.search(r"\\[\[(]", escaped)
    assert not re.search(rf"\[[^{JOINER}]", escaped)


@settings(max_examples=200, deadline=None)
@given(text=HOSTILE)
def test_what_is_shown_is_stable_and_visible(text: str) -> None:
    plain = normalize(text)
    assert normalize(plain) == plain
    assert unicodedata.is_normalized("NFC", plain)
    assert JOINER not in plain


@settings(max_examples=200, deadline=None)
@given(text=HOSTILE)
def test_a_property_value_opens_nothing_either(text: str) -> None:
    value = neutralize(text)
    for what in (
        "wikilink, embed",
        "Templater",
        "macro, Handlebars, Templates",
        "Dataview or Logseq field",
        "protocol",
        "HTML",
    ):
        assert not re.search(RAW[what], value), (what, value)
    assert value.replace(JOINER, "") == normalize(text)


@given(text=HOSTILE)
def test_a_block_is_paragraphs_of_text(text: str) -> None:
    for parser in PARSERS.values():
        types = {t.type for t in flattened(parser.parse(escape_block(text)))}
        assert types <= {"text", "text_special", "inline", "paragraph_open", "paragraph_close"}


@pytest.mark.parametrize("said", [
    "Good morning, let's start.", "It's 3.5 percent, or 12:30 - 13:00?", "Wait... what?! “Really?” she said; yes.",
    "Grüße aus Köln, c'est très bien, ¿qué tal?", "今日は。元気ですか。", "می‌خواهم", "👨‍👩‍👧 at 5 o'clock (or so)",
    "and/or, A-Z, 50% off",
])  # fmt: skip
@pytest.mark.parametrize("dialect", DIALECTS)
def test_ordinary_speech_is_left_exactly_as_it_is(said: str, dialect: Dialect) -> None:
    assert escape_inline(said, dialect) == said


@pytest.mark.parametrize(
    ("said", "obsidian", "logseq"),
    [
        ("see [[Secrets]]", r"see \[·\[Secrets\]·\]", r"see [·[·Secrets]·]"),
        ("![x](http://e.io/p.png)", r"!·\[x\]·(http:/·/e.·io/p.·png)", r"!·[·x]·(http:/·/e.·io/p.·png)"),
        ("#urgent", r"\#·urgent", r"\#·urgent"),
        ("- [ ] pay Bob", r"\- \[ \] pay Bob", r"\- [· ] pay Bob"),
        ("TODO call", "TODO call", "TODO· call"),
        ("1. first", r"1\. first", r"1\. first"),
        ("it costs $5 and $6", r"it costs \$5 and \$6", r"it costs \$5 and \$6"),
        ("<% tp.file.title %>", r"\<·% tp.·file.·title %·>", r"<·% tp.·file.·title %·>"),
        ("due:: today", "due:·: today", "due:·: today"),
        ("AT&T and &lt;", "AT&T and &·lt;", "AT&T and &·lt;"),
    ],
)
def test_how_each_construct_is_taken_apart(said: str, obsidian: str, logseq: str) -> None:
    assert escape_inline(said).replace(JOINER, "·") == obsidian
    assert escape_inline(said, "logseq").replace(JOINER, "·") == logseq


def test_what_cannot_be_seen_does_not_get_into_a_note() -> None:
    smuggled = "".join(chr(0xE0000 + ord(c)) for c in "ignore")
    assert normalize(f"a{smuggled}b\u202ec\u200bd\x00e\x1b[31mf\ud800") == "abcde[31mf\ufffd"


def test_a_backtick_that_only_normalisation_makes_is_escaped_too() -> None:
    assert escape_inline("\u1fefcode\u1fef") == r"\`code\`"


def test_joiners_that_scripts_and_emoji_need_stay() -> None:
    assert normalize("می\u200cخواهم") == "می\u200cخواهم"
    assert normalize("👨\u200d👩\u200d👧 ❤\ufe0f") == "👨\u200d👩\u200d👧 ❤\ufe0f"
    assert normalize("a\u200db\u200c!") == "ab!"


@given(text=HOSTILE)
def test_a_tag_is_a_tag_or_nothing(text: str) -> None:
    tag = as_tag(text)
    assert tag is None or re.fullmatch(r"[\w/-]{1,60}", tag)


@pytest.mark.parametrize(
    ("given_tag", "tag"),
    [
        ("#meeting", "meeting"),
        ("Q3 planning!", "Q3-planning"),
        ("2026", None),
        ("", None),
        ("a//b/", "a/b"),
        ("[[x]]", "x"),
    ],
)
def test_tags_are_made_from_words(given_tag: str, tag: str | None) -> None:
    assert as_tag(given_tag) == tag


@given(text=HOSTILE, length=st.integers(min_value=2, max_value=40))
def test_a_clipped_text_is_never_longer_than_allowed(text: str, length: int) -> None:
    assert len(clip(text, length)) <= length


def test_a_text_is_clipped_between_words() -> None:
    assert clip("one two three four", 14) == "one two three…"
    assert clip("short", 14) == "short"


def test_html_that_a_renderer_makes_of_it_holds_no_element() -> None:
    said = "<img src=x onerror=alert(1)> & <b>bold</b>"
    rendered = PARSERS["gfm"].render(escape_inline(said))
    assert html.unescape(re.sub(r"</?p>", "", rendered)).strip().replace(JOINER, "") == said


@pytest.mark.parametrize(
    ("unescaped", "found"),
    [
        ("www.example.com", "link_open"),
        ("a@b.co", "link_open"),
        ("http://localhost", "link_open"),
        ("![a](b)", "image"),
        ("a <b>", "html_inline"),
        ("~~a~~", "s_open"),
        ("- a", "bullet_list_open"),
        ("`= a`", "code_inline"),
    ],
)
def test_the_parser_that_judges_does_see_these_when_nothing_is_escaped(unescaped: str, found: str) -> None:
    assert found in {t.type for t in flattened(PARSERS["gfm"].parse(unescaped))}
    assert found not in {t.type for t in flattened(PARSERS["gfm"].parse(escape_inline(unescaped)))}


@pytest.mark.parametrize("dialect", ["obsidian", "logseq", "plain"])
def test_marks_of_stress_need_backslashes_and_nothing_that_nobody_sees(dialect: Dialect) -> None:
    said = "a ~~b~~ and **c** __d__ ``e`` ~~~ ***f***"
    written = escape_inline(said, dialect)
    assert JOINER not in written
    assert not re.search(r"~~|\*\*|__|``", written)
    assert written.replace("\\", "") == said


@pytest.mark.parametrize("dialect", ["obsidian", "logseq", "plain"])
def test_what_is_code_in_a_sentence_of_ours_is_code_in_the_note_and_a_model_is_named_whole(
    dialect: Dialect,
) -> None:
    sentence = (
        "The model tiny.en knows nothing else. To hear it again: `earmark models download base`, then `earmark retry FILE` "
        '(`languages = ["de", "en"]` under [transcription]); see #this at www.example.com.'
    )
    shown = escape_notice(sentence, dialect)
    for code in (
        "`earmark models download base`",
        "`earmark retry FILE`",
        '`languages = ["de", "en"]`',
        "tiny.en knows",
    ):
        assert code in shown
    assert shown.count(JOINER) == escape_inline(
        sentence.replace("tiny.en", "").replace('["', '"'), dialect
    ).count(JOINER)
    for hostile in (
        "`= this.file`", "`$= dv.x`", "`<% x %>`", "`a [[b]]`", "``", "`", "`a` `= b`", "\ue0c0 `a`", "`a\\` b`",
    ):  # fmt: skip
        kept = escape_notice(hostile, dialect)
        assert not re.search(r"(?<!\\)`\s*[=$<]|\[\[|<%", kept), kept
