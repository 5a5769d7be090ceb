"""What enters a choice: sub-measures read from a run's records, each as a cost above 0. docs/explanation/verdict.md lists them.

Sub-measures hang on a tree; what hangs on one node shares its weight. An amount enters as it is, or, where more is
better, as its inverse; a count, which can be 0, as the count plus one; a step of an ordered scale as a factor of 2.
"""

import datetime
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..common.errors import InputError
from ..common.statistics import Interval
from ..measures.agreement.case import LOSES_PRECISION
from ..measures.openness.facts import age
from ..measures.openness.licences import approved
from ..records import read as records_read
from ..records.read import Record
from ..report.report import Report
from ..report.text import in_time

CRITERIA = ("ease", "speed", "agreement", "open")

SHARES = {"ease.writing": 4.0, "ease.setup": 1.0, "speed.step": 8.0, "speed.start": 1.0, "speed.memory": 1.0}
"""Of a node against its siblings, where it is not 1: what a criterion is named for has four fifths of it."""

OUTDATED = 2.0
"""The factor of a step on an ordered scale."""

Key = tuple[str, str]
"""A backend and its variant."""


class Reading(NamedTuple):
    """What the records say of one alternative on one sub-measure."""

    amount: float
    """In the unit of the sub-measure; on an ordered scale the number of the step, the best is 0."""
    shown: str
    """As people read it, with its unit."""
    cost: float
    """Above 0, smaller is better."""
    low: float = np.nan
    high: float = np.nan
    """The interval of the cost; NaN where it was counted and has none."""
    note: str = ""
    """Source and date of what was looked up, and `stale`."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval, or the cost twice."""
        return (self.cost, self.cost) if np.isnan(self.low) else (self.low, self.high)


class Measure(NamedTuple):
    """A sub-measure."""

    record: str
    """`measure/quantity`, as in records.jsonl; quantities joined by + where it is their sum."""
    title: str
    node: str
    """Where it hangs: `ease.writing.code.size`."""
    rule: str
    """How an amount becomes a cost."""
    read: Callable[["Source", Key], Reading | None]
    """The reading of one alternative; None where no record has it."""

    @property
    def criterion(self) -> str:
        """The root of its node."""
        return self.node.partition(".")[0]

    @property
    def path(self) -> str:
        """Its node and itself: no other has the same."""
        return f"{self.node}.{self.record.rpartition('/')[2]}"


AMOUNT, INVERSE, COUNT, SCALE = "as it is", "its inverse", "plus one", f"a factor of {OUTDATED:g} a step"


class Source:
    """A run's records, as the sub-measures ask for them."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.day = datetime.date.fromisoformat(str(report.header["created"])[:10])
        """Of the run: ages are counted up to it."""

    @cached_property
    def _by(self) -> dict[tuple[str, str], list[Record]]:
        """The records but those of single slices, by measure and quantity, each with the fields that it has."""
        by: dict[tuple[str, str], list[Record]] = {}
        records = self.report.records
        for row in records[~records["quantity"].isin(["slice", "warm-up"])].to_dict("records"):
            record = {str(name): value for name, value in row.items() if not _is_missing(value)}
            by.setdefault((record["measure"], record["quantity"]), []).append(record)
        return by

    def where(self, measure: str, quantity: str, key: Key) -> list[Record]:
        """Return the records of a quantity that speak of a variant, or of its backend as a whole; not the control's."""
        return [
            record
            for record in self._by.get((measure, quantity), [])
            if record.get("backend") == key[0]
            and record.get("variant", key[1]) == key[1]
            and record.get("control") is not True
        ]

    def last(self, measure: str, quantity: str, key: Key) -> Record | None:
        """Return the last such record."""
        rows = self.where(measure, quantity, key)
        return rows[-1] if rows else None

    def number(self, measure: str, quantity: str, key: Key) -> float | None:
        """Return the value of the last such record; None where there is none, or it is no number of at least 0."""
        record = self.last(measure, quantity, key)
        value = None if record is None else record.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            return None
        return float(value) if np.isfinite(value) and value >= 0 else None

    def quantities(self) -> list[tuple[str, str]]:
        """Return every measure and quantity of which there is a record."""
        return list(self._by)

    @cached_property
    def ended(self) -> set[str]:
        """The tasks that came to their end."""
        return {record["task"] for record in self._by.get(("task", "finished"), [])}

    @property
    def complete(self) -> bool:
        """Whether the run did."""
        return records_read.is_complete(self.ended, self.report.header)

    @cached_property
    def checked(self) -> pd.DataFrame:
        """What `bakeoff check --records` left in the run's folder as check.csv.gz: empty where it did not."""
        path = self.report.folder / "check.csv.gz"
        try:
            return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["backend"])
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: expected what `bakeoff check --records` writes, got: {error}") from None

    @cached_property
    def _mistakes(self) -> list[Record]:
        """Return what `bakeoff mistakes --records` left in the run's folder as mistakes.jsonl; else the run's own."""
        path = self.report.folder / "mistakes.jsonl"
        try:
            rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
            return rows or self._by.get(("mistakes", "outcome"), [])
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: expected what `bakeoff mistakes --records` writes, got: {error}") from None

    def mistakes(self, key: Key) -> list[str]:
        """Return what each mistake came to; empty where none was tried with this version."""
        version = self.report.header["backends"][key[0]]["version"]
        return [
            str(row["value"])
            for row in self._mistakes
            if (row.get("backend"), row.get("variant"), row.get("quantity")) == (*key, "outcome")
            and row.get("version", version) in (version, "")
        ]

    def determinism(self, key: Key) -> dict[str, bool]:
        """Return whether the bits were the same, by what was tried; empty where nothing was."""
        checked = self.checked
        mine = checked[checked["backend"].eq(key[0])]
        if len(mine):
            mine = mine[mine["variant"].eq(key[1]) & mine["check"].eq("determinism")]
        return {str(row["array"]): row["status"] == "yes" for row in mine.to_dict("records")}


