"""The words that a person accepted (`earmark vocabulary accept`): read each time a recording is heard, so that no daemon has
to be told of a new one. They come from recordings, and go into no request for a summary, which may leave the device.
"""

from __future__ import annotations

from collections.abc import Callable

from earmark.config import FolderSettings
from earmark.config.vocabulary import read_vocabulary
from earmark.paths import Home


def expected(home: Home, settings: FolderSettings, say: Callable[[str], None]) -> tuple[str, ...]:
    """The vocabulary of the configuration, and the accepted words behind it. A file that cannot be read is said, and stops
    nothing.
    """
    file = home.vocabulary_file
    try:
        accepted = read_vocabulary(file).accepted
    except OSError as error:
        say(f"The words in {file} cannot be read: {error.strerror}; it is heard without them.")
        return settings.vocabulary
    known = {word.casefold() for word in settings.vocabulary}
    new = (word for word in accepted if word.casefold() not in known)
    return (*settings.vocabulary, *new)
