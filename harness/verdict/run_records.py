"""The records of a run, as the verdict reads them: those of the run itself, and two files beside them."""

import datetime
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from packaging.version import InvalidVersion, Version

from ..common.errors import InputError
from ..measures.agreement.figures import CHECK, FLOORS
from ..measures.mistakes.figures import OUTCOME
from ..measures.openness.figures import FACTS
from ..records import read
from ..records.files import CHECK_FILE, MISTAKES_FILE
from ..records.vocabulary import FINISHED, Figure
from ..report.report import Report
from ..report.tables.summary import read_failure

Row = dict[str, Any]
Key = tuple[str, str]
"""A backend and its variant."""


def require_measured(records: "RunRecords") -> None:
    """Raise InputError for a run that is incomplete or has no timings: a verdict would silently leave them out."""
    folder = records.report.folder
    if not records.complete:
        raise InputError(
            f"{folder}: this run is incomplete, so it gives no verdict. Complete it with "
            f"`bakeoff run --resume {folder}`."
        )
    if not records.report.step_times:
        raise InputError(
            f"{folder}: this run has no timings, so it gives no verdict: no variant was timed to the end of every "
            f"round. `bakeoff table {folder}` says why. Then start a new one with `bakeoff run`."
        )


class RunRecords:
    """The records of a run, as the sub-measures ask for them."""

    def __init__(self, report: Report) -> None:
        self.report, self.query = report, report.query
        self.day = datetime.date.fromisoformat(str(report.header["created"])[:10])
        """The day of the run: ages are counted up to it."""

    def rows(self, figure: Figure, key: Key, **where: Any) -> list[Row]:
        """Return the records of a figure about a variant, or about its backend as a whole; none of the self-test."""
        return self.query.of(figure, *key, **where).to_dict("records")  # type: ignore[return-value]  # its keys are text

    def table(self, figure: Figure, key: Key, names: Sequence[str], **where: Any) -> pd.DataFrame:
        """Return some columns of such records: for figures that have thousands of them."""
        return self.query.of(figure, *key, names, **where)

    def last(self, figure: Figure, key: Key) -> Row | None:
        """Return the last such record."""
        rows = self.rows(figure, key)
        return rows[-1] if rows else None

    def number(self, figure: Figure, key: Key, **where: Any) -> float | None:
        """Return the value of the last such record; None where there is none, or it is no number of at least 0."""
        value = self.query.value_of(figure, *key, None, None, **where)
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            return None
        return float(value) if np.isfinite(value) and value >= 0 else None

    @cached_property
    def ended(self) -> set[str]:
        """The finished tasks."""
        return set(self.query.rows(FINISHED)["task"])

    @property
    def complete(self) -> bool:
        """Whether the run is finished."""
        return read.is_complete(self.ended, self.report.header)

    @cached_property
    def _checked(self) -> pd.DataFrame:
        """The outcomes that `bakeoff check --records` left in the run's folder; empty where it did not."""
        path = self.report.folder / CHECK_FILE
        try:
            return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["backend"])
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: expected what `bakeoff check --records` writes, got: {error}") from None

    @cached_property
    def _mistakes(self) -> list[Row]:
        """The outcomes that `bakeoff mistakes --records` left in the run's folder; else those of the run itself."""
        path = self.report.folder / MISTAKES_FILE
        try:
            rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: expected what `bakeoff mistakes --records` writes, got: {error}") from None
        return rows or list(self.query.rows(OUTCOME).to_dict("records"))

    def failure(self, key: Key) -> str:
        """Return why a variant has no values, or which required check in the run's dtype failed; "" for neither."""
        return read_failure(self.query, *key, dtype=self.dtype)

    def newer_release(self, key: Key) -> tuple[str, str, str] | None:
        """Return (measured version, newest known version, its source's date) where they differ, and both are known."""
        record = self.last(FACTS["last_release"], key)
        measured = str(self.report.header["backends"][key[0]]["version"])
        if record is None:
            return None
        newest = str(record["value"])
        try:
            same = Version(newest).public == Version(measured).public
        except InvalidVersion:
            return None
        return None if same else (measured, newest, str(record["asof"]))

    def is_checked(self, key: Key) -> bool:
        """Return whether a required check in the run's dtype measured a rounding error of a variant."""
        return bool(len(self.table(FLOORS, key, ["value"], dtype=self.dtype, required=True)))

    def list_other_faults(self, key: Key) -> dict[str, list[str]]:
        """Return the required checks in another dtype that did not pass, by dtype: each with its status and reason."""
        found: dict[str, list[str]] = {}
        outcomes = self.table(CHECK, key, ["dtype", "value", "required", "reason"]).drop_duplicates()
        for row in outcomes.to_dict("records"):
            counts = row["required"] is True or row["value"] in ("fails", "known failure")
            if row["dtype"] != self.dtype and counts and row["value"] not in ("passes", "unsupported"):
                reason = f" ({row['reason']})" if isinstance(row["reason"], str) and row["reason"] else ""
                said = f"{row['value']}{reason}"
                if said not in found.setdefault(row["dtype"], []):
                    found[row["dtype"]].append(said)
        return found

    @property
    def mistakes_tried(self) -> bool:
        """Whether anybody tried the common mistakes for this run."""
        return bool(self._mistakes)

    @property
    def determinism_tried(self) -> bool:
        """Whether `bakeoff check --records` left its file in the run's folder."""
        return (self.report.folder / CHECK_FILE).exists()

    @property
    def dtype(self) -> str:
        """The dtype of the run: what was found in the other dtype is listed, and does not enter its verdict."""
        return str(self.report.header["spec"]["training"]["dtype"])

    def mistakes(self, key: Key) -> list[str]:
        """Return the outcome of each mistake; empty where none was tried with this version."""
        version = self.report.header["backends"][key[0]]["version"]
        return [
            str(row["value"])
            for row in self._mistakes
            if (row.get("backend"), row.get("variant"), row.get("figure")) == (*key, OUTCOME.name)
            and row.get("version", version) in (version, "")
        ]

    def determinism(self, key: Key) -> dict[str, bool]:
        """Return whether the bits were identical, by the kind of repetition; empty where nothing was repeated."""
        checked = self._checked
        mine = checked[checked["backend"].eq(key[0])]
        if len(mine):
            mine = mine[mine["variant"].eq(key[1]) & mine["check"].eq("determinism")]
        return {str(row["array"]): row["status"] == "yes" for row in mine.to_dict("records")}
