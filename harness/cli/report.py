"""`bakeoff table`, `bakeoff report`, `bakeoff compare` and `bakeoff verdict`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..common.errors import InputError
from . import completion
from .options import (
    FAILED,
    Json,
    Lenient,
    Results,
    Run,
    find_run,
    find_runs,
    format_json,
    out,
    print_json,
    print_note,
    require_writable,
    write_output,
    write_tables,
)


class Format(StrEnum):
    """How `bakeoff table` prints."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    html = "html"
    latex = "latex"
    parquet = "parquet"
    json = "json"


OutputFormat = Annotated[Format, typer.Option("--format", help="Output format.")]
Speed = Annotated[bool, typer.Option("--speed", help="Print every timing instead of the summary.")]
Columns = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Columns, by their names in summary.csv. Default: all."),
]
Sort = Annotated[
    str,
    typer.Option(metavar="COLUMN", help="Column to sort by; -COLUMN: largest first.", show_default=False),
]
TableFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="File for the table. Default: standard output."),
]
Figure = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Also draw a figure, as .svg, .png or .html. Default: none."),
]
Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN",
        help="Run folders, the baseline first. Default: the newest complete.",
        autocompletion=completion.complete_run,
    ),
]
ReportRuns = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="RUN",
        help="Run folder; others are compared with it. Default: the newest complete.",
        autocompletion=completion.complete_run,
    ),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="HTML file. Default: report.html in the run.")
]
Threshold = Annotated[
    float | None,
    typer.Option(metavar="RATIO", help="Exit code 1 if a variant is slower by this ratio. Default: none."),
]
Reference = Annotated[
    str,
    typer.Option(
        metavar="NAME:VARIANT",
        help="Divide times by those of this unchanged variant. Default: none.",
        show_default=False,
        autocompletion=completion.complete_backend,
    ),
]
PackedFile = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="File to write. Default: RUN.bakeoff.zip here."),
]
Packed = Annotated[Path, typer.Argument(metavar="FILE", help="File that `bakeoff pack` wrote.")]
Weights = Annotated[
    str | None,
    typer.Option(metavar="NAME=W,...", help="Weights of ease, speed, agreement, open. Default: 1 each."),
]
Requirements = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Requirements, such as float64 or licence:OSI. Default: none."),
]
Explain = Annotated[bool, typer.Option("--explain", help="Show the value, score, weight and source of every part.")]


def print_run_table(
    run: Run = None,
    results: Results = Path("results"),
    form: OutputFormat = Format.terminal,
    speed: Speed = False,
    columns: Columns = None,
    sort: Sort = "",
    output: TableFile = None,
    figure: Figure = None,
    lenient: Lenient = False,
    as_json: Json = False,
) -> None:
    """Print the results of a run, and rewrite its tables/ folder.

    The tables are made anew from the raw records. A figure shows the curves of a sweep, or else the step times. The
    formats csv, parquet and json have raw values: seconds, bytes, shares.

    \b
    bakeoff table --sort step_s --columns variant,step_s,times_fastest,correct
    bakeoff table --format latex --columns version,step_s,peak_memory_bytes -o table.tex
    bakeoff table --figure steps.svg
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report import export, figures
    from ..report.report import Report
    from ..report.terminal import run as terminal_run

    if as_json and form not in (Format.terminal, Format.json):
        raise InputError(f"--format {form.value} and --json: expected one of them.")
    form = Format.json if as_json else form
    require_writable(output, figure)
    report = Report(find_run(run, results), lenient)
    chosen = [] if columns is None else [name.strip() for name in columns.split(",")]
    table = export.select(report, speed, chosen, sort, raw=form in export.RAW)
    write_tables(report)
    if figure is not None:
        figures.draw(report, figure)
        print_note(f"Figure: {figure}")
    if form is Format.terminal and output is None:
        terminal_run.print_run_table(out, report, table, speed)
        return
    if form is Format.csv:
        for line in table.notes:
            print_note(line)
    if form is Format.parquet:
        content = export.to_parquet(table)
    elif form is Format.json:
        content = f"{format_json(terminal_run.convert_table_to_json(report, table))}\n".encode()
    else:
        content = export.render(table, "markdown" if form is Format.terminal else form.value).encode()
    write_output(content, output, binary=form is Format.parquet)


def write_report(
    runs: ReportRuns = None, output: Output = None, results: Results = Path("results"), lenient: Lenient = False
) -> None:
    """Write a run as one HTML page to read, explore and send.

    The file needs no network and no server. It has the answer and its scope, the times with their intervals, the
    agreement, the training, the code, common mistakes, openness, and a ranking by weights that its reader sets. With
    more than one RUN, the others are compared with the first.

    \b
    bakeoff report
    bakeoff report RUN -o report.html
    bakeoff report RUN OTHER
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.html.page import write_page
    from ..report.report import Report
    from ..verdict.interactive import export_scoring
    from ..verdict.requirements import read_support

    folders = [find_run(run, results) for run in runs] if runs else [find_run(None, results)]
    require_writable(output)
    reports = [Report(folder, lenient) for folder in folders]
    path = output or folders[0] / "report.html"
    write_page(reports, path, export_scoring(reports[0], read_support()))
    print_note(f"Report: {path}")


