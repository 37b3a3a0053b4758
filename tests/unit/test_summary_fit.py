"""Whether a model's summary takes the place of the picked sentences, and what is shown of both."""

from __future__ import annotations

from dataclasses import replace

import pytest
from earmark.domain import Point, Summary, Task
from earmark.notes.frontmatter import read_frontmatter
from earmark.notes.render import render_summary
from earmark.notes.style import NoteContext, NoteStyle
from earmark.notes.writers import MARK
from earmark.summarization.extractive import extract
from earmark.summarization.fit import MOST_MERGED, Fit, measured, merged
from earmark.summarization.sentences import sentences_of

from tests.spoken import MEETING, transcript

HEARD = transcript(MEETING)
SENTENCES = sentences_of(HEARD.segments)
PICKED = extract(HEARD)
CONTEXT = NoteContext(
    "ab" * 32, "meeting.m4a", transcript_note="meeting.transcript.md", summary_note="meeting.md"
)

GOOD = Summary(
    HEARD.recording_id,
    "lm-studio",
    "Budget, launch, payment page",
    "Of the campaign budget of twenty thousand euros marketing spent twelve thousand. The launch is postponed to May.",
    key_points=(
        Point("Four thousand of the budget are kept for the autumn.", 10.0),
        Point("The payment page is not ready for the launch.", 20.0),
        Point("Customers get a newsletter about the launch date.", 50.0),
        Point("Whether the supplier can deliver is open.", 40.0),
        Point("The room for the review has to be booked.", 60.0),
    ),
    decisions=(Point("The launch is postponed to the tenth of May.", 20.0),),
    tasks=(Task("Send the updated budget to the bank.", 25.0, owner="Anna", due="Friday"),),
    language="en",
    model="gemma-3-12b",
)


def shown(model: Summary, held: int = 10, said: int = 10) -> tuple[Fit, Summary]:
    fit = measured(model, PICKED, SENTENCES, "en", held, said)
    return fit, merged(model, PICKED, fit, SENTENCES, "en")


def listing(name: str, item: Point | Task) -> Summary:
    """What lists nothing else."""
    return replace(GOOD, **{"decisions": (), "tasks": (), "open_questions": (), name: (item,)})  # type: ignore[arg-type]


@pytest.mark.shows("summaries:fits", "summaries:lists-merged")
def test_a_model_that_fits_takes_the_place_and_what_only_the_rules_list_stands_beside_it() -> None:
    fit, made = shown(GOOD)
    assert fit.why_not == ""
    assert (made.by, made.overview, made.key_points) == ("lm-studio", GOOD.overview, GOOD.key_points)
    assert [(t.at, t.by) for t in made.tasks if not t.by] == [(25.0, "")]
    assert {t.at for t in made.tasks if t.by == "extractive"} == {t.at for t in PICKED.tasks} - {25.0}
    assert [(d.text, d.by) for d in made.decisions] == [(GOOD.decisions[0].text, "")]


@pytest.mark.shows("summaries:fits")
@pytest.mark.parametrize(
    ("model", "held", "said", "why"),
    [
        (GOOD, 6, 22, "6 of 22 lines held"),
        (
            replace(GOOD, key_points=tuple(replace(p, flagged=("Lisbon",)) for p in GOOD.key_points)),
            5,
            9,
            "0 of 9 lines held",
        ),
        (replace(GOOD, coverage=0.4), 10, 10, "it gave an answer about 40% of what was said"),
        (
            replace(GOOD, overview="They met.", key_points=(), decisions=(), tasks=()),
            1,
            1,
            "its summary speaks of 0% of what the picked sentences speak of",
        ),
    ],
)
def test_a_model_that_does_not_fit_leaves_the_picked_sentences_where_they_are(
    model: Summary, held: int, said: int, why: str
) -> None:
    fit, made = shown(model, held, said)
    assert fit.why_not == why
    assert (made.by, made.title, made.overview) == ("extractive", PICKED.title, PICKED.overview)
    assert [p for p in made.key_points if not p.by] == [*PICKED.key_points]
    assert made.model == "gemma-3-12b", "who was asked, and where, is not lost"


@pytest.mark.shows("summaries:stay")
def test_what_held_of_a_model_that_does_not_fit_stands_among_the_picked_sentences() -> None:
    made_up = (
        Point("The bank is told about the supplier.", 15.0),
        Point("Nobody goes to the review.", 10.0),
    )
    model = replace(
        GOOD,
        decisions=(*GOOD.decisions, *made_up),
        tasks=(*GOOD.tasks, Task("Spend twelve thousand.", 5.0)),
        extra={"In the way": (Point("The payment page.", 30.0),)},
    )
    _, made = shown(model, 3, 10)
    assert 0 < len([p for p in made.key_points if p.by == "model"]) <= MOST_MERGED
    assert not {p.text for p in made_up} & {d.text for d in made.decisions}, "these rest on no decision"
    assert "Spend twelve thousand." not in {t.text for t in made.tasks}
    assert {d.at for d in made.decisions} == {d.at for d in PICKED.decisions}
    assert made.extra["In the way"][0].by == "model"


