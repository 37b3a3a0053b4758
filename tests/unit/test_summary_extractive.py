"""The summary without a model: real sentences, their times, and what people say when they "
"decide or promise."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from earmark.domain import Mark, Segment, Transcript
from earmark.misheard import NO_SPEECH
from earmark.summarization.cues import LANGUAGES, cues_for
from earmark.summarization.extractive import extract
from earmark.summarization.sentences import sentences_of
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spoken import MEETING, long_meeting, transcript


@pytest.mark.shows("summaries:extractive")
def test_every_line_is_a_sentence_that_was_said_at_the_time_it_was_said() -> None:
    spoken = transcript(MEETING)
    said = {segment.text: segment.start for segment in spoken.segments}
    summary = extract(spoken)
    lines: list[Any] = [*summary.key_points, *summary.decisions, *summary.tasks, *summary.open_questions]
    assert len(lines) >= 8
    assert all(said[line.text] == line.at for line in lines)
    assert all(part in MEETING for part in summary.overview.split(". "))
    assert (summary.by, summary.coverage, summary.tags) == ("extractive", 1.0, ())


def test_owners_and_due_dates_are_taken_only_if_they_were_said() -> None:
    tasks = {task.text.split()[0]: (task.owner, task.due) for task in extract(transcript(MEETING)).tasks}
    assert tasks["Anna"] == ("Anna", "by Friday")
    assert tasks["Ben,"] == ("Ben", "before next Wednesday")
    assert tasks["Don't"] == (None, None)


# fmt: off
MEETINGS = {
    "en": "We decided to postpone the launch to May. Anna will send the budget to the bank by "
          "Friday. We still don't know "
    "whether the supplier can deliver. Don't forget to book the room.",
    "de": "Wir haben beschlossen, den Start zu verschieben. Anna wird das Angebot bis Freitag an die "
          "Bank schicken. Wir wissen "
    "noch nicht, ob der Lieferant liefern kann. Bitte nicht vergessen, den Raum zu buchen.",
    "fr": "Nous avons décidé de reporter le lancement. Anna va envoyer le budget à la banque avant "
          "vendredi. On ne sait pas "
    "encore si le fournisseur pourra livrer. N'oublie pas de réserver la salle.",
    "es": "Hemos decidido aplazar el lanzamiento. Anna va a enviar el presupuesto al banco antes del "
          "viernes. No sabemos si "
    "el proveedor puede entregar. No olvides reservar la sala.",
    "it": "Abbiamo deciso di rimandare il lancio. Anna deve inviare il budget alla banca entro "
          "venerdì. Non è ancora chiaro se "
    "il fornitore può consegnare. Non dimenticare di prenotare la sala.",
    "pt": "Decidimos adiar o lançamento. Anna vai enviar o orçamento ao banco até sexta-feira. Ainda "
          "não sabemos se o "
    "fornecedor consegue entregar. Não se esqueça de reservar a sala.",
    "nl": "We hebben besloten de lancering uit te stellen. Anna zal het budget voor vrijdag naar de "
          "bank sturen. We weten nog "
    "niet of de leverancier kan leveren. Vergeet niet de zaal te boeken.",
}
DUE = {
    "en": "Friday",
    "de": "Freitag",
    "fr": "vendredi",
    "es": "viernes",
    "it": "venerdì",
    "pt": "sexta",
    "nl": "vrijdag",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_decisions_tasks_and_questions_are_found_in_each_language(language: str) -> None:
    summary = extract(transcript(MEETINGS[language], language))
    assert [point.at for point in summary.decisions] == [0.0]
    assert [(task.at, task.owner) for task in summary.tasks] == [(5.0, "Anna"), (15.0, None)]
    assert DUE[language] in (summary.tasks[0].due or "")
    assert [point.at for point in summary.open_questions] == [10.0]


SMALL_TALK = {
    "en": "I will see. We will see about that. She said it will rain. You know what I mean, right? "
          "It is what it is.",
    "de": "Wir werden sehen. Das wird schon. Ich bin müde. Es ist, wie es ist. Man wird ja sehen.",
    "fr": "On verra bien. Il fait beau. Je suis fatigué. C'est comme ça. Elle est partie.",
    "es": "Ya veremos. Hace buen tiempo. Estoy cansado. Es lo que es. Ella se fue.",
    "it": "Vedremo. Fa bel tempo. Sono stanco. È così. Lei è partita.",
    "pt": "Logo veremos. Faz bom tempo. Estou cansado. É assim. Ela partiu.",
    "nl": "We zien wel. Het is mooi weer. Ik ben moe. Het is zoals het is. Ze is weg.",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_small_talk_makes_no_tasks_and_no_decisions(language: str) -> None:
    summary = extract(transcript(SMALL_TALK[language], language))
    assert summary.tasks == ()
    assert summary.decisions == ()
    assert summary.open_questions == ()


def test_a_language_without_cues_gets_sentences_and_no_claims() -> None:
    summary = extract(transcript("Se on hyvä talo. Talo on punainen. Punainen talo on iso.", "fi"))
    assert cues_for("fi") is None
    assert summary.overview
    assert (summary.tasks, summary.decisions, summary.open_questions) == ((), (), ())


def test_a_summary_is_made_in_every_language_that_whisper_knows() -> None:
    said = "Dom jest czerwony. Czerwony dom jest duży. Duży dom stoi nad rzeką."
    for language in _LANGUAGE_CODES:
        assert extract(transcript(said, language)).overview, language


def test_a_short_recording_is_its_own_summary_and_says_nothing_twice() -> None:
    summary = extract(transcript("Remember to water the plants tomorrow."))
    assert summary.overview == "Remember to water the plants tomorrow."
    assert summary.key_points == ()
    assert len(summary.tasks) == 1


def test_no_speech_is_said_to_be_no_speech() -> None:
    silent = Transcript("a" * 64, (), "en", 0.0, 60.0, 0.0, "tiny.en", "faster-whisper")
    noise = Transcript(
        "a" * 64, (Segment(0, 2, "..."), Segment(3, 9, "Thanks for watching!", mark=Mark.OVER_SILENCE)), "en", 0.5, 60.0,
        0.0, "tiny.en", "faster-whisper",
    )  # fmt: skip
    for empty in (silent, noise):
        summary = extract(empty)
        assert summary.overview == NO_SPEECH
        assert summary.key_points == ()
        assert "watching" not in summary.overview + summary.title


def test_loops_and_text_over_silence_are_not_presented_as_speech() -> None:
    spoken = transcript(MEETING)
    loop = tuple(Segment(200 + i, 201 + i, "Thank you very much.", mark=Mark.REPETITION) for i in range(50))
    with_loop = replace(spoken, segments=spoken.segments + loop)
    assert extract(with_loop) == extract(spoken)


def fields(spoken: Transcript) -> dict[str, object]:
    return {name: getattr(spoken, name) for name in Transcript.__slots__}


@pytest.mark.shows("summaries:day")
def test_points_come_from_all_over_a_ten_hour_recording() -> None:
    spoken = long_meeting(6000)
    assert spoken.duration == 36_000
    summary = extract(spoken, max_points=10)
    hours = {int((point.at or 0) // 3600) for point in summary.key_points}
    assert len(hours) >= 6, hours
    assert {hour // 3 for hour in hours} == {0, 1, 2, 3}, "each of the four topics has its point"


def test_sentences_are_joined_over_segments_and_keep_their_first_time() -> None:
    segments = (
        Segment(0.0, 2.0, "The bridge will be closed"),
        Segment(2.0, 4.0, "for three weeks. After that Dr. Meyer"),
        Segment(4.0, 5.0, "takes over."),
        Segment(9.0, 10.0, "no full stop here"),
        Segment(20.0, 21.0, "and a new one"),
    )
    found = sentences_of(segments)
    assert [sentence.text for sentence in found] == [
        "The bridge will be closed for three weeks.",
        "After that Dr. Meyer takes over.",
        "no full stop here",
        "and a new one",
    ]
    assert found[0].start == 0.0
    assert 2.0 < found[1].start < 4.0


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 30), st.text(max_size=200)).map(
            lambda t: Segment(t[0], t[0] + t[1], t[2])
        ),
        max_size=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_no_word_is_lost_or_invented_when_segments_become_sentences(segments: list[Segment]) -> None:
    before = " ".join(" ".join(segment.text for segment in segments).split()).split()
    after = " ".join(sentence.text for sentence in sentences_of(segments)).split()
    assert "".join(after) == "".join(before)


@given(st.lists(st.text(max_size=300), max_size=8), st.sampled_from([*LANGUAGES, "fi", "zh", "xx", ""]))
@settings(max_examples=60, deadline=None)
def test_any_text_in_any_language_gives_a_summary(texts: list[str], language: str) -> None:
    segments = tuple(Segment(i * 2.0, i * 2.0 + 1, text) for i, text in enumerate(texts))
    summary = extract(Transcript("a" * 64, segments, language, 1.0, 20.0, 10.0, "m", "e"))
    assert summary.overview
    assert len(summary.title) <= 120


def test_the_extractive_summary_needs_no_network_library_of_the_chat_client() -> None:
    code = (
        "import sys; from earmark.summarization.worker import main; from "
          "earmark.summarization.extractive import extract; "
        "print('openai' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