def _is_missing(value: Any) -> bool:
    """Whether a cell of the table stands for a field that its record does not have."""
    return value is None or (isinstance(value, float) and np.isnan(value))


# How an amount becomes a reading


def _amount(measure: str, quantity: str, show: Callable[[float], str]) -> Callable[[Source, Key], Reading | None]:
    def read(source: Source, key: Key) -> Reading | None:
        value = source.number(measure, quantity, key)
        return Reading(value, show(value), value) if value else None

    return read


def _count(measure: str, quantity: str, unit: str) -> Callable[[Source, Key], Reading | None]:
    def read(source: Source, key: Key) -> Reading | None:
        value = source.number(measure, quantity, key)
        return None if value is None else Reading(value, f"{value:,.0f} {unit}", value + 1)

    return read


def _step(source: Source, key: Key) -> Reading | None:
    if (*key, False) not in source.report.step_times:
        return None
    step = source.report.step(key)
    shown = f"{in_time(step.estimate)} [{in_time(step.low)}, {in_time(step.high)}]"
    return Reading(step.estimate, shown, step.estimate, step.low, step.high)


def _over_rounds(parts: Sequence[str], show: Callable[[float], str]) -> Callable[[Source, Key], Reading | None]:
    """Read the median over the rounds of a sum; its interval is from the least to the most that a round had."""

    def read(source: Source, key: Key) -> Reading | None:
        rounds = [{row.get("round"): float(row["value"]) for row in source.where("speed", part, key)} for part in parts]
        whole = set.intersection(*(set(each) for each in rounds))
        sums = [sum(each[number] for each in rounds) for number in whole]
        if not sums or min(sums) <= 0:
            return None
        middle, low, high = float(np.median(sums)), min(sums), max(sums)
        shown = f"{show(middle)} [{show(low)}, {show(high)}]" if show(low) != show(high) else show(middle)
        return Reading(middle, shown, middle, low, high) if len(sums) > 1 else Reading(middle, shown, middle)

    return read


def _floors(source: Source, key: Key) -> Reading | None:
    """Up to LOSES_PRECISION floors nothing is lost but rounding: there one is no better than another."""
    rows = source.where("agreement", "floors", key)
    worst = max((float(row["value"]) for row in rows if row.get("gated") is True), default=np.nan)
    if not np.isfinite(worst):
        return None
    within = " (rounding)" if worst <= LOSES_PRECISION else ""
    return Reading(float(worst), f"{worst:.1f} floors{within}", max(float(worst), float(LOSES_PRECISION)))


def _known_failures(source: Source, key: Key) -> Reading | None:
    checks = source.where("agreement", "check", key)
    if not checks:
        return None
    known = len({row["check"] for row in checks if row["value"] == "known failure"})
    return Reading(known, f"{known} of {len({row['check'] for row in checks})} checks", known + 1)


def _unnoticed(source: Source, key: Key) -> Reading | None:
    """Of the mistakes that were tried: those of which nothing was said, and whose result is wrong."""
    outcomes = source.mistakes(key)
    if not outcomes or "not written" in outcomes:
        return None
    tried = [each for each in outcomes if each != "not possible"]
    silent = sum(each in SILENT for each in tried)
    return Reading(silent, f"{silent} of {len(tried)}", silent + 1)


