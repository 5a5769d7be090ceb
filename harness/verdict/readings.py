"""How a sub-measure is read from the records: an amount, the same for people, and a cost above 0.

A function here returns the function that reads one variant. Its result is None where the run has no usable record.
"""

import datetime
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..common.statistics import Interval
from ..measures.agreement.case import LOSES_PRECISION
from ..measures.agreement.figures import CHECK, CONVENTION_EFFECT, FLOORS
from ..measures.ease.figures import CHANGE
from ..measures.openness.facts import rate_age
from ..measures.openness.licences import is_approved
from ..records.vocabulary import Figure
from ..report.text import format_count, format_interval, format_time
from .run_records import Key, RunRecords

OUTDATED = 2.0
"""The factor of a step on an ordered scale."""

KNOWN_FAILURE = "known failure"
SILENT = ("NaN", "wrong", "hung")
"""Outcomes of a mistake that raised no error and no warning, and did harm."""
NOT_TRIED = ("cannot", "not possible", "unsupported")
"""Outcomes of a mistake that cannot be made in the framework."""
IMPOSSIBLE = 300.0
"""The tokens that a change counts where it is not possible: more than any change of a published backend takes."""
MOST_RELEASES = 100.0
"""The most releases in 24 months that an unknown number is taken to be at best."""
UNWRITTEN = "not written"
"""The outcome where the backend describes no mistakes."""

Judged = tuple[float, str, float]
"""The amount of a fact, the same for people, and its cost."""


class Reading(NamedTuple):
    """The value of one variant on one sub-measure."""

    amount: float
    """In the unit of the sub-measure; on an ordered scale the number of the step, the best is 0."""
    shown: str
    """For people, with its unit."""
    cost: float
    """Above 0, smaller is better."""
    low: float = np.nan
    high: float = np.nan
    """The interval of the cost; NaN where the value was counted and has none."""
    note: str = ""
    """The source of a fact and its date, and `stale` where it is old."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval, or the cost twice."""
        return (self.cost, self.cost) if np.isnan(self.low) else (self.low, self.high)


Reader = Callable[[RunRecords, Key], Reading | None]


def read_amount(figure: Figure, write: Callable[[float], str]) -> Reader:
    """Read an amount that is above 0 and better where it is smaller: the cost is the amount."""

    def read(records: RunRecords, key: Key) -> Reading | None:
        value = records.number(figure, key)
        return Reading(value, write(value), value) if value else None

    return read


def read_count(figure: Figure) -> Reader:
    """Read a count, which can be 0: the cost is the count plus one."""

    def read(records: RunRecords, key: Key) -> Reading | None:
        value = records.number(figure, key)
        return None if value is None else Reading(value, f"{format_count(value)} {figure.unit}", value + 1)

    return read


def read_step(records: RunRecords, key: Key) -> Reading | None:
    """Read the time per step; in a run with a suite, the geometric mean over its workloads."""
    results = records.report.suite_results
    if results:
        mean = results.mean_seconds(key)
        shown = f"{format_interval(mean, format_time)}, the mean of {len(results.names)} workloads"
        return None if np.isnan(mean.estimate) else Reading(mean.estimate, shown, *mean)
    if key not in records.report.step_times:
        return None
    step = records.report.step_times.step(key)
    return Reading(step.estimate, format_interval(step, format_time), *step)


def read_rounds(figure: Figure, write: Callable[[float], str]) -> Reader:
    """Read the median over the rounds of an amount; its interval goes from the least to the most that a round had."""

    def read(records: RunRecords, key: Key) -> Reading | None:
        amounts = [float(row["value"]) for row in records.rows(figure, key)]
        if not amounts or min(amounts) <= 0:
            return None
        middle, low, high = float(np.median(amounts)), min(amounts), max(amounts)
        shown = format_interval(Interval(middle, low, high), write) if write(low) != write(high) else write(middle)
        return Reading(middle, shown, middle, low, high) if len(amounts) > 1 else Reading(middle, shown, middle)

    return read


def read_floors(records: RunRecords, key: Key) -> Reading | None:
    """Read the worst rounding error of a required check in the run's dtype. Up to LOSES_PRECISION floors all are equal.

    The rounding errors of a known failure do not count here: the known failure itself does.
    """
    checks = records.table(CHECK, key, ["check", "case"], dtype=records.dtype, value=KNOWN_FAILURE)
    floors = records.table(FLOORS, key, ["check", "case", "value"], required=True, dtype=records.dtype)
    if len(checks):
        known, measured = (pd.MultiIndex.from_frame(each[["check", "case"]]) for each in (checks, floors))
        floors = floors[~measured.isin(known)]
    worst = floors["value"].astype(float).max(skipna=False)
    if not np.isfinite(worst):
        return None
    within = " (rounding)" if worst <= LOSES_PRECISION else ""
    return Reading(float(worst), f"{worst:.1f} floors{within}", max(float(worst), float(LOSES_PRECISION)))


