"""The workloads that a verdict rests on, and those that would change it."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..report.text import join_words
from .scores import Scores

if TYPE_CHECKING:
    from .verdict import Verdict

STEP = "speed.step"
"""The node of the sub-measure that reads the times of the workloads."""


class WorkloadEffect(NamedTuple):
    """The leaders of a verdict whose workloads are others; the weights and all other values are as they are."""

    workload: str
    without: str
    """The backend that leads without it."""
    alone: str
    """The backend that leads where it is the only workload."""


def find_effects(verdict: "Verdict") -> list[WorkloadEffect]:
    """Return for each workload of a suite who leads without it and on it alone; empty where there is no suite."""
    results = verdict.report.suite_results
    places = [place for place, measure in enumerate(verdict.measures) if measure.node == STEP]
    if not results or not places or not verdict.decided:
        return []
    names = results.names
    effects = []
    for name in names:
        rest = [other for other in names if other != name]
        leaders = [_lead_on(verdict, places[0], used) for used in (rest or names, [name])]
        effects.append(WorkloadEffect(name, *leaders))
    return effects


def _lead_on(verdict: "Verdict", place: int, names: list[str]) -> str:
    """Return the backend that leads where the time of a step is the mean over these workloads alone."""
    scores, results = verdict.scores, verdict.report.suite_results
    costs = np.exp(scores.logs)
    reference = verdict.measures[place].reference
    costs[:, place] = [results.mean_seconds(key, names).estimate / reference for key in verdict.entries]
    return Scores(scores.owners, scores.measures_of, scores.shares.tolist(), costs).leader(verdict.vector)


def _describe_single(header: Mapping[str, Any]) -> str:
    """Return what a verdict on a run of one workload rests on, and what it cannot say."""
    data, training = header["data"], header["spec"]["training"]
    layers = "-".join(map(str, (data["features"], *header["spec"]["network"]["hidden"], data["classes"])))
    return (
        f"Speed rests on one workload: {data['name']}, layers {layers}, batch {training['batch_size']}. Whether "
        "another one would change the ranking is unknown: `bakeoff run --suite standard` times several."
    )


def describe_workloads(verdict: "Verdict") -> Iterator[str]:
    """Yield the sentences that say on which workloads the verdict rests and which would change it."""
    results, effects = verdict.report.suite_results, verdict.workload_effects
    weights = verdict.weights.criteria
    if not any(measure.node == STEP and weights[measure.criterion] for measure in verdict.measures):
        return
    if not results:
        yield _describe_single(verdict.report.header)
        return
    yield f"Speed rests on {len(results.names)} workloads, each with the same weight: {join_words(results.names)}."
    if not effects or len(verdict.ranking) < 2:  # a leader and a rival
        return
    leader = verdict.ranking[0].name.partition(":")[0]
    changed = [each for each in effects if each.without != leader]
    if changed:
        told = "; ".join(f"without {each.workload}, {verdict.title(each.without)} leads" for each in changed)
        yield f"One workload decides: {told}."
    else:
        yield "No single workload decides: without any one of them the same framework leads."
    others: dict[str, list[str]] = {}
    for each in effects:
        if each.alone != leader:
            others.setdefault(each.alone, []).append(each.workload)
    for backend, names in others.items():
        yield f"{verdict.title(backend)} leads where {join_words(names, 'or')} is the only workload."
