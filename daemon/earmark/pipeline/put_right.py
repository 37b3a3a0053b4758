"""A note whose words a person changed is never written anew, and what it says of its file would stay as it was: a day on
which nothing goes, a link to another recording that has the name by now. That is ours, and is put right; all else stays.
"""

from __future__ import annotations

from earmark.context import Context
from earmark.domain import ArtifactState, Gone
from earmark.files import Folder, NotRegular, digest, put_in_place, read_bytes
from earmark.ledger import Artifact, Place
from earmark.notes.comparing import Likeness
from earmark.notes.frontmatter import top_of
from earmark.notes.our_properties import EXPIRES, RECORDING, properties_of, says_earlier, up_to_date
from earmark.notes.own_links import compared
from earmark.notes.style import style_of
from earmark.pipeline.outputs import Output, what_became


def put_right(context: Context, folder: Folder, place: Place, output: Output) -> None:
    """Bring up to date what is ours in the edited notes of this kind. Raises OtherContent if somebody saves one at this very
    moment, OSError.
    """
    for artifact in context.ledger.artifacts.of_place(place):
        if (
            artifact.kind is output.kind
            and artifact.note
            and artifact.state is ArtifactState.EDITED
            and not artifact.mergeable
            and artifact.path.parent == folder.path
        ):
            _put_right(context, folder, place, output, artifact)


def _put_right(context: Context, folder: Folder, place: Place, output: Output, artifact: Artifact) -> None:
    style = style_of(context.config.notes)
    try:
        data = read_bytes(artifact.path.name, folder)
        raw = data.decode()
    except (NotRegular, FileNotFoundError, UnicodeDecodeError):
        return
    if compared(context.ledger, data, artifact, style.key("speakers")) is not Likeness.EDITED:
        return
    replaced = not place.here and place.gone_why is Gone.REPLACED
    # A link that leads nowhere, after a rename, misleads nobody, and is left to whoever has the note.
    names = (EXPIRES, RECORDING) if replaced or says_earlier(raw) else (EXPIRES,)
    keys = [style.key(name) for name in names]
    earlier = what_became(context, place) if replaced else None
    text = up_to_date(raw, artifact.top, output.text, keys, earlier, style.dialect)
    if text is None:
        return
    if text != raw:
        put_in_place(folder, artifact.path.name, text.encode(), digest(data), step=context.step)
    if artifact.top:
        written = properties_of(artifact.top, artifact.top, top_of(output.text), keys)
        context.ledger.artifacts.properties_written(artifact.path, written)
