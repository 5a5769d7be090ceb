"""Helpers for printing lines and tables on the terminal, or as plain text where the output is no terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

PLAIN_TEXT_WIDTH = 240
"""Columns where the output is no terminal: whole lines, for a program or a pager."""

COMPARISON_WIDTH = 100
"""Columns of a comparison where the output is no terminal."""

GAP = 2
"""Characters between two columns of a table."""

TEXT_COLUMNS = ("backend", "licence", "mistake", "check", "status")
"""Headings of the columns that are aligned to the left."""


def print_line(console: Console, line: str, wrap: bool = False) -> None:
    """Print a line as it stands; `wrap` breaks it between words."""
    console.print(line, highlight=False, soft_wrap=not wrap, markup=False, emoji=False)


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines as they stand."""
    for line in lines:
        print_line(console, line)


def print_table(console: Console, notes: Sequence[str], rows: "pd.DataFrame") -> None:
    """Print the notes and the table, which is split into several where the terminal is too narrow for it."""
    print_lines(console, notes)
    if not len(rows):
        print_line(console, "There are no results to show.")
        return
    console = widen(console)
    name, *rest = (str(heading) for heading in rows.columns)
    widths = {heading: _measure_width(rows[[heading]]) for heading in (name, *rest)}
    part: list[str] = []
    for heading in rest:
        if part and _add_widths(widths[each] for each in (name, *part, heading)) > console.width:
            _print_part(console, rows[[name, *part]])
            part = []
        part.append(heading)
    _print_part(console, rows[[name, *part]])


def print_comparison(console: Console, rows: "pd.DataFrame", rest: str) -> None:
    """Print a table in one piece: the first of its columns that fit; then a line on the others and on the rest.

    `rest` is the command that prints everything. No cell is broken across lines.
    """
    width = console.width if console.is_terminal else COMPARISON_WIDTH
    columns = [str(heading) for heading in rows.columns]
    widths = [_measure_width(rows[[heading]]) for heading in columns]
    shown = len(columns)
    while shown > 1 and _add_widths(widths[:shown]) > width:
        shown -= 1
    # The first column alone may be wider than the terminal: then it stands out at the edge, and is whole.
    Console(file=console.file, width=PLAIN_TEXT_WIDTH, markup=False, emoji=False).print(
        _make_listing(rows[columns[:shown]]), highlight=False
    )
    left_out = f"{len(columns) - shown} more columns, and the rest" if shown < len(columns) else "Everything"
    print_line(console, f"{left_out}: {rest}")


def widen(console: Console) -> Console:
    """Return the console, with room for whole lines where the output is no terminal."""
    if console.is_terminal:
        return console
    return Console(file=console.file, width=PLAIN_TEXT_WIDTH, markup=False, emoji=False)


def convert_to_json(value: Any) -> Any:
    """Return a value as JSON has it: a NamedTuple becomes an object."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: convert_to_json(part) for key, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): convert_to_json(part) for key, part in value.items()}
    return [convert_to_json(part) for part in value] if isinstance(value, list | tuple) else value


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2 files`, `2 libraries`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _print_part(console: Console, rows: "pd.DataFrame") -> None:
    """Print a table; where even one column beside the first is too wide for the terminal, its words are wrapped."""
    console.print(_make_listing(rows, wrap=_measure_width(rows) > console.width))


def _make_listing(rows: "pd.DataFrame", wrap: bool = False) -> Table:
    listing = Table(box=None, pad_edge=False)
    for heading in rows.columns:
        justify: Literal["left", "right"] = "left" if heading in TEXT_COLUMNS else "right"
        listing.add_column(heading, no_wrap=not wrap, overflow="fold", justify=justify)
    for row in rows.itertuples(index=False, name=None):
        listing.add_row(*map(str, row))
    return listing


def _measure_width(rows: "pd.DataFrame") -> int:
    """Return how wide the table is where the terminal sets no limit."""
    return Console(width=10_000, markup=False, emoji=False).measure(_make_listing(rows)).maximum


def _add_widths(widths: Iterable[int]) -> int:
    """Return how wide a table of columns of these widths is."""
    every = list(widths)
    return sum(every) + GAP * (len(every) - 1)
