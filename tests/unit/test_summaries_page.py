"""The numbers and names of docs/summaries.md are those of the code."""

from __future__ import annotations

import re

import pytest
from earmark.locality.confinement import bounds
from earmark.locality.policy.addresses import LOCAL_PORTS
from earmark.notes import labels, layout, render
from earmark.notes.style import NoteStyle
from earmark.summarization import chapters, cues, fit, picking, worker
from earmark.summarization.completion import Answer
from earmark.summarization.templating import BUILT_IN, STANDARD, parse_template
from earmark.summarization.window import ASSUMED_WINDOW

from tests.shown import DOCS
from tests.unit.test_summary_layout import CONTEXT, SUMMARY

TEXT = (DOCS / "summaries.md").read_text("utf-8")
LINES = TEXT.splitlines()


def sentence(key: str) -> str:
    """What stands before a key, from the key before it; of a table, its row."""
    before = TEXT.partition(f"<!-- summaries:{key} -->")[0]
    return before.rpartition("-->")[2].rpartition("\n|")[2] or before.rpartition("-->")[2]


@pytest.mark.shows("summaries:auto")
def test_the_ports_are_those_that_auto_looks_at_in_this_order() -> None:
    assert (
        tuple(map(int, re.findall(r"\b\d{4,5}\b", sentence("auto").partition("at the ports")[2])))
        == LOCAL_PORTS
    )


@pytest.mark.shows("summaries:endless", "summaries:dripping")
def test_the_bounds_of_an_answer_are_those_of_the_code() -> None:
    mebi = [bounds.MOST_BYTES, bounds.MOST_BODY, bounds.MOST_BODY // 8]
    assert [int(n) * bounds.MEBI for n in re.findall(r"(\d+) MiB", sentence("endless"))] == mebi
    assert bounds.LONGEST_ANSWER == 3600.0
    assert bounds.Bounds.of_answer(10.0).whole == 3600.0
    assert bounds.Bounds.of_answer(1000.0).whole == 6000.0
    assert "four times the tokens that were asked for and 2,000" in sentence("endless")
    assert Answer(None, 500, 0)._most_pieces == 4 * 500 + 2000  # type: ignore[arg-type]


@pytest.mark.shows("summaries:meanwhile", "summaries:window")
def test_the_minute_and_the_assumed_window_are_those_of_the_code() -> None:
    assert worker.MEANWHILE == 60.0
    assert str(ASSUMED_WINDOW) in sentence("window")


@pytest.mark.shows("summaries:fits", "summaries:floor", "summaries:stay")
def test_what_a_model_has_to_reach_is_that_of_the_code() -> None:
    assert (fit.HELD, fit.SEEN) == (0.5, 0.5)
    assert "a fifth or more" in sentence("fits").replace("\n", " ")
    assert float(re.findall(r"lowest is at (0\.\d+)", TEXT)[0]) > fit.COVERED == 0.2
    assert fit.MOST_MERGED == 3
    assert "up to three points" in sentence("stay")


@pytest.mark.shows(
    "summaries:length", "summaries:jump-marks", "summaries:fillers", "summaries:none-found", "summaries:day"
)
def test_the_lengths_and_languages_of_a_summary_without_a_model_are_those_of_the_code() -> None:
    assert f"{picking.WORDS} words together" in sentence("length").replace("\n", " ")
    assert f"{chapters.LONG / 60:.0f} minutes or more" in sentence("jump-marks")
    assert picking.DAY == 3 * 3600
    assert "three hours or more" in sentence("day")
    assert len(cues.LANGUAGES) == 7
    assert all("hesitations" in cues.phrases_for(language) for language in cues.LANGUAGES)
    assert labels.LANGUAGES == cues.LANGUAGES


@pytest.mark.shows("summaries:measured")
def test_the_scores_of_the_page_are_those_of_the_measurements() -> None:
    measured = (
        (DOCS / "measurements.md")
        .read_text("utf-8")
        .partition("## `benchmarks/summaries.py`")[2]
        .partition("\n## ")[0]
    )
    table = TEXT.partition("| picked | ROUGE-1")[2].partition("\n\n")[0]
    rows = [re.findall(r"\d\.\d{3}", row) for row in table.splitlines()[2:]]
    assert len(rows) == 5
    assert all("  ".join(row) in measured for row in rows)
    said = sentence("measured")
    assert all(number in measured for number in re.findall(r"better than random in \d+ of|0\.\d\d", said))


@pytest.mark.shows("summaries:judged")
def test_the_table_of_lines_that_were_read_has_as_many_as_were_measured() -> None:
    measured = (DOCS / "measurements.md").read_text("utf-8")
    table = TEXT.partition("| of the 35 meetings | lines |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in table.splitlines()[2:]]
    tasks, decisions, questions = ((int(lines), int(right)) for _, lines, right in rows)
    assert f"lists: {decisions[0]} decisions, {tasks[0]} tasks, {questions[0]} questions" in measured
    assert f"{tasks[1]} of {tasks[0]} tasks, {decisions[1]} of {decisions[0]} decisions" in measured
    read = TEXT.partition("| read | lines | right | shown |")[2].partition("\n\n")[0]
    counts = [[int(cell) for cell in re.findall(r"\| (\d+) (?=\|)", row)] for row in read.splitlines()[2:]]
    listed, _, proposed = (lines for lines, _ in counts)
    assert counts[0] == [sum(kind[place] for kind in (tasks, decisions, questions)) for place in (0, 1)]
    assert proposed == len(
        re.findall(r"^0\t(?:decisions|tasks|open_questions)\tdropped", measured, re.MULTILINE)
    )
    total = sum(lines for lines, _ in counts)
    assert f"{total} were read" in TEXT
    assert total >= 60 > listed


@pytest.mark.shows("summaries:layout")
def test_the_table_of_what_a_layout_has_is_the_whole_of_it() -> None:
    has: list[object] = []

    def keep(source: str, values: dict[str, object]) -> str:
        has.append(values)
        return layout.fill_layout(source, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "fill_layout", keep)
        render.render_summary(SUMMARY, None, CONTEXT, NoteStyle(summary_layout="{{ title }}"))
    (values,) = has
    assert isinstance(values, dict)
    table = TEXT.partition("| name | what it is |")[2].partition("\n\n")[0]
    listed = [
        name
        for row in table.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1:2][0] if row else "")
    ]
    assert sorted(listed) == sorted(values)
    fields = {name for item in values["tasks"] for name in item}
    assert fields == {"text", "link", "owner", "due", "doubt", "by"}
    assert all(f"`{name}`" in table for name in fields)


@pytest.mark.shows("summaries:templates", "summaries:layout")
def test_the_template_of_the_page_is_one_and_the_built_in_ones_are_named() -> None:
    source = re.findall(r"^```markdown\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)[0]
    template = parse_template("standup", source, "docs/summaries.md")
    assert template.headings == {"blockers": "In the way"}
    note = render.render_summary(SUMMARY, None, CONTEXT, NoteStyle(summary_layout=template.layout))
    assert "usual layout" not in note
    assert "- [ ] Call the city (Anna)" in note
    built_in = next(line for line in LINES if line.startswith("Built in:"))
    assert all(f"`{name}`" in built_in for name in BUILT_IN)
    assert all(f"`{name}`" in TEXT for name in STANDARD)
