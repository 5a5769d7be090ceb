"""A score is of its candidate alone: no other backend, no missing fact of another, and no order of rows moves it."""

import itertools
import math

import numpy as np
import pytest
from bakeoff.common import statistics
from bakeoff.verdict import criteria
from bakeoff.verdict.readings import Reading
from bakeoff.verdict.scores import Scores
from bakeoff.verdict.unknown import find_rank_range, list_unknown, score_range
from bakeoff.verdict.verdict import Verdict
from bakeoff.verdict.weights import parse_weights
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.paths import REFERENCE_RUN
from tests.verdict.test_verdict import altered  # noqa: F401  # a fixture

MEASURES = criteria.SUB_MEASURES
SHARES = criteria.compute_shares(MEASURES, {})
WEIGHTED = [(measure, share / len(criteria.CRITERIA)) for measure, share in zip(MEASURES, SHARES, strict=True)]


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 50)


def read(cost):
    return None if cost is None else Reading(cost, "", cost)


FACTS = st.lists(st.one_of(st.none(), st.floats(1, 4)), min_size=len(MEASURES), max_size=len(MEASURES))
RUNS = st.lists(FACTS, min_size=1, max_size=4)
QUICKLY = settings(deadline=None, max_examples=40)


def score_all(run):
    """Return the range of each candidate: what `Verdict` shows of it."""
    return [score_range(WEIGHTED, dict(zip(MEASURES, map(read, facts), strict=True))) for facts in run]


@QUICKLY
@given(RUNS, FACTS)
def test_adding_a_backend_moves_no_other_score(run, another):
    assert score_all([*run, another])[:-1] == score_all(run)


@QUICKLY
@given(RUNS, st.integers(0, len(MEASURES) - 1))
def test_dropping_a_fact_moves_no_other_score_and_widens_its_own_range(run, place):
    changed = [[*run[0]], *run[1:]]
    changed[0][place] = None
    before, after = score_all(run), score_all(changed)
    assert after[1:] == before[1:]
    assert after[0][1] >= before[0][1] or run[0][place] < MEASURES[place].least
    assert after[0][0] <= before[0][0] or run[0][place] > MEASURES[place].most


@QUICKLY
@given(RUNS, st.randoms())
def test_reordering_rows_moves_no_score(run, random):
    order = list(range(len(run)))
    random.shuffle(order)
    assert score_all([run[place] for place in order]) == [score_all(run)[place] for place in order]


@QUICKLY
@given(st.lists(st.lists(st.floats(0.1, 50), min_size=len(MEASURES), max_size=len(MEASURES)), min_size=2, max_size=4))
def test_the_ranking_uses_the_same_score(costs):
    """`Scores` computes what `score_range` does, for each candidate alone, and whoever else is there."""
    references = np.array([measure.reference for measure in MEASURES])
    criterion = [measure.criterion for measure in MEASURES]
    subject = Scores([f"o{place}" for place in range(len(costs))], criterion, SHARES, np.array(costs) / references)
    totals = subject.totals(subject.vector(dict.fromkeys(criteria.CRITERIA, 1.0)))
    for total, (low, high) in zip(totals, score_all(costs), strict=True):
        assert low == pytest.approx(high)
        assert math.exp(total) == pytest.approx(low)


def test_an_unknown_without_a_known_bound_leaves_the_score_open():
    readings = {measure: read(1.0) for measure in MEASURES}
    step = next(measure for measure in MEASURES if measure.node == "speed.step")
    readings[step] = None
    assert list_unknown(WEIGHTED, readings) == [step]
    assert score_range(WEIGHTED, readings) == (0, math.inf)


def test_ranks_follow_from_the_range():
    assert find_rank_range(0.5, 0.9, [1.5, 0.7, 0.2]) == (2, 3)
    assert find_rank_range(0, math.inf, [1.5, 0.7]) == (1, 3)


def scores_of(folder, weights=None):
    verdict = Verdict(folder, parse_weights(weights))
    ranked = {place.title: pytest.approx(place.score) for place in verdict.ranking} if verdict.decided else {}
    return ranked | {one.title: pytest.approx((one.low, one.high)) for one in verdict.apart}


def test_a_backend_without_facts_moves_no_score_of_a_run(altered):  # noqa: F811
    """JAX loses all its openness facts but one: it is ranked apart, and all others keep their scores."""

    def without(record):
        mine = record["measure"] == "openness" and record["backend"] == "jax_pure"
        return None if mine and record["figure"] != "licence" else record

    before, after = scores_of(REFERENCE_RUN), scores_of(altered(without))
    assert {title: after[title] for title in after if title != "JAX"} == {
        title: value.expected if hasattr(value, "expected") else value
        for title, value in before.items()
        if title != "JAX"
    }
    low, high = after["JAX"].expected
    assert low < before["JAX"].expected < high


def test_without_a_weight_an_unknown_fact_ranks_nobody_apart(altered):  # noqa: F811
    def without(record):
        return None if record["measure"] == "openness" and record["backend"] == "jax_pure" else record

    verdict = Verdict(altered(without), parse_weights("speed=1"))
    assert verdict.apart == []
    assert verdict.scores.criteria == ("ease", "speed", "agreement")


def test_nobody_has_won_while_a_backend_with_an_unknown_could_be_ahead(altered):  # noqa: F811
    def without(record):
        mine = record["figure"] == "install_size" and record["backend"] == "pytorch"
        return None if mine else record

    verdict = Verdict(altered(without), parse_weights("ease=1"))
    assert [one.title for one in verdict.rivals] == ["PyTorch"]
    assert verdict.as_json()["winner"] is None


def test_bounds_and_references_are_above_0_and_in_order():
    for measure in MEASURES:
        assert 0 <= measure.least <= measure.reference < math.inf
        assert measure.reference <= measure.most
    assert len({measure.path for measure in MEASURES}) == len(MEASURES)
    assert all(one is not other for one, other in itertools.pairwise(MEASURES))
