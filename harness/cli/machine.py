"""`bakeoff doctor`."""

from typing import Annotated

import typer

from .options import NOT_MEASURABLE, Json, err, out, print_json

Seconds = Annotated[
    float, typer.Option(min=1, max=3600, metavar="S", help="Seconds of the test that times one program against itself.")
]


def examine_machine(seconds: Seconds = 20, as_json: Json = False) -> None:
    """Examine whether this machine is fit for timing, and what to change.

    The command reads the load, other programs, the frequency, heat, limits, stolen time, swap and the clock, and times
    one program against itself as docs/explanation/timing.md describes. Exit code 3 if the machine is unfit.
    """
    from ..common.progress import Board
    from ..measures.speed.doctor import examine, is_fit
    from ..report.terminal.machine import print_findings

    with Board(err) as board, board.job("one program timed against itself") as job:
        findings, facts = examine(seconds, job.say)
        job.outcome = findings[-1].rating
    fit = is_fit(findings)
    if as_json:
        print_json({"fit": fit, "findings": [finding._asdict() for finding in findings], "facts": facts._asdict()})
    else:
        print_findings(out, findings, fit)
    if not fit:
        raise typer.Exit(NOT_MEASURABLE)