def _departures(source: Source, key: Key) -> Reading | None:
    """They are computed once training and checks are done: before, that there is none means nothing."""
    if not (f"train {':'.join(key)}" in source.ended and source.complete):
        return None
    found = len({row["convention"] for row in source.where("agreement", "departure", key)})
    return Reading(found, f"{found} convention{'' if found == 1 else 's'}", found + 1)


def _bits(source: Source, key: Key) -> Reading | None:
    """How often the bits were not the same: twice, in two processes, with other threads."""
    answers = source.determinism(key)
    if not answers:
        return None
    other = sum(not same for same in answers.values())
    return Reading(other, f"{other} of {len(answers)} times other bits", other + 1)


def _fact(
    key: str, judge: Callable[[Any, datetime.date], tuple[float, str, float] | None]
) -> Callable[..., Reading | None]:
    """Read a fact of openness; `judge` returns (amount, shown, cost), or None where the fact tells nothing."""

    def read(source: Source, who: Key) -> Reading | None:
        record = source.last("openness", key, who)
        judged = None if record is None else judge(record["value"], source.day)
        if record is None or judged is None:
            return None
        asof = str(record.get("asof", "unknown"))
        old = age(asof, source.day, past=False)
        return Reading(*judged, note=f"{record.get('source', '')}, {asof}{f', {old}' if old else ''}")

    return read


def _scale(step: int, shown: str) -> tuple[float, str, float]:
    return float(step), shown, OUTDATED**step


def _licence(value: Any, _: datetime.date) -> tuple[float, str, float] | None:
    approval = approved(str(value))
    if approval is None:
        return None
    return _scale(0, f"{value}, OSI-approved") if approval else _scale(1, f"{value}, not OSI-approved")


SILENT = ("NaN", "wrong", "hung")
"""Outcomes of a mistake of which nothing was said, and which did harm."""

GOVERNED = {"foundation": 0, "community": 0, "single company": 1, "single institution": 1}
"""How the fact `governance` begins, and its step: whether more than one party decides."""


def _governance(value: Any, _: datetime.date) -> tuple[float, str, float] | None:
    begins = next((words for words in GOVERNED if str(value).lower().startswith(words)), None)
    return None if begins is None else _scale(GOVERNED[begins], begins)


def since_release(value: Any, day: datetime.date) -> int | None:
    """Return the months from a release, whose date may lack its day, up to `day`; None for what is no date."""
    found = re.match(r"(\d{4})-(\d\d)(?:-(\d\d))?\b", str(value))
    if not found:
        return None
    year, month, of_month = int(found[1]), int(found[2]), int(found[3] or 1)
    return (day.year - year) * 12 + day.month - month - (day.day < of_month)


