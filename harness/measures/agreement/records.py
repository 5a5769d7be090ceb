"""TODO: measures.agreement.records."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ...records import read
from ...records.store import Task
from ...workload import networks
from . import case as agreement_case
from . import figures
from .case import Measured
from .run_checks import Checked
from .suite import Outcome

pass


BITS = {
    "twice": "same bits twice",
    "processes": "same bits in two processes",
    "threads": "same bits with 1 and 2 threads",
}
"""The fields of Determinism, in words."""


def as_json(found: Mapping[str, Checked], unable: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that was found, for programs."""
    return {
        "outcomes": {name: [_outcome(each) for each in checked.outcomes] for name, checked in found.items()},
        "determinism": {
            name: checked.determinism._asdict() if checked.determinism else checked.unmeasured
            for name, checked in found.items()
        },
        "unable": dict(unable),
    }


def records(found: Mapping[str, Checked]) -> pd.DataFrame:
    """Return one row for each value measured, each check that measures none, and each answer on determinism."""
    rows: list[dict[str, Any]] = []
    for name, checked in found.items():
        backend, _, variant = name.partition(":")
        who = {"backend": backend, "variant": variant}
        for outcome in checked.outcomes:
            head = {**who, **outcome._asdict(), "red": outcome.red}
            del head["measured"], head["traceback"], head["explanation"]
            rows += [{**head, **_measured(each)} for each in outcome.measured] or [head]
        answers = checked.determinism._asdict() if checked.determinism else {}
        for field, answer in answers.items():
            status = {True: "yes", False: "no", None: "not tried"}[answer]
            kind = checked.determined_on
            case = {"case": kind.name, "dtype": kind.dtype, "gated": False, "red": False}
            rows.append({**who, "check": "determinism", "array": field, "status": status, **case})
    return pd.DataFrame(rows)


def write_records(found: Mapping[str, Checked], path: Path) -> None:
    """Write the records to a .jsonl, .csv or .csv.gz file."""
    table = records(found)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        rows = [{name: value for name, value in row.items() if pd.notna(value)} for row in table.to_dict("records")]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        table.to_csv(path, index=False)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant: the worst floors by dtype, float32 on the default spec by steps, determinism.

    What a known failure measured is not among the floors.
    """
    table = table.assign(entry=table["backend"] + ":" + table["variant"])
    rows = []
    for entry, mine in table.groupby("entry", sort=False):
        known = mine["status"].eq("known failure")
        gated = mine[mine["gated"].eq(True) & ~known]
        usual = mine[mine["case"].eq(networks.DEFAULT.name) & mine["dtype"].eq(networks.DEFAULT.dtype) & ~known]
        bits = mine[mine["check"].eq("determinism")].set_index("array")["status"]
        conforms = "yes, but for known failures" if known.any() else "yes"
        row: dict[str, Any] = {"backend": entry, "conforms": "no" if mine["red"].eq(True).any() else conforms}
        row |= {f"{dtype}, worst": _worst(gated[gated["dtype"].eq(dtype)]) for dtype in ("float64", "float32")}
        for step in agreement_case.CHECKPOINTS:
            row[f"default float32, step {step}"] = _worst(usual[usual["step"].eq(step)])
        row |= {heading: bits.get(field, "-") for field, heading in BITS.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _worst(table: pd.DataFrame) -> str:
    floors = table["floors"].dropna()
    return f"{floors.max():.1f}" if len(floors) else "-"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {**outcome._asdict(), "measured": [_measured(each) for each in outcome.measured], "red": outcome.red}


def _measured(each: Measured) -> dict[str, Any]:
    return {**each.quantity._asdict(), "error": each.error, "floor": each.floor, "floors": each.floors}


pass
pass


def outcome_records(task: Task, outcome: Outcome, labels: dict[str, Any]) -> list[read.Record]:
    """Return the records of one check: its status, and every agreement that it measured."""
    where = {"check": outcome.check, "case": outcome.case, "dtype": outcome.dtype, "required": outcome.gated, **labels}
    more = {"failed": outcome.red, "reason": outcome.reason, "traceback": outcome.traceback}
    return [
        task.record(figures.CHECK, outcome.status, **where, **more),
        *(
            task.record(
                figures.FLOORS, each.floors, error=each.error, floor=each.floor, **each.quantity._asdict(), **where
            )
            for each in outcome.measured
        ),
    ]
