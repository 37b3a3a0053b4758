"""What is wrong with a value, in words of ours: those of the library that notices it are for programmers."""

from __future__ import annotations

import re

_OURS = (
    (r"^(?:Input|Value).*? should be a valid integer.*", "a whole number is needed"),
    (r"^Input should be a (?:valid|finite) number.*", "a number is needed"),
    (r"^Input should be a valid boolean.*", "true or false is needed"),
    (r"^Input should be a valid (?:string|path)$", "text is needed"),
    (r"^Input should be a valid (?:list|tuple|set)$", "a list is needed, in brackets"),
    (r"^Input should be a valid dictionary.*", "a table is needed, in braces"),
    (r"^Input is not a valid path.*", "a path is needed, as text"),
    (r"^Input should be greater than or equal to (.*)$", r"it must be at least \1"),
    (r"^Input should be less than or equal to (.*)$", r"it must be at most \1"),
    (r"^Input should be greater than (.*)$", r"it must be more than \1"),
    (r"^Input should be less than (.*)$", r"it must be less than \1"),
    (r"^String should have at most (\d+) characters?$", r"it must have at most \1 characters"),
    (r"^String should have at least (\d+) characters?$", r"it must have at least \1 characters"),
    (r"^Field required$", "it is missing"),
    (r"^Input should be (.*)$", r"it must be \1"),
)
"""Messages of pydantic (pydantic_core, ErrorType), and ours."""


def in_our_words(message: str) -> str:
    """The message of a library as a person would say it; any other one as it is."""
    for theirs, ours in _OURS:
        if re.match(theirs, message, re.DOTALL):
            return re.sub(theirs, ours, message, count=1, flags=re.DOTALL)
    return message
