"""`bakeoff deploy`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    FAILED,
    NOT_MEASURABLE,
    Backends,
    Json,
    Python,
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
RecordsFile = Annotated[
    Path | None, typer.Option("--records", metavar="FILE", help="File for all records: .jsonl. Default: none.")
]


def deploy_networks(
    backends: Backends = None,
    only: Only = None,
    untimed: Untimed = False,
    http: Http = False,
    checkpoints: Checkpoints = False,
    mistakes: Mistakes = False,
    python: Python = None,
    records: RecordsFile = None,
    as_json: Json = False,
) -> None:
    """Export a trained network, and serve it in a clean process.

    Each documented export of a backend is tried, compared with the oracle on all rows, and timed
    (docs/explanation/deployment.md). Exit code 1 if a path gives no answer or a wrong one in float32.

    \b
    bakeoff deploy                               the default backends: about ten minutes
    bakeoff deploy NAME --only onnx --untimed
    bakeoff deploy --http --checkpoints --mistakes --records deployment.jsonl
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.progress import Board
    from ..measures.deployment import records as deployment_records
    from ..report.terminal import deployment as terminal
    from ..runner import deployment

    require_suffix(records, ".jsonl")
    require_writable(records)
    chosen = select_backends(backends)
    parts = deployment.Parts(not untimed, http, checkpoints, mistakes)
    with exit_at_interrupt(), Board(err) as board:
        deployed = deployment.deploy(chosen, only or (), tuple(python or ()), board, parts)
    if as_json:
        print_json(deployed.records)
    else:
        terminal.print_deployment(out, deployed.records, deployed.self_test)
    if records is not None:
        deployment_records.write(deployed.records, records)
        print_note(f"Records: {records}")
    if deployment_records.count_failures(deployed.records):
        raise typer.Exit(FAILED)
    if deployed.self_test:
        raise typer.Exit(NOT_MEASURABLE)
