"""The sentences of an account, written once for all its forms. Pure.

They are for somebody who has never seen earmark: no word of its own goes unexplained, and nothing is said that the receipts
do not show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from earmark.export.account.blocks import (
    Alarm,
    Block,
    Bullets,
    Facts,
    Grid,
    Heading,
    Paragraph,
)
from earmark.export.account.model import Account, Entry, State
from earmark.export.account.trusting import limits, on_checking, on_the_chain
from earmark.export.account.wording import count_of, shown, size_of

TITLE = "Record of deletions"


def told(account: Account) -> Iterator[Block]:
    """Everything below the title."""
    if not account.chain.whole:
        yield Alarm(
            (
                "The receipts that this document is made of are NOT whole. Something in them was changed, removed or added. "
                "Do not rely on the lists below.",
                *(f"{problem[:1].upper()}{problem[1:]}." for problem in account.chain.problems),
            )
        )
    yield Heading("What this document is")
    yield Paragraph(
        "earmark is a program on one computer. It writes down what is said in audio recordings that somebody puts into a "
        "folder there: for each recording a transcript and a summary. It also deletes: by rules that the owner of that "
        "computer has set, or because that person said so."
    )
    yield Paragraph(
        "A file that a rule takes is moved to a trash first, from where it can be brought back; it is removed for good "
        "later. Each time, earmark writes a numbered receipt. The lists of what was deleted are made of these receipts. "
        "What they do not hold (names, hashes of files, the rules, what is kept) comes from earmark's other records."
    )
    yield Facts(tuple(_facts(account)))
    yield Heading("In short")
    yield Bullets(tuple(_in_short(account)))
    yield Heading("The rules")
    yield from _rules(account)
    yield Heading("Deleted for good")
    yield from _deletions(account)
    yield Heading("In the trash")
    yield from _in_trash(account)
    if account.brought_back:
        yield Heading("Brought back from the trash")
        yield _grid(account, account.brought_back, "Brought back")
    yield Heading("Kept although a rule's time has come")
    yield from _kept(account)
    yield Heading("Whether the receipts are whole")
    yield from on_the_chain(account)
    yield Heading("How to check this again")
    yield from on_checking(account)
    yield Heading("What this document cannot show")
    yield Bullets(tuple(limits(account)))


def _facts(account: Account) -> Iterator[tuple[str, str]]:
    yield "Made", f"{shown(account.made_at)}, by earmark {account.earmark}"
    begin = (
        f"from {account.since_day}, 00:00" if account.since_day else "from the first receipt that is there"
    )
    end = f"to the end of {account.until_day}" if account.until_day else "until this document was made"
    yield "Time it covers", f"{begin}, {end}"
    if account.folders is None:
        many = account.how_many_folders
        which = "one folder" if account.one_folder else f"all folders that earmark watches ({many})"
        yield "Folders it covers", f"{which}; names of folders are not shown"
    else:
        which = "; ".join(account.folders) or "none is known any more"
        yield "Folders it covers", f"only {which}" if account.one_folder else f"all: {which}"
    yield (
        "Times",
        "as this computer's clock had them: date, time of day, and how far that is ahead of (+) or behind (-) UTC",
    )
    if account.coded:
        yield (
            "Names",
            "none: each recording is shown by its code from a table that whoever made this document has. All files that "
            "were made of a recording have its code",
        )
    else:
        yield "Names", "each file by its full name, as it was when it was taken"


def _in_short(account: Account) -> Iterator[str]:
    files = [e for e in account.deletions if e.state == "deleted"]
    audio = len({e.sha256 or e.receipt_hash for e in files if e.what.startswith("recording")})
    size = size_of(sum(e.bytes or 0 for e in files))
    among = f"{count_of(audio, 'recording')} among them"
    yield f"{count_of(len(files), 'file')} removed for good by rules, {among}; {size} in all."
    erased = [e for e in account.deletions if e.state is State.ERASED]
    if erased:
        of = sum(e.files or 0 for e in erased)
        yield (
            f"{count_of(len(erased), 'recording')} erased on a person's word, with all that was made of them: "
            f"{count_of(of, 'file')}."
        )
    voices = sum(e.state == "voices forgotten" for e in account.deletions)
    if voices:
        yield f"Stored voices deleted: {count_of(voices, 'time')}."
    when = f"at the end of {account.until_day}" if account.until_day else "when this document was made"
    if indexed := sum(e.state == "not found any more" for e in account.deletions):
        yield f"Recordings taken out of the search index: {indexed} time{'' if indexed == 1 else 's'}."
    yield f"{count_of(len(account.in_trash), 'file')} in the trash {when}: moved there, and not removed for good."
    if account.brought_back:
        yield f"{count_of(len(account.brought_back), 'file')} brought back from the trash."
    yield f"{count_of(len(account.kept), 'file')} kept although a rule's time has come."
    if account.chain.whole:
        yield (
            f"The receipts are whole: {count_of(account.chain.receipts, 'receipt')}, none changed, none missing."
            + (" Some of this cannot be told; see below." if account.chain.cannot_be_told else "")
        )
    else:
        yield "The receipts are NOT whole; see the top of this document."
    if account.not_in_table:
        yield (
            f"{count_of(account.not_in_table, 'recording')} without a code: not in the table. Of them only sizes, hashes "
            "and numbers of receipts are shown."
        )


def _rules(account: Account) -> Iterator[Block]:
    if not account.rules:
        yield Paragraph("No rule is known to have been in force in this time.")
    for rules in account.rules:
        end = f" until {shown(rules.until)}" if rules.until else " on"
        yield Paragraph(f"In force from {shown(rules.since)}{end}:")
        yield Bullets(rules.sentences or ("No rule: nothing is deleted, however old it is.",))
    yield Paragraph(
        f"{account.trash_rule} That is the setting of today. A kind of file without a rule is kept without end."
    )
    if account.own_rules:
        yield Paragraph(
            f"{count_of(account.own_rules, 'recording')} {'has' if account.own_rules == 1 else 'have'} a rule of their own "
            "today, which comes before these."
        )
    if names := _names_of_rules(account):
        yield Paragraph(
            "In the lists below, each file has the name of the rule by which it was moved to the trash:"
        )
        yield Facts(tuple((name, words) for words, name in names.items()))


def _names_of_rules(account: Account) -> dict[str, str]:
    """By the words of each rule that took something, a short name for it."""
    entries = (*account.deletions, *account.in_trash, *account.brought_back)
    words = dict.fromkeys(e.by for e in entries if e.by_rule)
    return {text: f"Rule {number}" for number, text in enumerate(words, start=1)}


def _deletions(account: Account) -> Iterator[Block]:
    if not account.deletions:
        yield Paragraph("Nothing was removed for good in this time.")
        return
    yield _grid(account, account.deletions, "Removed for good")
    if any(e.state is State.ERASED for e in account.deletions):
        yield Paragraph(
            "A recording that is erased on a person's word goes with its name, its hash and every word of it; that is what "
            "the person asked for. Its receipt keeps only the number of files and bytes. Whoever still has the file can ask "
            "on that computer whether it was this one, with: earmark receipts list FILE"
        )
    if any(e.here_again for e in account.deletions):
        yield Paragraph(
            "* A file with the same content is in a watched folder of that computer now: a copy, or one that was put there "
            "again."
        )
    if account.one_folder and any(e.in_folder is None for e in account.deletions):
        yield Paragraph(
            "Erased recordings and stored voices are listed whether they belonged to this folder or not, where nobody can "
            "tell that any more."
        )


def _in_trash(account: Account) -> Iterator[Block]:
    if not account.in_trash:
        yield Paragraph("Nothing.")
        return
    if account.until_day:
        yield Paragraph(
            f"At the end of {account.until_day} these files still existed, and could be brought back."
        )
        yield _grid(account, account.in_trash, "Since then")
    else:
        yield Paragraph("These files still exist and can be brought back; they are not deleted yet.")
        yield _grid(account, account.in_trash, "")


def _kept(account: Account) -> Iterator[Block]:
    yield Paragraph(
        "As it was when this document was made; the receipts know nothing of what was kept earlier."
    )
    if account.kept:
        rows = tuple((k.name, k.what, shown(k.due_since) or "not known", k.why) for k in account.kept)
        yield Grid(
            ("Code" if account.coded else "File", "What", "Due since", "Why it is kept"),
            rows,
            times=frozenset({2}),
        )
    else:
        yield Paragraph("Nothing is kept beyond its rule.")
    if account.erasures_open:
        yield Paragraph(
            f"{count_of(account.erasures_open, 'recording')} that a person wanted to be erased: not complete yet, because a "
            "file of it could not be removed. earmark tries again each day."
        )
    if account.waiting:
        are = "was" if account.waiting == 1 else "were"
        yield Paragraph(
            f"{count_of(account.waiting, 'more file')} {are} due and not taken yet: {account.waits_for}."
        )


def _grid(account: Account, entries: Sequence[Entry], ended: str) -> Grid:
    """`ended`: what stands over the time at which something came of it; "" without that column."""
    names = _names_of_rules(account)
    headings = [
        "No.", "Code" if account.coded else "File", "What", "Size", "Moved to the trash", ended, "By", "SHA-256", "Receipts",
    ]  # fmt: skip
    rows = [_row(number, entry, names) for number, entry in enumerate(entries, start=1)]
    if not ended:
        del headings[ENDED]
        for row in rows:
            del row[ENDED]
    hashes = len(headings) - 2
    return Grid(
        tuple(headings), tuple(map(tuple, rows)), frozenset({hashes}), frozenset(range(4, hashes - 1))
    )


ENDED = 5
"""The column of what came of it."""


def _row(number: int, e: Entry, names: dict[str, str]) -> list[str]:
    what = e.what
    if e.files is not None and e.state is State.ERASED:
        what = f"{what}: {count_of(e.files, 'file')}"
    if e.note:
        what = f"{what} ({e.note})"
    begun = shown(e.left_at) or (
        "" if e.state in (State.ERASED, State.VOICES_FORGOTTEN, State.NOT_FOUND) else "not known"
    )
    ended = "still there" if e.state == "in trash" else shown(e.ended_at)
    if e.state == "gone later":
        ended = f"{e.became}, {ended}"
    receipts = ", ".join(str(n) for n in (e.left_receipt, e.ended_receipt) if n is not None)
    return [
        str(number), f"{e.name} *" if e.here_again else e.name, what, "" if e.bytes is None else size_of(e.bytes),
        begun, ended, names.get(e.by, e.by), e.sha256 or "not kept", receipts,
    ]  # fmt: skip
