"""The commands, and nothing else. Exit codes: 0 fine, 1 a check or a comparison failed, 2 bad usage or input."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from ..common.errors import InputError
from ..report.terminal import agreement, console, machine
from ..report.terminal import backends as terminal_backends
from ..report.terminal import compare as terminal_compare

# A command imports what it needs: `bakeoff --help` answers at once.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

    from ..registry.entries import Entry
    from ..report.report import Report
    from ..workload.spec import Spec

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
    list[str] | None,
    typer.Argument(metavar="BACKEND...", help="Backends, or NAME:VARIANT; or all (see bakeoff backends)."),
]
Results = Annotated[Path, typer.Option("--results", metavar="FOLDER", help="Where run folders are.")]


def _print_sweep(report: "Report") -> None:
    if len(report.sweep_times):
        lines = report.readable_lines()
        if len(lines):
            console.print_report(out, [report.SWEEP_CAPTION], lines)
        console.print_report(out, [], report.readable_sweep())


def _chosen(backends: list[str] | None) -> list[tuple["Entry", str]]:
    """Return the backends and variants named, or the usual ones."""
    from ..registry import entries as registry_entries

    entries = registry_entries.read_all()
    return registry_entries.select(
        entries, ",".join(backends) if backends else registry_entries.default_selection(entries)
    )


def _seconds(budget: str, turns: int | None) -> float:
    """Return the seconds of a --budget such as 60s, 2m or 0.5h."""
    if turns is not None:
        raise InputError("--budget and --turns: each says how long to time. Give one of them.")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", budget.strip())
    if not found or float(found[1]) == 0:
        raise InputError(f"--budget: expected a time such as 60s, 2m or 1h, got {budget!r}.")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2] or "s"]


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
        typer.Option(metavar="A,B:VARIANT", help="Backends, or variants of theirs; or all. Default: the usual."),
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
    rounds: Annotated[
        int | None,
        typer.Option(min=1, help="Rounds of fresh workers. Default: 2; quick: 1; more in a large budget."),
    ] = None,
    turns: Annotated[int | None, typer.Option(min=16, help="Turns a round. Default: 40; quick: 24.")] = None,
    budget: Annotated[
        str | None,
        typer.Option(metavar="60s", help="As many turns as fit into this time (s, m or h), in place of --turns."),
    ] = None,
    defaults: Annotated[
        bool,
        typer.Option("--defaults", help="Leave to each framework what it has a default for: epsilons, rates, weights."),
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
    from ..common.progress import Board
    from ..report.report import Report
    from ..runner import start

    if resume is not None:
        planned = (spec, backends, data, target, quick, rounds, turns, budget, defaults, python)
        if any(planned) or device != "cpu" or threads != 1:
            raise InputError("--resume goes on with the run as it was planned: expected no SPEC and no other option.")
        work = start.resume(_existing(resume, results))
    else:
        request = start.Request(
            spec=_spec(spec, data, target).with_framework_defaults() if defaults else _spec(spec, data, target),
            wanted=backends,
            device=device,
            threads=threads,
            quick=quick,
            rounds=rounds,
            blocks=turns,
            budget_s=None if budget is None else _seconds(budget, turns),
            pythons=tuple(python or ()),
            parent=results,
        )
        work = start.begin(request)
    with _interruptible(f"What was finished is kept: go on with `bakeoff run --resume {work.run.folder}`"), work.run:
        err.print(f"Run folder: {work.run.folder}", highlight=False, soft_wrap=True)
        work.carry_out(Board(err))
    report = Report(work.run.folder)
    report.write()
    if as_json:
        _print_json({"run": str(work.run.folder), "notes": report.notes(), "rows": _plain(report.summary())})
    else:
        console.print_report(out, report.notes(), report.readable_summary())
        if len(report.framework_defaults()):
            console.print_report(out, [report.DEFAULTS_CAPTION], report.framework_defaults())
        _print_sweep(report)
        out.print(f"Tables: {work.run.folder / 'tables'}", highlight=False, soft_wrap=True)
    control = report.self_test()
    if report.failed or (control is not None and control[1].excludes(1)):
        raise typer.Exit(1)


@app.command()
def check(
    backends: Annotated[
        list[str] | None,
        typer.Argument(metavar="BACKEND...", help="Backends, or PATH/TO/FOLDER of one of your own; none: all of them."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="The whole matrix, 96 cases, in place of a cover of its pairs: longer.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, or cuda where the backend has it.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="Threads for the framework.")] = 1,
    python: Annotated[
        list[Path] | None,
        typer.Option(
            "--python",
            metavar="PATH",
            help="For a folder of your own: the interpreter that has its framework. Else as in `bakeoff run`.",
        ),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(
            "--records", metavar="FILE", help="Write all that was measured to a .jsonl, .csv or .csv.gz file."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check that backends compute what the network's specification says, against the oracle, in floors.

    A floor is what plain NumPy must lose to rounding on the same problem: docs/agreement.md. Up to 16 floors agree;
    up to 128 agree and lose precision; over 128 compute something else. Exit code 1 if any check fails.

    \b
    bakeoff check                                       all backends, each in its own environment
    bakeoff check NAME NAME:VARIANT                     only some
    bakeoff check ./mine --python .venv/bin/python      your own, in your own interpreter
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..environments import interpreters
    from ..measures.agreement import records as agreement_records
    from ..measures.agreement import run_checks
    from ..registry import entries as registry_entries
    from ..workers import launch
    from ..workload import networks as workload_networks

    if records is not None and not records.name.endswith((".jsonl", ".csv", ".csv.gz")):
        raise InputError(f"--records {records}: expected a file that ends in .jsonl, .csv or .csv.gz.")
    chosen = _chosen(backends)
    registry_entries.require_device(chosen, device)
    pythons = tuple(python or ())
    list(interpreters.given(pythons))
    kinds = workload_networks.full_matrix() if full else workload_networks.pairwise_cover()
    with _interruptible(), Board(err) as board:
        made = launch.interpreters_of(chosen, pythons, board)
        found = run_checks.check_all(chosen, made, kinds, device, threads, board)
    unable = {
        f"{entry.name}:{variant}": str(reason)
        for entry, variant in chosen
        if (reason := launch.explain_unavailable(entry, variant) or made[entry.label])
        and f"{entry.name}:{variant}" not in found
    }
    if records is not None:
        agreement_records.write_records(found, records)
        err.print(f"Records: {records}", highlight=False, soft_wrap=True)
    if as_json:
        _print_json(agreement_records.as_json(found, unable))
    else:
        agreement.print_matrix(out, found, unable)
    if unable or any(outcome.red for checked in found.values() for outcome in checked.outcomes):
        raise typer.Exit(1)


@app.command()
def selftest(as_json: Json = False) -> None:
    """Hold the checks themselves to account: no known mistake may pass, nothing legitimate may be called a fault.

    Needs no framework: mutants of the oracle stand in for backends. Exit code 1 if one is judged wrongly.
    """
    from ..common.progress import Board
    from ..measures.agreement import selftest

    with Board(err) as board, board.job("selftest") as job:
        report = selftest.run(job.say)
        job.outcome = "every one judged rightly" if report.passes else "NOT every one judged rightly"
    if as_json:
        _print_json(report.as_json())
    else:
        agreement.print_selftest(out, report)
    if not report.passes:
        raise typer.Exit(1)


@app.command()
def table(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run folder; the newest if none is named.")
    ] = None,
    results: Results = Path("results"),
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.terminal,
    speed: Annotated[bool, typer.Option("--speed", help="All that was timed, in place of the summary.")] = False,
    figure: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw it too, .svg, .png or .html: the sweep's curves, or the step times."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the table of a run again, and write its tables/ anew from the raw records."""
    from ..records.read import latest
    from ..report import figures
    from ..report.report import Report
    from ..report.text import to_markdown

    report = Report(latest(results) if run is None else _existing(run, results))
    report.write()
    if figure is not None:
        figures.draw(report, figure)
        err.print(f"Figure: {figure}", highlight=False, soft_wrap=True)
    raw = report.speed() if speed else report.summary()
    readable = report.readable_speed() if speed else report.readable_summary()
    remarks = [*report.notes(), report.SPEED_CAPTION] if speed else report.notes()
    if as_json or form is Format.json:
        defaults = _plain(report.framework_defaults())
        _print_json({"run": str(report.folder), "notes": remarks, "rows": _plain(raw), "defaults": defaults})
    elif form is Format.markdown:
        typer.echo("\n".join((*(f"- {line}" for line in remarks), "", to_markdown(readable))))
    elif form is Format.csv:
        for line in remarks:
            err.print(line, highlight=False, soft_wrap=True, markup=False)
        typer.echo(raw.to_csv(index=False), nl=False)
    else:
        console.print_report(out, remarks, readable)
        if not speed:
            _print_sweep(report)


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
    from ..common.progress import Board
    from ..environments import build
    from ..measures.agreement import run_checks

    chosen = _chosen(backends)
    entries = {entry.label: entry for entry, _ in chosen}
    verdicts = []
    with _interruptible("Environments and verdicts that were finished are kept."), Board(err) as board:
        jobs = {name: board.begin(f"{name}: environment") for name in entries}
        made = build.build_all(
            list(entries.values()), tuple(python or ()), on_event=lambda name, line: jobs[name].say(line)
        )
        for name, environment in made.items():
            board.end(jobs[name], str(environment) if isinstance(environment, Exception) else environment.in_words())
        if check:
            verdicts = run_checks.prove_all(chosen, made, board)
    unable = any(isinstance(environment, Exception) for environment in made.values())
    if unable or any(outcome.red for verdict in verdicts for outcome in verdict.outcomes):
        raise typer.Exit(1)


