"""How far an account can be trusted: whether the receipts are whole, how to check that again, what it cannot show. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from earmark.export.account.blocks import Block, Bullets, Commands, Facts, Paragraph
from earmark.export.account.model import Account
from earmark.export.account.wording import shown


def on_the_chain(account: Account) -> Iterator[Block]:
    """Whether the receipts are whole, and up to where."""
    chain = account.chain
    yield Paragraph(
        "Each receipt holds a hash (a check number, SHA-256) over all that it says and over the hash of the receipt before "
        "it. Who changes, removes or adds one has to change every later one. The hash of the last one is sealed with a "
        "secret key that this installation of earmark made for itself."
    )
    yield Facts(
        (
            ("Result", "whole: none changed, none missing" if chain.whole else "NOT WHOLE: see the top"),
            (
                "Checked",
                f"{shown(account.made_at)}: every receipt's hash was computed anew, and the seal of the last one",
            ),
            (
                "Receipts",
                f"{chain.receipts}: number {chain.first} to {chain.last}" if chain.receipts else "none",
            ),
            ("Last receipt written", shown(chain.last_at) or "no time"),
            ("Hash of the last receipt", chain.end_hash if chain.receipts else "none"),
            ("Name of the key", chain.key_id or "the key is lost"),
        )
    )
    if chain.cannot_be_told:
        yield Bullets(tuple(f"It cannot be told {sentence}." for sentence in chain.cannot_be_told))
    if chain.cut_off_through:
        yield Paragraph(
            f"Receipts up to number {chain.cut_off_through} were removed on {shown(chain.cut_off_at)} by a rule for "
            "receipts. What they told is not in this document."
        )


def on_checking(account: Account) -> Iterator[Block]:
    """What to type, and what has to come out."""
    chain = account.chain
    if not chain.receipts:
        yield Paragraph("There is no receipt to check.")
        return
    yield Paragraph("On the computer that it was made on, as the user that earmark runs for, in a terminal:")
    yield Commands(("earmark receipts verify", "earmark receipts list --json", _command(account)))
    yield Paragraph(
        "The first has to say that no receipt was changed and none is missing. In what the second prints, the receipt with "
        f"the number (seq) {chain.last} has to have the hash {chain.end_hash}, however many have come after it. The third "
        "makes this document anew."
    )
    yield Paragraph(
        "To check the receipts on another computer, have them exported, and look for the same hash in the file:"
    )
    yield Commands(("earmark receipts export --out receipts.jsonl", "earmark receipts verify receipts.jsonl"))


def _command(account: Account) -> str:
    words = ["earmark receipts report"]
    if account.since_day:
        words.append(f"--since {account.since_day}")
    if account.until_day:
        words.append(f"--until {account.until_day}")
    if account.one_folder:
        words.append("--folder FOLDER")
    if account.coded:
        words.append("--codes TABLE.csv")
    return " ".join(words)


def limits(account: Account) -> Iterator[str]:
    """What the document cannot show, a sentence or two each."""
    last = account.chain.last
    yield (
        "Copies elsewhere: backups, versions in a cloud, snapshots of a disk, memory cards of recorders, what was sent or "
        "copied by hand, what was exported from earmark. It reaches the folders that it watches, and no others."
    )
    yield "That the bytes cannot be found again on the disk itself; solid-state drives keep old data for a while."
    yield "What a person or another program deleted: that leaves no receipt."
    yield (
        "That nobody rewrote everything. Whoever has access to earmark's own folder on that computer has its key, and could "
        "write all receipts anew. Against that only one thing helps: keep this document. "
        + (f"Later, receipt {last} still has to have the hash that is shown here." if last else "")
    )
    yield (
        "Which file a receipt is of, to anybody without the key. Receipts hold no names and no plain hashes, only keyed "
        "ones, which cannot be turned back. Names, and the SHA-256 of a recording, stand here where they fit the keyed hash "
        "of the receipt; the SHA-256 of a transcript, summary or other text is what earmark's own records say."
    )
    yield "That the computer's clock was right."
    yield (
        "Whether a file went in a daily run or because a person started one, and whether it left the trash by its time or "
        "because a person emptied the trash."
    )
    if account.coded:
        yield (
            "That a code belongs to the right person: the table says so, and earmark cannot know it. Whoever still has a "
            "copy of a recording can find its line here by its SHA-256."
        )
