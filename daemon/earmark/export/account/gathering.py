"""Putting an account together: what the receipts tell, with the names and hashes that the ledger still has. Changes nothing.

A name or a SHA-256 is taken from the ledger only where the receipt's keyed hashes are of that very path and recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from earmark import __version__
from earmark.config.retention import RetentionRule
from earmark.context import Context
from earmark.domain import Instant
from earmark.export.account.codes import Codes
from earmark.export.account.deeds import Deed, Ended, What, deeds_of, facts_of, hash_of, number_of
from earmark.export.account.entries import NO_NAME, Entries
from earmark.export.account.model import Account, Chain, Entry, Kept, RulesOfTime
from earmark.export.account.wording import (
    CLASSES,
    WHAT,
    iso,
    keeps_in_words,
    one_line,
    rule_in_words,
    span_of,
)
from earmark.ledger import Receipt
from earmark.retention import plan_now, receipts, receipts_file
from earmark.retention.overdue import overdue, why_it_waits


@dataclass(frozen=True, slots=True)
class Asked:
    """What an account is to be of. `since`, `until`: from then on, and before then. `folder`: only what was below it."""

    since: Instant | None = None
    until: Instant | None = None
    since_day: str | None = None
    until_day: str | None = None
    folder: Path | None = None

    def covers(self, receipt: Receipt | None) -> bool:
        return receipt is not None and self.after_begin(receipt) and self.before_end(receipt)

    def after_begin(self, receipt: Receipt) -> bool:
        return self.since is None or receipt.at >= self.since

    def before_end(self, receipt: Receipt) -> bool:
        return self.until is None or receipt.at < self.until


def gather(context: Context, asked: Asked, codes: Codes | None) -> Account:
    """The account of this moment, also while a daemon deletes. With `codes` no name, path, tag or reason that a person wrote
    is in it.
    """
    ledger, now = context.ledger, context.now()
    if asked.until is not None and asked.until > now:
        asked = replace(asked, until=None, until_day=None)  # nobody knows how that day will end
    with ledger.one_moment():
        rows = ledger.receipts.all()
        deeds = deeds_of(rows)
        entries = Entries(context, codes, deeds, asked.folder)
        deleted, in_trash, back = _sorted_out(deeds, asked, entries)
        chain = _chain(context, rows)
    in_trash = entries.without_what_went_meanwhile(in_trash)
    kept, waiting, waits = _kept(context, entries, codes is not None)
    return Account(
        made_at=iso(now) or "",
        earmark=__version__,
        since=iso(asked.since),
        until=iso(asked.until),
        since_day=asked.since_day,
        until_day=asked.until_day,
        one_folder=asked.folder is not None,
        folders=None if codes is not None else _folders(context, asked.folder),
        how_many_folders=1 if asked.folder else len(_folders(context, None)),
        coded=codes is not None,
        chain=chain,
        rules=tuple(_rules(context, asked, codes is not None)),
        trash_rule=_trash_rule(context),
        own_rules=len({recording for recording, _, _ in ledger.protection.all_item_rules()}),
        deletions=tuple(deleted),
        in_trash=tuple(in_trash),
        brought_back=tuple(back),
        kept=tuple(kept),
        waiting=waiting,
        waits_for=waits,
        erasures_open=len(ledger.erasing.begun()),
        not_in_table=len(entries.not_in_table),
        recordings=len(entries.recordings),
    )


def _sorted_out(
    deeds: Iterable[Deed], asked: Asked, entries: Entries
) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """What was deleted in the time, what lay in the trash at its end, and what was brought back in it."""
    deleted: list[tuple[int, Entry]] = []
    in_trash: list[Entry] = []
    back: list[tuple[int, Entry]] = []
    for deed in deeds:
        if entries.is_elsewhere(deed):
            continue
        ended = deed.ended
        if deed.what is not What.FILE or deed.how is Ended.PURGED:
            if asked.covers(ended):
                assert ended is not None
                deleted.append((ended.seq, entries.entry(deed)))
        elif deed.how is Ended.RESTORED and asked.covers(ended):
            assert ended is not None
            back.append((ended.seq, entries.entry(deed)))
        is_taken = deed.taken is not None and asked.before_end(deed.taken)
        if is_taken and (ended is None or not asked.before_end(ended)):
            in_trash.append(entries.entry(deed, at_the_end=True))

    def in_order(found: list[tuple[int, Entry]]) -> list[Entry]:
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

    return in_order(deleted), in_trash, in_order(back)


def _folders(context: Context, folder: Path | None) -> tuple[str, ...]:
    if folder is not None:
        return (one_line(folder),)
    configured = {f.path for f in context.config.folder}
    return tuple(
        sorted(one_line(f) for f in {*context.folders, *configured, *context.ledger.places.folders()})
    )


def _chain(context: Context, rows: list[Receipt]) -> Chain:
    ledger = context.ledger
    problems = receipts.verify(ledger)
    cut = next((r for r in reversed(rows) if r.act == receipts.PRUNED), None)
    last = rows[-1] if rows else None
    return Chain(
        whole=not problems,
        problems=tuple(problems),
        cannot_be_told=tuple(receipts.untold(ledger)),
        receipts=len(rows),
        first=rows[0].seq if rows else 0,
        last=last.seq if last else 0,
        last_at=iso(last.at) if last else None,
        end_hash=hash_of(last) if last else receipts.FIRST,
        key_id=receipts_file.key_id(ledger.protection.key()),
        cut_off_through=(number_of(facts_of(cut), "through") or 0) if cut else 0,
        cut_off_at=iso(cut.at) if cut else None,
    )


def _rules(context: Context, asked: Asked, coded: bool) -> Iterable[RulesOfTime]:
    """The policies that were in force in the time, the one at its beginning included."""
    policies = context.ledger.retention.policies()
    for number, (since, body) in enumerate(policies):
        ends = policies[number + 1][0] if number + 1 < len(policies) else None
        if asked.until is not None and since >= asked.until:
            continue
        if asked.since is not None and ends is not None and ends <= asked.since:
            continue
        if ends is not None and ends - since < 1.0:
            continue  # set up step by step
        yield RulesOfTime(
            since=iso(since) or "an unknown time", until=iso(ends), sentences=tuple(_policy(body, coded))
        )


def _policy(body: str, coded: bool) -> Iterable[str]:
    try:
        document = json.loads(body)
        sets = [("", document["classes"])]
        sets += [(_whose("folder", path, coded), rules) for path, rules in document["folders"].items()]
        sets += [(_whose("tag", tag, coded), rules) for tag, rules in document["tags"].items()]
        for whose, rules in sets:
            for about, fields in rules.items():
                rule = RetentionRule.model_validate(fields)
                if whose or not rule.empty:
                    yield f"{CLASSES.get(about, about)}{whose}: {rule_in_words(rule, about)}."
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        yield "These rules cannot be read any more."


def _whose(scope: str, name: str, coded: bool) -> str:
    if scope == "folder":
        return " in one folder" if coded else f" in the folder {one_line(name)}"
    return " with a certain tag" if coded else f" with the tag {one_line(name)}"


def _trash_rule(context: Context) -> str:
    rule = context.config.retention.trash
    if rule.never or rule.keep_for is None:
        return "What lies in the trash stays there until a person empties it."
    return (
        f"What lies in the trash is removed for good {span_of(rule.keep_for)} after it was moved there, or sooner where a "
        "person empties the trash."
    )


def _kept(context: Context, entries: Entries, coded: bool) -> tuple[list[Kept], int, str]:
    """What is kept although a rule's time has come; how many files only wait to be taken, and for what. Of now."""
    plan = plan_now(context, writes=False, thorough=False)
    waits, found, waiting = why_it_waits(context, plan), [], 0
    for late in overdue(context, plan):
        if late.path is not None and not entries.is_below(late.path):
            continue
        if late.path is None:
            why = keeps_in_words(late.why, coded=True)
            found.append(Kept(what=late.counted, name=NO_NAME, due_since=None, why=why))
            continue
        if late.why == waits:
            waiting += 1
            continue
        name = entries.name_of_file(late)
        what = WHAT.get(late.about, "file in the trash")
        why = keeps_in_words(late.why, coded=coded)
        found.append(Kept(what=what, name=name, due_since=iso(late.since), why=why))
    return found, waiting, keeps_in_words(waits, coded=True)
