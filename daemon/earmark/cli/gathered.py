"""What `earmark status` knows, with paths as one types them."""

from __future__ import annotations

from earmark.cli.console import short
from earmark.context import Context
from earmark.standing import gathered
from earmark.standing.gathered import Line as Line
from earmark.standing.gathered import Status as Status


def gather(context: Context) -> Status:
    """Read the ledger and the daemon's report."""
    return gathered.gather(context, short)
