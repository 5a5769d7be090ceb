"""`bakeoff check`, `bakeoff selftest` and `bakeoff precision`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from . import completion
from .cluster import ClusterAddress, TlsFiles, connect
from .options import (
    FAILED,
    Backends,
    Build,
    Device,
    Json,
    PythonOfFolders,
    Threads,
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
    from ..cluster.dask import Cluster
    from ..common.progress import Board
    from ..measures.agreement.run_checks import VariantResult
    from ..measures.agreement.selection import Selection

CheckedBackends = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="BACKEND",
        help="NAME, NAME:VARIANT, all or PATH/TO/FOLDER. Default: the default ones.",
        autocompletion=completion.complete_backend,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Check all 96 cases. Default: every two settings meet once.")]
SomeCases = Annotated[
    list[str] | None,
    typer.Option(
        "--case",
        metavar="CASE",
        help="Check this case only; repeatable. Default: all.",
        autocompletion=completion.complete_case,
    ),
]
SomeChecks = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="CHECK",
        help="Run this check only; repeatable. Default: all.",
        autocompletion=completion.complete_check,
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure. Default: run all checks.")]
Details = Annotated[bool, typer.Option("--full", help="Show every known bug. Default: the counts by check.")]
RecordsFile = Annotated[
    Path | None,
    typer.Option("--records", metavar="FILE", help="File for all values: .jsonl, .csv or .csv.gz. Default: none."),
]
TimeLimit = Annotated[
    float | None,
    typer.Option("--time-limit", min=1, metavar="S", help="Seconds after which a call counts as hung. Default: 300."),
]
Seeds = Annotated[int, typer.Option(min=1, help="Full trainings, each with its own weights and order.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of a full training. Default: the bundled spec's.")]


def check_backends(
    backends: CheckedBackends = None,
    full: Full = False,
    case: SomeCases = None,
    only: SomeChecks = None,
    fail_fast: FailFast = False,
    device: Device = "cpu",
    build: Build = None,
    threads: Threads = 1,
    python: PythonOfFolders = None,
    records: RecordsFile = None,
    time_limit: TimeLimit = None,
    cluster: ClusterAddress = None,
    tls: TlsFiles = None,
    as_json: Json = False,
) -> None:
    """Check that backends compute what the network specification says.

    One floor is the rounding error of plain NumPy on the same problem: up to 16 floors pass, up to 128 lose precision,
    more fail (docs/explanation/agreement.md). Exit code 1 if a check fails or cannot be run. A backend that
    needs what this machine lacks is no failure, unless there is no other.

    \b
    bakeoff check                                       the default backends
    bakeoff check NAME NAME:VARIANT                     some backends or variants
    bakeoff check ./mine --python .venv/bin/python      your own folder, in your own Python
    bakeoff check NAME --case stress-tanh-adam --only updates --fail-fast
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..measures.agreement import records as found_records
    from ..measures.agreement import selection
    from ..report.terminal.agreement import print_matrix

    require_suffix(records, ".jsonl", ".csv", ".csv.gz")
    selected = selection.select(case or (), only or (), fail_fast)
    require_writable(records)
    with exit_at_interrupt():
        wanted = (Board(err), backends, full, device, threads, tuple(python or ()), selected, build, time_limit)
        found, unable, unbuilt = carry_out_checks(*wanted, cluster=connect(cluster, tls))
    if as_json:
        print_json(found_records.as_json(found, unable))
    else:
        print_matrix(out, found, unable)
    if records is not None:
        found_records.write_records(found, records)
        print_note(f"Records: {records}")
    checked_nothing = not any(checked.outcomes for checked in found.values())
    if unbuilt or checked_nothing or any(outcome.failed for checked in found.values() for outcome in checked.outcomes):
        raise typer.Exit(FAILED)


