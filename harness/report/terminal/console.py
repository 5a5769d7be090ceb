"""What people read on the terminal."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    pass

PAPER = 240
"""Columns where the output is no terminal: whole lines, for a program or a pager."""


def print_report(console: Console, remarks: list[str], rows: "pd.DataFrame") -> None:
    """Print what must be said of a run, and its table: in several parts where the terminal is too narrow for one."""
    for line in remarks:
        _print(console, line)
    if not len(rows):
        _print(console, "Nothing to show.")
        return
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


def _wide(console: Console) -> Console:
    return console if console.is_terminal else Console(file=console.file, width=PAPER)


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)


pass
if TYPE_CHECKING:
    import pandas as pd


def plain(value: Any) -> Any:
    """Return a value as JSON has it: a NamedTuple becomes an object."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: plain(part) for key, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def _many(number: int, what: str) -> str:
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else several}"


def wide(console: Console) -> Console:
    """Return the console, with room for whole lines where the output is no terminal."""
    return console if console.is_terminal else Console(file=console.file, width=PAPER)


def say(console: Console, line: str, wrap: bool = False) -> None:
    """Print a line as it stands; `wrap` breaks it between words."""
    console.print(line, highlight=False, soft_wrap=not wrap, markup=False)
