"""A note that is missing may lie somewhere as a file that nobody recognizes as one: renamed and with broken properties, as
an editor's backup, in a hidden folder. If such a file names the recording and says `keep`, that holds while it is there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from earmark.context import Context
from earmark.files import files_below, read_bytes
from earmark.notes.frontmatter import LIMIT, decoded
from earmark.notes.keeping import asks_to_keep, keep_keys
from earmark.notes.names import is_text
from earmark.notes.style import style_of

_SAYS_SO = re.compile(
    r"\bkeep\b[\"'*]*[ \t]*[:=]+[ \t]*[\"']?(?!(?:false|no|off|0|n|f|null|none|~)\b)[^\s\"']", re.I
)


def why_lost_note_keeps(
    context: Context, ids: Collection[str], since: float, tops: Iterable[Path]
) -> str | None:
    """Why such a file in one of these folders holds, or None. `ids`: what the recording is and was; `since`: files that were
    not touched since then are no note of it.
    """
    wanted = [recording_id.encode(encoding) for recording_id in ids for encoding in ("ascii", "utf-16-le")]
    keys = keep_keys(style_of(context.config.notes))
    for path, status in files_below(sorted(tops)):
        if not is_text(path.name) or status.st_ctime < since:
            continue
        if context.ledger.artifacts.at(path) is not None:
            continue
        try:
            data = read_bytes(path, most=LIMIT)
        except OSError:
            continue
        if not any(recording_id in data for recording_id in wanted):
            continue
        text = decoded(data)
        if asks_to_keep(text, keys) or _SAYS_SO.search(text):
            return f"held, as long as {path} names it and says `keep`, and a note of it is missing"
    return None
