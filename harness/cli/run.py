"""`bakeoff run`."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..common.errors import InputError
from . import completion
from .cluster import ClusterAddress, TlsFiles, connect
from .options import (
    FAILED,
    NOT_MEASURABLE,
    Build,
    Device,
    Json,
    Python,
    Results,
    Threads,
    err,
    exit_at_interrupt,
    find_run,
    out,
    print_json,
    print_note,
    write_tables,
)

if TYPE_CHECKING:
    from ..report.report import Report
    from ..runner.comparison import Comparison
    from ..runner.start import Request
    from ..workload.spec import Spec
    from ..workload.suite import Suite

SpecFile = Annotated[
    Path | None,
    typer.Argument(metavar="SPEC", help="Spec file in TOML (docs/reference/spec.md). Default: the bundled spec."),
]
BackendList = Annotated[
    str | None,
    typer.Option(
        metavar="A,B:VARIANT",
        help="Backends or variants, or all. Default: the default backends.",
        autocompletion=completion.complete_backend_list,
    ),
]
SuiteName = Annotated[
    str | None,
    typer.Option(
        "--suite",
        metavar="NAME",
        help="Several workloads in one run: standard, full, or a TOML file.",
    ),
]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", min=2, help="Rows of a training step. Default: the spec's.")
]
Data = Annotated[
    str | None,
    typer.Option(metavar="SOURCE", help="digits, a file, openml:NAME or synthetic:... Default: the spec's."),
]
Target = Annotated[str | None, typer.Option(metavar="COLUMN", help="Label column of --data. Default: the spec's.")]
Quick = Annotated[bool, typer.Option("--quick", help="Time 2 shorter rounds of 16 blocks each; intervals are wider.")]
Rounds = Annotated[
    int | None,
    typer.Option(min=1, help="Rounds of fresh processes. Default: 2; more in a big --budget."),
]
Blocks = Annotated[
    int | None,
    typer.Option(min=16, help="Blocks (every variant timed once) a round. Default: 40; --quick: 16."),
]
Budget = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Time to spend on timing, such as 60s, 2m or 1h. Default: --blocks."),
]
Until = Annotated[
    str | None,
    typer.Option(metavar="P%", help="Add rounds until every ratio is known to +-P %. Default: --rounds."),
]
TimeLimit = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="With --until: start no round after this time. Default: 10m."),
]
NewShapes = Annotated[
    bool,
    typer.Option("--new-shapes", help="Also time 12 new batch sizes in turn. Default: as the suite says."),
]
FrameworkDefaults = Annotated[
    bool,
    typer.Option("--framework-defaults", help="Keep each framework's own default epsilons, rates and weights."),
]
Deploy = Annotated[
    str | None,
    typer.Option("--deploy", metavar="TIME", help="Deploy, too; begin no export after this time, such as 10m."),
]
Inherit = Annotated[
    str | None,
    typer.Option("--inherit-environment", metavar="NAME,...", help="Variables passed on to workers. Default: none."),
]
Resume = Annotated[
    Path | None,
    typer.Option(
        metavar="RUN", help="Interrupted run to continue: its folder.", autocompletion=completion.complete_run
    ),
]

Trust = Annotated[bool, typer.Option("--trust", help="With --resume: execute what a run of others names.")]

WITH_RESUME = {"resume", "results", "as_json", "trust", "cluster", "tls"}
"""The parameters that may be given along with --resume."""


def run_backends(
    context: typer.Context,
    spec: SpecFile = None,
    backends: BackendList = None,
    suite: SuiteName = None,
    data: Data = None,
    target: Target = None,
    batch_size: BatchSize = None,
    device: Device = "cpu",
    build: Build = None,
    threads: Threads = 1,
    quick: Quick = False,
    rounds: Rounds = None,
    blocks: Blocks = None,
    budget: Budget = None,
    until: Until = None,
    time_limit: TimeLimit = None,
    new_shapes: NewShapes = False,
    framework_defaults: FrameworkDefaults = False,
    deploy: Deploy = None,
    inherit_environment: Inherit = None,
    resume: Resume = None,
    trust: Trust = False,
    cluster: ClusterAddress = None,
    tls: TlsFiles = None,
    python: Python = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Train, check and time the backends, then print the table.

    Exit code 1 if a check or a backend fails; 3 if only the self-test of the timing fails.

    \b
    bakeoff run                                      the bundled spec, on the digits
    bakeoff run --backends NAME,NAME:VARIANT         some backends (see bakeoff backends)
    bakeoff run --data iris.csv --target species --quick    your own data
    bakeoff run --suite standard --deploy 10m        eight workloads, about 15 minutes; then deployment
    bakeoff run --resume results/2026-11-22T...      continue an interrupted run
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..report.terminal import run as terminal_run

    report = begin_or_resume(context, resume, results, trust)
    print_json(terminal_run.convert_run_to_json(report)) if as_json else terminal_run.print_run(out, report)
    if report.failed or report.failed_self_test:
        raise typer.Exit(FAILED if report.failed else NOT_MEASURABLE)


def begin_or_resume(context: typer.Context, resume: Path | None, results: Path, trust: bool) -> "Report":
    """Carry out the run that the command line asks for, or what is left of one. Raises InputError."""
    from ..runner import start

    address, tls = context.params["cluster"], context.params["tls"]
    if resume is None:
        request = make_request(context.params)
        return carry_out(start.begin(request, connect(address, tls)))
    reject_other_parameters(context)
    return resume_run(find_run(resume, results), trust, address, tls)


def make_request(given: Mapping[str, Any]) -> "Request":
    """Return the request of a command line, from its parameters by name. Raises InputError.

    Paths are text in them: Typer converts them for the function of the command only.
    """
    from ..runner.start import Request

    rounds, blocks, budget = given["rounds"], given["blocks"], given["budget"]
    until = parse_until(given["until"], given["time_limit"], rounds is not None or budget is not None)
    suite = read_requested_suite(given)
    return Request(
        spec=read_requested_spec(given) if suite is None else suite[1].workload[0].spec,
        suite=suite,
        wanted=given["backends"],
        device=given["device"],
        build=given["build"],
        threads=given["threads"],
        quick=given["quick"],
        new_shapes=given["new_shapes"],
        rounds=rounds,
        blocks=blocks,
        budget_s=parse_budget(budget, blocks),
        pythons=tuple(map(Path, given["python"] or ())),
        parent=Path(given["results"]),
        inherit=parse_names(given["inherit_environment"]),
        deploy_s=None if given["deploy"] is None else parse_time("--deploy", given["deploy"]),
        **until,
    )


def resume_run(folder: Path, trust: bool, cluster: str | None = None, tls: str | None = None) -> "Report":
    """Carry out what is left of a run; a complete one is read, and needs neither its data nor its backends."""
    from ..records.read import read_state
    from ..report.report import Report
    from ..runner import start

    if not read_state(folder).complete:
        return carry_out(start.resume(folder, trust, connect(cluster, tls)))
    print_note(f"{folder} is complete: nothing is left to do.")
    report = Report(folder)
    write_tables(report)
    return report


def carry_out(work: "Comparison") -> "Report":
    """Carry out a run, with its progress on standard error; write its tables, and return the report."""
    from ..common.progress import Board
    from ..report.report import Report

    folder = work.run.folder
    advice = f"Finished tasks are kept. Continue with `bakeoff run --resume {folder}`."
    try:
        with exit_at_interrupt(advice), work.run:
            print_note(f"Run folder: {folder}")
            work.carry_out(Board(err))
        report = Report(folder)
        report.write()
    except OSError as error:  # a full disk
        reason = f"{error.filename or folder}: {error.strerror or error}"
        raise InputError(f"{reason}. Make room or repair it. {advice}") from error
    return report


def reject_other_parameters(context: typer.Context, allowed: Collection[str] = WITH_RESUME) -> None:
    """Raise InputError where the command line has a parameter that would change the run that --resume continues."""
    others = [
        name.upper() if name in ("spec", "space") else f"--{name.replace('_', '-')}"
        for name in context.params
        if name not in allowed and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if others:
        raise InputError(f"--resume continues the run as it was planned. Leave out {', '.join(others)}.")


def parse_names(names: str | None) -> tuple[str, ...]:
    """Return the names, or patterns of names, of --inherit-environment, such as XLA_*. Raises InputError."""
    found = () if names is None else tuple(name.strip() for name in names.split(","))
    for name in found:
        if not re.fullmatch(r"[A-Za-z_*?][\w*?]*", name):
            raise InputError(f"--inherit-environment: expected names such as OMP_PROC_BIND,XLA_FLAGS, got {name!r}.")
    return found


def parse_budget(budget: str | None, blocks: int | None) -> float | None:
    """Return the seconds of a --budget; None where there is none. Raises InputError."""
    if budget is not None and blocks is not None:
        raise InputError("--budget and --blocks both set how long to time. Give one of them.")
    return None if budget is None else parse_time("--budget", budget)


def parse_until(until: str | None, time_limit: str | None, fixed: bool) -> dict[str, Any]:
    """Return the fields of a request for --until and --time-limit. Raises InputError.

    `fixed`: whether --rounds or --budget sets the number of rounds.
    """
    if until is None:
        if time_limit is not None:
            raise InputError("--time-limit limits --until. Add --until 2%, or use --budget.")
        return {}
    if fixed:
        raise InputError("--until adds rounds as they are needed. Leave out --rounds and --budget.")
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?%", until.strip())
    if not found or not 0 < float(found[1]) < 100:
        raise InputError(f"--until: expected a precision such as 2% or 0.5%, got {until!r}.")
    limit = {} if time_limit is None else {"time_limit_s": parse_time("--time-limit", time_limit)}
    return {"until": float(found[1]) / 100, **limit}


def parse_time(option: str, text: str) -> float:
    """Return the seconds of a time such as 60s, 2m or 0.5h. Raises InputError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text.strip())
    if not found or float(found[1]) == 0:
        raise InputError(f"{option}: expected a time such as 60s, 2m or 1h, got {text!r}.")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2] or "s"]


