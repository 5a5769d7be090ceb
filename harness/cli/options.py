"""Options, consoles and helpers that several commands share."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..common.errors import InputError
from . import completion

if TYPE_CHECKING:
    from ..registry.entries import Entry
    from ..report.report import Report

# What is printed is data: names, messages and paths hold brackets and colons that are no markup.
out, err = Console(markup=False, emoji=False), Console(markup=False, emoji=False, stderr=True)

FAILED = 1
"""Exit code: a check or a comparison failed."""
BAD_INPUT = 2
"""Exit code: bad usage or input."""
NOT_MEASURABLE = 3
"""Exit code: this machine is unfit, or the self-test of the timing failed."""
INTERRUPTED = 130
"""Exit code: interrupted with Ctrl-C."""

EXIT_CODES = (
    "Exit codes: 0 success, 1 a check or comparison failed, 2 bad usage or input, "
    "3 not measurable on this machine, or only the self-test of the timing failed, 130 interrupted."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def locate_pythons(paths: list[Path] | None) -> list[Path] | None:
    """Return the interpreters of --python: a name is looked up on PATH, a folder is that of an environment."""
    from ..environments.interpreters import locate_python

    return None if paths is None else [locate_python(Path(path)) for path in paths]


Python = Annotated[
    list[Path] | None,
    typer.Option(
        "--python",
        metavar="PATH",
        help="Python to build environments with. Default: those found. Repeatable.",
        callback=locate_pythons,
    ),
]
PythonOfFolders = Annotated[  # of the commands that run a folder of the user in it as it stands
    list[Path] | None,
    typer.Option(
        "--python",
        metavar="PATH",
        help="To build environments or run your folder. Default: found. Repeatable.",
        callback=locate_pythons,
    ),
]
Lenient = Annotated[bool, typer.Option("--lenient", help="Leave out wrong records, and count them. Default: refuse.")]
Backends = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="BACKEND",
        help="NAME, NAME:VARIANT or all. Default: the default backends.",
        autocompletion=completion.complete_backend,
    ),
]
AllBackends = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="BACKEND",
        help="NAME, NAME:VARIANT or all. Default: all.",
        autocompletion=completion.complete_backend,
    ),
]
Build = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Build of the packages, such as cpu. Default: what pip installs.",
        autocompletion=completion.complete_build,
    ),
]
Device = Annotated[str, typer.Option(help="Device: cpu, or cuda where every chosen backend supports it.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads for each framework, on as many cores.")]
Results = Annotated[Path, typer.Option("--results", metavar="FOLDER", help="Folder that holds the runs.")]
Run = Annotated[
    Path | None,
    typer.Argument(
        metavar="RUN",
        help="Run folder. Default: the newest complete one in --results.",
        autocompletion=completion.complete_run,
    ),
]


def select_backends(backends: list[str] | None, build: str | None = None) -> list[tuple["Entry", str]]:
    """Return the backends and variants that were named, or the default backends where none was, in this build."""
    from ..registry import entries as registry_entries

    entries = registry_entries.read_all()
    chosen = registry_entries.select(
        entries, ",".join(backends) if backends else registry_entries.default_selection(entries)
    )
    return registry_entries.with_build(chosen, build)


def select_entries(backends: list[str] | None) -> dict[str, "Entry"]:
    """Return by name the backends that were named, or all where none was; variants make no difference."""
    from ..registry import entries as registry_entries

    chosen = registry_entries.select(registry_entries.read_all(), ",".join(backends) if backends else None)
    return {entry.name: entry for entry, _ in chosen}


def find_run(run: Path | None, results: Path) -> Path:
    """Return the run folder that `run` names, as a path or as a name in `results`.

    Where it is None, that is the newest complete one, and a line says which.
    """
    from ..records.read import latest_complete

    if run is None:
        folder = latest_complete(results).folder
        print_note(f"Run: {folder}")
        return folder
    return run if run.exists() or not (results / run).exists() else results / run


def find_runs(runs: Sequence[Path], results: Path) -> list[Path]:
    """Return the run folders to compare, the baseline first.

    Where `runs` names only the baseline, it is compared with the newest complete run; where it names none, that run is
    compared with the newest complete one before it of the same spec and data. A line says which.
    """
    from ..records.read import latest_complete

    if len(runs) > 1:
        return [find_run(run, results) for run in runs]
    newest = latest_complete(results)
    baseline = find_run(runs[0], results) if runs else latest_complete(results, like=newest).folder
    if baseline.resolve() == newest.folder.resolve():
        raise InputError(f"{baseline} is the newest complete run itself. Name the run to compare with it.")
    print_note(f"Baseline: {baseline}\nRun: {newest.folder}")
    return [baseline, newest.folder]


def find_different_runs(runs: Sequence[Path], results: Path) -> list[Path]:
    """Return the run folders that `runs` name. Raises InputError where two of them are the same."""
    folders = [find_run(run, results) for run in runs]
    for place, folder in enumerate(folders):
        if folder.resolve() in [each.resolve() for each in folders[:place]]:
            raise InputError(f"{folder} is named twice. Name different runs.")
    return folders


RecordsFile = Annotated[
    Path | None, typer.Option("--records", metavar="FILE", help="File for all records: .jsonl. Default: none.")
]


def require_suffix(records: Path | None, *suffixes: str) -> None:
    """Raise InputError where the file of --records has another suffix."""
    if records is not None and not records.name.endswith(suffixes):
        expected = " or ".join(filter(None, (", ".join(suffixes[:-1]), suffixes[-1])))
        raise InputError(f"--records {records}: expected a file that ends in {expected}.")


def require_writable(*files: Path | None) -> None:
    """Raise InputError where a file that is written at the end of the work cannot be: the work would be lost."""
    for file in files:
        if file is None or (file.exists() and not file.is_file() and not file.is_dir()):
            continue  # nothing, or a device or a named pipe of the user
        existed = file.exists()
        try:
            with file.open("ab"):
                pass
            if not existed:
                file.unlink()
        except OSError as error:
            raise InputError(f"{file}: cannot be written: {error.strerror}. Choose another place.") from None


def format_json(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, indent=2, default=str)


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    typer.echo(format_json(value))


def write_output(content: bytes, file: Path | None, binary: bool = False) -> None:
    """Write what a command made to a file, or to standard output. Raises InputError where that is not possible."""
    if file is None:
        if binary and sys.stdout.isatty():
            raise InputError("This format is for programs, not for a terminal. Name a file with --output.")
        typer.echo(content, nl=False)
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}. Choose another place.") from None
    print_note(f"Written: {file}")


def write_tables(report: "Report") -> None:
    """Write `tables/`. Where that is not possible, as in a run of somebody else, a note says why."""
    try:
        report.write()
    except InputError as error:
        print_note(f"tables/ stays as it is: {error}")


def print_note(line: str) -> None:
    """Print a line on standard error, as it stands: standard output has the result alone."""
    err.print(line, highlight=False, soft_wrap=True, markup=False)


@contextmanager
def exit_at_interrupt(advice: str = "Nothing was saved; run the command again.") -> Iterator[None]:
    """At Ctrl-C, print the advice and end the process at once.

    The threads of this process would otherwise go on to their end. Workers end with the process.
    """
    try:
        yield
    except KeyboardInterrupt:
        print_note(f"bakeoff: interrupted. {advice}")
        os._exit(INTERRUPTED)
