"""An account of what was deleted, for somebody who has never seen earmark: an ethics board, an auditor, a lawyer.

`deeds` reads the receipts (pure), `codes` a table of participants, `gathering` puts both together with what the ledger
knows, `telling` and `trusting` write the sentences once, and `as_html`, `as_markdown`, `as_csv` give them a form.
"""

from earmark.export.account.as_csv import as_csv
from earmark.export.account.as_html import as_html
from earmark.export.account.as_markdown import as_markdown
from earmark.export.account.codes import Codes, read_codes
from earmark.export.account.gathering import gather
from earmark.export.account.model import Account, Entry
from earmark.export.account.telling import told

__all__ = ["Account", "Codes", "Entry", "as_csv", "as_html", "as_markdown", "gather", "read_codes", "told"]