def read_requested_suite(given: Mapping[str, Any]) -> "tuple[str, Suite] | None":
    """Return the suite of --suite; None where there is none. Raises InputError beside options of a single spec."""
    from ..workload.suite import read_suite

    if given["suite"] is None:
        return None
    single = ("spec", "data", "target", "batch_size", "framework_defaults", "until")
    for name in single:
        if given[name] not in (None, False):
            option = "SPEC" if name == "spec" else f"--{name.replace('_', '-')}"
            raise InputError(f"{option} is for a run of one workload. Leave it out, or write it into the suite file.")
    return read_suite(given["suite"])


def read_requested_spec(given: Mapping[str, Any]) -> "Spec":
    """Return the spec of a file, or the bundled one, with what the options ask for in place of its values."""
    from ..workload.spec import DataSpec, default_spec, read_spec

    source, target = given["data"], given["target"]
    spec = read_spec(Path(given["spec"])) if given["spec"] is not None else default_spec()
    if source == "":
        raise InputError(
            "--data: expected digits, a file, openml:NAME or synthetic:ROWSxFEATURESxCLASSES, got nothing."
        )
    if source is not None or target is not None:
        fields = spec.data.model_dump()
        if source is not None:
            fields |= {"source": source, "target": ""}
        if target is not None:
            fields["target"] = target
        spec = spec.model_copy(update={"data": DataSpec.model_validate(fields)})
    if given["batch_size"] is not None:
        training = spec.training.model_copy(update={"batch_size": given["batch_size"]})
        spec = spec.model_copy(update={"training": training})
    return spec.with_framework_defaults() if given["framework_defaults"] else spec
