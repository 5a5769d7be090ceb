"""The records of what became of the mistakes: a record for each mistake, and the shares of each variant."""

import datetime
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from ...common.errors import InputError
from ...records.query import Query
from ...records.read import Record, read_records
from ...records.vocabulary import FINISHED, Figure, Vocabulary
from .figures import FIGURES, NAMED, NOTICED, OUTCOME, WRONG
from .judge import SILENT_AND_WRONG, TRIED, Finding


class VariantFindings(NamedTuple):
    """The outcomes of the mistakes in one backend variant."""

    findings: tuple[Finding, ...]
    seconds: float
    """How long the training without a mistake took, with the start and the end of its worker."""
    network: str = ""
    """How the network differs from the default spec, for a backend that does not support that; else ""."""

    @property
    def noticed(self) -> int:
        """The number of mistakes that the user noticed."""
        return sum(each.noticed for each in self.findings)

    @property
    def wrong(self) -> int:
        """The number of mistakes that were silent, with a wrong result."""
        return sum(each.outcome in SILENT_AND_WRONG for each in self.findings)


def measure_shares(findings: tuple[Finding, ...]) -> dict[Figure, float]:
    """Return the shares that summarise a variant: NOTICED and WRONG of the tried mistakes, and NAMED.

    NAMED is the share, among the noticed mistakes with a shape, dtype, value or device at fault, of those whose message
    names it. A share without any mistake to count is left out.
    """
    tried = [each for each in findings if each.outcome in TRIED]
    noticed = [each for each in tried if each.noticed]
    named = [bool(each.named) for each in noticed if each.named is not None]
    wrong = [each for each in tried if each.outcome in SILENT_AND_WRONG]
    shares = {}
    if tried:
        shares = {NOTICED: len(noticed) / len(tried), WRONG: len(wrong) / len(tried)}
    if named:
        shares[NAMED] = sum(named) / len(named)
    return shares


def measure(found: VariantFindings, **variant: str) -> Iterator[tuple[Figure, str | float, dict[str, Any]]]:
    """Yield (figure, value, keys) for the findings of a variant; `variant` is its backend, variant and version."""
    keys: dict[str, Any] = {**variant, **({"network": found.network} if found.network else {})}
    for finding in found.findings:
        fields = {key: value for key, value in finding._asdict().items() if value is not None}
        outcome = fields.pop("outcome")
        if "named" in fields:
            fields["named"] = list(fields["named"])
        yield OUTCOME, outcome, {**keys, **fields}
    for figure, share in measure_shares(found.findings).items():
        yield figure, share, keys


def make_records(tried: Mapping[str, VariantFindings], versions: Mapping[str, str]) -> list[Record]:
    """Return the records of the findings, by NAME:VARIANT; `versions` are the frameworks' versions, by backend."""
    rows: list[Record] = []
    for entry, found in tried.items():
        backend, _, variant = entry.partition(":")
        head = {"task": f"mistakes {entry}", "attempt": 1, "time": round(time.time(), 3)}
        for figure, value, keys in measure(found, backend=backend, variant=variant, version=versions.get(backend, "")):
            rows.append({**head, **figure.record(value, **keys)})
        rows.append({**head, **FINISHED.record(found.seconds)})
    return rows


def write(rows: list[Record], path: Path) -> None:
    """Write the records to a .jsonl file; an existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows), encoding="utf-8")


class SavedFindings(NamedTuple):
    """The findings in a file of records."""

    findings: dict[str, tuple[Finding, ...]]
    """By NAME:VARIANT."""
    versions: dict[str, str]
    """The versions of the frameworks, by backend."""
    date: str
    """The date of the first record, in UTC."""


def read(path: Path) -> SavedFindings:
    """Return the findings in a file that `write` has written. Raises InputError where there is no such file."""
    if not path.is_file():
        raise InputError(f"{path}: no such file. `bakeoff mistakes --records {path}` writes one.")
    mine = Query(read_records(path.parent, Vocabulary(FIGURES), file=path.name)).rows(OUTCOME)
    findings: dict[str, list[Finding]] = {}
    versions: dict[str, str] = {}
    for row in mine.to_dict("records"):
        findings.setdefault(f"{row['backend']}:{row['variant']}", []).append(_make_finding(row))
        versions[str(row["backend"])] = str(row["version"])
    first = datetime.datetime.fromtimestamp(float(mine["time"].min()), datetime.UTC)
    return SavedFindings({name: tuple(some) for name, some in findings.items()}, versions, f"{first:%Y-%m-%d}")


def _make_finding(row: Mapping[Any, Any]) -> Finding:
    known = {key: row[key] for key in Finding._fields if key in row and _is_present(row[key])}
    if "named" in known:
        known["named"] = tuple(known["named"])
    for key in ("user_lines", "framework_lines"):
        if key in known:
            known[key] = int(known[key])
    return Finding(**{**known, "outcome": str(row["value"])})


def _is_present(value: Any) -> bool:
    """Return whether a cell has a value. NaN stands for a key that the record does not have."""
    return isinstance(value, list) or bool(pd.notna(value))
