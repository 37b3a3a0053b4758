"""docs/json.md, written from the schemas so that it cannot lie."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from earmark.cli.answers import ACTING, ANSWERS, ErrorAnswer
from earmark.cli.answers.parts import ActsAnswer
from earmark.cli.voice import CODES

INTRODUCTION = """\
# JSON

<!-- Written by `earmark config json-reference`; change the descriptions in daemon/earmark/cli/answers/. -->

Every verb takes `--json` and prints one object on stdout, and nothing else there: no color, no wrapping, no progress.
<!-- json:nothing-else --> (`earmark status --watch --json` prints one whenever it has changed.) Only those have no `--json`
that print a document or a log, `earmark config edit`, which is an editor's, `earmark mcp`, which is an
assistant's, and `earmark serve` and `earmark open`, which are a browser's. <!-- json:every-verb --> Each has the keys
below, and no others. <!-- json:schema --> `version` goes up when a key changes its meaning or goes; new keys may come.

Moments are local times with their offset, as ISO 8601 has them: `2026-03-02T09:30:00+01:00`. <!-- json:moments --> That
of a note that you edited (`status`) is when you saved it last. <!-- json:edited-since --> Lengths
are seconds, sizes bytes. A name may hold bytes that are no text; they are JSON escapes, `\\udc80` to `\\udcff`,
as Python reads and writes them, or, where a name is only shown, as `\\xf6`.

Where a verb fails, or the words behind `earmark` are no verb, the object under "Errors" stands in the place of the
answer; stderr says the same, and the exit code is the one in it. <!-- json:errors --> That holds for wrong usage, too,
of each verb, of those without `--json`, and wherever on the line that stands. <!-- json:wrong-usage --> `--help` and
`--version` are text all the same. <!-- json:help --> So stdout is empty only if its reader has gone, and with
`transcribe --output FILE`, which puts the object there. Where an answer says that something is wrong (`earmark
doctor`), or that a thing was refused, it is an answer, with an exit code of its own. Warnings go to stderr.

What a verb asks (`earmark forget`) it asks on stderr, in a terminal. Where none is there, and JSON is wanted, it does not
read an answer from its input, but ends with 2 and says so: say `--yes`. <!-- json:asks --> Who does not agree gets an error
with exit code 1.

`earmark config json-reference --schema` prints all of this as JSON Schema. `earmark list --csv` prints a table; a cell that
begins with `=`, `+`, `-` or `@`, or goes on so after a semicolon, has a `'` in front of that, because spreadsheets would
take it for a formula. <!-- json:csv -->
"""


def reference() -> str:
    """The page: each verb with its keys, and the errors. Comments tie it to tests (tests/shown.py)."""
    lines = [INTRODUCTION]
    for verb, answer in ANSWERS.items():
        if verb in ACTING:
            continue
        lines += [f"## `earmark {_with_json(verb)}`", "", *_described(answer)]
    verbs = " · ".join(f"`{verb}`" for verb in ACTING)
    about, *table = _described(ActsAnswer)
    lines += [
        "## Verbs that act",
        "",
        f"{about} <!-- json:acts --> So answer with `--json`:",
        "",
        verbs,
        *table,
    ]
    lines += ["## Errors", "", *_described(ErrorAnswer), *_exit_codes(), "<!-- tests -->"]
    return "\n".join(lines) + "\n"


CODES_EXPLAINED = """\
Wrong usage is 2, whoever notices it: the parser, or the verb, because words do not go together, or one is none of those
that there are (`earmark models download NONSENSE`, `earmark run` without a folder), and where an option is said
twice of which one value counts. <!-- json:usage --> So is an empty file
or folder (`earmark why "$FILE"` where that is not set): it is not the folder that somebody is in. <!-- json:empty --> Of a
word that has several verbs below it (`receipts` with `--json` alone) the sentence says which. <!-- json:groups -->
sysexits.h has 64 for it; but the parser and the shell say 2, as nearly every program does, so a script has one number to
look for. Wrong usage is a new file to write to, too, whose name is taken; one that cannot be written is
74. <!-- json:outputs --> So is a day that has not begun, from which on something is asked for, if nothing is of then
(`receipts report`, `list`, `export`, and `after:` of `search`). <!-- json:to-come --> What is understood and is not there
(a file, a recording, a model by its name) is 66. A service that is told no folder ends with 78, because nobody types
its words.

A verb that could not do its work with each thing that it was told of does not end with 0, also where it did it with
others: with 1, with 66 for a recording whose file is gone (`earmark retry`), with 65 for what was to be erased. `acts`
says which were `refused`. <!-- json:refused -->"""


def _exit_codes() -> list[str]:
    rows = [f"| {code} | {meaning} |" for code, meaning in CODES.items()]
    table = ["| code | meaning |", "|---|---|", *rows]
    return ["## Exit codes", "", *table, "", CODES_EXPLAINED, ""]


def schemas() -> dict[str, Any]:
    """JSON Schema (2020-12) of every answer, by the words of its verb."""
    found = {verb: answer.model_json_schema(by_alias=True) for verb, answer in ANSWERS.items()}
    return found | {"errors": ErrorAnswer.model_json_schema()}


def _with_json(verb: str) -> str:
    return f"{verb} --json"


def _described(answer: type[BaseModel]) -> list[str]:
    schema = answer.model_json_schema(by_alias=True)
    parts = schema.get("$defs", {})
    lines = [" ".join((answer.__doc__ or "").split()), "", *_table(schema)]
    for name, part in parts.items():
        if "properties" in part:
            about = " ".join(str(part.get("description", "")).split())
            lines += [f"**{name}**{': ' + about if about else ''}", "", *_table(part)]
        elif "enum" in part:
            lines += [f"**{name}**: {' · '.join(f'`{value}`' for value in part['enum'])}", ""]
    return lines


def _table(schema: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{name}` | {_kind(value)} | {' '.join(str(value.get('description', '')).split())} |".replace(
            "\\|", "|"
        )
        for name, value in schema["properties"].items()
    ]
    return ["| key | type | meaning |", "|---|---|---|", *rows, ""]


def _kind(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(map(_kind, value["anyOf"])))
    if "const" in value:
        return f"`{value['const']}`"
    match value.get("type"):
        case "array":
            return f"list of {_kind(value['items'])}" if "items" in value else "list"
        case "object":
            inner = value.get("additionalProperties")
            return f"object of {_kind(inner)}" if isinstance(inner, dict) else "object"
        case "string":
            return "moment" if value.get("format") == "date-time" else "text"
        case "integer":
            return "whole number"
        case "boolean":
            return "true/false"
        case None:
            return "anything"
        case other:
            return str(other)
