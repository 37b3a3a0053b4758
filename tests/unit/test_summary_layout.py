"""A user's own layout for the summary note: Markdown of theirs, words of the recording that stay words."""

from __future__ import annotations

import pytest
from earmark.domain import Point, Summary, Task
from earmark.notes.frontmatter import body_of
from earmark.notes.render import render_summary
from earmark.notes.style import NoteContext, NoteStyle
from earmark.summarization.templating import parse_template

LAYOUT = """\
# {{ title }} ({{ duration }})

{{ player }}

{{ overview }}

{% for task in tasks %}
- [ ] {{ task.text }}{% if task.owner %} (@ {{ task.owner }}){% endif %} {{ task.link }}
{% endfor %}
{% for heading, points in sections.items() %}
## {{ heading }}
{% for point in points %}
> {{ point.text }} {{ point.link }}
{% endfor %}
{% endfor %}
"""

SUMMARY = Summary(
    recording_id="ab" * 32,
    by="ollama",
    title="The [[bridge]]",
    overview="They measured <b>it</b>.",
    tasks=(Task("Call the city", 83.0, owner="Anna"),),
    extra={"Quotes": (Point("![](http://evil.example/x)", 5.0),)},
    template="mine",
)
CONTEXT = NoteContext("ab" * 32, "bridge.m4a", duration=125.0, transcript_note="bridge.transcript.md")


def body(layout: str, summary: Summary = SUMMARY) -> str:
    return body_of(render_summary(summary, None, CONTEXT, NoteStyle(summary_layout=layout)))


@pytest.mark.shows("summaries:layout")
def test_a_template_files_layout_becomes_the_body_of_the_note() -> None:
    template = parse_template("mine", "---\nprompt: x\nsections:\n  tasks: y\n---\n" + LAYOUT, "mine.md")
    note = body(template.layout)
    assert "(2:05)" in note
    assert "![[bridge.m4a]]" in note
    assert "- [ ] Call the city (@ Anna) [[bridge.m4a#t=83|01:23]]" in note
    assert "## Quotes" in note


@pytest.mark.shows("summaries:escaped")
def test_what_was_said_is_escaped_before_it_reaches_a_layout() -> None:
    note = body(LAYOUT)
    for raw in ("[[bridge]]", "<b>", "![](", "://"):
        assert raw not in note


@pytest.mark.shows("summaries:bad-layout")
@pytest.mark.parametrize(
    ("layout", "complaint"),
    [
        ("{% for x in %}", "wrong in line 1"),
        ("{{ no_such_thing }}", "no_such_thing"),
        ("{{ title.__class__.__mro__[1].__subclasses__() }}", "cannot be used"),
        ("{{ 1 / 0 }}", "cannot be used"),
        (
            "{% for a in range(99999) %}{% for b in range(99999) %}{{ title }}{% endfor %}{% endfor %}",
            "more than",
        ),
        ("{% include '/etc/passwd' %}", "cannot be used"),
    ],
)
def test_a_layout_that_cannot_be_used_is_said_in_the_note_and_the_usual_one_takes_its_place(
    layout: str, complaint: str
) -> None:
    note = body(layout)
    assert complaint.split()[0] in note.replace("\\", "")
    assert "usual layout" in note
    assert "Call the city" in note
    assert "root:" not in note
