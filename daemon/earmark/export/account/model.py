"""What an account says, as data; each form of it is made of this, and `--json` prints it as it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class State(StrEnum):
    """What became of what an entry is about."""

    DELETED = "deleted"
    ERASED = "erased"
    VOICES_FORGOTTEN = "voices forgotten"
    NOT_FOUND = "not found any more"
    IN_TRASH = "in trash"
    GONE_LATER = "gone later"
    BROUGHT_BACK = "brought back"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Entry(_Part):
    """One file that was taken, or one erasure. Times are ISO 8601 with the offset of this machine's zone.

    `name`: the file's, or with a table its code, or in brackets why there is none. `files`: more than one for an erasure.
    `rule`: as the receipt has it; None with a table of codes, because a tag in it may be somebody's name. `by`: the rule in
    words. `left_at`/`left_receipt`: to the trash. `ended_at`/`ended_receipt`: what came of it, `became`: which was that.
    `here_again`: a file with the same content is in a watched folder now. `in_folder`: None if it cannot be told whether it
    was in the folder asked for.
    """

    state: State
    what: str
    name: str
    named: bool
    files: int | None
    bytes: int | None
    sha256: str | None
    rule: str | None
    by: str
    by_rule: bool
    left_at: str | None
    left_receipt: int | None
    ended_at: str | None
    ended_receipt: int | None
    receipt_hash: str
    became: str
    here_again: bool
    in_folder: bool | None
    note: str = ""


class RulesOfTime(_Part):
    """The rules that were in force from then on (and until then), a sentence each; none: nothing was deleted by a rule."""

    since: str
    until: str | None
    sentences: tuple[str, ...]


class Kept(_Part):
    """A file that a rule would let go and something else keeps."""

    what: str
    name: str
    due_since: str | None
    why: str


class Chain(_Part):
    """Whether the receipts are whole. `first`, `last`: numbers; `end_hash` is the last one's."""

    whole: bool
    problems: tuple[str, ...]
    cannot_be_told: tuple[str, ...]
    receipts: int
    first: int
    last: int
    last_at: str | None
    end_hash: str
    key_id: str
    cut_off_through: int
    cut_off_at: str | None


class Account(_Part):
    """All of it. `folders`: those it covers, None where names are not to be shown."""

    version: Literal[1] = 1
    made_at: str
    earmark: str
    since: str | None
    until: str | None
    since_day: str | None
    until_day: str | None
    one_folder: bool
    folders: tuple[str, ...] | None
    how_many_folders: int
    coded: bool
    chain: Chain
    rules: tuple[RulesOfTime, ...]
    trash_rule: str
    own_rules: int
    deletions: tuple[Entry, ...]
    in_trash: tuple[Entry, ...]
    brought_back: tuple[Entry, ...]
    kept: tuple[Kept, ...]
    waiting: int
    waits_for: str
    erasures_open: int
    not_in_table: int
    recordings: int
