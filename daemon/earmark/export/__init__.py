"""Everything earmark knows, in open formats, with hashes; deletes nothing."""

from earmark.export.checking import verify
from earmark.export.export import Exported, chosen, export

__all__ = ["Exported", "chosen", "export", "verify"]
