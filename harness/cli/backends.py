"""`bakeoff backends`, `bakeoff setup` and `bakeoff new`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..common.foreign import make_line
from .options import FAILED, Backends, Build, Json, Python, err, exit_at_interrupt, out, print_json, select_backends

if TYPE_CHECKING:
    from ..registry.entries import Entry

MOST_SHOWN = 20
"""Of the files that --verify finds wrong."""

Check = Annotated[bool, typer.Option("--check/--no-check", help="Check what was built, and keep the results for run.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the folder: an identifier, not the import name.")]
Parent = Annotated[
    Path,
    typer.Option("--folder", metavar="PARENT", help="Folder to create it in. Default: .", show_default=False),
]
Verify = Annotated[bool, typer.Option("--verify", help="Build nothing: compare the built files with their checksums.")]
Sbom = Annotated[
    Path | None,
    typer.Option(
        "--sbom",
        metavar="FOLDER",
        help="Write a bill of materials of each environment, NAME.cdx.json.",
        show_default=False,
    ),
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
    backends: Backends = None,
    check: Check = True,
    python: Python = None,
    build: Build = None,
    verify: Verify = False,
    sbom: Sbom = None,
) -> None:
    """Build the environments of backends, and check what was built.

    `bakeoff run` does the same on first use. A check result is kept until something that it depends on
    changes. Exit code 1 if an environment cannot be built, or a check fails. A backend that needs what this machine
    lacks is no failure, unless there is no other.

    --verify builds nothing and compares what is installed: exit code 1 where a file is missing, changed, or belongs to
    no package. --sbom also lists what is in each environment, in the CycloneDX format.
    """
    from .. import environments
    from ..common.progress import Board
    from ..measures.agreement import run_checks
    from ..measures.openness import sbom as bill

    chosen = select_backends(backends, build)
    entries = {entry.label: entry for entry, _ in chosen}
    if sbom is not None:
        bill.require_writer(sbom)
    if verify:
        raise typer.Exit(_verify(entries, tuple(python or ()), sbom))
    results = []
    advice = "Finished environments and check results are kept. Run the command again to continue."
    with exit_at_interrupt(advice), Board(err) as board:
        jobs = {name: board.begin(f"{name}: environment") for name in entries}
        made = environments.build_all(
            list(entries.values()), tuple(python or ()), on_event=lambda name, line: jobs[name].say(line)
        )
        for name, environment in made.items():
            board.end(jobs[name], str(environment) if isinstance(environment, Exception) else environment.describe())
            if sbom is not None and isinstance(environment, environments.Environment):
                err.print(f"{name}: {bill.write_sbom(entries[name], environment, sbom)}")
        if check:
            results = run_checks.check_all_with_cache(chosen, made, board)
    failed = any(isinstance(environment, environments.BuildFailed) for environment in made.values())
    none = all(isinstance(environment, environments.Missing) for environment in made.values())
    if failed or none or any(outcome.failed for result in results for outcome in result.outcomes):
        raise typer.Exit(FAILED)


def _verify(entries: "Mapping[str, Entry]", python: tuple[Path, ...], sbom: Path | None) -> int:
    """Print what is wrong with the environments that are built; return the exit code."""
    from .. import environments
    from ..measures.openness.sbom import write_sbom

    compared = []
    for name, entry in entries.items():
        try:
            environment = environments.find(entry, python)
        except environments.Missing as missing:
            out.print(f"{name}: {missing}", soft_wrap=True)
            continue
        if environment is None:
            out.print(f"{name}: not built", soft_wrap=True)
            continue
        files, problems = environments.find_changes(entry, environment)
        compared.append(not problems)
        for problem in problems[:MOST_SHOWN]:
            out.print(f"{name}: {make_line(problem)}", soft_wrap=True)
        more = f", the first {MOST_SHOWN} are above" if len(problems) > MOST_SHOWN else ""
        advice = f". Remove {environment.folder} and run `bakeoff setup {name}`." if problems else ""
        out.print(f"{name}: {files:,} files compared, {len(problems):,} wrong{more}{advice}", soft_wrap=True)
        if unverified := environments.describe_unverified(environment):
            out.print(f"{name}: {unverified}", soft_wrap=True)
        if sbom is not None:
            out.print(f"{name}: {write_sbom(entry, environment, sbom)}", soft_wrap=True)
    return 0 if compared and all(compared) else FAILED


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
