"""`python -m earmark.cli.manual > packaging/commands.json`: the outline, written from the parser."""

from __future__ import annotations

import sys

from earmark.cli.manual.outline import as_text
from earmark.cli.manual.parser import outline

sys.stdout.write(as_text(outline()))
