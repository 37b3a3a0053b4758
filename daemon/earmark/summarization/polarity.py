"""Whether a statement says yes where the recording says no, or is sure where the recording asks. Pure.

A clause is denied if a word of denial is in it, and open if it asks or guesses. For the languages with word lists.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from earmark.summarization.words import content_words

_DENIAL = {
    "en": r"not|never|no|none|nobody|nothing|nowhere|neither|nor|without|cannot|\w+n['’]t|hardly|refus\w+|reject\w+",
    "de": r"nicht|nie|niemals|niemand|nichts|kein\w*|weder|ohne|kaum|abgelehnt\w*",
    "fr": r"pas|jamais|personne|rien|aucun\w*|ni|sans|refus\w+",
    "es": r"no|nunca|jamás|nadie|nada|ningun\w*|ningún|ni|sin|tampoco|rechaz\w+",
    "it": r"non|mai|nessun\w*|niente|nulla|né|senza|rifiut\w+",
    "pt": r"não|nunca|jamais|ninguém|nada|nenhum\w*|nem|sem|tampouco|recus\w+",
    "nl": r"niet|nooit|niemand|niets|geen|noch|zonder|nauwelijks|geweigerd",
}
_OPEN = {
    "en": r"if|whether|maybe|perhaps|might|could|would|should|probably|possibly|hope\w*|wonder\w*|suppose\w*|guess\w*"
    r"|think|unless|suggest\w*|propos\w+|ask\w*|question\w*|request\w*|consider\w*|want\w*|plan\w*|unclear|unsure",
    "de": r"wenn|falls|ob|vielleicht|eventuell|könnte\w*|würde\w*|sollte\w*|hoff\w+|wahrscheinlich|glaub\w+|denk\w+"
    r"|vorschlag\w*|vorgeschlagen|schlägt|frag\w+|gefragt|möchte\w*|plan\w*|unklar",
    "fr": r"si|peut-être|pourr\w+|devr\w+|espèr\w+|probablement|pens\w+|croi\w+|sauf|propos\w+|demand\w+|souhait\w+",
    "es": r"si|quizás?|tal vez|podrí\w+|deberí\w+|ojalá|probablemente|cre\w+|piens\w+|salvo|propon\w+|propus\w+|pregunt\w+",
    "it": r"se|forse|magari|potre\w+|dovre\w+|sper\w+|probabilmente|pens\w+|cred\w+|salvo|propon\w+|propost\w+"
    r"|chied\w+|chiest\w+",
    "pt": r"se|talvez|poderi\w+|deveri\w+|esper\w+|provavelmente|ach\w+|pens\w+|propo\w+|propôs|pergunt\w+",
    "nl": r"als|of|misschien|wellicht|zou\w*|hoop|hopelijk|waarschijnlijk|denk\w*|geloof|voorstel\w*|vraag\w*|vroeg",
}
_BETWEEN = re.compile(
    r"[,;:.!?…–—]+|\b(?:and|but|because|so|until|while|und|aber|weil|denn|bis|et|mais|parce|car|y|pero|porque|e|ma|perché"
    r"|mas|en|maar|omdat|want)\b",
    re.IGNORECASE,
)
_OVERRIDE = re.compile(
    r"\b(?:ignor\w*|disregard|forget|override|vergiss|vergesst|oublie\w*|olvid\w*|dimentica\w*|esque\w*|negeer|vergeet)\b"
    r".{0,60}\b(?:instruction|rule|prompt|order|anweisung|regel|consigne|règle|instruccion|regla|istruzion|regol|instruç|regra"
    r"|instructie)"
    r"|\b(?:system|developer) (?:prompt|mode|message)|\byou are now\b|\bas an ai\b"
    r"|\bpay no attention to (?:what|anything|everything) (?:you|i)\b"
    r"|(?:игнорир|забудь|проигнорир)\w*.{0,60}(?:инструкц|указани|правил)|(?:zignoruj|zapomnij)\w*.{0,60}(?:instrukcj|poleceń|zasad)"
    r"|\b(?:ignorera|glöm|ignorer|glem)\b.{0,60}(?:instruktion|instruks|reg[le]+)|\b(?:ignoră|uită)\b.{0,60}instrucțiun"
    r"|talimat\w*.{0,40}(?:yok say|unut)|تجاهل.{0,40}(?:تعليمات|أوامر)|निर्देश.{0,40}अनदेखा"
    r"|(?:忽略|无视|無視|忘记).{0,20}(?:指示|指令|规则)|(?:指示|指令|規則).{0,10}(?:無視|忘れ)|지시.{0,20}무시",
    re.IGNORECASE,
)
_USER = (
    r"(?:user|reader|whoever|nutzer\w*|benutzer\w*|anwender\w*|utilisat\w+|usuari\w+|usuári\w+|utilizador\w*|utent[ei]"
    r"|gebruikers?)"
)
_TELL = (
    r"(?:tell|say|answer|reply|respond|report|inform|state|write|explain|confirm|announce|mention|convince|sag\w*|antworte\w*"
    r"|melde\w*|bericht\w*|teile?|erzähl\w*|dis|dites|réponds|répondez|informe\w*|di|dile\w*|diga\w*|dígale\w*|dica|dig[li]+"
    r"|responde\w*|rispondi|zeg|vertel|meld|antwoord)"
)
_THAT = r"(?:that|dass|que|che|dat)"
_ORDER = re.compile(
    r"\b(?:answer|reply|respond|say|write|output|print|state|claim|repeat|pretend|antworte|schreibe?|sage?|melde|behaupte"
    r"|réponds?|répondez|écris|écrivez|dites|responde|escribe|rispondi|scrivi|escreve|antwoord|schrijf|zeg)"
    rf",? (?:only|with|just|nur|alleen|solo|só|{_THAT})\b"
    r"|(?:^|[.,;:!?…\"'“«—-]\s*|\b(?:and|then|please|always|now|und|et|y|e|en)\s+)"
    rf"(?:{_TELL}|claim|declare|insist|conclude|assure|let)\b(?:\s[\w'’]+){{0,3}},? {_THAT}\b"
    r"|^\W*(?:(?:and|then|please|now|just)\s+)*(?:say|pretend|repeat|answer|reply|respond)\b"
    rf"|\b{_TELL}\b(?:\s[\w'’]+){{0,3}}\s(?:\w['’])?{_USER}\b"
    r"|(?:^|[\s\"'>])(?:system|assistant|answer|user)\s*:|<\|?/?\w*\|?>|\[/?INST\]|<<|[{}]",
    re.IGNORECASE,
)
_TRAILS_OFF = re.compile(r"(?:\.\.|…|\b(?:then|and|und|et|y|e|en))[.…,:]*\s*$", re.IGNORECASE)
_A_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")


@dataclass(frozen=True, slots=True)
class Clause:
    """What carries meaning in a part of a sentence, and how it is said."""

    stems: frozenset[str]
    denied: bool
    open: bool


@functools.cache
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def clauses(text: str, language: str) -> Iterator[Clause]:
    """The clauses of a text; none in a language whose words of denial are not known."""
    if language not in _DENIAL:
        return
    denial, opening = _pattern(_DENIAL[language]), _pattern(_OPEN[language])
    for sentence in _A_SENTENCE.findall(text):
        asks = sentence.rstrip().endswith("?")
        for part in _BETWEEN.split(sentence):
            stems = frozenset(content_words(part, language))
            if stems:
                yield Clause(stems, denial.search(part) is not None, asks or opening.search(part) is not None)


def parts_of(text: str) -> list[str]:
    """The clauses of a text, as they are written. A number is not cut at its comma."""
    return [part for part in _BETWEEN.split(re.sub(r"(?<=\d)[.,:](?=\d)", "", text)) if part.strip()]


def is_ordered(said: Sequence[str], meant: range) -> bool:
    """Whether sentences are what somebody tells whoever answers to say, rather than what they say: they hold an order, or
    stand right after one. After "ignore your instructions, and then ..." the next but one counts as well.
    """
    if any(_is_order(said[i]) for i in range(max(0, meant.start - 1), meant.stop)):
        return True
    before = said[meant.start - 2] if meant.start >= 2 else ""
    return _OVERRIDE.search(before) is not None and _TRAILS_OFF.search(before) is not None


def _is_order(text: str) -> bool:
    return _ORDER.search(text) is not None or _OVERRIDE.search(text) is not None


def agrees(statement: str, said: Sequence[str], language: str) -> bool:
    """False if a word is denied on one side only, or if what is stated as sure was only asked or guessed."""
    if turned_round(statement, said, language):
        return False
    there = [clause for text in said for clause in clauses(text, language)]
    stated = list(clauses(statement, language))
    if any(clause.open for clause in stated):
        return True
    stems = frozenset[str]().union(*(clause.stems for clause in stated))
    sure = [clause for clause in there if stems & clause.stems and not clause.open]
    doubtful = [clause for clause in there if stems & clause.stems and clause.open]
    return not doubtful or sum(len(stems & c.stems) for c in sure) >= sum(
        len(stems & c.stems) for c in doubtful
    )


def turned_round(statement: str, said: Sequence[str], language: str) -> bool:
    """Whether a word is denied in the statement or in what was said, and not in both."""
    there = [clause for text in said for clause in clauses(text, language)]
    for clause in clauses(statement, language):
        for stem in clause.stems:
            denied = {other.denied for other in there if stem in other.stems}
            if denied and clause.denied not in denied:
                return True
    return False