def _last_release(value: Any, day: datetime.date) -> tuple[float, str, float] | None:
    months = since_release(value, day)
    if months is None:
        return None
    return _scale(min(max(months, 0) // 12, 2), f"{value}")


def _releases(value: Any, _: datetime.date) -> tuple[float, str, float] | None:
    return (float(value), f"{value:.0f} in 24 months", 1 / (value + 1)) if isinstance(value, int | float) else None


def _percent(value: Any, _: datetime.date) -> tuple[float, str, float] | None:
    """A share of 0 would be nobody's; `google.com 89.3%` names whose it is."""
    found = re.search(r"(\d+(?:\.\d+)?)\s*%?$", str(value))
    return (float(found[1]), str(value) if "%" in str(value) else f"{value} %", float(found[1]) + 1) if found else None


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _minutes(value: float) -> str:
    return f"{value:,.0f} s"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"


START = ("import", "build", "transfer", "first call")
"""What passes before the second call: one after the other, in seconds."""

FIGURES = {
    "logical lines": ("size", "lines"),
    "tokens": ("size", "tokens"),
    "nodes": ("size", "nodes"),
    "cyclomatic complexity": ("complexity", "paths"),
    "cognitive complexity": ("complexity", "points"),
    "names": ("vocabulary", "names"),
    "attributes": ("vocabulary", "attributes"),
    "concepts": ("vocabulary", "concepts"),
}
"""The figures of ease that a choice counts, each with its part of the code and its unit. Not `arguments`: fewer of them
is no easier, as who computes by hand gives none."""


def _code() -> Iterator[Measure]:
    for figure, (part, unit) in FIGURES.items():
        node = f"ease.writing.code.{part}"
        yield Measure(f"ease/{figure}", figure, node, COUNT, _count("ease", figure, unit))


MEASURES = (
    *_code(),
    Measure(
        "deployment/install size", "installed", "ease.setup", AMOUNT, _amount("deployment", "install size", _megabytes)
    ),
    Measure(
        "deployment/install time", "install", "ease.setup", AMOUNT, _amount("deployment", "install time", _minutes)
    ),
    Measure("deployment/packages", "packages", "ease.setup", COUNT, _count("deployment", "packages", "packages")),
    Measure("mistakes/outcome", "unnoticed mistakes", "ease.writing.mistakes", COUNT, _unnoticed),
    Measure("speed/slice", "step", "speed.step", AMOUNT, _step),
    Measure(f"speed/{' + '.join(START)}", "start", "speed.start", AMOUNT, _over_rounds(START, _seconds)),
    Measure("speed/peak memory", "memory", "speed.memory", AMOUNT, _over_rounds(["peak memory"], _megabytes)),
    Measure("agreement/floors", "worst floors", "agreement.rounding", AMOUNT, _floors),
    Measure("agreement/check", "known failures", "agreement.checks", COUNT, _known_failures),
    Measure("agreement/departure", "departures", "agreement.departures", COUNT, _departures),
    Measure("check.csv.gz/determinism", "other bits", "agreement.determinism", COUNT, _bits),
    Measure("openness/licence", "licence", "open.licence", SCALE, _fact("licence", _licence)),
    Measure("openness/governance", "governance", "open.governance", SCALE, _fact("governance", _governance)),
    Measure("openness/releases_24m", "releases", "open.upkeep", INVERSE, _fact("releases_24m", _releases)),
    Measure(
        "openness/last_release_date", "last release", "open.upkeep", SCALE, _fact("last_release_date", _last_release)
    ),
    Measure(
        "openness/top_author_share", "top author", "open.concentration", COUNT, _fact("top_author_share", _percent)
    ),
    Measure(
        "openness/top_organisation_share",
        "top organisation",
        "open.concentration",
        COUNT,
        _fact("top_organisation_share", _percent),
    ),
)
"""Those that every run can have."""

CHANGES = "ease.writing.changes"
"""Where `ease/change: ...` hangs: a record for each change that was asked of every backend."""


def of(source: Source, keys: Sequence[Key]) -> list[Measure]:
    """Return the sub-measures of a run: those above, and changes.

    What the changes cost is summed over those that all of `keys` can make; each other change stands for itself.
    """
    names = [name for measure, name in source.quantities() if measure == "ease" and name.startswith("change: ")]
    common = [name for name in names if all(_change([name])(source, key) is not None for key in keys)]
    together = " + ".join(name.removeprefix("change: ") for name in common)
    summed = [Measure(f"ease/change: {together}", "changes", CHANGES, COUNT, _change(common))] if common else []
    alone = [Measure(f"ease/{name}", name, CHANGES, COUNT, _change([name])) for name in names if name not in common]
    return [*MEASURES, *summed, *alone]


def _change(names: Sequence[str]) -> Callable[[Source, Key], Reading | None]:
    """Read the tokens of changes, in the model and around it; None where one is not possible, or not counted."""

    def read(source: Source, key: Key) -> Reading | None:
        tokens = 0.0
        for name in names:
            inside, record = source.number("ease", name, key), source.last("ease", name, key)
            if inside is None or record is None:
                return None
            tokens += inside + float(record.get("caller", 0))
        return Reading(tokens, f"{tokens:,.0f} tokens", tokens + 1)

    return read


def shares(measures: Sequence[Measure], own: Mapping[str, float]) -> list[float]:
    """Return the part of its criterion that each decides: a node's share is divided among what hangs on it.

    `own` are shares by node, which go before SHARES; a node without any share of its own has 1.
    """
    children: dict[str, list[str]] = {}
    for measure in measures:
        for parent, child in _steps(measure.path):
            if child not in children.setdefault(parent, []):
                children[parent].append(child)

    def share(node: str) -> float:
        return own.get(node, SHARES.get(node, 1.0))

    result = []
    for measure in measures:
        part = 1.0
        for parent, child in _steps(measure.path):
            whole = sum(share(each) for each in children[parent])
            part *= share(child) / whole if whole else 0.0
        result.append(part)
    return result


def _steps(path: str) -> Iterator[tuple[str, str]]:
    """Yield (parent, child) from the criterion down: `a.b.c` has (a, a.b) and (a.b, a.b.c)."""
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]), ".".join(parts[: length + 1])


def paired(source: Source, first: Key, second: Key) -> Interval:
    """Return the ratio of two step times, from the turns that they took together."""
    return source.report.ratio(first, second)
