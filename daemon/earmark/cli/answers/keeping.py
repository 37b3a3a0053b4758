"""The answers of verbs that keep, delete and take out."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from earmark.cli.answers.parts import Act, Answer, Moment, Part, Text, key


class Decided(Part):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    path: Text = key("The file.")
    about: Text = Field(alias="class", description="`audio`, `transcript`, `summary`, `sidecar` or `failed`.")
    bytes: int = key("Its size.")
    recording: Text = key("Its recording.")
    since: Moment = key("When its clock started.")
    rule: Text = key("The rules that had a say.")
    reason: Text = key("Why it goes or stays.")
    when: Moment = key("From when on it may go; null if never, or if that cannot be said.")


class Blocked(Decided):
    way_out: Text = key("What a person can do who decides otherwise.")


class Plan(Part):
    at: Moment = Field(alias="for", description="The moment that was planned for.")
    policy: Text = key("Digest of the rules.")
    fingerprint: Text = key("Digest of what would go and why.")
    goes: list[Decided] = key("What would go.")
    stays: list[Decided] = key("What stays.")
    stays_because: dict[str, int] = key("How many stay for which reason.")
    bytes: int = key("What would go, in bytes.")
    total_bytes: int = key("All that was looked at, in bytes.")


class PlanAnswer(Plan, Answer):
    """What would go, by which rule, and what stays and why."""

    out_of_index: int = key("Recordings that would go out of the index of search.")
    voiceprints: int = key("Voiceprints that would go.")


class AppliedAnswer(Answer):
    """What was moved to the trash."""

    plan: Plan = key("What was carried out.")
    trashed: int = key("Files that went to the trash.")
    purged: int = key("Files that went for good.")
    bytes: int = key("Bytes that went to the trash.")
    errors: list[Text] = key("What stayed after all, a sentence each. Exit code 65 if there is any.")


class SweepPart(Part):
    at: Moment = key("When it began.")
    outcome: Text = key("In a word.")
    sentence: Text = key("In a sentence.")
    trashed: int = key("Files that went to the trash.")
    purged: int = key("Files that went for good.")
    bytes: int = key("Bytes that went to the trash.")
    errors: Any = key("What went wrong.")


class Late(Part):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    path: Text | None = key("The file; null for stored voices.")
    about: Text = Field(alias="class", description="Its class.")
    count: int = key("How many, of stored voices.")
    rule: Text = key("Which rule.")
    since: Moment = key("Since when it is overdue; null if that is not known.")
    reason: Text = key("Why it is still there.")
    way_out: Text = key("What a person can do.")


class RetentionAnswer(Answer):
    """The rules in force, the last sweep and the next one, and what waits for a decision."""

    rules: dict[str, Text] = key("By class.")
    folder_rules: dict[str, dict[str, Text]] = key("By folder and class.")
    tag_rules: dict[str, dict[str, Text]] = key("By tag and class.")
    own_rules: int = key("Recordings with rules of their own.")
    last_sweep: SweepPart | None = key("Null before the first.")
    next_sweep: Moment = key("While the daemon runs.")
    stopped: Text | None = key("Why sweeps are stopped.")
    doubt: Text | None = key("What is in doubt.")
    not_yet: Text | None = key("What the daemon does not go by yet.")
    held: int = key("Recordings that are held.")
    held_folders: int = key("Folders that are held by a marker.")
    in_trash: int = key("Files in the trash.")
    in_trash_bytes: int = key("Bytes in the trash.")
    due: int = key("Files that are due.")
    due_bytes: int = key("Bytes that are due.")
    blocked: list[Blocked] = key("What a rule would let go and something else keeps.")
    overdue: list[Late] = key("What a rule should have let go by now.")


class InTrash(Part):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: int = key("For `earmark trash restore`.")
    original: Text = key("Where it was.")
    kind: Text = Field(alias="class", description="Its class.")
    bytes: int = key("Its size.")
    rule: Text = key("What took it.")
    trashed_at: Moment = key("When.")
    purged_from: Moment = key("From when on it goes for good; null: never.")
    in_trash: Text = key("Where it lies.")
    recording: Text = key("Its recording.")
    state: Text = key("How far it is.")


class TrashAnswer(Answer):
    """What lies in the trash."""

    files: list[InTrash] = key("Oldest first.")


class Hold(Part):
    by: Text = key("`hand`, `note`, `rule` or `marker`.")
    recording: Text | None = key("Null for a marker.")
    since: Moment = key("Since when.")
    why: Text = key("A word on why.")
    path: Text | None = key("The note or marker that says so.")
    paths: list[Text] = key("The files of the recording.")


class HoldAnswer(Answer):
    """All that is held; with FILE after it was held."""

    held: list[Hold] = key("Those by hand first.")
    acts: list[Act] = key("With FILE: what was done with each.")


class OneReceipt(Part):
    seq: int = key("Its number.")
    at: Moment = key("When.")
    act: Text = key("What was done.")
    body: dict[str, Any] = key("What is proved; no name and no word is in it.")
    prev: Text = key("Hash of the one before.")
    hash: Text = key("Hash of this one.")


class ReceiptsAnswer(Answer):
    """Receipts. `earmark receipts export` writes them as they are chained, for others to verify."""

    receipts: list[OneReceipt] = key("In their order.")


class VerifiedAnswer(Answer):
    """Whether receipts are as they were written. Exit code 1 if not."""

    receipts: int = key("How many there are.")
    problems: list[Text] = key("What is wrong.")
    cannot_be_told: list[Text] = key("What cannot be told.")


class Copy(Part):
    path: Text = key("The file.")
    what: Text = key("What it is.")
    bytes: int = key("Its size.")
    edited: bool = key("A person changed it.")
    why: Text | None = key("Why it goes, where nobody named it.")


class Left(Part):
    path: Text = key("The file.")
    why: Text = key("Why it stays.")


class Kept(Part):
    recording: Text = key("The recording.")
    why: Text = key("Why it was not erased.")


class WouldForgetAnswer(Answer):
    """With `--dry-run`: what would be erased."""

    recordings: int = key("How many.")
    held: dict[str, Text] = key("What is held, and why.")
    copies: list[Copy] = key("Every file that would go.")
    left: list[Left] = key("Files that stay.")


class LiftedAnswer(Answer):
    """With `--lift`: what may be taken again."""

    lifted: list[Text] = key("The files.")


class ForgottenAnswer(Answer):
    """What was erased. Exit code 65 if not all of it could be."""

    recordings: int = key("How many.")
    files: int = key("Files that went.")
    bytes: int = key("Bytes that went.")
    receipts: list[int] = key("Numbers of the proofs.")
    remaining: list[Text] = key("What is still there.")
    stays: list[Left] = key("Files that stay.")
    kept: list[Kept] = key("Recordings that were not erased.")
    found_again: list[Text] = key("Files that still hold bytes of it.")
    compacted: bool = key("The ledger was written anew.")
    complete: bool = key("Nothing of it is left in the state folder.")
    unreachable: list[Text] = key("What earmark cannot reach.")
    copies: list[Copy] = key("Every file that went.")
    left: list[Left] = key("Files that stay.")


class ExportAnswer(Answer):
    """What was taken out."""

    out: Text = key("Where to.")
    recordings: int = key("How many.")
    files: int = key("Files that were written.")
    bytes: int = key("Bytes that were written.")
    missing: list[Text] = key("What is not there.")


class ExportVerifiedAnswer(Answer):
    """Whether an export is as it was written. Exit code 1 if not."""

    files: int = key("How many.")
    problems: list[Text] = key("What is wrong.")
