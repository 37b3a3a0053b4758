"""One SQLite file in the state folder: recordings, jobs, words, artifacts, events."""

from earmark.ledger.artifacts import Artifact
from earmark.ledger.candidates import Candidate
from earmark.ledger.jobs import Job
from earmark.ledger.ledger import Ledger
from earmark.ledger.lock import DaemonLock
from earmark.ledger.places import Identity, Place, Recording
from earmark.ledger.receipts import Receipt
from earmark.ledger.trash import Sweep, Trashed

__all__ = [
    "Artifact",
    "Candidate",
    "DaemonLock",
    "Identity",
    "Job",
    "Ledger",
    "Place",
    "Receipt",
    "Recording",
    "Sweep",
    "Trashed",
]
