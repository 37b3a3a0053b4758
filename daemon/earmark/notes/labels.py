"""The headings of a note in the language of the recording; English for languages that have none here."""

from __future__ import annotations

from dataclasses import dataclass

IN_ENGLISH = "In English"
"""The heading of what was translated, for those who do not read the recording's language."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The words that earmark itself puts over the sections of a note."""

    key_points: str = "Key points"
    decisions: str = "Decisions"
    tasks: str = "Tasks"
    open_questions: str = "Open questions"
    people: str = "People"
    transcript: str = "Transcript"
    speaker: str = "Speaker"
    """Before the number of one without a name."""
    jump_marks: str = "Jump marks"


_BY_LANGUAGE = {
    "en": Labels(),
    "de": Labels(
        "Kernpunkte",
        "Entscheidungen",
        "Aufgaben",
        "Offene Fragen",
        "Personen",
        "Transkript",
        "Sprecher",
        "Sprungmarken",
    ),
    "fr": Labels(
        "Points clés",
        "Décisions",
        "Tâches",
        "Questions ouvertes",
        "Personnes",
        "Transcription",
        "Locuteur",
        "Repères",
    ),
    "es": Labels(
        "Puntos clave",
        "Decisiones",
        "Tareas",
        "Preguntas abiertas",
        "Personas",
        "Transcripción",
        "Hablante",
        "Marcas de tiempo",
    ),
    "it": Labels(
        "Punti chiave",
        "Decisioni",
        "Attività",
        "Domande aperte",
        "Persone",
        "Trascrizione",
        "Parlante",
        "Riferimenti temporali",
    ),
    "pt": Labels(
        "Pontos principais",
        "Decisões",
        "Tarefas",
        "Questões em aberto",
        "Pessoas",
        "Transcrição",
        "Falante",
        "Marcas de tempo",
    ),
    "nl": Labels(
        "Kernpunten",
        "Besluiten",
        "Taken",
        "Open vragen",
        "Personen",
        "Transcript",
        "Spreker",
        "Tijdmarkeringen",
    ),
}

LANGUAGES = tuple(_BY_LANGUAGE)
"""Those that have words here; in the same ones decisions, tasks and questions are looked for without a model."""

SPEAKERS = frozenset(labels.speaker for labels in _BY_LANGUAGE.values())
"""What stands before the numbers of those without a name, in all languages."""


TRANSCRIPTS = frozenset(f"## {labels.transcript}" for labels in _BY_LANGUAGE.values())
"""The headings over the transcript in a note of both, in all languages."""

HEADINGS = TRANSCRIPTS | {
    f"## {heading}"
    for labels in _BY_LANGUAGE.values()
    for heading in (
        labels.key_points, labels.decisions, labels.tasks, labels.open_questions, labels.people, labels.jump_marks,
    )
}  # fmt: skip
"""All headings that earmark writes, in all languages."""


def labels_for(language: str) -> Labels:
    """Labels for a language code as Whisper gives it ("de"); a region ("pt-BR") is ignored."""
    return _BY_LANGUAGE.get(language.split("-")[0].lower(), _BY_LANGUAGE["en"])
