"""`bakeoff backends`, `bakeoff setup` and `bakeoff new`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import FAILED, Backends, Build, Json, Python, err, exit_at_interrupt, out, print_json, select_backends

Check = Annotated[bool, typer.Option("--check/--no-check", help="Check what was built, and keep the results for run.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the folder: an identifier, not the import name.")]
Parent = Annotated[
    Path,
    typer.Option("--folder", metavar="PARENT", help="Folder to create it in. Default: .", show_default=False),
]


def list_backends(python: Python = None, as_json: Json = False) -> None:
    """List the backends, and whether their environments are built.

    The default backends, which `bakeoff run` takes where none is named, are marked with *.
    """
    from ..report.terminal.backends import describe_backends, print_backends

    rows = describe_backends(tuple(python or ()))
    if as_json:
        print_json(rows)
    else:
        print_backends(out, rows)


def build_environments(
    backends: Backends = None, check: Check = True, python: Python = None, build: Build = None
) -> None:
    """Build the environments of backends, and check what was built.

    `bakeoff run` does the same on first use. A check result is kept until something that it depends on
    changes. Exit code 1 if an environment cannot be built, or a check fails. A backend that needs what this machine
    lacks is no failure, unless there is no other.
    """
    from .. import environments
    from ..common.progress import Board
    from ..measures.agreement import run_checks

    chosen = select_backends(backends, build)
    entries = {entry.label: entry for entry, _ in chosen}
    results = []
    advice = "Finished environments and check results are kept. Run the command again to continue."
    with exit_at_interrupt(advice), Board(err) as board:
        jobs = {name: board.begin(f"{name}: environment") for name in entries}
        made = environments.build_all(
            list(entries.values()), tuple(python or ()), on_event=lambda name, line: jobs[name].say(line)
        )
        for name, environment in made.items():
            board.end(jobs[name], str(environment) if isinstance(environment, Exception) else environment.describe())
        if check:
            results = run_checks.check_all_with_cache(chosen, made, board)
    failed = any(isinstance(environment, environments.BuildFailed) for environment in made.values())
    none = all(isinstance(environment, environments.Missing) for environment in made.values())
    if failed or none or any(outcome.failed for result in results for outcome in result.outcomes):
        raise typer.Exit(FAILED)


def create_backend(name: Name, folder: Parent = Path()) -> None:
    """Create the folder of a new backend, to be filled in.

    The new backend runs and fails its checks; its TODOs say what to fill in (docs/how-to/add-a-backend.md). NAME must
    differ from the name that your framework is imported by.

    \b
    bakeoff new abacus_core                      your own, in the current folder
    bakeoff new abacus_core --folder backends    one for this project
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..registry.scaffold import next_steps, write

    out.print(next_steps(write(name, folder)), markup=False, highlight=False, soft_wrap=True)
