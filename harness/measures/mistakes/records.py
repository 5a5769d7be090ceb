"""What mistakes came to, as records: one a mistake, and the shares of each variant."""

import datetime
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ...common.errors import InputError
from ...records import read as records_read
from ...records.query import Query
from ...records.read import Record
from ...records.vocabulary import FINISHED, Vocabulary
from . import figures
from .judge import NOTICED, TRIED, Finding


class Measured(NamedTuple):
    """What every mistake came to in one backend variant."""

    findings: tuple[Finding, ...]
    seconds: float
    """Of the training without a mistake, its worker's start and end included."""
    network: str = ""
    """In words, what is other than in the default spec, for a backend that cannot do that; "" where nothing is."""


def shares_of(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Return the shares that sum up a variant, of the mistakes that were tried.

    noticed: raised, died or warned. named: of those noticed that have a shape, dtype, value or device at fault, whose
    message names one. wrong: silent, and the result is not the right code's.
    """
    tried = [each for each in findings if each.outcome in TRIED]
    noticed = [each for each in tried if each.outcome in NOTICED]
    named = [bool(each.named) for each in noticed if each.named is not None]
    wrong = [each for each in tried if each.outcome in ("NaN", "wrong", "hung")]
    found = {}
    if tried:
        found = {"noticed": len(noticed) / len(tried), "wrong": len(wrong) / len(tried)}
    if named:
        found["named"] = sum(named) / len(named)
    return found


def records(measured: Mapping[str, Measured], versions: Mapping[str, str]) -> list[Record]:
    """Return the records of what was measured, by NAME:VARIANT; `versions` are the frameworks', by backend."""
    rows: list[Record] = []
    for entry, each in measured.items():
        backend, _, variant = entry.partition(":")
        head = {"task": f"mistakes {entry}", "attempt": 1, "time": round(time.time(), 3)}
        who = {"backend": backend, "variant": variant, "version": versions.get(backend, "")}
        who |= {"network": each.network} if each.network else {}
        for finding in each.findings:
            fields = {key: value for key, value in finding._asdict().items() if value is not None}
            outcome = fields.pop("outcome")
            rows.append({**head, **figures.OUTCOME.record(outcome, **who, **fields)})
        for name, value in shares_of(each.findings).items():
            rows.append({**head, **figures.SHARES[name].record(value, **who)})
        rows.append({**head, **FINISHED.record(each.seconds)})
    return rows


def write(rows: list[Record], path: Path) -> None:
    """Write the records to a .jsonl file, in the place of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows), encoding="utf-8")


class Saved(NamedTuple):
    """What was read from a file of records."""

    findings: dict[str, tuple[Finding, ...]]
    """By NAME:VARIANT."""
    versions: dict[str, str]
    """Of the frameworks, by backend."""
    date: str
    """Of the first record, UTC."""


def read(path: Path) -> Saved:
    """Return what stands in a file that `write` has written. Raises InputError where there is none."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. `bakeoff mistakes --records {path}` writes one.")
    table = records_read.read_records(path.parent, Vocabulary(figures.FIGURES), file=path.name)
    mine = Query(table).rows(figures.OUTCOME)
    findings: dict[str, list[Finding]] = {}
    versions: dict[str, str] = {}
    for row in mine.to_dict("records"):
        findings.setdefault(f"{row['backend']}:{row['variant']}", []).append(_finding(row))
        versions[str(row["backend"])] = str(row["version"])
    first = datetime.datetime.fromtimestamp(float(mine["time"].min()), datetime.UTC)
    return Saved({name: tuple(some) for name, some in findings.items()}, versions, f"{first:%Y-%m-%d}")


def _finding(row: Mapping[Any, Any]) -> Finding:
    known = {key: row[key] for key in Finding._fields if key in row and _there(row[key])}
    if "named" in known:
        known["named"] = tuple(known["named"])
    for key in ("user_lines", "framework_lines"):
        if key in known:
            known[key] = int(known[key])
    return Finding(**{**known, "outcome": str(row["value"])})


def _there(value: Any) -> bool:
    """Whether a cell holds anything: NaN stands where a record lacks the column."""
    return isinstance(value, list) or bool(pd.notna(value))
