"""What the later phases of a run need to know of the earlier ones."""

import re

import pandas as pd

from ..measures.agreement import figures as agreement
from ..measures.agreement.suite import HUNG
from ..measures.deployment import figures as deployment
from ..measures.speed import figures as speed
from ..measures.speed import rounds
from ..measures.training import figures as training
from ..measures.training import train
from ..records.query import Query
from ..records.read import Record
from ..records.vocabulary import FINISHED

Key = tuple[str, str]
"""A backend and its variant."""


class Findings:
    """Failures, declarations and paces, learned from each task as it ends; on resume from all records at once."""

    def __init__(self) -> None:
        self.failed: set[Key] = set()
        """Variants that are not timed: a required check failed, or training did, or a program is missing."""
        self.hung: set[Key] = set()
        """Variants that gave no answer within the limit: they are not waited for again."""
        self.conventions: dict[str, dict[str, str]] = {}
        """The conventions that each backend's workers declared."""
        self.own_defaults: dict[str, set[str]] = {}
        """The fields for which each backend has a default of its own."""
        self.paces: dict[Key, float] = {}
        """Seconds a step of training."""
        self.slice_steps: dict[Key, int] = {}
        """Steps of a slice, as calibrated in a round."""
        self.blocks: int | None = None
        """Blocks of a round, as worked out from the time budget."""
        self.workload_blocks: dict[str, int] = {}
        """Blocks of a round of each workload of a suite, as its first round worked them out."""
        self.workload_steps: dict[str, dict[Key, int]] = {}
        """Steps of a slice in each workload of a suite."""
        self.round_s: list[float] = []
        """Seconds of every round so far."""

    def learn(self, records: pd.DataFrame | list[Record]) -> None:
        """Take in the records of finished tasks."""
        query = Query(pd.DataFrame(records))
        # An environment that could not be built is tried again on resume; a missing program excludes for good.
        for figure in (deployment.UNAVAILABLE, deployment.FAILED):  # the latter in runs before 2026-11-29
            programs = query.rows(figure)
            self.failed |= _keys(programs[programs["task"].astype(str).str.startswith("program ")])
        self.failed |= _keys(query.rows(training.FAILED)) | _keys(query.rows(agreement.CHECK, failed=True))
        self.hung |= _keys(_hung(query.rows(agreement.CHECK, failed=True), "reason"))
        for figure in (
            speed.FAILED,
            speed.SWEEP[speed.FAILED.name],
            speed.SUITE[speed.FAILED.name],
            speed.SIZES_FAILED,
        ):
            self.hung |= _keys(_hung(query.rows(figure), "value"))
        for row in query.rows(agreement.CONVENTION).to_dict("records"):
            self.conventions.setdefault(str(row["backend"]), {})[str(row["convention"])] = str(row["value"])
        for row in query.rows(training.DEFAULT_VALUE, own=True).to_dict("records"):
            self.own_defaults.setdefault(str(row["backend"]), set()).add(str(row["field"]))
        self.paces |= train.paces(query)
        for row in query.rows(speed.SLICE_STEPS).to_dict("records"):
            self.slice_steps[str(row["backend"]), str(row["variant"])] = int(row["value"])
        for row in query.rows(speed.SUITE[speed.SLICE_STEPS.name]).to_dict("records"):
            steps = self.workload_steps.setdefault(str(row["workload"]), {})
            steps[str(row["backend"]), str(row["variant"])] = int(row["value"])
        for row in query.rows(speed.SUITE[speed.BLOCKS.name]).to_dict("records"):
            self.workload_blocks[str(row["workload"])] = int(row["value"])
        for row in query.rows(FINISHED).to_dict("records"):
            if re.search(r"\bround \d+$", str(row["task"])):
                self.round_s.append(float(row["value"]))
        blocks = query.last(speed.BLOCKS, None)
        self.blocks = self.blocks if blocks is None else int(blocks)

    def steps_of_slices(self, slice_s: float) -> dict[Key, int]:
        """Return the steps of a slice: those of a round before, else as many as take `slice_s` in training."""
        planned = {key: rounds.steps_of_slice(slice_s, pace) for key, pace in self.paces.items()}
        return {**planned, **self.slice_steps}


def _hung(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the failures whose reason says that the worker gave no answer."""
    return rows[rows[column].astype(str).str.startswith(HUNG)]


def _keys(rows: pd.DataFrame) -> set[Key]:
    return set(zip(rows["backend"].astype(str), rows["variant"].astype(str), strict=True))
