"""What all sections of the configuration have in common, and the kinds of values that several of them take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from earmark.paths import whole
from earmark.replacing import plain, problems
from earmark.speaking import how_many


def _absolute(path: Path) -> Path:
    return whole(path)


def _not_empty(said: object) -> object:
    if said == "":
        raise ValueError("it is empty, and names no file and no folder")
    return said


UserPath = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_absolute)]

LANGUAGES = frozenset(
    (
        "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is "
        "it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk "
        "sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
    ).split()
)
"""What Whisper calls the languages that it knows (openai/whisper, tokenizer.py): ISO 639-1, for a few 639-3, and jw."""


OTHER_LANGUAGES = frozenset(
    (
        "aa ab ae ak an av ay bi bm ce ch co cr cu cv dv dz ee eo ff fj fy ga gd gn gv hz ia ie ig ii ik io iu jv kg ki "
        "kj kl kr ks ku kv kw ky lg li lu mh na nb nd ng nr nv ny oj om or os pi qu rm rn rw sc se sg sm ss st tn to ts "
        "tw ty ug ve vo wa wo xh za zu"
    ).split()
)
"""ISO 639-1 besides: what a summary can be written in."""


def _written(code: str) -> str:
    if code == "auto" or code in LANGUAGES | OTHER_LANGUAGES or re.fullmatch("[a-z]{3}", code):
        return code
    raise ValueError("no language has this code; write one such as `en` or `de`, or `auto`")


def _known(code: str) -> str:
    if code in LANGUAGES:
        return code
    near = re.split(r"[-_]", code.lower())[0]
    hint = f"did you mean `{near}`?" if near in LANGUAGES else "write one such as `en` or `de`"
    raise ValueError(f"no language that Whisper knows has this code; {hint}")


def _known_or_auto(code: str) -> str:
    return code if code == "auto" else _known(code)


def _how_many(said: object) -> str:
    text = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
    how_many(text)
    return text


def _sound(table: dict[str, str]) -> dict[str, str]:
    if found := problems(table):
        raise ValueError("; ".join(found))
    return {plain(wrong): plain(right) for wrong, right in table.items()}


LanguageCode = Annotated[str, AfterValidator(_known)]
WrittenLanguage = Annotated[str, AfterValidator(_written)]
"""A language of ISO 639-1, or a code of three letters, which ISO 639-3 has thousands of; or auto."""
LanguageOrAuto = Annotated[str, AfterValidator(_known_or_auto)]

Speakers = Annotated[str, BeforeValidator(_how_many)]
"""How many people speak, as text or as a number (`speaking.how_many`)."""

Replacements = Annotated[dict[str, str], AfterValidator(_sound)]
"""What is heard wrongly, and how it is written (`replacing.Table`)."""

OutputFormat = Literal["srt", "vtt", "txt", "json", "html", "docx"]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are fixed once read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=True
    )
