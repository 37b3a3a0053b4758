"""Everything earmark knows, in open formats, with hashes; deletes nothing."""

from earmark.export.export import Exported, export
from earmark.export.package import verify

__all__ = ["Exported", "export", "verify"]
