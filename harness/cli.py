"""The commands, and nothing else. Exit codes: 0 fine, 1 a check or a comparison failed, 2 bad usage or input."""
# A command imports what it needs: `bakeoff --help` answers at once.
# ruff: noqa: PLC0415

import json
import os
import sys
from enum import StrEnum
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness import terminal
from harness.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from harness.conformance import Outcome
    from harness.spec import Spec

app = typer.Typer(
    name="bakeoff",
    help="Compare deep-learning frameworks on one network: ease, speed, numerical agreement and openness.",
    epilog="Start with `bakeoff run`. Each framework gets an environment of its own, built on first use.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out, err = Console(), Console(stderr=True)


class Format(StrEnum):
    """How `bakeoff table` prints."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    json = "json"


Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Python = Annotated[
    list[Path] | None,
    typer.Option(
        "--python", metavar="PATH", help="An interpreter to build environments with, tried before those found."
    ),
]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="BACKEND...", help="Backends; all of them if none is named.")
]
Results = Annotated[Path, typer.Option("--results", metavar="FOLDER", help="Where run folders are.")]


def _version(asked: bool) -> None:
    if asked:
        out.print(f"bakeoff {distribution_version('bakeoff')}", highlight=False)
        raise typer.Exit


@app.callback()
def _bakeoff(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    spec: Annotated[
        Path | None,
        typer.Argument(metavar="SPEC", help="A spec file in TOML (docs/spec.md); without one, the default."),
    ] = None,
    backends: Annotated[
        str | None,
        typer.Option(metavar="A,B:VARIANT", help="Which backends, or single variants of theirs. Default: all."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE",
            help="digits, a .csv, .parquet or .npz file, openml:NAME, or synthetic:ROWSxFEATURESxCLASSES.",
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of the labels in --data.")] = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda where every chosen backend has it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads for each framework; as many cores are used.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="One short round of timing in place of two: wider intervals.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Go on with a run that was interrupted: its folder.")
    ] = None,
    python: Python = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Train every backend on the same arrays, measure, and print the table.

    \b
    bakeoff run                              the default network, on digits
    bakeoff run --backends NAME,NAME:VARIANT only some (see bakeoff backends)
    bakeoff run --data iris.csv --target species --quick    your own data
    bakeoff run --resume results/2026-11-22T...             go on with a run
    """  # noqa: D301  # \\b keeps the lines of the examples
    from harness import comparison
    from harness.progress import Board
    from harness.tables import Report

    if resume is not None:
        if spec or backends or data or target or quick or python or device != "cpu" or threads != 1:
            raise InputError("--resume goes on with the run as it was planned: expected no SPEC and no other option.")
        work = comparison.resume(_existing(resume, results))
    else:
        request = comparison.Request(
            spec=_spec(spec, data, target),
            wanted=backends,
            device=device,
            threads=threads,
            quick=quick,
            pythons=tuple(python or ()),
            parent=results,
        )
        work = comparison.begin(request)
    try:
        with work.run:
            err.print(f"Run folder: {work.run.folder}", highlight=False, soft_wrap=True)
            work.carry_out(Board(err))
    except KeyboardInterrupt:
        go_on = f"bakeoff run --resume {work.run.folder}"
        err.print(
            f"bakeoff: interrupted. What was finished is kept: go on with `{go_on}`", markup=False, soft_wrap=True
        )
        os._exit(130)  # the threads that check and train would go on to their end; the workers die with this process
    report = Report(work.run.folder)
    report.write()
    if as_json:
        _print_json({"run": str(work.run.folder), "remarks": report.remarks(), "rows": _plain(report.summary())})
    else:
        terminal.print_report(out, report.remarks(), report.readable())
        out.print(f"Tables: {work.run.folder / 'tables'}", highlight=False, soft_wrap=True)
    control = report.control()
    if any(row["failure"] for row in report.rows) or (control is not None and control[1].excludes(1)):
        raise typer.Exit(1)


@app.command()
def check(
    backends: Names = None,
    device: Annotated[str, typer.Option(help="cpu, or cuda where the backend has it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads for the framework.")] = 1,
    python: Python = None,
    as_json: Json = False,
) -> None:
    """Check that backends compute what the network's specification says, against the oracle, in floors.

    A floor is what plain NumPy must lose to rounding on the same problem: docs/agreement.md. Up to 16 floors agree;
    up to 128 agree and lose precision; over 128 compute something else. Exit code 1 if any check fails.
    """
    from harness import checking, environments, registry
    from harness.progress import Board

    chosen = registry.select(registry.read_all(), ",".join(backends) if backends else None)
    registry.refuse_device(chosen, device)
    outcomes: dict[str, list[Outcome]] = {}
    unable: dict[str, str] = {}
    with Board(err) as board:
        for entry, variant in chosen:
            name = f"{entry.name}:{variant}"
            try:
                outcomes[name] = checking.check(entry, variant, device, threads, tuple(python or ()), board)
            except (environments.Missing, environments.BuildFailed) as error:
                unable[name] = str(error)
    if as_json:
        _print_json(
            {"outcomes": {name: [_outcome(each) for each in some] for name, some in outcomes.items()}, "unable": unable}
        )
    else:
        terminal.print_matrix(out, outcomes, unable)
    if unable or any(outcome.red for some in outcomes.values() for outcome in some):
        raise typer.Exit(1)


@app.command()
def table(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run folder; the newest if none is named.")
    ] = None,
    results: Results = Path("results"),
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.terminal,
    as_json: Json = False,
) -> None:
    """Print the table of a run again, and write its tables/ anew from the raw records."""
    from harness.results import latest
    from harness.tables import Report

    report = Report(latest(results) if run is None else _existing(run, results))
    report.write()
    if as_json or form is Format.json:
        _print_json({"run": str(report.folder), "remarks": report.remarks(), "rows": _plain(report.summary())})
    elif form is Format.markdown:
        typer.echo(report.markdown())
    elif form is Format.csv:
        typer.echo(report.summary().to_csv(index=False), nl=False)
    else:
        terminal.print_report(out, report.remarks(), report.readable())


