"""TODO: records.read."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..common.errors import InputError

FORMAT = 1
"""Of run.json and records.jsonl. 1 (2026-11-22): the first."""


Record = dict[str, Any]


HEAD = ("task", "attempt", "measure", "quantity", "value")
"""What every record has."""


def read_header(folder: Path) -> dict[str, Any]:
    """Return what stands in run.json. Raises InputError where there is none, or of another format."""
    path = folder / "run.json"
    try:
        header: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no run here (expected a folder with run.json).{_runs_beside(folder)}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    found = header.get("format") if isinstance(header, dict) else None
    if found != FORMAT:
        raise InputError(f"{path}: expected format {FORMAT}, got {found!r}. Use the bakeoff that wrote it.")
    return header


def _runs_beside(folder: Path) -> str:
    runs = sorted(path.parent.name for path in folder.parent.glob("*/run.json"))
    return f" There are: {', '.join(runs[-5:])}." if runs else ""


def read_records(folder: Path, finished_only: bool = True, file: str = "records.jsonl") -> pd.DataFrame:
    """Return the records as a tidy table, one a row; by default those of finished attempts only."""
    path = folder / file
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not record.keys() >= set(HEAD):
            raise InputError(f"{path}: line {number} is no record. Raw records are never edited.")
        records.append(record)
    table = pd.DataFrame(records, columns=None if records else HEAD)
    if not finished_only or not records:
        return table
    ends = table.loc[table["quantity"] == "finished", ["task", "attempt"]].drop_duplicates("task", keep="last")
    return table.merge(ends, on=["task", "attempt"], how="inner")


LAST = "complete"
"""The task that is finished when all others are."""


def is_complete(finished: Collection[str], header: Mapping[str, Any]) -> bool:
    """Return whether a run has come to its end: by `LAST`, or by its last round where nothing comes after."""
    rounds = f"round {header['plan']['rounds']}" in finished and not any(header["spec"].get("sweep", {}).values())
    return LAST in finished or rounds


def planned_turns(header: Mapping[str, Any], records: pd.DataFrame) -> int | None:
    """Return the turns of a round, by the plan or as the budget allowed; None where that was not yet worked out."""
    if header["plan"]["turns"] is not None:
        return int(header["plan"]["turns"])
    found = records.loc[records["measure"].eq("speed") & records["quantity"].eq("turns"), "value"]
    return int(found.iloc[-1]) if len(found) else None


def latest(parent: Path) -> Path:
    """Return the newest run folder under `parent`."""
    runs = sorted(path.parent for path in parent.glob("*/run.json"))
    if not runs:
        raise InputError(f"{parent}: no runs here yet. `bakeoff run` makes one.")
    return max(runs, key=lambda run: str(read_header(run)["created"]))
