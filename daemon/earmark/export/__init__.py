"""Everything earmark knows, in open formats, with hashes; deletes nothing."""

from earmark.export.checking import verify
from earmark.export.export import Exported, export

__all__ = ["Exported", "export", "verify"]
