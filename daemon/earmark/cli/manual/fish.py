"""Completion for fish, with what each verb and option is for."""

from __future__ import annotations

from collections.abc import Iterable

from earmark.cli.manual.outline import Command, Option

_HEAD = """\
# fish completion for earmark; written when the wheel was built, from the command line itself.

function __earmark_at --description 'whether the words so far are this verb'
    set -l path earmark
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    for word in $words[2..]
        if contains -- "$path $word" $__earmark_paths
            set path "$path $word"
        end
    end
    test "$path" = "$argv"
end

complete --command earmark --no-files
"""


def completion(root: Command) -> str:
    """The script."""
    commands = root.walk()
    paths = " ".join(f"'{path}'" for path, _ in commands)
    lines = [_HEAD, f"set --global __earmark_paths {paths}\n"]
    for path, command in commands:
        lines += _lines(path, command)
    return "\n".join(lines) + "\n"


def _lines(path: str, command: Command) -> Iterable[str]:
    here = f"complete --command earmark --condition '__earmark_at {path}'"
    for one in command.commands:
        yield f"{here} --arguments {one.name} --description {_quoted(one.short)}"
    for option in command.options:
        yield f"{here} {_names(option)}{_value(option)} --description {_quoted(option.help)}"
    for argument in command.arguments:
        if argument.choices:
            yield f"{here} --arguments {_quoted(' '.join(argument.choices))}"
    takes = {argument.takes for argument in command.arguments if not argument.choices}
    if "file" in takes:
        yield f"{here} --force-files"
    elif "folder" in takes:
        yield f"{here} --arguments '(__fish_complete_directories)'"


def _names(option: Option) -> str:
    return " ".join(
        f"--long-option {name[2:]}" if name.startswith("--") else f"--short-option {name[1:]}"
        for name in option.names
    )


def _value(option: Option) -> str:
    if not option.takes:
        return ""
    if option.choices:
        return f" --exclusive --arguments {_quoted(' '.join(option.choices))}"
    return {
        "file": " --require-parameter --force-files",
        "folder": " --exclusive --arguments '(__fish_complete_directories)'",
    }.get(option.takes, " --exclusive")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
