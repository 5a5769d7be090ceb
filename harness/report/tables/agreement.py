"""Tables of the agreement: rounding errors, checks that did not pass, and the effects of conventions."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from ...measures.agreement.case import LOSES_PRECISION, NOT_CONFORMING
from ...measures.agreement.figures import CHECK, CONVENTION_EFFECT, FLOORS
from ...records.query import Query

KNOWN_FAILURE, PASSES = "known failure", "passes"
EFFECT = ["largest", "mean", "changed_predictions", "accuracy", "common_accuracy"]
"""The numbers of the effect of a convention."""


class Correctness(NamedTuple):
    """What the checks of a variant found."""

    worst_floors: float
    """The largest rounding error of a required check, in floors.

    NaN where none was measured, and where a check failed in another way: the rest says nothing about the backend then.
    """
    failed: bool
    """Whether a required check failed."""
    known_failures: str
    """The dtypes and the reason; "" where there are none."""

    @property
    def word(self) -> str | None:
        """`yes`, `reduced precision` or `no`; None where nothing was checked."""
        if self.failed:
            return "no"
        if np.isnan(self.worst_floors):
            return None
        return "reduced precision" if self.worst_floors > LOSES_PRECISION else "yes"


def read_correctness(query: Query, backend: str, variant: str) -> Correctness:
    """Return what the checks of a variant found. The rounding errors of a known failure do not count."""
    where = ["check", "case", "dtype"]
    checks = query.columns(CHECK, ["value", "failed"], backend=backend, variant=variant)
    floors = query.columns(FLOORS, ["value", "required"], backend=backend, variant=variant)
    why = ""
    if checks["value"].eq(KNOWN_FAILURE).any():
        known = query.columns(CHECK, [*where, "reason"], backend=backend, variant=variant, value=KNOWN_FAILURE)
        measured = query.columns(FLOORS, where, backend=backend, variant=variant)
        floors = floors[~pd.MultiIndex.from_frame(measured).isin(pd.MultiIndex.from_frame(known[where]))]
        why = f"in {', '.join(dict.fromkeys(known['dtype']))}: {known['reason'].iloc[0]}"
    failed = bool(checks["failed"].eq(True).any())
    worst = floors.loc[floors["required"].eq(True), "value"].astype(float).max()
    if failed and not worst > NOT_CONFORMING:
        worst = float("nan")
    return Correctness(float(worst), failed, why)


def tabulate_floors(query: Query) -> pd.DataFrame:
    """Return the worst rounding error, in floors, by case, dtype and phase (rows) for every variant (columns)."""
    index = ["case", "dtype", "required", "phase"]
    floors = query.columns(FLOORS, [*index, "backend", "variant", "value"])
    if not len(floors):
        return pd.DataFrame()
    # The worst of each group first: a large run has many rounding errors in each, and then few texts to join.
    groups = floors.assign(value=floors["value"].astype(float)).groupby([*index, "backend", "variant"], sort=False)
    worst = groups["value"].max().reset_index()
    named = worst.assign(
        variant=worst["backend"] + ":" + worst["variant"],
        required=worst["required"].map({True: "yes", False: "no"}),
    )
    table = named.pivot_table(index=index, columns="variant", values="value", aggfunc="max", sort=False)
    return table.round(1).reset_index().rename_axis(columns=None)


def tabulate_checks(query: Query) -> pd.DataFrame:
    """Return every check that did not pass, with its reason."""
    checks = query.columns(CHECK, ["backend", "variant", "check", "case", "dtype", "value", "reason"])
    return checks[checks["value"] != PASSES].rename(columns={"value": "status"})


def tabulate_convention_effects(query: Query) -> pd.DataFrame:
    """Return what each declared convention, alone, changes on the test rows: shares, 0 to 1."""
    found = query.rows(CONVENTION_EFFECT)
    if not len(found):
        return pd.DataFrame()
    numbers = found[EFFECT].map(lambda value: float(f"{value:.4g}"))
    return pd.concat([found[["backend", "convention", "chosen"]], numbers], axis=1)