def read_known_failures(records: RunRecords, key: Key) -> Reading | None:
    """Read the number of checks with a known failure in the run's dtype."""
    checks = records.table(CHECK, key, ["check", "value"], dtype=records.dtype)
    if not len(checks):
        return None
    known = checks.loc[checks["value"].eq(KNOWN_FAILURE), "check"].nunique()
    return Reading(known, f"{known} of {checks['check'].nunique()} checks", known + 1)


def read_unnoticed_mistakes(records: RunRecords, key: Key) -> Reading | None:
    """Read the number of mistakes that raised no error and no warning and gave a wrong result."""
    outcomes = records.mistakes(key)
    if not outcomes or UNWRITTEN in outcomes:
        return None
    tried = [each for each in outcomes if each not in NOT_TRIED]
    silent = sum(each in SILENT for each in tried)
    return Reading(silent, f"{silent} of {len(tried)}", silent + 1)


def read_conventions(records: RunRecords, key: Key) -> Reading | None:
    """Read the number of conventions that differ from the common spec.

    They are computed after training and checks: in a run that is not finished, their absence means nothing.
    """
    if not (f"train {':'.join(key)}" in records.ended and records.complete):
        return None
    found = len({row["convention"] for row in records.rows(CONVENTION_EFFECT, key)})
    return Reading(found, f"{found} convention{'' if found == 1 else 's'}", found + 1)


def read_determinism(records: RunRecords, key: Key) -> Reading | None:
    """Read how often the bits differed: in a repetition, in another process, with other threads."""
    answers = records.determinism(key)
    if not answers:
        return None
    other = sum(not same for same in answers.values())
    return Reading(other, f"{other} of {len(answers)} times other bits", other + 1)


def read_change(name: str) -> Reader:
    """Read the tokens of a change, in the model and around it; None where they were not counted."""

    def read(records: RunRecords, key: Key) -> Reading | None:
        rows, inside = records.rows(CHANGE, key, change=name), records.number(CHANGE, key, change=name)
        if rows and rows[-1]["answer"] == "not possible":
            return Reading(IMPOSSIBLE, "not possible", IMPOSSIBLE + 1)
        if inside is None:
            return None
        caller = rows[-1]["caller"]
        tokens = inside + (0.0 if _is_missing(caller) else float(caller))
        return Reading(tokens, f"{tokens:,.0f} tokens", tokens + 1)

    return read


def _is_missing(value: Any) -> bool:
    return value is None or bool(np.isnan(value))


def read_fact(figure: Figure, judge: Callable[[Any, datetime.date], Judged | None]) -> Reader:
    """Read a fact of openness; `judge` returns None where the fact cannot be judged."""

    def read(records: RunRecords, key: Key) -> Reading | None:
        record = records.last(figure, key)
        judged = None if record is None else judge(record["value"], records.day)
        if record is None or judged is None:
            return None
        old = rate_age(record["asof"], records.day, past=False)
        return Reading(*judged, note=f"{record['source']}, {record['asof']}{f', {old}' if old else ''}")

    return read


# Judgements of facts


def scale(step: int, shown: str) -> Judged:
    """Return (amount, shown, cost) of a step on an ordered scale."""
    return float(step), shown, OUTDATED**step


def judge_licence(value: Any, _: datetime.date) -> Judged | None:
    """Judge whether the licence is approved by the Open Source Initiative."""
    approval = is_approved(str(value))
    if approval is None:
        return None
    return scale(0, f"{value}, OSI-approved") if approval else scale(1, f"{value}, not OSI-approved")


GOVERNANCE = {"foundation": 0, "community": 0, "single company": 1, "single institution": 1}
"""The step on the scale by the first words of the fact `governance`: 1 where a single party decides."""


def judge_governance(value: Any, _: datetime.date) -> Judged | None:
    """Judge whether more than one party decides."""
    begins = next((words for words in GOVERNANCE if str(value).lower().startswith(words)), None)
    return None if begins is None else scale(GOVERNANCE[begins], begins)


def months_since_release(value: Any, day: datetime.date) -> int | None:
    """Return the months from a release up to `day`; None where `value` is no date. The date may lack its day."""
    found = re.match(r"(\d{4})-(\d\d)(?:-(\d\d))?\b", str(value))
    if not found:
        return None
    year, month, of_month = int(found[1]), int(found[2]), int(found[3] or 1)
    return (day.year - year) * 12 + day.month - month - (day.day < of_month)


def judge_last_release(value: Any, day: datetime.date) -> Judged | None:
    """Judge how many whole years ago the last release was, up to two."""
    months = months_since_release(value, day)
    if months is None:
        return None
    return scale(min(max(months, 0) // 12, 2), f"{value}")


def judge_releases(value: Any, _: datetime.date) -> Judged | None:
    """Judge the number of releases: more are better."""
    return (float(value), f"{value:.0f} in 24 months", 1 / (value + 1)) if isinstance(value, int | float) else None


def judge_share(value: Any, _: datetime.date) -> Judged | None:
    """Judge a share of the commits in per cent, which may follow a name: `google.com 89.3%`."""
    found = re.search(r"(\d+(?:\.\d+)?)\s*%?$", str(value))
    return (float(found[1]), str(value) if "%" in str(value) else f"{value} %", float(found[1]) + 1) if found else None
