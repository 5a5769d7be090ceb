"""TODO: report.terminal.compare."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import _print, _wide, print_report

if TYPE_CHECKING:
    from ..compare import Pair


def print_comparison(console: Console, pair: "Pair") -> None:
    """Print what changed from the baseline to another run, and what else differed between them."""
    _print(console, f"{pair.other.folder} against {pair.baseline.folder}")
    print_report(console, pair.notes(), pair.readable())
    differences = pair.differences()
    if not differences:
        _print(console, "Nothing else differed.")
        return
    listing = Table(box=None, pad_edge=False)
    for heading in ("what else differed", "in the baseline", "here"):
        listing.add_column(heading, overflow="fold")
    for difference in differences:
        listing.add_row(*(Text(cell) for cell in difference))
    _wide(console).print(listing, highlight=False)
