"""Check results as records: of a run, as a table, and as JSON for programs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...common.foreign import guard_formula
from ...workload import networks
from .case import CHECKPOINTS
from .figures import CHECK, FLOORS
from .run_checks import VariantResult
from .serialisation import outcome_to_json
from .suite import Outcome

# `bakeoff check` does without pandas, but for --records: only the functions that make a table import it.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd

    from ...records import read
    from ...records.store import Task

BITS = {
    "twice": "same bits twice",
    "processes": "same bits in two processes",
    "threads": "same bits with 1 and 2 threads",
}
"""The heading of each field of Determinism."""
HEAD = ("check", "case", "dtype", "required", "status", "failed", "reason")
"""The keys of an outcome that every row of its table repeats."""


def as_json(found: Mapping[str, VariantResult], unable: Mapping[str, str]) -> dict[str, Any]:
    """Return all results as one JSON value, by NAME:VARIANT.

    `unable` says why a variant was not checked; `partial` names those of which only some cases or checks were selected.
    """
    return {
        "outcomes": {name: [outcome_to_json(each) for each in result.outcomes] for name, result in found.items()},
        "determinism": {
            name: result.determinism._asdict() if result.determinism else result.unmeasured
            for name, result in found.items()
        },
        "unable": dict(unable),
        "partial": [name for name, result in found.items() if result.partial],
    }


def records(found: Mapping[str, VariantResult]) -> "pd.DataFrame":
    """Return one row for each measured value, each check that measures none, and each answer on determinism."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for name, result in found.items():
        backend, _, variant = name.partition(":")
        labels = {"backend": backend, "variant": variant}
        for outcome in result.outcomes:
            fields = outcome_to_json(outcome)
            head = {**labels, **{field: fields[field] for field in HEAD}}
            rows += [{**head, **deviation} for deviation in fields["measured"]] or [head]
        for field in BITS if result.determinism else ():
            status = {True: "yes", False: "no", None: "not tried"}[getattr(result.determinism, field)]
            network = result.determinism_network
            case = {"case": network.name, "dtype": network.dtype, "required": False, "failed": False}
            reason = result.determinism.differences.get(field, "") if result.determinism else ""
            rows.append({**labels, "check": "determinism", "array": field, "status": status, "reason": reason, **case})
    return pd.DataFrame(rows)


def write_records(found: Mapping[str, VariantResult], path: Path) -> None:
    """Write the records to a .jsonl, .csv or .csv.gz file."""
    import pandas as pd

    table = records(found)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        rows = [{name: value for name, value in row.items() if pd.notna(value)} for row in table.to_dict("records")]
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    else:
        table.map(guard_formula).to_csv(path, index=False)


def summary(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per variant: the worst floors by dtype, float32 on the default spec by steps, determinism.

    Floors of a known failure do not count.
    """
    import pandas as pd

    table = table.assign(entry=table["backend"] + ":" + table["variant"])
    default = networks.DEFAULT
    rows = []
    for entry, own in table.groupby("entry", sort=False):
        known = own["status"].eq("known failure")
        required = own[own["required"].eq(True) & ~known]
        on_default = own[own["case"].eq(default.name) & own["dtype"].eq(default.dtype) & ~known]
        bits = own[own["check"].eq("determinism")].set_index("array")["status"]
        correct = "yes, but for known failures" if known.any() else "yes"
        failed = bool(own["failed"].eq(True).any())
        row: dict[str, Any] = {"backend": entry, "correct": "no" if failed else correct}
        if failed:  # Floors beside a failure say nothing about the backend.
            required, on_default = required[:0], on_default[:0]
        row |= {f"{dtype}, worst": _worst(required[required["dtype"].eq(dtype)]) for dtype in ("float64", "float32")}
        for step in CHECKPOINTS:
            row[f"default float32, step {step}"] = _worst(on_default[on_default["step"].eq(step)])
        row |= {heading: bits.get(field, "-") for field, heading in BITS.items()}
        rows.append(row)
    return pd.DataFrame(rows)


def _worst(table: "pd.DataFrame") -> str:
    floors = table["floors"].dropna()
    return f"{floors.max():.1f}" if len(floors) else "-"


def outcome_records(task: "Task", outcome: Outcome, labels: dict[str, Any]) -> "list[read.Record]":
    """Return the records of one check: its status, and every deviation that it measured."""
    fields = outcome_to_json(outcome)
    where = {**{key: fields[key] for key in ("check", "case", "dtype", "required")}, **labels}
    details = {key: fields[key] for key in ("failed", "reason", "traceback")}
    head = task.record(CHECK, fields["status"], **where, **details)
    deviations = [
        task.record(FLOORS, each["floors"], **{key: each[key] for key in each if key != "floors"}, **where)
        for each in fields["measured"]
    ]
    return [head, *deviations]
