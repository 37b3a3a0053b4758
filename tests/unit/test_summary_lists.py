"""Decisions, tasks and open questions without a model: what was said outright, and nothing else."""

from __future__ import annotations

import pytest
from earmark.domain import Segment, Transcript
from earmark.summarization.cues import LANGUAGES
from earmark.summarization.extractive import extract

from tests.spoken import transcript

LISTED = {
    "We decided to move the launch to May.": "decision",
    "The committee has agreed that the hall stays closed.": "decision",
    "So let's go with the rubber buttons.": "decision",
    "It was decided to cancel the contract.": "decision",
    "The decision was to sell the old boat.": "decision",
    "The open question is the price of the tent.": "question",
    "We haven't decided on the colour of the fence.": "question",
    "We don't know whether the bank will sign.": "question",
    "It's still unclear who pays for the pump.": "question",
    "I'll send you the minutes.": "task",
    "I'm going to book the hall.": "task",
    "Can you check the contract with the bank?": "task",
    "Please update the list of members.": "task",
    "Don't forget to water the plants.": "task",
    "Anna will call the supplier.": "task",
    "We'll send the offer by Friday.": "task",
}
NOT_LISTED = (
    "If we decided to move the launch, it would rain.",
    "Maybe we agreed on the tent.",
    "Have we decided on the colour?",
    "We should have agreed on a price.",
    "I don't think we decided to sell the boat.",
    "We agreed.",
    "They know how the pump works.",
    "I don't know where my keys are.",
    "How do we tell the members about the fence?",
    "We have to be careful with the pump.",
    "Somebody needs to fix the pump.",
    "I'll see you at the bank.",
    "I'll be happy to work in the garden.",
    "I will tell you a story.",
    "If you send me the list, I'll print the list.",
    "Maybe I'll send the minutes.",
    "I think I'll buy a boat.",
    "I'll send it.",
    "Can you hear the pump?",
    "Could you pass the salt?",
    "She said I will send the minutes.",
    "We'll look at the garden.",
    "The Minister of Health please sit down.",
)


@pytest.mark.shows("summaries:lists")
@pytest.mark.parametrize("said", [*LISTED, *NOT_LISTED])
def test_only_what_is_said_outright_is_listed(said: str) -> None:
    summary = extract(transcript(said))
    kinds = (["decision"] * len(summary.decisions) + ["question"] * len(summary.open_questions)
             + ["task"] * len(summary.tasks))  # fmt: skip
    assert kinds == ([LISTED[said]] if said in LISTED else [])


DOUBTED = {
    "en": "If we decided to wait, I would pay. Maybe I'll send the offer tomorrow. We should book the hall.",
    "de": "Vielleicht haben wir beschlossen zu warten. Wenn du willst, werde ich das Angebot schicken. Wir sollten den "
          "Saal buchen.",
    "fr": "Si nous avons décidé de partir, tant pis. Peut-être je vais envoyer le budget. Il faut réserver la salle.",
    "es": "Quizá hemos decidido esperar. Si quieres, voy a enviar el presupuesto. Hay que reservar la sala.",
    "it": "Forse abbiamo deciso di aspettare. Se vuoi, manderò il budget. Bisogna prenotare la sala.",
    "pt": "Talvez decidimos esperar. Se quiseres, vou enviar o orçamento. Precisamos reservar a sala.",
    "nl": "Misschien hebben we besloten te wachten. Als je wilt, zal ik de offerte sturen. We moeten de zaal boeken.",
}  # fmt: skip
PLAIN = {
    "en": "We decided to wait until May. I will send the offer tomorrow. The open question is the price of the hall.",
    "de": "Wir haben beschlossen, bis Mai zu warten. Ich werde das Angebot schicken. Offene Frage: der Preis des Saals.",
    "fr": "Nous avons décidé d'attendre le mois de mai. Je vais envoyer le budget. Reste à décider du prix de la salle.",
    "es": "Hemos decidido esperar la subasta. Voy a enviar el presupuesto. Falta por decidir el precio de la sala.",
    "it": "Abbiamo deciso di aspettare la banca. Manderò il budget alla banca. Il prezzo della sala è da decidere.",
    "pt": "Decidimos esperar o banco. Vou enviar o orçamento. Falta decidir o preço da sala.",
    "nl": "We hebben besloten te wachten op de bank. Ik zal de offerte sturen. Open vraag: de prijs van de zaal.",
}


@pytest.mark.shows("summaries:lists")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_condition_and_a_guess_are_listed_in_no_language(language: str) -> None:
    doubted = extract(transcript(DOUBTED[language], language))
    assert (doubted.decisions, doubted.tasks, doubted.open_questions) == ((), (), ())
    plain = extract(transcript(PLAIN[language], language))
    found = [[item.at for item in items] for items in (plain.decisions, plain.tasks, plain.open_questions)]
    assert found == [[0.0], [5.0], [10.0]]


@pytest.mark.shows("summaries:lists")
def test_what_is_said_twice_stands_once_and_the_speaker_owns_a_promise_and_no_request() -> None:
    said = ((1, "I'll send a mail to the bank."), (2, "Can you print the slides for the bank?"), (1, "Yes."),
            (1, "So I'll send a mail to the bank."))  # fmt: skip
    segments = tuple(Segment(i * 5.0, i * 5.0 + 4.0, text, speaker=who) for i, (who, text) in enumerate(said))
    spoken = Transcript("ab" * 32, segments, "en", 1.0, 20.0, 16.0, "m", "e", speakers=("", ""))
    assert [(task.text, task.owner) for task in extract(spoken).tasks] == [
        ("I'll send a mail to the bank.", "Speaker 1"),
        ("Can you print the slides for the bank?", None),
    ]
