"""`bakeoff deploy`."""

from typing import Annotated

import typer

from ..common.errors import InputError
from .options import (
    FAILED,
    NOT_MEASURABLE,
    Backends,
    Json,
    Python,
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

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="EXPORT", help="Try exports of this name only. Default: all. Repeatable."),
]
Untimed = Annotated[bool, typer.Option("--untimed", help="Time nothing: export, serve and compare only.")]
Http = Annotated[bool, typer.Option("--http", help="Serve over HTTP, too, to 1, 8 and 64 clients.")]
Checkpoints = Annotated[bool, typer.Option("--checkpoints", help="Restart trainings from a checkpoint, too.")]
Mistakes = Annotated[bool, typer.Option("--mistakes", help="Try mistakes in deploying, too.")]
Versions = Annotated[bool, typer.Option("--versions", help="Try older versions of the runtimes, too.")]
TimeLimit = Annotated[
    str | None, typer.Option(metavar="TIME", help="Begin no export after this time, such as 10m. Default: none.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Keep what the file of --records has; do the rest.")]


def deploy_networks(
    backends: Backends = None,
    only: Only = None,
    untimed: Untimed = False,
    http: Http = False,
    checkpoints: Checkpoints = False,
    mistakes: Mistakes = False,
    versions: Versions = False,
    time_limit: TimeLimit = None,
    python: Python = None,
    records: RecordsFile = None,
    resume: Resume = False,
    as_json: Json = False,
) -> None:
    """Export a trained network, and serve it in a clean process.

    Each documented export of a backend is tried, compared with the oracle on all rows, and timed
    (docs/explanation/deployment.md). Exit code 1 if a path gives no answer or a wrong one in float32, also
    if it does so only when it is exported again.

    \b
    bakeoff deploy                               default backends: six minutes at first
    bakeoff deploy NAME --only onnx --untimed
    bakeoff deploy --http --checkpoints --mistakes --records deployment.jsonl
    bakeoff deploy --records deployment.jsonl --resume    what an interrupted one left
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..measures.deployment import records as deployment_records
    from ..report.terminal import deployment as terminal
    from ..runner import deployment
    from .run import parse_time

    if resume and records is None:
        raise InputError("--resume continues a file of records. Name it with --records FILE.")
    require_suffix(records, ".jsonl")
    require_writable(records)
    chosen = select_backends(backends)
    limit = {} if time_limit is None else {"limit_s": parse_time("--time-limit", time_limit)}
    parts = deployment.Parts(not untimed, http, checkpoints, mistakes, versions, **limit)
    kept = f"Finished exports are kept. Add --resume to continue with {records}."
    with exit_at_interrupt(*([kept] if records else [])), Board(err) as board:
        file = deployment_records.RecordsFile(records, resume)
        deployed = deployment.deploy(chosen, only or (), tuple(python or ()), board, parts, file)
    print_json(deployed.records) if as_json else terminal.print_deployment(out, deployed)
    if records is not None:
        print_note(f"Records: {records}")
    if deployment_records.count_failures(deployed.records) or deployed.failed_again:
        raise typer.Exit(FAILED)
    if deployed.self_test:
        raise typer.Exit(NOT_MEASURABLE)
