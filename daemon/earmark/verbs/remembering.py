"""Forgetting people: every vector of their voice, and with it that they were known."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from earmark.context import Context
from earmark.domain import ArtifactState, Owed
from earmark.errors import EnvironmentFault, LedgerBusy, NotFound, UsageError
from earmark.events import Event
from earmark.files import is_locked
from earmark.ledger import Trashed
from earmark.pipeline.names_given import take_names
from earmark.pipeline.names_kept import keep_in_mind, kept_of, may_stand, take_out
from earmark.retention import receipts
from earmark.retention.erasure import leftovers
from earmark.verbs.names_erased import await_notes, clean_what_went, clean_words, entries_that_go, let_go
from earmark.verbs.names_found import below_folders, in_trash, that_keep
from earmark.verbs.names_standing import standing, stands_in
from earmark.verbs.naming import people, rename_everywhere, require_known
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
    """What came of it. `named_still`: notes that their owner edited or moved, in which the name stands; `renewed`: those of
    them that were written anew all the same; `lost`: those that are not where they were; `left`: those whose recording is
    gone; `others`: other files below the drop folders in which it stands; `in_trash`: what has it in the trash;
    `found_again`: files of the state folder that still hold a vector; `compacted`: whether the ledger, and the notes before
    it, could be written anew.
    """

    vectors: int = 0
    recordings: int = 0
    receipt: int = 0
    named_still: list[Path] = field(default_factory=list)
    renewed: set[Path] = field(default_factory=set)
    lost: set[Path] = field(default_factory=set)
    left: set[Path] = field(default_factory=set)
    others: list[Path] = field(default_factory=list)
    in_trash: list[Trashed] = field(default_factory=list)
    found_again: list[Path] = field(default_factory=list)
    compacted: bool = True

    @property
    def complete(self) -> bool:
        return not self.found_again and not self.in_trash and self.compacted


def forget(
    context: Context,
    name: str | None,
    confirm: Callable[[Doomed], bool],
    *,
    everybody: bool = False,
    names: bool = False,
    wake: Callable[[], object] = lambda: None,
) -> Forgotten | None:
    """Erase somebody's voice, or with `everybody` all voices, those that are just being told apart included, if `confirm`
    says so; with `names` the name, too, wherever we wrote it. `wake`: tell a daemon that notes are owed. None if it does
    not say so. Raises NotFound, UsageError.
    """
    if (name is None) != everybody:
        raise UsageError("say whom to forget: earmark speakers forget NAME, or --all (one of them)")
    ledger = context.ledger
    ledger.check()
    doomed = Doomed(len(_prints(context, name)), len(_recordings(context, name)) if names else 0)
    if name is not None:
        _require_anywhere(context, name, names=names)
        if not doomed.vectors and not names:
            raise NotFound(f"{name}: no voice is stored; the name alone goes with --names")
    if not confirm(doomed):
        return None
    result = Forgotten()
    with ledger.acting(PATIENCE):
        affected = _recordings(context, name) if names else []
        for recording_id in affected:
            take_names(context, recording_id)
        whose = [name] if name is not None else _all_names(context)
        before = standing(context, affected)
        doomed_prints = _prints(context, name)
        with ledger.transaction():
            entries = entries_that_go(context, affected, whose)
            _forget(context, name, result, names=names)
            let_go(context, entries)
            clean_what_went(context, affected, whose)
        context.step("after:rows")
        _compact(context, result)
        result.found_again = leftovers.left(context, _needles(doomed_prints, ledger.voices.all_prints()))
    write_owed(context)
    written = _are_written(context, affected, wake)
    result.named_still = stands_in(context, affected, whose, before, written=written)
    now = standing(context, affected)
    gone = [each for each in affected if not any(place.here for place in context.ledger.places.of(each))]
    result.left = {*standing(context, gone).texts}
    result.lost = {*before.lost} & {*result.named_still}
    result.renewed = {p for p in result.named_still if before.texts.get(p) not in (None, now.texts.get(p))}
    if affected:
        _compact_again(context, result, affected, whose, written=written)
    if names:
        result.in_trash = in_trash(context, whose)
        known = [a for each in affected for a in ledger.artifacts.of_recording(each) if a.on_disk]
        asked = {a.path for a in known if a.state is ArtifactState.EDITED or not written}
        result.others = below_folders(context, whose, but=asked | {*result.named_still})
    return result


def _compact(context: Context, result: Forgotten) -> None:
    try:
        result.compacted = context.ledger.erasing.compact()
    except EnvironmentFault:
        result.compacted = False


def _compact_again(
    context: Context, result: Forgotten, recordings: list[str], names: list[str], *, written: bool
) -> None:
    """What was known of the notes before went when they were written anew, and is to be in no page."""
    ledger = context.ledger
    with ledger.transaction():
        ledger.erasing.owe_compact(context.now())
        known = [note for each in recordings for note in ledger.artifacts.of_recording(each)]
        keep_in_mind(context, [note for note in known if kept_of(context, note) & {*names}])
    result.compacted = False
    if written:
        with suppress(LedgerBusy), ledger.acting(PATIENCE):
            with ledger.transaction():
                clean_words(context, recordings, names, result.named_still)
                _clean_what_is_kept(context, recordings, names)
            _compact(context, result)


def _clean_what_is_kept(context: Context, recordings: list[str], names: list[str]) -> None:
    """Notes are known by a name that is forgotten only while it stands in them."""
    for recording_id in recordings:
        for artifact in context.ledger.artifacts.of_recording(recording_id):
            kept = kept_of(context, artifact) & {*names}
            gone = {each for each in kept if not may_stand(context, artifact, each)}
            if gone:
                take_out(context, artifact, gone)


def _require_anywhere(context: Context, name: str, *, names: bool) -> None:
    """Raises NotFound if nobody goes by this name, and, where names are to go, it stands nowhere either."""
    try:
        require_known(context, name)
    except NotFound:
        alike = [each.name for each in people(context) if each.name.casefold() == name.casefold()]
        if alike:
            raise NotFound(f"{name}: nobody was given this name; one is called so: {alike[0]}") from None
        looked = names and (
            that_keep(context, name) or in_trash(context, [name]) or below_folders(context, [name])
        )
        if not looked:
            raise


def _all_names(context: Context) -> list[str]:
    """Every name that was given, and those that the ledger keeps of notes."""
    kept = {name for artifact in that_keep(context, None) for name in kept_of(context, artifact)}
    return list(dict.fromkeys([*context.ledger.words.names_given(), *sorted(kept)]))


def _are_written(context: Context, recordings: list[str], wake: Callable[[], object]) -> bool:
    """Whether the notes of recordings say what is known, once a daemon that runs has had its time for it."""
    if not recordings or not is_locked(context.home.lock_file):
        return True
    wake()
    return await_notes(context, recordings, PATIENCE)


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
        for each in [name] if name is not None else list(ledger.words.names_given()):
            result.recordings += rename_everywhere(context, each, "")
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
    speak = [recording_id for each in wanted for recording_id in words.spoken_by(each)]
    return list(dict.fromkeys([*speak, *(artifact.recording_id for artifact in that_keep(context, name))]))


def _needles(doomed: list[bytes], others: list[bytes]) -> set[bytes]:
    """Bytes of vectors that must be found nowhere afterwards, and are nobody else's."""
    found = {print_[at : at + leftovers.WINDOW] for print_ in doomed for at in (0, 512)}
    mine = [each for each in found if len(each) == leftovers.WINDOW and len(set(each)) > len(each) // 8]
    return {each for each in mine[: leftovers.NEEDLES] if not any(each in other for other in others)}
