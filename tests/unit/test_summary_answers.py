"""Reading answers, overflow errors, plans and templates: the pure parts of talking to a model."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from earmark.errors import ConfigError
from earmark.summarization.answer import clean, read_draft, seconds
from earmark.summarization.completion import goes_in_circles
from earmark.summarization.engine import AnswerFault
from earmark.summarization.overflow import overflow_in
from earmark.summarization.sentences import Sentence, sentences_of
from earmark.summarization.templating import BUILT_IN, STANDARD, load_template, parse_template
from earmark.summarization.window import Meter, looks_cut, plan
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spoken import long_meeting

SECTIONS = ("key_points", "tasks")


@pytest.mark.parametrize(
    ("written", "meant"),
    [(83, 83.0), ("83", 83.0), ("[83]", 83.0), ("1:23", 83.0), ("00:01:23", 83.0), ("83s", 83.0), (83.4, 83.4),
     (None, None), ("soon", None), (-5, None), (True, None), (float("nan"), None), ("", None)],
)  # fmt: skip
def test_times_are_read_as_models_write_them(written: object, meant: float | None) -> None:
    assert seconds(written) == meant


def test_a_claim_may_be_a_bare_string_and_a_broken_one_is_left_out() -> None:
    draft = read_draft(
        '{"title": "T", "key_points": ["one", {"quote": 3}, {"text": "two", "at": "[7]"}, null]}', SECTIONS
    )
    assert [(claim.text, claim.at) for claim in draft.sections["key_points"]] == [("one", None), ("two", 7.0)]


def test_everything_a_model_says_is_bounded_and_free_of_control_characters() -> None:
    answer = {
        "title": "x" * 9999,
        "overview": "a\u202eb\x00c\u200bd\r\n# e" + "y" * 9999,
        "key_points": [{"text": "z" * 9999, "quote": "q" * 9999}] * 999,
        "people": ["p" * 999] * 999,
        "tags": [{"not": "a string"}],
    }
    draft = read_draft(json.dumps(answer), SECTIONS)
    assert len(draft.title) <= 120
    assert len(draft.overview) <= 1500
    assert draft.overview.startswith("abcd #")
    assert len(draft.sections["key_points"]) <= 40
    assert all(len(claim.text) <= 400 and len(claim.quote) <= 300 for claim in draft.sections["key_points"])
    assert all(len(name) <= 60 for name in draft.people)


@given(st.text(max_size=3000), st.integers(2, 200))
def test_clean_text_is_one_bounded_line_without_invisible_characters(text: str, most: int) -> None:
    line = clean(text, most)
    assert len(line) <= most
    assert line == line.strip()
    assert not set(line) & set("\n\r\t\x00\x1b\u202e\u200b\u2028\ufeff")


@given(st.text(max_size=2000) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["title", "overview", "key_points", "tasks", "people", "tags", "text", "quote", "at", "x"]),
        inner, max_size=6),
    max_leaves=25).map(json.dumps))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_answer_whatever_breaks_the_reader(text: str) -> None:
    for partial in (False, True):
        with contextlib.suppress(AnswerFault):
            assert set(read_draft(text, SECTIONS, partial=partial).sections) == set(SECTIONS)


def test_a_deeply_nested_answer_is_refused_and_not_followed() -> None:
    with pytest.raises(AnswerFault):
        read_draft('{"title":' * 100_000, SECTIONS)


@pytest.mark.shows("summaries:too-long")
@pytest.mark.parametrize(
    ("status", "message", "body", "limit", "prompt"),
    [
        (400, "", {"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 4531, "n_ctx": 2048}}, 2048, 4531),
        (400, "Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded with "
         "context length of only 32768 tokens, which is not enough.", None, 32768, 111490),
        (400, "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= "
         "n_ctx: 4096). Try to load the model with a larger context length", None, 4096, 13055),
        (400, "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the "
         "messages, 10000 in the completion).", None, 16384, 122946),
        (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
         {"error": {"code": "context_length_exceeded"}}, 8192, 9001),
        (500, "Requested tokens (4348) exceed context window of 4096", None, 4096, 4348),
        (200, "Context size has been exceeded.", None, 0, 0),
        (413, "Request Entity Too Large", None, 0, 0),
        (400, "the input length exceeds the context length", None, 0, 0),
    ],
)  # fmt: skip
def test_overflow_errors_are_read(status: int, message: str, body: object, limit: int, prompt: int) -> None:
    found = overflow_in(status, message, body)
    assert found is not None
    assert (found.limit, found.prompt) == (limit, prompt)


@pytest.mark.parametrize(
    "message",
    [
        "model not found",
        "invalid response_format",
        "out of memory",
        "Bad Request",
        "the context is unclear",
        "",
    ],
)
def test_other_errors_are_not_taken_for_overflows(message: str) -> None:
    assert overflow_in(400, message, {"error": {"message": message}}) is None


@pytest.mark.shows("summaries:parts")
@given(st.lists(st.integers(1, 120), min_size=1, max_size=150), st.integers(50, 5000))
@settings(deadline=None)
def test_a_plan_holds_every_sentence_once_and_no_chunk_is_over_its_budget(
    lengths: list[int], budget: int
) -> None:
    sentences = [Sentence("w" * length, i * 4.0, i * 4.0 + 3) for i, length in enumerate(lengths)]
    meter = Meter()
    chunks = plan(sentences, budget, meter)
    assert [s for chunk in chunks for s in chunk.sentences] == sentences
    for chunk in chunks:
        assert len(chunk.sentences) == 1 or meter.tokens(chunk.lines) <= budget


def test_halves_cut_at_the_longest_pause_near_the_middle() -> None:
    sentences = [
        Sentence(f"s{i}", i * 2.0 + (10 if i >= 9 else 0), i * 2.0 + (10 if i >= 9 else 0) + 1)
        for i in range(16)
    ]
    first, second = plan(sentences, 10_000, Meter())[0].halves()
    assert first.sentences[-1].text == "s8"
    assert second.sentences[0].text == "s9"


def test_characters_per_token_are_learned_cautiously() -> None:
    meter = Meter()
    meter.learn("x" * 4000, 1000)
    assert meter.ratio == 4.0
    meter.learn("x" * 2000, 1000)
    meter.learn("x" * 4500, 1000)
    assert meter.ratio == 2.0
    meter.learn("x" * 4000, 3)
    assert meter.ratio == 2.0


@pytest.mark.shows("summaries:cut")
def test_a_cut_prompt_is_told_from_an_estimate_that_is_a_little_off() -> None:
    meter = Meter()
    meter.learn("x" * 4000, 1000)
    assert looks_cut(meter, "x" * 40_000, 2048)
    assert not looks_cut(meter, "x" * 40_000, 8500)
    assert not looks_cut(meter, "x" * 40_000, 0)


def test_chinese_is_counted_by_the_character() -> None:
    assert Meter().tokens("会" * 300) >= 300
    assert Meter().tokens("a" * 300) == 100


def test_repetition_is_seen_and_ordinary_json_is_not_taken_for_it() -> None:
    assert goes_in_circles("It starts well and then " + "the budget is the budget and " * 80)
    claims = [{"quote": f"words number {i} that were said", "at": i, "text": f"Statement {i}", "owner": "", "due": ""}
              for i in range(30)]  # fmt: skip
    assert not goes_in_circles(json.dumps(claims))
    assert not goes_in_circles(" ".join(s.text for s in sentences_of(long_meeting(60).segments)))


# --- templates ---


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_templates_ask_for_something(name: str) -> None:
    template = load_template(name)
    assert template.prompt
    assert "key_points" in template.sections
    assert set(template.headings) == set(template.sections) - set(STANDARD)


@pytest.mark.shows("summaries:templates")
def test_a_users_template_comes_before_the_built_in_one_and_may_bring_a_layout(tmp_path: Path) -> None:
    (tmp_path / "meeting.md").write_text(
        "---\nprompt: A stand-up.\nsections:\n  blockers: What is in the way?\n  tasks: What will be done?\n---\n"
        "# {{ title }}\n"
    )
    template = load_template("meeting", tmp_path)
    assert template.sections == ("blockers", "tasks")
    assert template.headings == {"blockers": "Blockers"}
    assert template.layout == "# {{ title }}"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("no frontmatter", "frontmatter"),
        ("---\nsections: [\n---\n", "not YAML"),
        ("---\nprompt: x\n---\n", "sections"),
        ("---\nsections:\n  Key Points: x\n---\n", "Key Points"),
        ("---\nsections:\n  a: x\ncolour: red\n---\n", "colour"),
        ("---\njust text\n---\n", "must hold"),
    ],
)
def test_a_template_that_is_wrong_is_refused_with_what_is_wrong(source: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        parse_template("mine", source, "/somewhere/mine.md")


@pytest.mark.parametrize("name", ["../secrets", "/etc/passwd", "", "a" * 99, "x\ny"])
def test_a_template_name_cannot_lead_out_of_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name"):
        load_template(name, tmp_path)


def test_an_unknown_template_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(ConfigError, match="meeting, memo, interview"):
        load_template("nonesuch")
