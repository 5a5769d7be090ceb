"""The reference of the command line, from Typer's declarations: for the cog block in docs/reference/command-line.md."""

from collections.abc import Iterator
from typing import Any

import typer
from bakeoff.cli.app import app

EXAMPLES = "\b\n"
"""Begins a paragraph of a help text that a terminal shows line by line."""


def describe_commands() -> str:
    """Return a section of Markdown for Bakeoff, and one for each command."""
    group: Any = typer.main.get_command(app)
    parts = list(describe(group, "bakeoff"))
    for name, command in group.commands.items():
        parts += describe(command, f"bakeoff {name}")
    return "\n\n".join(parts)


def describe(command: Any, name: str) -> Iterator[str]:
    """Yield the parts of a section: what the command does, how it is called, its arguments and options."""
    context = typer.Context(command, info_name=name)
    yield f"## `{name}`"
    for paragraph in filter(None, [*(command.help or "").split("\n\n"), command.epilog]):
        yield lay_out(paragraph)
    yield f"```text\n{' '.join((name, *command.collect_usage_pieces(context)))}\n```"
    records = [each.get_help_record(context) for each in command.get_params(context)]
    yield "\n".join(f"- `{words}`: {' '.join(text.split())}" for words, text in filter(None, records))


def lay_out(paragraph: str) -> str:
    """Return a paragraph of a help text as Markdown."""
    if paragraph.startswith(EXAMPLES):
        return f"```text\n{paragraph.removeprefix(EXAMPLES)}\n```"
    return " ".join(paragraph.split())
