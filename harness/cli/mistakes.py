"""`bakeoff mistakes`."""

from typing import TYPE_CHECKING, Annotated

import typer

from ..common.errors import InputError
from . import completion
from .options import (
    FAILED,
    Backends,
    Json,
    PythonOfFolders,
    RecordsFile,
    err,
    exit_at_interrupt,
    out,
    print_json,
    print_note,
    require_suffix,
    require_writable,
    select_backends,
)

if TYPE_CHECKING:
    from ..registry.entries import Entry

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="MISTAKE",
        help="Try this mistake only. Default: all. Repeatable.",
        autocompletion=completion.complete_mistake,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Show every outcome in every variant. Default: the counts.")]
Messages = Annotated[bool, typer.Option("--messages", help="Print every message in full.")]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", min=1, metavar="S", help="Seconds after which a call counts as hung. Default: 300."),
]


def try_mistakes(
    backends: Backends = None,
    only: Only = None,
    full: Full = False,
    messages: Messages = False,
    time_limit: TimeLimit = None,
    python: PythonOfFolders = None,
    records: RecordsFile = None,
    as_json: Json = False,
) -> None:
    """Try common mistakes, and show which ones each framework reports.

    Wrong data and small wrong edits of the model code are tried in every variant, each in its own process
    (docs/explanation/mistakes.md). An unreported mistake is a result, not a failure. Exit code 1 if a variant cannot
    be tried.

    \b
    bakeoff mistakes                                 the default backends: about half an hour
    bakeoff mistakes NAME:VARIANT --only wrong_width --messages
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..measures.mistakes import catalogue, run
    from ..measures.mistakes import records as mistake_records
    from ..measures.mistakes.attempt import TIME_LIMIT_S
    from ..registry import entries as registry_entries
    from ..report.terminal import mistakes as terminal_mistakes
    from ..workers import launch

    names = select_mistakes(only)
    require_suffix(records, ".jsonl")
    require_writable(records)
    chosen = select_with_edits(backends)
    for entry, _ in chosen:
        catalogue.read_coded(entry.folder)  # raises InputError before anything is built
    with exit_at_interrupt(), Board(err) as board:
        made = launch.interpreters_of(chosen, tuple(python or ()), board)
        measured, unable = run.try_mistakes(chosen, made, names, time_limit or TIME_LIMIT_S, board)
    if as_json:
        print_json(terminal_mistakes.convert_mistakes_to_json(measured, unable))
    else:
        terminal_mistakes.print_mistakes(out, measured, unable, messages, full)
    if records is not None:
        versions = {entry.name: registry_entries.pinned_version(entry) for entry, _ in chosen}
        mistake_records.write(mistake_records.make_records(measured, versions), records)
        print_note(f"Records: {records}")
    if unable:
        raise typer.Exit(FAILED)


def select_with_edits(backends: list[str] | None) -> "list[tuple[Entry, str]]":
    """Return the chosen variants without those that have a model file of their own: edits are of the backend's."""
    chosen = select_backends(backends)
    own = [f"{entry.name}:{variant}" for entry, variant in chosen if variant in entry.own_models()]
    if own:
        print_note(f"Left out, because mistakes are edits of the backend's main model file: {', '.join(own)}.")
    kept = [(entry, variant) for entry, variant in chosen if variant not in entry.own_models()]
    if not kept:
        raise InputError("No variant is left in which mistakes could be tried. Name another one.")
    return kept


def select_mistakes(only: list[str] | None) -> list[str]:
    """Return the names of the mistakes to try, in the catalogue's order. Raises InputError for an unknown name."""
    from ..common.toml import nearest
    from ..measures.mistakes.catalogue import MISTAKES

    for name in only or ():
        if name not in MISTAKES:
            raise InputError(f"--only: no mistake `{name}`. {nearest(name, MISTAKES)}")
    return [name for name in MISTAKES if not only or name in only]
