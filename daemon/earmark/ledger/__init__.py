"""One SQLite file in the state folder: recordings, jobs, words, artifacts, events."""

from earmark.ledger.artifacts import Artifact
from earmark.ledger.jobs import Job
from earmark.ledger.ledger import Ledger
from earmark.ledger.lock import DaemonLock
from earmark.ledger.places import Identity, Place, Recording

__all__ = ["Artifact", "DaemonLock", "Identity", "Job", "Ledger", "Place", "Recording"]