@pytest.mark.shows("summaries:lists-merged")
def test_of_a_model_that_fits_only_what_rests_on_plain_words_of_a_task_is_shown() -> None:
    at_random = tuple(Task(f"Do thing {at}.", at) for at in (0.0, 5.0, 10.0))
    fit, made = shown(replace(GOOD, tasks=(*at_random, *GOOD.tasks)))
    assert fit.why_not == ""
    assert (fit.listed, fit.backed) == (5, 2)
    assert [t.text for t in made.tasks if not t.by] == ["Send the updated budget to the bank."]
    _, trusted_before = shown(replace(GOOD, tasks=(at_random[0], *GOOD.tasks)))
    assert [t.text for t in trusted_before.tasks if not t.by] == ["Send the updated budget to the bank."]


@pytest.mark.shows("summaries:lists-merged")
@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("open_questions", Point("How customers are told about the new launch date.", 45.0)),
        ("tasks", Task("Look at the payment page.", 35.0)),
        ("decisions", Point("The budget is sent to the bank.", 25.0)),
        ("decisions", Point("The launch is not postponed to May.", 20.0)),
        ("tasks", Task("The newsletter is not drafted this week.", 55.0)),
        ("decisions", Point("The spring campaign costs too much.", 20.0)),
        ("tasks", Task("Keep four thousand for the autumn.", 30.0)),
        ("tasks", Task("Write a short newsletter about the launch date.", 50.0)),
        ("decisions", Point("The launch is postponed to May.", 20.0, flagged=("Lisbon",))),
    ],
    ids=[
        "a question that was only asked",
        "a promise of nothing that can be delivered",
        "a task that is called a decision",
        "a decision turned round",
        "a promise turned round",
        "a decision about something else",
        "a task that rests on another's words",
        "an idea, beside a promise",
        "a name that nobody said",
    ],
)
def test_what_does_not_say_what_was_plainly_said_is_left_out(name: str, item: Point | Task) -> None:
    _, made = shown(listing(name, item))
    listed = getattr(made, name)
    assert item.text not in {line.text for line in listed}
    assert {line.at for line in listed} == {line.at for line in getattr(PICKED, name)}, (
        "the rules' line stays"
    )


@pytest.mark.shows("summaries:lists-merged")
@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("tasks", Task("Ben repairs the payment page.", 30.0)),
        ("tasks", Task("Book a room for the review.", 60.0)),
        ("open_questions", Point("Whether the new supplier can deliver in time.", 40.0)),
    ],
    ids=["a request", "what is not to be forgotten", "what is called open"],
)
def test_what_says_in_other_words_what_was_plainly_said_is_shown_once(name: str, item: Point | Task) -> None:
    _, made = shown(listing(name, item))
    listed = getattr(made, name)
    assert [line.text for line in listed if not line.by] == [item.text]
    assert len(listed) == len(getattr(PICKED, name)), "in the place of the rules' line, not beside it"


@pytest.mark.shows("summaries:lists-merged")
def test_where_no_words_of_decisions_are_known_what_a_model_that_fits_lists_is_shown() -> None:
    spoken = transcript(MEETING, "fi")
    picked = extract(spoken)
    model = replace(GOOD, language="fi")
    sentences = sentences_of(spoken.segments)
    fit = measured(model, picked, sentences, "fi", 10, 10)
    assert (fit.listed, fit.backed) == (0, 0)
    assert merged(model, picked, fit, sentences, "fi").tasks == GOOD.tasks
    fit = measured(model, picked, sentences, "fi", 1, 10)
    assert merged(model, picked, fit, sentences, "fi").tasks == ()


def test_in_another_language_nothing_is_merged_and_what_it_speaks_of_is_not_compared() -> None:
    foreign = replace(GOOD, language="de", overview="Das Budget reicht.", key_points=GOOD.key_points[:1])
    fit, made = shown(foreign)
    assert (fit.covered, fit.why_not, made.by) == (None, "", "lm-studio")
    assert not any(task.by for task in made.tasks)
    _, stays = shown(foreign, 1, 10)
    assert stays.key_points == PICKED.key_points
    assert stays.tasks == PICKED.tasks


def test_a_recording_of_a_few_sentences_may_come_down_to_one() -> None:
    short = transcript("The heating was off all night. Call the plumber tomorrow. The key is at Anna's.")
    picked = extract(short)
    model = replace(GOOD, overview="Get it fixed.", key_points=(), decisions=(), tasks=())
    fit = measured(model, picked, sentences_of(short.segments), "en", 1, 1)
    assert fit.why_not == ""


@pytest.mark.shows("summaries:whose")
@pytest.mark.parametrize("dialect", ["obsidian", "logseq", "plain"])
def test_the_note_says_whose_each_line_is(dialect: str) -> None:
    style = NoteStyle(dialect=dialect)  # type: ignore[arg-type]
    _, model = shown(GOOD)
    note = render_summary(model, HEARD, CONTEXT, style)
    assert f"{MARK} [" in note
    assert (
        f"gemma-3-12b (lm-studio), on this device; lines with {MARK} are sentences of the recording. Decisions"
        in note
    )
    _, stays = shown(GOOD, 1, 10)
    note = render_summary(stays, HEARD, CONTEXT, style)
    assert f"lines with {MARK} by gemma-3-12b, on this device. Decisions" in note
    assert "no language model was used" not in note
    assert (read_frontmatter(note) or {}).get("summary_model") == "gemma-3-12b"
    none_held = replace(GOOD, key_points=(), decisions=(), tasks=())
    _, stays = shown(none_held, 1, 10)
    note = render_summary(stays, HEARD, CONTEXT, style)
    assert "gemma-3-12b, on this device, was asked and did not do better." in note
    assert (read_frontmatter(note) or {}).get("summary_model") is None
    assert MARK not in note
