"""What people read on the terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from harness.conformance import Outcome

PAPER = 240
"""Columns where the output is no terminal: whole lines, for a program or a pager."""


def print_report(console: Console, remarks: list[str], rows: "pd.DataFrame") -> None:
    """Print what must be said of a run, and its table: in several parts where the terminal is too narrow for one."""
    for line in remarks:
        _print(console, line)
    console = _wide(console)
    name, *rest = (str(heading) for heading in rows.columns)
    part: list[str] = []
    for heading in rest:
        if part and _width(_listing(rows[[name, *part, heading]])) > console.width:
            console.print(_listing(rows[[name, *part]]))
            part = []
        part.append(heading)
    console.print(_listing(rows[[name, *part]]))


def _listing(rows: "pd.DataFrame") -> Table:
    listing = Table(box=None, pad_edge=False)
    for heading in rows.columns:
        listing.add_column(heading, no_wrap=True, justify="left" if heading in ("backend", "licence") else "right")
    for _, row in rows.iterrows():
        listing.add_row(*(str(cell) for cell in row))
    return listing


def _width(listing: Table) -> int:
    """Return the columns that the listing takes, however many there are."""
    endless = Console(width=10_000)
    return endless.measure(listing).maximum


def print_matrix(console: Console, outcomes: Mapping[str, "Sequence[Outcome]"], unable: Mapping[str, str]) -> None:
    """Print checks by variants: the worst floors over the cases; then a sentence on each, and on all that departs."""
    from harness import checks, conformance  # noqa: PLC0415  # NumPy is not needed to say `bakeoff --help`

    matrix = Table(box=None, pad_edge=False)
    matrix.add_column("worst floors over all gated cases")
    for name in outcomes:
        matrix.add_column(name.replace(":", "\n"), justify="right")
    for check in checks.CHECKS:
        cells = [conformance.cell([each for each in some if each.check == check]) for some in outcomes.values()]
        matrix.add_row(check, *(f"[red]{cell}[/red]" if cell == "FAILS" else cell for cell in cells))
    console.print(matrix)
    for name, some in outcomes.items():
        _print(console, f"{name}: {conformance.in_words(some)}")
        for each in some:
            if each.status != "passes":
                where = f"{each.check} on {each.case} {each.dtype}{'' if each.gated else ' (a result, not a gate)'}"
                _print(console, f"  {each.status}: {where}: {each.reason}")
    for name, reason in unable.items():
        _print(console, f"{name}: not checked: {reason}")


def print_backends(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what `bakeoff backends` found."""
    listing = Table(box=None, pad_edge=False)
    for heading in ("backend", "framework", "version", "variants", "licence", "status"):
        listing.add_column(heading, overflow="fold", no_wrap=heading in ("backend", "framework", "version"))
    for row in rows:
        variants = ", ".join(row["variants"])
        listing.add_row(row["backend"], row["framework"], row["version"], variants, row["licence"], row["status"])
    _wide(console).print(listing, highlight=False)


def _wide(console: Console) -> Console:
    return console if console.is_terminal else Console(file=console.file, width=PAPER)


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)