def list_runs(results: Results = Path("results"), as_json: Json = False) -> None:
    """List all runs with date, data, backends and state.

    The newest comes first. An incomplete run has the command that completes it.
    """
    from ..records.read import list_runs as list_states
    from ..report.terminal.runs import convert_runs_to_json, print_runs

    runs, unreadable = list_states(results)
    if as_json:
        print_json(convert_runs_to_json(runs, unreadable))
    else:
        print_runs(out, results, runs, unreadable)


def compare_runs(
    runs: Runs = None,
    threshold: Threshold = None,
    relative_to: Reference = "",
    results: Results = Path("results"),
    lenient: Lenient = False,
    as_json: Json = False,
) -> None:
    """Compare runs with a baseline: what became slower, larger or wrong.

    The runs must have the same spec and data. With one RUN, that one is the baseline and the newest complete run is
    compared with it; with no RUN, the last two complete runs are compared. With --threshold 1.05, a variant is worse if
    the whole interval of its ratio lies above 1.05, or if it was correct, or timed, in the baseline and no longer is.

    \b
    bakeoff compare results/reference results/2026-11-22T...
    bakeoff compare BEFORE AFTER --threshold 1.05 --relative-to NAME:VARIANT
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.compare import compare
    from ..report.terminal.compare import print_comparison

    pairs = compare(find_runs(runs or [], results), threshold, relative_to, lenient)
    if as_json:
        baseline = str(pairs[0].baseline.folder)
        print_json({"baseline": baseline, "threshold": threshold, "comparisons": [pair.as_json() for pair in pairs]})
    else:
        for pair in pairs:
            print_comparison(out, pair)
    if any(pair.worse for pair in pairs):
        raise typer.Exit(FAILED)


def pack_run(run: Run = None, output: PackedFile = None, results: Results = Path("results")) -> None:
    """Pack a run into one file to send to others.

    The file has the raw records and their hashes, not the logs and the tables. `bakeoff add FILE` verifies it and puts
    it among the runs.
    """
    from ..measures import VOCABULARY
    from ..records.package import pack

    print_note(f"Packed: {pack(find_run(run, results), output, VOCABULARY)}")


def add_run(file: Packed, results: Results = Path("results")) -> None:
    """Verify a packed run, and add it to your runs.

    A file that is damaged, cut off, hostile or of another version is rejected with the reason, and nothing is added.
    The hashes show that nothing was damaged on the way; they do not show who measured it.
    """
    from ..measures import VOCABULARY
    from ..records.package import add

    folder = add(file, results, VOCABULARY)
    print_note(f"Added: {folder}\nRead it: bakeoff table {folder}")


def rank_frameworks(
    run: Run = None,
    weights: Weights = None,
    require: Requirements = None,
    explain: Explain = False,
    results: Results = Path("results"),
    lenient: Lenient = False,
    as_json: Json = False,
) -> None:
    """Rank the frameworks by your weights, with reasons and uncertainty.

    Reads the records of a complete run (docs/explanation/verdict.md). A criterion that --weights leaves out has weight
    0; a part such as speed.memory may have a weight of its own. Requirements: float64, gpu, tpu, mobile, distributed,
    maintained, deterministic, licence:OSI, python:3.13, export:onnx, language:Python. Exit code 1 if no framework meets
    the requirements, or something with a weight is unknown for each.

    \b
    bakeoff verdict --weights ease=2,speed=1,agreement=1,open=1
    bakeoff verdict RUN --weights speed=1 --require float64,licence:OSI,maintained
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.report import Report
    from ..verdict import terminal
    from ..verdict.requirements import parse, read_support
    from ..verdict.run_records import require_measured
    from ..verdict.verdict import Verdict
    from ..verdict.weights import parse_weights

    valued, required = parse_weights(weights), parse(require) if require is not None else []
    report = Report(find_run(run, results), lenient)
    found = Verdict(report, valued, required, read_support() if required else {})
    require_measured(found.records)
    if as_json:
        print_json(found.as_json())
    elif explain and found.decided:
        terminal.print_explained(out, found)
    else:
        terminal.print_verdict(out, found)
    if not found.decided:
        raise typer.Exit(FAILED)
