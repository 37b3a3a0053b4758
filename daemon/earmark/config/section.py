"""What all sections of the configuration have in common, and the kinds of values that several of them take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from earmark.paths import whole


def _absolute(path: Path) -> Path:
    return whole(path)


UserPath = Annotated[Path, AfterValidator(_absolute)]

LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""As Whisper has them: ISO 639-1, and 639-3 for a few."""

OutputFormat = Literal["srt", "vtt", "txt", "json"]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are fixed once read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=True
    )