@app.command("backends")
def list_backends(python: Python = None, as_json: Json = False) -> None:
    """List the backends: what each is, whether its environment is ready, and why not."""
    from ..environments import build, pip
    from ..registry import entries as registry_entries
    from ..workers import launch

    rows = []
    for entry in (part for whole in registry_entries.read_all().values() for part in whole.parts):
        lacking = [launch.explain_unavailable(entry, variant) for variant in entry.variants]
        status = build.status(entry, tuple(python or ()))
        try:
            built = build.find(entry, tuple(python or ()))
        except build.Missing:
            built = None
        rows.append(
            {
                "backend": entry.name,
                "environment": entry.label,
                "framework": entry.description.title,
                "version": registry_entries.pinned_version(entry),
                "variants": list(entry.variants),
                "devices": list(entry.description.devices),
                "python": entry.description.python,
                "licence": entry.description.openness.licence.value,
                "download_bytes": built and built.download_bytes,
                "install_bytes": built and built.bytes,
                "packages": built and len(built.packages),
                "install_s": built and built.seconds,
                "requires_python": built and pip.requires_python(built, entry.description.package),
                "wheels_for": built and built.interpreters,
                "status": "; ".join([status, *(reason for reason in lacking if reason)]),
            }
        )
    if as_json:
        _print_json(rows)
    else:
        terminal_backends.print_backends(out, rows)