class Checked(NamedTuple):
    """What was checked of the backends that were asked for."""

    found: dict[str, "VariantResult"]
    """The results, by NAME:VARIANT."""
    unable: dict[str, str]
    """Why other variants were not checked."""
    unbuilt: bool
    """Whether the environment of one of those could have been built here, and was not."""


def carry_out_checks(
    board: "Board",
    backends: list[str] | None,
    full: bool,
    device: str,
    threads: int,
    pythons: tuple[Path, ...],
    selection: "Selection | None" = None,
    build: str | None = None,
    time_limit_s: float | None = None,
    cluster: "Cluster | None" = None,
) -> "Checked":
    """Check backends, on this machine or on the hosts of a cluster. Raises InputError before anything is built."""
    from .. import environments
    from ..environments import interpreters
    from ..measures.agreement import run_checks
    from ..measures.agreement.selection import EVERYTHING
    from ..registry import entries as registry_entries
    from ..workers import launch
    from ..workers.place import ANSWER_LIMIT_S
    from ..workload import networks

    chosen = select_backends(backends, build)
    registry_entries.require_device(chosen, device)
    interpreters.require_interpreters(pythons)
    kinds, spread = (networks.full_matrix(), []) if full else networks.split_cover()
    selected, limit_s = selection or EVERYTHING, time_limit_s or ANSWER_LIMIT_S
    if cluster is not None:
        from ..runner import spread_checks

        names = tuple(map(str, pythons))
        wanted = spread_checks.Wanted(chosen, kinds, spread, device, threads, selected, limit_s, names)
        return Checked(*spread_checks.check_on_cluster(cluster, wanted, board))
    for entry, variant in chosen:
        if reason := launch.explain_unavailable(entry, variant):
            board.say(reason)
    with board:
        made = launch.interpreters_of(chosen, pythons, board)
        found = run_checks.check_backends(chosen, made, kinds, device, threads, board, spread, selected, limit_s)
    unbuilt = any(isinstance(each, environments.BuildFailed) for each in made.values())
    return Checked(dict(found), run_checks.explain_unchecked(chosen, made, found), unbuilt)


def run_selftest(full: Details = False, as_json: Json = False) -> None:
    """Test the checks: every known bug is detected, with no false alarm.

    Needs no framework: copies of the oracle with one deliberate error stand in for backends. Exit code 1 if a bug is
    not detected, or a correct copy is rejected.
    """
    from ..common.progress import Board
    from ..measures.agreement import selftest
    from ..report.terminal.agreement import print_selftest, print_selftest_comparison

    with Board(err) as board, board.job("self-test of the checks") as job:
        report = selftest.run(job.say)
        job.outcome = "passed" if report.passes else "FAILED"
    if as_json:
        print_json(report.as_json())
    elif full:
        print_selftest(out, report)
    else:
        print_selftest_comparison(out, report)
    if not report.passes:
        raise typer.Exit(FAILED)


def measure_precision(
    backends: Backends = None,
    seeds: Seeds = 5,
    epochs: Epochs = None,
    python: PythonOfFolders = None,
    as_json: Json = False,
) -> None:
    """Measure the rounding error of backends in float32 training.

    Trains on the bundled spec, and gives the error in floors after 1, 10 and 100 steps, and over several seeds at the
    end of training (docs/explanation/agreement.md). A large error is a result, not a failure. Exit code 1 if a backend
    cannot be measured.
    """
    from ..common.progress import Board
    from ..measures.agreement import precision
    from ..report.terminal.agreement import print_precision
    from ..workers import launch

    chosen = select_backends(backends)
    with exit_at_interrupt(), Board(err) as board:
        made = launch.interpreters_of(chosen, tuple(python or ()), board)
        early, ends = precision.cases(seeds, epochs)
        measured, unable = precision.measure_all(chosen, made, early, ends, board)
    if as_json:
        print_json({"measured": {name: each.as_json() for name, each in measured.items()}, "unable": unable})
    else:
        print_precision(out, measured, unable)
    if unable:
        raise typer.Exit(FAILED)
