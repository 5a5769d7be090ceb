"""The verdict: the frameworks of a run ranked by the user's weights, with reasons, uncertainty and sensitivity.

A variant that is not correct, or does not meet a requirement, is excluded: it is named with the reason and not scored.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..common.statistics import Interval
from ..report.report import Report
from .criteria import CRITERIA, SubMeasure, compute_shares, select_sub_measures
from .export import export_verdict
from .readings import Reading
from .requirements import Answered, DeclaredSupport, Requirement, answer_all
from .run_records import Key, RunRecords
from .scope import read_scope
from .scores import NOTHING, Floats, Region, Scores, Stretch
from .unknown import Apart, list_unknown, score_range
from .weight_map import WeightMap
from .weights import Weights
from .workloads import WorkloadEffect, find_effects


class Excluded(NamedTuple):
    """A variant that is not scored, and the reason."""

    name: str
    why: str


class RankedBackend(NamedTuple):
    """A backend in the ranking, by its best variant under the weights."""

    rank: int
    """One more than the number of those that are certainly better: a tie with the best is first, too."""
    name: str
    """`backend:variant`."""
    title: str
    score: float
    """The weighted mean of reference / cost of all its sub-measures: of this backend alone, whoever else is present."""
    ratio: Interval
    """How many times as good as the leader: the quotient of the scores; 1 for the leader."""
    by_criterion: dict[str, float]
    """The score in each criterion alone."""


class Reason(NamedTuple):
    """The effect of one sub-measure on the comparison of two backends."""

    measure: SubMeasure
    first: Reading
    second: Reading
    factor: float
    """The ratio of the costs, raised to the sub-measure's part of the whole: the factors' product is the lead."""
    certain: bool
    """Whether the interval of the ratio excludes 1."""


class Verdict:
    """The ranking of the backends of a run under the user's weights and requirements."""

    def __init__(
        self,
        run: Path | Report,
        weights: Weights,
        required: Sequence[Requirement] = (),
        support: Mapping[str, DeclaredSupport] | None = None,
    ) -> None:
        self.report = run if isinstance(run, Report) else Report(run)
        self.records = RunRecords(self.report)
        self.scope = read_scope(self.report.header)
        self.weights, self.required, self.support = weights, tuple(required), support or {}
        self.excluded: list[Excluded] = []
        self.answers: list[Answered] = []
        self.candidates = self._select_candidates()
        self.asked, self.not_tried = select_sub_measures(self.records)
        self.readings = {
            measure: {key: measure.read(self.records, key) for key in self.candidates} for measure in self.asked
        }
        self.weighted = self._weigh()
        self.entries = [key for key in self.candidates if not list_unknown(self.weighted, self.readings_of(key))]
        self.measures = self._select_measures()

    # Who, and on what

    def _select_candidates(self) -> list[Key]:
        """Return the variants that can be chosen; exclude all others with the reason."""
        keys = []
        timed = set(self.report.step_times.variants)
        for key in self.report.entries:
            failure = self.records.failure(key)
            if failure:
                reasons = [failure.splitlines()[0]]
            elif not self.records.is_checked(key):
                reasons = [f"its correctness in {self.records.dtype} was not checked in this run"]
            elif timed and key not in timed:
                reasons = ["it was not timed to the end of every round, and other variants were"]
            else:
                answers = answer_all(self.required, self.records, key, self.support.get(key[0], DeclaredSupport()))
                self.answers += answers
                reasons = [f"{answer.requirement}: {answer.why}" for answer in answers if not answer.met]
            if reasons:
                self.excluded.append(Excluded(":".join(key), "; ".join(reasons)))
            else:
                keys.append(key)
        return keys

    def _weigh(self) -> list[tuple[SubMeasure, float]]:
        """Return every sub-measure that the run is asked for with its part of the whole, whoever is present."""
        criteria = self.weights.criteria
        total = sum(criteria.values())
        shares = self._shares(self.asked)
        return [
            (measure, share * criteria[measure.criterion] / total)
            for measure, share in zip(self.asked, shares, strict=True)
        ]

    def readings_of(self, key: Key) -> dict[SubMeasure, Reading | None]:
        """Return every reading of a candidate; None where it is unknown."""
        return {measure: readings[key] for measure, readings in self.readings.items()}

    def _select_measures(self) -> list[SubMeasure]:
        """Return the sub-measures that are scored: all that have a weight, and what else all ranked candidates have.

        A criterion without a weight that one of them lacks is left out as a whole: no other weight can be tried on it.
        """
        lacked = [measure for measure in self.asked if any(self.readings[measure][key] is None for key in self.entries)]
        dropped = {measure.criterion for measure in lacked if not self.weights.criteria[measure.criterion]}
        return [measure for measure in self.asked if measure not in lacked and measure.criterion not in dropped]

    @property
    def unknown(self) -> dict[SubMeasure, list[str]]:
        """The candidates without a value, by sub-measure."""
        lacking = {
            measure: [":".join(key) for key, reading in readings.items() if reading is None]
            for measure, readings in self.readings.items()
        }
        return {measure: names for measure, names in lacking.items() if names}

    @cached_property
    def apart(self) -> list[Apart]:
        """The backends without a variant of which everything that has a weight is known; the best first."""
        ranked = {key[0] for key in self.entries}
        best: dict[str, Apart] = {}
        for key in self.candidates:
            if key[0] not in ranked:
                readings = self.readings_of(key)
                missing = list_unknown(self.weighted, readings)
                records = tuple(measure.record for measure in missing)
                nodes = tuple(dict.fromkeys(measure.node for measure in missing))
                bounds = score_range(self.weighted, readings)
                one = Apart(":".join(key), self.title(key[0]), *bounds, records, nodes)
                if key[0] not in best or (one.low, one.high) > (best[key[0]].low, best[key[0]].high):
                    best[key[0]] = one
        return sorted(best.values(), key=lambda one: (-one.low, -one.high))

    @property
    def newer_releases(self) -> dict[str, tuple[str, str, str]]:
        """The measured and the newest known version, and the date of the source, by backend, where they differ."""
        found = {key[0]: self.records.newer_release(key) for key in self.report.entries}
        return {backend: versions for backend, versions in found.items() if versions is not None}

    @property
    def other_faults(self) -> dict[str, dict[str, list[str]]]:
        """What did not pass in a dtype that is not the run's, by variant and dtype: listed, and not scored."""
        found = {":".join(key): self.records.list_other_faults(key) for key in self.report.entries}
        return {name: faults for name, faults in found.items() if faults}

    def reading(self, measure: SubMeasure, key: Key) -> Reading:
        """Return the reading of a candidate, of a sub-measure that all have."""
        reading = self.readings[measure][key]
        if reading is None:
            raise LookupError(f"{measure.record} of {key}")
        return reading

    # The scores

    @cached_property
    def scores(self) -> Scores:
        """The candidates of which everything is known that has a weight; each cost in units of its reference."""
        costs = np.array(
            [[self.reading(measure, key).cost / measure.reference for measure in self.measures] for key in self.entries]
        )
        low, high = self._intervals()
        criteria = [measure.criterion for measure in self.measures]
        return Scores([key[0] for key in self.entries], criteria, self._shares(self.measures), costs, low, high)

    def _shares(self, measures: Sequence[SubMeasure]) -> list[float]:
        return compute_shares(measures, self.weights.nodes)

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
                        ratio = np.log(self._compare_steps(self.entries[one], self.entries[other]))
                        low[one, other, place], high[one, other, place] = ratio[1], ratio[2]
                        low[other, one, place], high[other, one, place] = -ratio[2], -ratio[1]
        return low, high

    def _compare_steps(self, first: Key, second: Key) -> Interval:
        results = self.report.suite_results
        return results.compare(first, second) if results else self.report.step_times.ratio(first, second)

    @cached_property
    def workload_effects(self) -> list[WorkloadEffect]:
        """Who leads without each workload of a suite, and on it alone; empty where there is no suite."""
        return find_effects(self)

    @property
    def criteria(self) -> list[str]:
        """The criteria that are scored."""
        found = {measure.criterion for measure in self.measures}
        return [criterion for criterion in CRITERIA if criterion in found]

    @property
    def decided(self) -> bool:
        """Whether there is a candidate of which everything is known that has a weight."""
        return bool(self.entries)

    @cached_property
    def vector(self) -> Floats:
        """The weights by the scores' criteria, summing to 1."""
        return self.scores.vector(self.weights.criteria)

    @cached_property
    def order(self) -> list[int]:
        """The best variant of every backend, as places among the candidates; the best first."""
        return self.scores.represent(self.vector)

    @cached_property
    def ranking(self) -> list[RankedBackend]:
        """The backends of which everything with a weight is known, the best first; empty where there is none."""
        if not self.decided:
            return []
        scores, first = self.scores, self.order[0]
        places = []
        for place in self.order:
            better = sum(scores.lead(other, place, self.vector)[1] > NOTHING for other in self.order)
            ratio = [math.exp(each) for each in scores.lead(place, first, self.vector)] if place != first else [1.0] * 3
            merits = np.exp(scores.merits[place])
            key = self.entries[place]
            by_criterion = {one: float(merits[scores.criteria.index(one)]) for one in self.criteria}
            score = math.exp(scores.totals(self.vector)[place])
            name, title = ":".join(key), self.title(key[0])
            places.append(RankedBackend(1 + better, name, title, score, Interval(*ratio), by_criterion))
        return places

    @property
    def tied(self) -> list[RankedBackend]:
        """The leader and those that are not distinguishable from it: there is a winner only where it is alone."""
        return [place for place in self.ranking if place.rank == 1]

    @property
    def rivals(self) -> list[Apart]:
        """The backends that are ranked apart and can be ahead of the leader: while there are any, nobody has won."""
        return [one for one in self.apart if one.high > self.ranking[0].score] if self.decided else self.apart

    def title(self, backend: str) -> str:
        """Return the framework's name; with its backend where another backend in the run is of the same framework."""
        return self.report.title(backend)

    # Reasons

    @cached_property
    def reasons(self) -> list[Reason]:
        """The effect of each weighted sub-measure on the lead over the second; the strongest for the leader first."""
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
                certain = bool(least > NOTHING or most < -NOTHING)
                reasons.append(Reason(measure, one, other, math.exp(parts[place] * log), certain))
        return sorted(reasons, key=lambda reason: -reason.factor)

    # Sensitivity

    @cached_property
    def stretches(self) -> dict[str, list[Stretch]]:
        """The leader as the weight of each criterion changes, the others as they are."""
        others = {
            one: sum(self.weights.criteria[each] for each in self.criteria if each != one) for one in self.criteria
        }
        return {one: self.scores.stretches(self.weights.criteria, one) for one in self.criteria if others[one] > 0}

    @cached_property
    def regions(self) -> list[Region]:
        """The share of all weightings under which each backend leads."""
        return self.scores.regions()

    @cached_property
    def left_out(self) -> dict[str, str]:
        """The backend that leads without one sub-measure, by its record; only where it is another backend."""
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
    def factors(self) -> list[tuple[SubMeasure, float]]:
        """How many times as bad the leader's amount would have to be for the second to draw level; the least first.

        An ordered scale and a count have no such ratio: they are not in it.
        """
        factors = self.scores.factors(self.vector)
        pairs = [(measure, float(factor)) for measure, factor in zip(self.measures, factors, strict=True)]
        finite = [pair for pair in pairs if pair[0].has_ratio and math.isfinite(pair[1])]
        return sorted(finite, key=lambda pair: pair[1])

    @cached_property
    def map(self) -> WeightMap:
        """The leaders over the weights of the two criteria of most weight."""
        return WeightMap(self.scores, self.criteria, self.weights.criteria)

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs."""
        return export_verdict(self)