@app.command()
def precision(
    backends: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings to the end, each of other weights and order.")] = 5,
    epochs: Annotated[int | None, typer.Option(min=1, help="Their length, where not the default spec's.")] = None,
    python: Python = None,
    as_json: Json = False,
) -> None:
    """Measure what backends lose in float32 on the default spec, in floors: a result, not a gate.

    After 1, 10 and 100 steps, and at the end of training as a distribution over seeds: docs/agreement.md. Exit code 1
    only if a backend could not be measured.
    """
    from ..common.progress import Board
    from ..measures.agreement import precision as measure
    from ..workers import launch

    chosen = _chosen(backends)
    with _interruptible(), Board(err) as board:
        made = launch.interpreters_of(chosen, tuple(python or ()), board)
        early, ends = measure.cases(seeds, epochs)
        measured, unable = measure.measure_all(chosen, made, early, ends, board)
    if as_json:
        _print_json({"measured": {name: each.as_json() for name, each in measured.items()}, "unable": unable})
    else:
        agreement.print_precision(out, measured, unable)
    if unable:
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A Python identifier, and not what your framework is imported by.")
    ],
    folder: Annotated[
        Path, typer.Option("--folder", metavar="PARENT", help="The folder to write it in; made if need be.")
    ] = Path(),
) -> None:
    """Write the folder of a new backend, which runs, fails its checks, and says what to fill in: docs/new-backend.md.

    \b
    bakeoff new abacus_core                      one of your own, in the current folder
    bakeoff new abacus_core --folder backends    one for this project
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..registry.scaffold import next_steps, write

    out.print(next_steps(write(name, folder)), markup=False, highlight=False, soft_wrap=True)


@app.command()
def doctor(
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, metavar="S", help="How long one program is timed against itself.")
    ] = 20,
    as_json: Json = False,
) -> None:
    """Look at this machine: is it fit to measure? What was measured, whether that is fine, and what to do.

    Load, other programs, frequency, heat, limits, stolen time, swap, the clock; and a test: the protocol of
    docs/timing.md on one program entered twice. Exit code 1 if the machine is unfit.
    """
    from ..common.progress import Board
    from ..measures.speed.doctor import examine, is_fit

    with Board(err) as board, board.job("one program against itself") as job:
        findings, facts = examine(seconds, job.say)
        job.outcome = findings[-1].verdict
    fit = is_fit(findings)
    if as_json:
        _print_json({"fit": fit, "findings": [finding._asdict() for finding in findings], "facts": facts._asdict()})
    else:
        machine.print_findings(out, findings, fit)
    if not fit:
        raise typer.Exit(1)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="Run folders; the first is the baseline.")],
    threshold: Annotated[
        float | None,
        typer.Option(metavar="R", help="Exit code 1 if a variant takes over R times as long, or conforms no more."),
    ] = None,
    relative_to: Annotated[
        str, typer.Option(metavar="NAME:VARIANT", help="Divide by the step times of this one, which stayed as it was.")
    ] = "",
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Hold runs against the first of them: what became slower, less exact or larger, and what else differed.

    Runs of unlike specs or data are refused. With --threshold 1.05 a variant is worse if the whole interval of its
    ratio lies above 1.05, or if it conformed, or was timed, in the baseline and is not any more.

    \b
    bakeoff compare results/reference results/2026-11-22T...
    bakeoff compare BEFORE AFTER --threshold 1.05 --relative-to NAME:VARIANT
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.compare import compare as held_against

    pairs = held_against([_existing(run, results) for run in runs], threshold, relative_to)
    if as_json:
        baseline = str(pairs[0].baseline.folder)
        _print_json({"baseline": baseline, "threshold": threshold, "comparisons": [pair.as_json() for pair in pairs]})
    else:
        for pair in pairs:
            terminal_compare.print_comparison(out, pair)
    if any(pair.worse for pair in pairs):
        raise typer.Exit(1)


@app.command("ease")
def count_ease(
    backends: Names = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the file of the one backend that is named, with what counted in it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count what each model costs to write and to read, in the text of its file: docs/ease.md. Needs no framework.

    Tokens, lines, the syntax tree, complexity; the framework's names, arguments and concepts that its author had to
    know; and what five changes cost, in tokens. `bakeoff ease NAME --explain` shows one file, token by token.
    """
    from ..measures import ease
    from ..measures.ease import changes
    from ..measures.ease.explained import explain as lines_of
    from ..registry import entries as registry_entries
    from ..report.terminal import console
    from ..report.terminal import ease as terminal_ease

    chosen = registry_entries.select(registry_entries.read_all(), ",".join(backends) if backends else None)
    entries = {entry.name: entry for entry, _ in chosen}
    if explain and (not backends or len(entries) != 1):
        raise InputError("--explain shows one file: expected one backend, as in `bakeoff ease NAME --explain`.")
    models = {
        name: (entry.folder / entry.description.model, entry.description.import_name) for name, entry in entries.items()
    }
    measured = {name: ease.measure(*model) for name, model in models.items()}
    changed = {
        name: changes.costs(entry.folder, entry.description.model, entry.description.import_name)
        for name, entry in entries.items()
    }
    explained = {name: lines_of(*model) for name, model in models.items()} if explain else {}
    if as_json:
        shown = {
            name: {
                "file": str(models[name][0]),
                "figures": each.figures(),
                **{key: console.plain(getattr(each, key)) for key in ("names", "attributes", "arguments", "concepts")},
                "changes": console.plain(changed[name]),
                **({"lines": console.plain(explained[name])} if explain else {}),
            }
            for name, each in measured.items()
        }
        _print_json(shown)
    elif explain:
        for name, lines in explained.items():
            terminal_ease.print_explained(out, name, lines, measured[name])
    else:
        terminal_ease.print_ease(out, measured)
        terminal_ease.print_changes(out, changed)
        console.say(out, "")
        console.say(out, terminal_ease.WHERE_EASE_IS_EXPLAINED)


