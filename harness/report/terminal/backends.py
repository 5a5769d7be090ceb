"""TODO: report.terminal.backends."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from .console import _wide

if TYPE_CHECKING:
    pass


def print_backends(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what `bakeoff backends` found."""
    listing = Table(box=None, pad_edge=False)
    for heading in ("backend", "framework", "version", "variants", "licence", "status"):
        listing.add_column(heading, overflow="fold", no_wrap=heading in ("backend", "framework", "version"))
    for row in rows:
        variants = ", ".join(row["variants"])
        listing.add_row(row["environment"], row["framework"], row["version"], variants, row["licence"], row["status"])
    _wide(console).print(listing, highlight=False)
    built = [row for row in rows if row["install_bytes"]]
    if not built:
        return
    listing = Table(box=None, pad_edge=False)
    for heading in ("getting started", "download", "installed", "packages", "install", "needs Python", "wheels for"):
        listing.add_column(heading, no_wrap=heading != "wheels for")
    for row in built:
        wheels = " ".join(row["wheels_for"] or ["unknown"])
        sizes = (_megabytes(row["download_bytes"]), _megabytes(row["install_bytes"]))
        packages, seconds = str(row["packages"]), f"{row['install_s']:.0f} s"
        listing.add_row(row["environment"], *sizes, packages, seconds, row["requires_python"] or "unknown", wheels)
    console.print()
    _wide(console).print(listing, highlight=False)


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:,.0f} MB"
