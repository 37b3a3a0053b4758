"""One SQLite file in the state folder: recordings, jobs, words, artifacts, decisions. The only package with SQL."""

from earmark.ledger.artifact import SUMMARY_COUNTS, Artifact, Digests, Written
from earmark.ledger.candidates import Candidate
from earmark.ledger.drafts import Draft
from earmark.ledger.erasing import Doomed
from earmark.ledger.fts5 import NO_WORDS, lacking_here
from earmark.ledger.index import Entry, Stored
from earmark.ledger.index_damage import index_saved
from earmark.ledger.jobs import Among, Job
from earmark.ledger.ledger import Ledger
from earmark.ledger.lock import DaemonLock
from earmark.ledger.places import Place
from earmark.ledger.protection import Seen
from earmark.ledger.receipts import Receipt
from earmark.ledger.recordings import Recording
from earmark.ledger.trash import Sweep, Swept, Trashed

__all__ = [
    "NO_WORDS",
    "SUMMARY_COUNTS",
    "Among",
    "Artifact",
    "Candidate",
    "DaemonLock",
    "Digests",
    "Doomed",
    "Draft",
    "Entry",
    "Job",
    "Ledger",
    "Place",
    "Receipt",
    "Recording",
    "Seen",
    "Stored",
    "Sweep",
    "Swept",
    "Trashed",
    "Written",
    "index_saved",
    "lacking_here",
]
