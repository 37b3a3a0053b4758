"""Forgetting people: every vector of their voice, and with it that they were known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Owed
from earmark.errors import EnvironmentFault, NotFound, UsageError
from earmark.events import Event
from earmark.pipeline.names_given import take_names
from earmark.retention import receipts
from earmark.retention.erasure import leftovers
from earmark.verbs.naming import rename_everywhere, require_known
from earmark.verbs.sweeping import PATIENCE, write_owed

LIE_THERE = (
    "remember_voices is off: the voices that are stored are not used. They lie in the ledger until you say: earmark speakers"
    " forget --all"
)


@dataclass(frozen=True, slots=True)
class Doomed:
    """What would go: so many vectors, and the name in so many recordings."""

    vectors: int
    recordings: int


@dataclass(slots=True)
class Forgotten:
    """What came of it. `named_still`: notes that their owner edited, in which the name may stand; `found_again`: files of
    the state folder that still hold a vector; `compacted`: whether the ledger could be written anew.
    """

    vectors: int = 0
    recordings: int = 0
    receipt: int = 0
    named_still: list[Path] = field(default_factory=list)
    found_again: list[Path] = field(default_factory=list)
    compacted: bool = True

    @property
    def complete(self) -> bool:
        return not self.found_again and self.compacted


def forget(
    context: Context,
    name: str | None,
    confirm: Callable[[Doomed], bool],
    *,
    everybody: bool = False,
    names: bool = False,
) -> Forgotten | None:
    """Erase somebody's voice, or with `everybody` all voices, those that are just being told apart included, if `confirm`
    says so; with `names` the name, too, wherever we wrote it. None if it does not say so. Raises NotFound, UsageError.
    """
    if (name is None) != everybody:
        raise UsageError("say whom to forget: earmark speakers forget NAME, or --all (one of them)")
    ledger = context.ledger
    ledger.check()
    doomed = Doomed(len(_prints(context, name)), len(_recordings(context, name)) if names else 0)
    if name is not None:
        require_known(context, name)
        if not doomed.vectors and not names:
            raise NotFound(f"{name}: no voice is stored; the name alone goes with --names")
    if not confirm(doomed):
        return None
    result = Forgotten()
    with ledger.acting(PATIENCE):
        for recording_id in _recordings(context, name) if names else ():
            take_names(context, recording_id)
        doomed_prints = _prints(context, name)
        with ledger.transaction():
            _forget(context, name, result, names=names)
        context.step("after:rows")
        try:
            result.compacted = ledger.erasing.compact()
        except EnvironmentFault:
            result.compacted = False
        result.found_again = leftovers.left(context, _needles(doomed_prints, ledger.voices.all_prints()))
    write_owed(context)
    return result


def _forget(context: Context, name: str | None, result: Forgotten, *, names: bool) -> None:
    """The rows, with the receipt."""
    ledger, now = context.ledger, context.now()
    wanted = [name] if name is not None else [person.name for person in ledger.voices.people()]
    for each in wanted:
        person = ledger.voices.person(each)
        if person is not None:
            for recording_id in ledger.voices.with_person(person):
                ledger.places.owe_recording(
                    recording_id, Owed.POLICY
                )  # its notes may say that it sounds like them
            result.vectors += ledger.voices.forget(person)
    if name is None:
        result.vectors += ledger.voices.forget_all()
        ledger.turns.drop_all_stretches()
    if names:
        affected = _recordings(context, name)
        for each in [name] if name is not None else list(ledger.words.names_given()):
            result.recordings += rename_everywhere(context, each, "")
        result.named_still = [
            a.path
            for recording_id in affected
            for a in ledger.artifacts.of_recording(recording_id)
            if a.state is ArtifactState.EDITED
        ]
    ledger.erasing.owe_compact(now)
    whose = receipts.keyed(ledger, name) if name is not None else "everybody"
    receipt = receipts.issue(ledger, now, "forgotten", person=whose, voiceprints=result.vectors, names=names)
    result.receipt = receipt.seq
    context.tell(Event.PERSON_FORGOTTEN, f"A voice was forgotten; receipt {receipt.seq} has the proof.")


def _prints(context: Context, name: str | None) -> list[bytes]:
    voices = context.ledger.voices
    if name is None:
        return voices.all_prints()
    person = voices.person(name)
    return voices.prints_of(person) if person is not None else []


def _recordings(context: Context, name: str | None) -> list[str]:
    words = context.ledger.words
    wanted = [name] if name is not None else list(words.names_given())
    return list(dict.fromkeys(recording_id for each in wanted for recording_id in words.spoken_by(each)))


def _needles(doomed: list[bytes], others: list[bytes]) -> set[bytes]:
    """Bytes of vectors that must be found nowhere afterwards, and are nobody else's."""
    found = {print_[at : at + leftovers.WINDOW] for print_ in doomed for at in (0, 512)}
    mine = [each for each in found if len(each) == leftovers.WINDOW and len(set(each)) > len(each) // 8]
    return {each for each in mine[: leftovers.NEEDLES] if not any(each in other for other in others)}
