"""The verdict: which framework to choose if one values X, why, how surely, and what speaks for the second.

Read from the records of one run. What does not conform, or does not meet a requirement, is named and not scored.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..common.errors import InputError
from ..common.statistics import Interval
from ..common.toml import nearest
from ..report.report import Report
from . import criteria as known
from . import requirements
from .criteria import CRITERIA, Key, Measure, Reading, Source
from .requirements import Facts, Requirement
from .scores import NOTHING, Floats, Region, Scores, Stretch

COLUMNS, ROWS = 21, 5
"""Cells of the map over the weights."""


class Weights(NamedTuple):
    """What the user values."""

    criteria: dict[str, float]
    nodes: dict[str, float]
    """Shares of single nodes of the tree: `speed.memory`."""


class Out(NamedTuple):
    """A variant that is scored on nothing."""

    name: str
    why: str


class Place(NamedTuple):
    """A backend in the ranking, by its best variant under the weights."""

    rank: int
    """One more than those that are surely better: what cannot be told apart from the best is first too."""
    name: str
    """`backend:variant`."""
    title: str
    ratio: Interval
    """How many times as good as the leader: the weighted mean of the ratios of all its costs; 1 for the leader."""
    by_criterion: dict[str, float]
    """The same for each criterion alone."""


class Reason(NamedTuple):
    """What one sub-measure does for the first of two."""

    measure: Measure
    first: Reading
    second: Reading
    factor: float
    """The ratio of the costs, raised to the sub-measure's part of the whole: the factors' product is the lead."""
    sure: bool
    """Whether the interval of the ratio excludes 1."""


class Verdict:
    """What the records of a run say under given weights and requirements."""

    def __init__(
        self,
        folder: Path,
        weights: Weights,
        required: Sequence[Requirement] = (),
        facts: Mapping[str, Facts] | None = None,
    ) -> None:
        self.report = Report(folder)
        self.source = Source(self.report)
        self.weights, self.required, self.facts = weights, tuple(required), facts or {}
        self.out: list[Out] = []
        self.entries = self._candidates()
        self.measures, self.partly, self.absent = self._measured()

    # Who, and on what

    def _candidates(self) -> list[Key]:
        """Return who can be chosen; note all others with the reason."""
        keys = []
        timed = {key[:2] for key in self.report.step_times if not key[2]}
        for row in self.report.rows:
            key: Key = (row["backend"], row["variant"])
            if row["failure"]:
                reasons = [str(row["failure"]).splitlines()[0]]
            elif not row["conforms"]:
                reasons = ["its conformance was not checked in this run"]
            elif timed and key not in timed:
                reasons = ["it was not timed to the end of every round, as others were"]
            else:
                reasons = requirements.unmet(self.required, self.source, key, self.facts.get(key[0], Facts()))
            if reasons:
                self.out.append(Out(":".join(key), "; ".join(reasons)))
            else:
                keys.append(key)
        return keys

    def _measured(self) -> tuple[list[Measure], dict[Measure, list[str]], list[Measure]]:
        """Return what all candidates have, who lacks what only some have, and what none has."""
        whole, partly, absent = [], {}, []
        self.readings = {
            measure: {key: measure.read(self.source, key) for key in self.entries}
            for measure in known.of(self.source, self.entries)
        }
        for measure, readings in self.readings.items():
            lacking = [":".join(key) for key, reading in readings.items() if reading is None]
            if not lacking and readings:
                whole.append(measure)
            elif len(lacking) < len(readings):
                partly[measure] = lacking
            else:
                absent.append(measure)
        return whole, partly, absent

    def reading(self, measure: Measure, key: Key) -> Reading:
        """Return the reading of a candidate, of a measure that all have."""
        reading = self.readings[measure][key]
        if reading is None:
            raise LookupError(f"{measure.record} of {key}")
        return reading

    @property
    def unrecorded(self) -> list[str]:
        """What would count and has no record in this run."""
        changes = any(measure.node == known.CHANGES for measure in self.readings)
        return [measure.record for measure in self.absent] + ([] if changes else ["ease/change: ..."])

    # The scores

    @cached_property
    def scores(self) -> Scores:
        """The candidates, scored on what all of them have."""
        costs = np.array([[self.reading(measure, key).cost for measure in self.measures] for key in self.entries])
        low, high = self._intervals()
        criteria = [measure.criterion for measure in self.measures]
        return Scores([key[0] for key in self.entries], criteria, self._shares(self.measures), costs, low, high)

    def _shares(self, measures: Sequence[Measure]) -> list[float]:
        return known.shares(measures, self.weights.nodes)

    def _intervals(self) -> tuple[Floats, Floats]:
        """Return (candidates, candidates, measures): the least and the most that the logarithm of a ratio can be."""
        size = len(self.entries)
        low, high = (np.zeros((size, size, len(self.measures))) for _ in range(2))
        for place, measure in enumerate(self.measures):
            bounds = np.log([self.reading(measure, key).bounds for key in self.entries])
            low[:, :, place] = bounds[:, None, 0] - bounds[None, :, 1]
            high[:, :, place] = bounds[:, None, 1] - bounds[None, :, 0]
            if measure.node == "speed.step":
                for one, other in itertools.combinations(range(size), 2):
                    if self.entries[one][0] != self.entries[other][0]:
                        ratio = np.log(known.paired(self.source, self.entries[one], self.entries[other]))
                        low[one, other, place], high[one, other, place] = ratio[1], ratio[2]
                        low[other, one, place], high[other, one, place] = -ratio[2], -ratio[1]
        return low, high

    @property
    def criteria(self) -> list[str]:
        """The criteria that have a sub-measure which all candidates have."""
        found = {measure.criterion for measure in self.measures}
        return [criterion for criterion in CRITERIA if criterion in found]

    @property
    def decided(self) -> bool:
        """Whether anything is left to rank, and anything with a weight to rank it by."""
        return bool(self.entries) and any(self.weights.criteria[criterion] > 0 for criterion in self.criteria)

    @cached_property
    def vector(self) -> Floats:
        """The weights by the scores' criteria, summing to 1."""
        return self.scores.vector(self.weights.criteria)

    @cached_property
    def order(self) -> list[int]:
        """The best variant of every backend, as places among the candidates; the best first."""
        return self.scores.represent(self.vector)

    @cached_property
    def ranking(self) -> list[Place]:
        """All backends, the best first."""
        scores, first = self.scores, self.order[0]
        places = []
        for place in self.order:
            better = sum(scores.lead(other, place, self.vector)[1] > NOTHING for other in self.order)
            ratio = [math.exp(each) for each in scores.lead(place, first, self.vector)] if place != first else [1.0] * 3
            merits = np.exp(scores.merits[place] - scores.merits[first])
            key = self.entries[place]
            by_criterion = {one: float(merits[scores.criteria.index(one)]) for one in self.criteria}
            places.append(Place(1 + better, ":".join(key), self.title(key[0]), Interval(*ratio), by_criterion))
        return places

    @property
    def tied(self) -> list[Place]:
        """Those that cannot be told apart from the leader, the leader with them: a verdict only if it is alone."""
        return [place for place in self.ranking if place.rank == 1]

    def title(self, backend: str) -> str:
        """Return the framework's name; with its backend where another backend in the run has the same."""
        titles = {name: each["title"] for name, each in self.report.header["backends"].items()}
        alone = list(titles.values()).count(titles[backend]) == 1
        return str(titles[backend]) if alone else f"{titles[backend]} ({backend})"

    # Reasons

    @cached_property
    def reasons(self) -> list[Reason]:
        """What each sub-measure with a weight does for the leader against the second; the most for it first."""
        if len(self.order) < 2:
            return []
        first, second = self.order[:2]
        parts = self.scores.effective(self.vector)
        reasons = []
        for place, measure in enumerate(self.measures):
            log = self.scores.logs[second, place] - self.scores.logs[first, place]
            least, most = (bounds[second, first, place] for bounds in (self.scores.low, self.scores.high))
            one, other = (self.reading(measure, self.entries[each]) for each in (first, second))
            if parts[place] > 0:
                sure = bool(least > NOTHING or most < -NOTHING)
                reasons.append(Reason(measure, one, other, math.exp(parts[place] * log), sure))
        return sorted(reasons, key=lambda reason: -reason.factor)

    # How robust it is

    @cached_property
    def stretches(self) -> dict[str, list[Stretch]]:
        """Who leads as each criterion's weight changes, the others as they are."""
        others = {
            one: sum(self.weights.criteria[each] for each in self.criteria if each != one) for one in self.criteria
        }
        return {one: self.scores.stretches(self.weights.criteria, one) for one in self.criteria if others[one] > 0}

    @cached_property
    def regions(self) -> list[Region]:
        """The share of all weightings that each backend leads."""
        return self.scores.regions()

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The backend that leads if one sub-measure is left out, by its record; only where it is another."""
        leader = self.scores.leader(self.vector)
        found = {}
        for place, measure in enumerate(self.measures):
            rest = [each for each in self.measures if each is not measure]
            if any(self.weights.criteria[each.criterion] > 0 for each in rest):
                scores = self.scores.without(place, self._shares(rest))
                changed = scores.leader(scores.vector(self.weights.criteria))
                if changed != leader:
                    found[measure.record] = changed
        return found

    @cached_property
    def factors(self) -> list[tuple[Measure, float]]:
        """By how many times the leader's amount would have to be worse for the second to draw level; least first."""
        factors = self.scores.factors(self.vector)
        pairs = [(measure, float(factor)) for measure, factor in zip(self.measures, factors, strict=True)]
        return sorted((pair for pair in pairs if math.isfinite(pair[1])), key=lambda pair: pair[1])

    @cached_property
    def axes(self) -> tuple[str, str] | None:
        """The two criteria of most weight, between which the map goes; None where there are no two."""
        order = sorted(self.criteria, key=lambda one: -self.weights.criteria[one])
        return (order[0], order[1]) if len(order) > 1 else None

    @cached_property
    def map(self) -> list[tuple[float, list[tuple[str, bool]]]]:
        """Rows of the map: the share of all other criteria, and who leads in each column, and whether surely.

        From the left to the right the rest of the weight goes from the first axis to the second.
        """
        if self.axes is None:
            return []
        others = [one for one in self.criteria if one not in self.axes]
        given = {one: self.weights.criteria[one] for one in others}
        if not sum(given.values()):
            given = dict.fromkeys(others, 1.0)
        rows = []
        for share in np.arange(ROWS) / ROWS if others else [0.0]:
            cells = []
            for split in np.linspace(0, 1, COLUMNS):
                weights = {one: share * each / sum(given.values()) for one, each in given.items()}
                weights |= {self.axes[0]: (1 - share) * (1 - split), self.axes[1]: (1 - share) * split}
                vector = self.scores.vector(weights)
                first, *rest = self.scores.represent(vector)
                sure = not any(self.scores.tied(first, other, vector) for other in rest)
                cells.append((self.scores.owners[first], sure))
            rows.append((float(share), cells))
        return rows

    @property
    def here(self) -> tuple[int, int]:
        """The row and column of the map nearest to the given weights."""
        if self.axes is None:
            return 0, 0
        given = self.weights.criteria
        first, second = (given[axis] for axis in self.axes)
        rest = 1 - (first + second) / sum(given[one] for one in self.criteria)
        split = second / (first + second) if first + second else 0.0
        return min(round(rest * ROWS), len(self.map) - 1), round(split * (COLUMNS - 1))

    # For programs

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        both: dict[str, Any] = {
            "run": str(self.report.folder),
            "remarks": self.report.remarks(),
            "weights": {**self.weights.criteria, **self.weights.nodes},
            "required": [each.word for each in self.required],
            "out": [each._asdict() for each in self.out],
            "left_out_of_all": {measure.record: lacking for measure, lacking in self.partly.items()},
            "not_recorded": self.unrecorded,
            "winner": None,
        }
        if not self.decided:
            return both
        parts = self.scores.effective(self.vector)
        return both | {
            "winner": self.ranking[0].name if len(self.tied) == 1 else None,
            "tied": [place.name for place in self.tied],
            "ranking": [
                {**place._asdict(), "ratio": place.ratio._asdict(), "share_of_weightings": self._share(place.name)}
                for place in self.ranking
            ],
            "reasons": [
                {
                    "record": reason.measure.record,
                    "node": reason.measure.node,
                    "leader": reason.first.shown,
                    "second": reason.second.shown,
                    "factor": reason.factor,
                    "significant": reason.sure,
                }
                for reason in self.reasons
            ],
            "weights_that_change_it": {
                one: [stretch._asdict() | {"high": _finite(stretch.high)} for stretch in stretches]
                for one, stretches in self.stretches.items()
            },
            "criteria": list(self.scores.criteria),
            "regions": [region._asdict() for region in self.regions],
            "measures_that_change_it_if_left_out": self.left_out,
            "factors_that_change_it": {measure.record: factor for measure, factor in self.factors},
            "measures": [
                {
                    "record": measure.record,
                    "title": measure.title,
                    "node": measure.node,
                    "rule": measure.rule,
                    "weight": float(part),
                    "readings": {":".join(key): self._explained(measure, key) for key in self.entries},
                }
                for measure, part in zip(self.measures, parts, strict=True)
            ],
        }

    def _share(self, name: str) -> float:
        return next(region.share for region in self.regions if region.owner == name.partition(":")[0])

    def _explained(self, measure: Measure, key: Key) -> dict[str, Any]:
        reading = self.reading(measure, key)
        low, high = reading.bounds
        best = min(self.reading(measure, each).cost for each in self.entries)
        fields = {"amount": reading.amount, "shown": reading.shown, "cost": reading.cost, "low": low, "high": high}
        return {**fields, "score": best / reading.cost, "note": reading.note}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def parse_weights(text: str | None) -> Weights:
    """Return the weights in `ease=2,speed=1,speed.memory=0`. Raises InputError for what is none.

    A criterion that is not named has none; where no criterion is named, each has 1.
    """
    given: dict[str, float] = {}
    for part in text.split(",") if text is not None else ():
        name, sign, number = (word.strip() for word in part.partition("="))
        if not sign or not name:
            raise InputError(f"--weights {text}: expected NAME=NUMBER such as ease=2, got {part.strip()!r}.")
        if name not in NODES:
            raise InputError(f"--weights {text}: nothing is called {name}. {nearest(name, NODES)}")
        if name in given:
            raise InputError(f"--weights {text}: {name} is given twice. Give it once.")
        given[name] = _weight(str(text), name, number)
    criteria = {name: weight for name, weight in given.items() if name in CRITERIA}
    nodes = {name: weight for name, weight in given.items() if name not in CRITERIA}
    criteria = dict.fromkeys(CRITERIA, 0.0) | criteria if criteria else dict.fromkeys(CRITERIA, 1.0)
    if not any(criteria.values()):
        raise InputError(f"--weights {text}: expected one criterion with a weight above 0; all are 0.")
    return Weights(criteria, nodes)


def _weight(text: str, name: str, number: str) -> float:
    try:
        weight = float(number)
    except ValueError:
        raise InputError(f"--weights {text}: {name}: expected a number, got {number!r}.") from None
    if not 0 <= weight <= 1e6:
        raise InputError(f"--weights {text}: {name}: expected a number from 0 to 1,000,000, got {number}.")
    return weight


def _nodes() -> list[str]:
    """Return the criteria and every node below them."""
    leaves = [*(measure.node for measure in known.MEASURES), known.CHANGES]
    parents = {leaf.rsplit(".", depth)[0] for leaf in leaves for depth in range(leaf.count("."))}
    return [*CRITERIA, *sorted(parents - set(CRITERIA))]


NODES = _nodes()
"""Whatever a weight can be given to."""