@app.command()
def setup(
    backends: Names = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Prove what was built: run the checks that `run` asks for.")
    ] = True,
    python: Python = None,
) -> None:
    """Build the environments of backends, and check their conformance in them, ahead of their first use.

    A verdict is kept, and `bakeoff run` need not reach it again until something changes that it depends on.
    """
    from harness import checking, environments, registry
    from harness.progress import Board

    chosen = registry.select(registry.read_all(), ",".join(backends) if backends else None)
    entries = {entry.name: entry for entry, _ in chosen}
    verdicts = []
    with Board(err) as board:
        jobs = {name: board.begin(f"{name}: environment") for name in entries}
        made = environments.build_all(
            list(entries.values()), tuple(python or ()), on_event=lambda name, line: jobs[name].say(line)
        )
        for name, environment in made.items():
            board.end(jobs[name], str(environment) if isinstance(environment, Exception) else environment.in_words())
        if check:
            verdicts = checking.prove_all(chosen, made, board)
    unable = any(isinstance(environment, Exception) for environment in made.values())
    if unable or any(outcome.red for verdict in verdicts for outcome in verdict.outcomes):
        raise typer.Exit(1)


@app.command("backends")
def list_backends(python: Python = None, as_json: Json = False) -> None:
    """List the backends: what each is, whether its environment is ready, and why not."""
    from harness import environments, registry

    rows = []
    for entry in registry.read_all().values():
        lacking = [environments.lacking_program(entry, variant) for variant in entry.variants]
        status = environments.status(entry, tuple(python or ()))
        rows.append(
            {
                "backend": entry.name,
                "framework": entry.description.title,
                "version": registry.pinned_version(entry),
                "variants": list(entry.variants),
                "devices": list(entry.description.devices),
                "python": entry.description.python,
                "licence": entry.description.openness.licence.value,
                "status": "; ".join([status, *(reason for reason in lacking if reason)]),
            }
        )
    if as_json:
        _print_json(rows)
    else:
        terminal.print_backends(out, rows)


def main() -> None:
    """Run the command line; what a user did wrong is a message and exit code 2."""
    try:
        app()
    except InputError as error:
        err.print(f"bakeoff: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


def _spec(path: Path | None, source: str | None, target: str | None) -> "Spec":
    from harness.spec import DataSpec, default_spec, read_spec

    spec = read_spec(path) if path is not None else default_spec()
    if source == "":
        raise InputError(
            "--data: expected digits, a file, openml:NAME or synthetic:ROWSxFEATURESxCLASSES, got nothing."
        )
    if source is None and target is None:
        return spec
    fields = spec.data.model_dump()
    if source is not None:
        fields |= {"source": source, "target": ""}
    if target is not None:
        fields["target"] = target
    return spec.model_copy(update={"data": DataSpec.model_validate(fields)})


def _existing(run: Path, parent: Path) -> Path:
    """Return the run folder that is meant: a path, or a name under `parent`."""
    return run if run.exists() or not (parent / run).exists() else parent / run


def _outcome(outcome: "Outcome") -> dict[str, object]:
    measured = [
        {**each.quantity._asdict(), "error": each.error, "floor": each.floor, "floors": each.floors}
        for each in outcome.measured
    ]
    return {**outcome._asdict(), "measured": measured, "red": outcome.red}


def _plain(rows: "pd.DataFrame") -> list[dict[str, object]]:
    plain: list[dict[str, object]] = json.loads(rows.to_json(orient="records", double_precision=15))  # NaN becomes null
    return plain


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, default=str))