@app.command("mistakes")
def commit_mistakes(
    backends: Names = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="MISTAKE", help="Only this one; may be given again.")
    ] = None,
    messages: Annotated[bool, typer.Option("--messages", help="Print every message whole.")] = False,
    limit: Annotated[
        float | None, typer.Option(min=1, metavar="S", help="Seconds a call may take before it counts as hung: 300.")
    ] = None,
    python: Python = None,
    records: Annotated[
        Path | None, typer.Option("--records", metavar="FILE", help="Write all that was found to a .jsonl file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Commit mistakes that people make, each in its own worker: noticed or silent, when, and in which words.

    Wrong data and small wrong edits of the model's code, in every variant: docs/mistakes.md. A mistake that goes
    unnoticed is a result, and no failure: exit code 1 only if a variant could not be tried.

    \b
    bakeoff mistakes                                 all of them, in every backend: half an hour
    bakeoff mistakes NAME:VARIANT --only wrong_width --messages
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..common.toml import nearest
    from ..measures import mistakes
    from ..registry import entries as registry_entries
    from ..report.terminal import console
    from ..report.terminal import mistakes as terminal_mistakes
    from ..workers import launch

    for name in only or ():
        if name not in mistakes.MISTAKES:
            raise InputError(f"--only: no mistake `{name}`. {nearest(name, mistakes.MISTAKES)}")
    if records is not None and records.suffix != ".jsonl":
        raise InputError(f"--records {records}: expected a file that ends in .jsonl.")
    chosen = _chosen(backends)
    for entry, _ in chosen:
        mistakes.read_coded(entry.folder)
    names = [name for name in mistakes.MISTAKES if not only or name in only]
    with _interruptible(), Board(err) as board:
        made = launch.interpreters_of(chosen, tuple(python or ()), board)
        measured, unable = mistakes.commit_all(chosen, made, names, limit or mistakes.LIMIT_S, board)
    if records is not None:
        versions = {entry.name: registry_entries.pinned_version(entry) for entry, _ in chosen}
        mistakes.write(mistakes.records(measured, versions), records)
        err.print(f"Records: {records}", highlight=False, soft_wrap=True)
    findings = {name: each.findings for name, each in measured.items()}
    networks = {name: each.network for name, each in measured.items() if each.network}
    if as_json:
        _print_json({"findings": console.plain(findings), "networks": networks, "unable": unable})
    else:
        terminal_mistakes.print_mistakes(out, findings, networks, unable, messages)
    if unable:
        raise typer.Exit(1)


@app.command("openness")
def show_openness(backends: Names = None, python: Python = None, as_json: Json = False) -> None:
    """Show who owns, decides and keeps up each framework, with sources, and the licences of what it installs.

    Facts whose source is more than a year old are marked stale. Where a backend's environment is built, its packages'
    own metadata and licence files are read again; what contradicts backend.toml or the pins is a finding, and no
    failure: the exit code stays 0. docs/openness.md.
    """
    import datetime

    from ..measures.openness import facts as openness_facts
    from ..registry import entries as registry_entries
    from ..report.terminal import console, openness

    chosen = registry_entries.select(registry_entries.read_all(), ",".join(backends) if backends else None)
    entries = {entry.name: entry for entry, _ in chosen}
    today = datetime.datetime.now(datetime.UTC).date()
    views = [openness_facts.look(entry, today, tuple(python or ())) for entry in entries.values()]
    if as_json:
        _print_json({view.backend: console.plain(view) for view in views})
    else:
        openness.print_openness(out, views)


@app.command()
def verdict(
    run: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="A run folder; the newest if none is named.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=W,...",
            help="What you value: ease, speed, agreement, open, or a part such as speed.memory. Default: 1 each.",
        ),
    ] = None,
    require: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="What must be: float64, gpu, maintained, deterministic, licence:OSI, python:3.13."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show every sub-measure of every variant: value, score, weight, record.")
    ] = False,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Which framework to choose, by what you value; why; how surely; and what speaks for the second.

    From the records of a run: docs/verdict.md says what counts and how. With weights, criteria that are not named have
    none. Exit code 1 where nothing meets the requirements, or nothing was measured that has a weight.

    \b
    bakeoff verdict --weights ease=2,speed=1,agreement=1,open=1
    bakeoff verdict RUN --weights speed=1 --require float64,licence:OSI,maintained
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..records.read import latest
    from ..registry.entries import read_all
    from ..verdict import terminal
    from ..verdict.requirements import DeclaredSupport, parse
    from ..verdict.verdict import Verdict
    from ..verdict.weights import parse_weights

    valued, required = parse_weights(weights), parse(require) if require is not None else []
    described = {name: entry.description for name, entry in read_all().items()} if required else {}
    support = {name: DeclaredSupport(each.devices, each.python) for name, each in described.items()}
    found = Verdict(latest(results) if run is None else _existing(run, results), valued, required, support)
    if as_json:
        _print_json(found.as_json())
    elif explain and found.decided:
        terminal.print_explained(out, found)
    else:
        terminal.print_verdict(out, found)
    if not found.decided:
        raise typer.Exit(1)


@contextmanager
def _interruptible(advice: str = "Nothing of it is kept.") -> Iterator[None]:
    """At Ctrl-C, say so and end at once: threads would go on to their end; workers die with this process."""
    try:
        yield
    except KeyboardInterrupt:
        err.print(f"bakeoff: interrupted. {advice}", markup=False, highlight=False, soft_wrap=True)
        os._exit(130)


def main() -> None:
    """Run the command line; what a user did wrong is a message and exit code 2."""
    try:
        app()
    except InputError as error:
        err.print(f"bakeoff: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


def _spec(path: Path | None, source: str | None, target: str | None) -> "Spec":
    from ..workload.spec import DataSpec, default_spec, read_spec

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


def _plain(rows: "pd.DataFrame") -> list[dict[str, object]]:
    plain: list[dict[str, object]] = json.loads(rows.to_json(orient="records", double_precision=15))  # NaN becomes null
    return plain


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, default=str))
