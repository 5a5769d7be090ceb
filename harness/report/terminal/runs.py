"""Prints the list of all runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...records.read import RunState
from .console import print_line, widen


def print_runs(console: Console, results: Path, runs: Sequence[RunState], unreadable: Mapping[Path, str]) -> None:
    """Print a line for each run, the newest first, and why other folders cannot be read."""
    if not runs and not unreadable:
        print_line(console, f"{results}: no runs here yet. `bakeoff run` makes one.")
    if runs:
        listing = Table(box=None, pad_edge=False)
        for heading in ("run", "date (UTC)", "data", "backends", "state"):
            listing.add_column(heading, overflow="fold")
        for run in runs:
            row = convert_run(run)
            cells = (run.folder.name, row["created"], row["data"], ", ".join(row["backends"]), row["state"])
            listing.add_row(*map(Text, cells))
        widen(console).print(listing, highlight=False)
    for run in runs:
        if not run.complete:
            print_line(console, f"Complete it: bakeoff run --resume {run.folder}")
    for reason in unreadable.values():
        print_line(console, f"Not readable: {reason}")


def convert_runs_to_json(runs: Sequence[RunState], unreadable: Mapping[Path, str]) -> dict[str, Any]:
    """Return what `bakeoff runs --json` prints."""
    return {
        "runs": [convert_run(run) for run in runs],
        "unreadable": {str(folder): reason for folder, reason in unreadable.items()},
    }


def convert_run(run: RunState) -> dict[str, Any]:
    """Return what is listed of a run."""
    return {
        "run": str(run.folder),
        "created": run.header["created"],
        "data": run.header["data"]["name"],
        "backends": [":".join(entry) for entry in run.header["plan"]["entries"]],
        "complete": run.complete,
        "state": _describe_state(run),
    }


def _describe_state(run: RunState) -> str:
    planned = run.header["plan"]["rounds"]
    if run.complete:
        return "complete"
    of_all = f" of {planned}" if planned is not None else ""
    return f"incomplete: {run.rounds}{of_all} rounds of timing"
