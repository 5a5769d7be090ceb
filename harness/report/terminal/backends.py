"""Describes and prints the backends for `bakeoff backends`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ... import environments
from ...environments import pip
from ...registry import entries as registry_entries
from ...registry.entries import Entry
from ...workers import launch
from .console import print_line, widen


def describe_backends(pythons: tuple[Path, ...]) -> list[dict[str, Any]]:
    """Return one row for each environment of each backend: what it is, and whether it is built."""
    return [_describe(part, pythons) for whole in registry_entries.read_all().values() for part in whole.parts]


def _describe(entry: Entry, pythons: tuple[Path, ...]) -> dict[str, Any]:
    lacking = [launch.explain_unavailable(entry, variant) for variant in entry.variants]
    status = environments.status(entry, pythons)
    try:
        built = environments.find(entry, pythons)
    except environments.Missing:
        built = None
    return {
        "backend": entry.name,
        "environment": entry.label,
        "framework": entry.description.title,
        "version": registry_entries.pinned_version(entry),
        "default": entry.description.default,
        "variants": list(entry.variants),
        "devices": list(entry.description.devices),
        "python": entry.description.python,
        "licence": entry.description.openness.licence.value,
        "download_bytes": built and built.download_bytes,
        "install_bytes": built and built.bytes,
        "packages": built and len(built.packages),
        "install_s": built and built.seconds,
        "requires_python": built and pip.read_requires_python(built, entry.description.package),
        "wheels_for": built and built.interpreters,
        "status": "; ".join([status, *(reason for reason in lacking if reason)]),
    }


def print_backends(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows of `describe_backends`: a table of all, and one of those whose environment is built."""
    listing = Table(box=None, pad_edge=False)
    for heading in ("backend", "framework", "version", "variants", "licence", "status"):
        listing.add_column(heading, overflow="fold", no_wrap=heading in ("backend", "framework", "version"))
    for row in rows:
        name = f"{row['environment']} *" if row["default"] else row["environment"]
        variants = ", ".join(row["variants"])
        listing.add_row(name, row["framework"], row["version"], variants, row["licence"], row["status"])
    widen(console).print(listing, highlight=False)
    print_line(console, "* default: `bakeoff run` takes these backends where you name none.")
    if built := [row for row in rows if row["install_bytes"]]:
        console.print()
        widen(console).print(_make_installation_table(built), highlight=False)


def _make_installation_table(built: Sequence[Mapping[str, Any]]) -> Table:
    listing = Table(box=None, pad_edge=False)
    headings = ("environment", "download", "disk space", "packages", "install time", "needs Python", "wheels for")
    for heading in headings:
        listing.add_column(heading, no_wrap=heading != "wheels for")
    for row in built:
        wheels = " ".join(row["wheels_for"] or ["unknown"])
        sizes = (_format_megabytes(row["download_bytes"]), _format_megabytes(row["install_bytes"]))
        packages, seconds = str(row["packages"]), f"{row['install_s']:.0f} s"
        listing.add_row(row["environment"], *sizes, packages, seconds, row["requires_python"] or "unknown", wheels)
    return listing


def _format_megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:,.0f} MB"
