"""Reading a run folder: run.json and the records, validated, or a sentence that says what is wrong with them."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..common.errors import InputError
from .header import FORMAT, header_problem
from .vocabulary import FINISHED, HEAD, Figure, Vocabulary

__all__ = ["FORMAT", "LAST", "Record", "is_complete", "latest", "read_header", "read_records"]

Record = dict[str, Any]

LAST = "complete"
"""The task that is finished when all others are."""


def read_header(folder: Path) -> dict[str, Any]:
    """Return what stands in run.json. Raises InputError where there is none, or it is not as declared in header.py."""
    path = folder / "run.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no run here (expected a folder with run.json).{_list_runs(folder)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    problem = header_problem(header)
    if problem:
        raise InputError(f"{path}: {problem}")
    return header


def _list_runs(folder: Path) -> str:
    runs = sorted(path.parent.name for path in folder.parent.glob("*/run.json"))
    return f" There are: {', '.join(runs[-5:])}." if runs else ""


def read_records(
    folder: Path, vocabulary: Vocabulary, finished_only: bool = True, file: str = "records.jsonl"
) -> pd.DataFrame:
    """Return the records as a tidy table, one a row; by default those of finished attempts only.

    Raises InputError, with the number of the line, for a record that is not of a figure in `vocabulary`.
    """
    path = folder / file
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            problem = vocabulary.problem(record)
        except ValueError as error:
            record, problem = None, f"is no JSON: {error}"
        if problem:
            raise InputError(f"{path}: line {number}: {problem}. Records are never edited: restore the file.")
        records.append(record)
    table = pd.DataFrame(records, columns=None if records else list(HEAD))
    if not finished_only or not records:
        return table
    ends = table.loc[is_of(table, FINISHED), ["task", "attempt"]].drop_duplicates("task", keep="last")
    return table.merge(ends, on=["task", "attempt"], how="inner")


def is_of(records: pd.DataFrame, figure: Figure) -> "pd.Series[bool]":
    """Return which records are of a figure."""
    return records["measure"].eq(figure.measure) & records["figure"].eq(figure.name)


def is_complete(finished: Collection[str], header: Mapping[str, Any]) -> bool:
    """Return whether a run has come to its end: by `LAST`, or by its last round where nothing comes after."""
    planned = header["plan"]["rounds"]
    timed = planned is not None and f"round {planned}" in finished
    return LAST in finished or (timed and not any(header["spec"].get("sweep", {}).values()))


def latest(parent: Path) -> Path:
    """Return the newest run folder under `parent`."""
    runs = sorted(path.parent for path in parent.glob("*/run.json"))
    if not runs:
        raise InputError(f"{parent}: no runs here yet. `bakeoff run` makes one.")
    return max(runs, key=lambda run: str(read_header(run)["created"]))
