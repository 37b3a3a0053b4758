"""What each verb prints with --json, as a schema: answers are checked against it, and docs/json.md is written from it."""

from __future__ import annotations

from pydantic import BaseModel

from earmark.cli.answers.keeping import (
    AppliedAnswer,
    ExportAnswer,
    ExportVerifiedAnswer,
    ForgottenAnswer,
    HoldAnswer,
    LiftedAnswer,
    PlanAnswer,
    ReceiptsAnswer,
    RetentionAnswer,
    TrashAnswer,
    VerifiedAnswer,
    WouldForgetAnswer,
)
from earmark.cli.answers.looking import (
    AskAnswer,
    ConfigCheckedAnswer,
    DoctorAnswer,
    ListAnswer,
    ModelsVerifiedAnswer,
    PrivacyAnswer,
    SearchAnswer,
    StatusAnswer,
    WhyAnswer,
)
from earmark.cli.answers.parts import Act, ActsAnswer, Answer, Part, Text, key
from earmark.cli.answers.setting_up import (
    ConfigAnswer,
    ModelsAnswer,
    PageAnswer,
    PeopleAnswer,
    ServersAnswer,
    ServiceAnswer,
    SpeakersAnswer,
    TranscriptAnswer,
    VocabularyAnswer,
    VoicesForgottenAnswer,
)
from earmark.export.account import Account


class Wrong(Part):
    exit_code: int = key("With which the verb ends (see below: exit codes).")
    sentence: Text = key("What went wrong, and what would be right.")


class ErrorAnswer(Answer):
    """In the place of an answer, where there is none."""

    error: Wrong = key("What went wrong.")
    acts: list[Act] = key("What had been done before, by a verb that acts; that stays done.")


ACTING = (
    "run --once", "retry", "resummarize", "speakers name", "speakers merge", "vocabulary accept", "vocabulary ignore",
    "vocabulary forget", "retention set", "retention accept", "retention trust", "unhold", "trash restore", "trash empty",
    "restore", "receipts export --out FILE", "privacy allow", "config set", "config unset", "service install",
    "service uninstall", "service restart", "models add", "models download", "models remove",
)  # fmt: skip
"""Verbs that answer with what they did."""


ANSWERS: dict[str, type[BaseModel]] = {
    "status": StatusAnswer,
    "list": ListAnswer,
    "search WORDS": SearchAnswer,
    "ask QUESTION": AskAnswer,
    "why FILE": WhyAnswer,
    "transcribe FILE": TranscriptAnswer,
    "speakers list": PeopleAnswer,
    "speakers list FILE": SpeakersAnswer,
    "speakers forget": VoicesForgottenAnswer,
    "vocabulary list": VocabularyAnswer,
    "retention plan": PlanAnswer,
    "retention apply": AppliedAnswer,
    "retention status": RetentionAnswer,
    "hold": HoldAnswer,
    "trash list": TrashAnswer,
    "forget --dry-run": WouldForgetAnswer,
    "forget --lift": LiftedAnswer,
    "forget": ForgottenAnswer,
    "receipts list": ReceiptsAnswer,
    "receipts verify": VerifiedAnswer,
    "receipts report": Account,
    "export": ExportAnswer,
    "export verify PATH": ExportVerifiedAnswer,
    "privacy": PageAnswer,
    "privacy check": PrivacyAnswer,
    "doctor": DoctorAnswer,
    "service status": ServiceAnswer,
    "config show": ConfigAnswer,
    "config check": ConfigCheckedAnswer,
    "summary test": ServersAnswer,
    "models list": ModelsAnswer,
    "models verify": ModelsVerifiedAnswer,
    **dict.fromkeys(ACTING, ActsAnswer),
}
"""By the words of the verb."""
