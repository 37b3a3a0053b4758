"""Taking names out of the list of speakers in a note whose properties a person has changed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from earmark.notes.frontmatter import dumped
from earmark.notes.kept_properties import entries, with_theirs
from earmark.notes.name_lists import names_in


def with_list(top: str, listed: Sequence[str], key: str = "speakers") -> str | None:
    """Properties of ours in YAML with these names in their list; None where they have none."""
    found = entries(top)
    if found is None or key not in found:
        return None
    lines = "".join(dumped({key: [*listed]}) if each == key else raw for each, (raw, _) in found.items())
    return f"---\n{lines}---\n"


def goes_out(written: str, theirs: str, known: Sequence[str], gone: Collection[int], key: str) -> bool:
    """Whether the names of the speakers with these numbers go from the list in a person's note with the next version that
    is written there. `written`: its properties as we wrote them; `known`: the names that were read there.
    """
    later = with_list(
        written, [f"Speaker {n}" if n in gone else name for n, name in enumerate(known, start=1)], key
    )
    merged = with_theirs(written, theirs, later, key, known) if later is not None else None
    return merged is not None and not {*names_in(merged, key)} & {known[n - 1] for n in gone}
