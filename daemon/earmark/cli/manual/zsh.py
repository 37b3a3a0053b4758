"""Completion for zsh, with what each verb and option is for."""

from __future__ import annotations

from collections.abc import Iterable

from earmark.cli.manual.outline import Argument, Command, Option

_HEAD = "#compdef earmark\n# zsh completion for earmark; written when the wheel was built, from the command line itself.\n"

_TAIL = (
    '\nif [ "$funcstack[1]" = _earmark ]; then\n    _earmark "$@"\nelse\n    compdef _earmark earmark\nfi\n'
)


def completion(root: Command) -> str:
    """The file `_earmark`."""
    return _HEAD + "".join(_function(path, command) for path, command in reversed(root.walk())) + _TAIL


def _function(path: str, command: Command) -> str:
    takes = [*(_option(option) for option in command.options)]
    if command.commands:
        takes += ["'1:verb:->verb'", "'*::rest:->rest'"]
    else:
        takes += [_argument(argument) for argument in command.arguments]
    lines = [f"\n{_name(path)}() {{"]
    if command.commands:
        lines.append("    local curcontext=$curcontext state line\n    typeset -A opt_args")
    lines += ["    _arguments -C -s -S \\", *(f"        {one} \\" for one in takes)]
    lines[-1] = lines[-1].removesuffix(" \\")
    if command.commands:
        lines += _below(path, command)
    return "\n".join([*lines, "}\n"])


def _below(path: str, command: Command) -> Iterable[str]:
    yield "    case $state in\n    verb)\n        local -a verbs=("
    for one in command.commands:
        yield f"            {_quoted(f'{one.name}:{one.short}')}"
    yield "        )\n        _describe -t verbs verb verbs\n        ;;\n    rest)\n        case $words[1] in"
    for one in command.commands:
        yield f"        {one.name}) {_name(f'{path} {one.name}')} ;;"
    yield "        esac\n        ;;\n    esac"


def _name(path: str) -> str:
    return "_" + path.replace(" ", "_").replace("-", "_")


def _option(option: Option) -> str:
    said = _escaped(option.help)
    value = f":{_escaped(option.value or 'value')}:{_action(option)}" if option.takes else ""
    if len(option.names) == 1:
        return _quoted(f"{option.names[0]}[{said}]{value}")
    together = " ".join(option.names)
    names = ",".join(option.names)
    return f"{_quoted(f'({together})')}{{{names}}}{_quoted(f'[{said}]{value}')}"


def _argument(argument: Argument) -> str:
    which = "*" if argument.many else "" if argument.required else ":"
    return _quoted(f"{which}:{_escaped(argument.name)}:{_action(argument)}")


def _action(wanted: Option | Argument) -> str:
    if wanted.choices:
        return f"({' '.join(wanted.choices)})"
    return {"file": "_files", "folder": "_files -/"}.get(wanted.takes, " ")


def _escaped(text: str) -> str:
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
