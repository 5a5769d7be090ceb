"""Prints a comparison of two runs."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..compare import Pair
from .console import print_line, print_table, widen


def print_comparison(console: Console, pair: Pair) -> None:
    """Print what changed from the baseline to another run, and how the machine, versions or plan differ."""
    print_line(console, f"{pair.other.folder} compared with the baseline {pair.baseline.folder}")
    print_table(console, pair.notes(), pair.readable())
    differences = pair.differences()
    if not differences:
        print_line(console, "Machine, versions and plan are the same.")
        return
    listing = Table(box=None, pad_edge=False)
    for heading in ("other difference", "baseline", "this run"):
        listing.add_column(heading, overflow="fold")
    for difference in differences:
        listing.add_row(*(Text(cell) for cell in difference))
    widen(console).print(listing, highlight=False)
