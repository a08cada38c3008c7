"""The command line, from the declarations that ``--help`` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from regions import table

import cli


def commands() -> Iterator[tuple[str, Any]]:
    """Give every command with its name, as in ``recommend for``; groups are left out."""
    for name, command in _group().commands.items():
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            for word, member in inner.items():
                yield f"{name} {word}", member


def option_words(command: Any) -> set[str]:
    """Return the option words that a command takes."""
    return {"--help", *(word for option in _options(command) for word in [*option.opts, *option.secondary_opts])}


def global_words() -> set[str]:
    """Return the options that stand before any verb."""
    return {"--debug"} | option_words(_group())


def write_commands() -> str:
    """Return one section for each command."""
    parts = [_list_of_commands()]
    parts += [_section(name, command) for name, command in commands()]
    parts.append("## Options before any command\n\n" + _option_table(_group()))
    return "\n\n".join(parts)


def _group() -> Any:
    return typer.main.get_command(cli.app)


def _list_of_commands() -> str:
    rows = [[f"[`{name}`](#nearby-{name.replace(' ', '-')})", _first_sentence(command)] for name, command in commands()]
    return table(["command", "what it does"], rows)


def _first_sentence(command: Any) -> str:
    return " ".join(command.help.split("\n\n")[0].split())


def _section(name: str, command: Any) -> str:
    arguments = [param for param in command.params if not param.opts[0].startswith("-")]
    usage = " ".join(["nearby", name, *map(_written, arguments), "[OPTIONS]"])
    parts = [f"## nearby {name}", f"```text\n{usage}\n```", "\n\n".join(map(_line, command.help.split("\n\n")))]
    if arguments:
        parts.append(table(["argument", "meaning"], [[f"`{_name(one)}`", one.help or ""] for one in arguments]))
    parts.append(_option_table(command))
    return "\n\n".join(part for part in parts if part)


def _line(text: str) -> str:
    return " ".join(text.split())


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def _written(argument: Any) -> str:
    several = argument.nargs != 1
    text = f"{_name(argument)}{'...' if several else ''}"
    return text if argument.required else f"[{text}]"


def _options(command: Any) -> list[Any]:
    return [param for param in command.params if param.opts[0].startswith("-")]


def _option_table(command: Any) -> str:
    shown = [option for option in _options(command) if "completion" not in option.opts[0]]
    rows = [[_words(option), _default(option), option.help or ""] for option in shown]
    return table(["option", "default", "meaning"], rows) if rows else ""


def _words(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or option.name.upper().replace('_', '-')}"
    return ", ".join(f"`{word}`" for word in [*option.opts[:-1], option.opts[-1] + value])


def _default(option: Any) -> str:
    if option.is_flag or option.default in (None, ()):
        return "required" if option.required else ""
    return f"`{option.default}`"
