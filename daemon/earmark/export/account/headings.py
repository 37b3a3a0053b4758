"""What stands over the columns of a table of names and codes, in the languages that notes have headings in. Pure."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum, auto

from earmark.files import fold


class Over(StrEnum):
    """What a heading says its column holds. `PERSON`: somebody, of whom a code is likelier than a name."""

    CODES = auto()
    NAMES = auto()
    PERSON = auto()


_CODES = frozenset(
    "code codes pseudonym pseudonyms pseudonyme pseudonymes alias kode kodes kuerzel kurzel codigo codigos codice codici"
    " seudonimo seudonimos pseudonimo pseudonimos pseudoniem pseudoniemen chiffre kennung".split()
)
_NAMES = frozenset(
    "name names file files filename filenames path recording recordings audio interview"
    " datei dateien dateiname pfad aufnahme aufnahmen"
    " nom noms fichier fichiers chemin enregistrement enregistrements"
    " nombre nombres archivo archivos fichero ruta grabacion grabaciones"
    " nome nomi nomes percorso registrazione registrazioni"
    " ficheiro arquivo arquivos caminho gravacao gravacoes"
    " naam namen bestand bestanden bestandsnaam pad opname opnames opnamen".split()
)
_PERSONS = frozenset(
    "id ids participant participants participantcode participantid subject subjects subjectid patient patients case"
    " teilnehmer teilnehmerin teilnehmende teilnehmercode teilnehmernummer proband probanden fall nummer nr no number"
    " participante participantes sujeto sujet sujets numero partecipante partecipanti soggetto"
    " deelnemer deelnemers deelnemercode".split()
)
_BETWEEN = frozenset(
    "of the for a des der die das du de la le les del della dei do da dos van het und and et y e en".split()
)

_OF_A_FILE = re.compile(r"/|\.\w{1,5}$|^[0-9a-f]{64}$")
"""What is in the name of a recording, and in no heading."""


def heading(text: str) -> Over | None:
    """What a cell says of its column; None if it is no heading that is known."""
    if _OF_A_FILE.search(text):
        return None
    plain = "".join(c for c in unicodedata.normalize("NFD", fold(text)) if not unicodedata.combining(c))
    words = [*filter(None, re.split(r"[\W_]+", plain))]
    known = _CODES | _NAMES | _PERSONS
    if not words or not all(word in known or word in _BETWEEN for word in words):
        return None
    for over, of in ((Over.CODES, _CODES), (Over.NAMES, _NAMES), (Over.PERSON, _PERSONS)):
        if not of.isdisjoint(words):
            return over
    return None


def order(first: str, second: str) -> tuple[int, int] | None:
    """Which columns hold the names and the codes, by a first line; None if it is no line of headings. Raises ValueError if
    it is one and says of neither that it holds codes.
    """
    one, other = heading(first), heading(second)
    if one is Over.NAMES and other is Over.NAMES:
        raise ValueError
    if other in (Over.CODES, Over.PERSON) and one is not Over.CODES:
        return None if _OF_A_FILE.search(first) else (0, 1)
    if one is Over.CODES and other is Over.CODES:
        return (0, 1)
    if one is Over.CODES and not _OF_A_FILE.search(second) and not re.search(r"\d", second):
        return (1, 0)
    if one is Over.PERSON and other is Over.NAMES:
        return (1, 0)
    return None
