"""Completion for bash, from 3.2 (which every Mac has) on."""

from __future__ import annotations

from collections.abc import Iterable

from earmark.cli.manual.outline import Argument, Command, Option

_HEAD = """\
# bash completion for earmark; written when the wheel was built, from the command line itself.

"""

_TAIL = r"""
_earmark_offer() {  # KIND: what is offered for an option's value or an argument
    local found
    COMPREPLY=()
    case $1 in
    file | folder)
        local what=-f
        [ "$1" = folder ] && what=-d
        compopt -o filenames 2>/dev/null
        while IFS= read -r found; do
            COMPREPLY+=("$found")
        done < <(compgen "$what" -- "$cur")
        ;;
    text)
        compopt +o default 2>/dev/null
        ;;
    *)
        compopt +o default 2>/dev/null
        COMPREPLY=($(compgen -W "$1" -- "$cur"))
        ;;
    esac
}

_earmark() {
    local cur=${COMP_WORDS[COMP_CWORD]} path=earmark awaited= taken=0 only_arguments= word i
    local verbs options argument value
    COMPREPLY=()
    [ "$cur" = "=" ] && cur=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [ "$word" = "=" ] && continue  # bash makes a word of its own of it
        if [ -n "$awaited" ]; then
            awaited=
        elif [ "$word" = -- ]; then
            only_arguments=yes
        elif [ -z "$only_arguments" ] && [ "${word#-}" != "$word" ]; then
            _earmark_value "$path" "$word"
            awaited=$value
        else
            _earmark_at "$path"
            case " $verbs " in
            *" $word "*) path="$path $word" ;;
            *) taken=$((taken + 1)) ;;
            esac
        fi
    done
    if [ -n "$awaited" ]; then
        _earmark_offer "$awaited"
        return
    fi
    _earmark_at "$path"
    if [ -z "$only_arguments" ] && [ "${cur#-}" != "$cur" ]; then
        _earmark_offer "$options"
    elif [ -n "$verbs" ]; then
        _earmark_offer "$verbs"
    else
        _earmark_argument "$path" "$taken"
        _earmark_offer "$argument"
    fi
}

complete -o default -F _earmark earmark
"""


def completion(root: Command) -> str:
    """The script."""
    commands = root.walk()
    return "".join((
        _HEAD,
        *_function("_earmark_at", "# PATH: sets `verbs` and `options`", "verbs= options=", "$1", _at(commands)),
        "\n",
        *_function(
            "_earmark_value", "# PATH OPTION: sets `value` to what it takes, nothing for a flag", "value=", "$1 $2",
            _values(commands),
        ),
        "\n",
        *_function(
            "_earmark_argument", "# PATH NUMBER: sets `argument` to what the next one is", "argument=text", "$1 $2",
            _arguments(commands),
        ),
        _TAIL,
    ))  # fmt: skip


def _function(name: str, remark: str, first: str, subject: str, cases: Iterable[str]) -> Iterable[str]:
    yield f'{name}() {{  {remark}\n    {first}\n    case "{subject}" in\n'
    yield from cases
    yield "    esac\n}\n"


def _at(commands: list[tuple[str, Command]]) -> Iterable[str]:
    for path, command in commands:
        verbs = " ".join(one.name for one in command.commands)
        options = " ".join(name for option in command.options for name in option.names)
        yield f"    '{path}') verbs='{verbs}' options='{options}' ;;\n"


def _values(commands: list[tuple[str, Command]]) -> Iterable[str]:
    for path, command in commands:
        for option in command.options:
            if option.takes:
                names = " | ".join(f"'{path} {name}'" for name in option.names)
                yield f"    {names}) value='{_offered(option)}' ;;\n"


def _arguments(commands: list[tuple[str, Command]]) -> Iterable[str]:
    for path, command in commands:
        for number, argument in enumerate(command.arguments):
            which = "*" if argument.many else str(number)
            yield f"    '{path} '{which}) argument='{_offered(argument)}' ;;\n"


def _offered(wanted: Option | Argument) -> str:
    return " ".join(wanted.choices) or wanted.takes
