"""The verdict keeps the promises of docs/explanation/verdict.md: no dominated option wins; units do not matter."""

import itertools
import json
import math
import shutil

import numpy as np
import pytest
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.measures.openness import licences
from bakeoff.measures.speed.figures import COLD_START
from bakeoff.registry.facts import Supports
from bakeoff.report.summary import summarise
from bakeoff.verdict import criteria, requirements
from bakeoff.verdict.criteria import CRITERIA
from bakeoff.verdict.scores import NOTHING, Scores
from bakeoff.verdict.verdict import Verdict
from bakeoff.verdict.weights import parse_weights
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.paths import REFERENCE_RUN, SAVED_RUN

ISSUE = "ease=2,speed=1,agreement=1,open=1,open.concentration=0"
"""Everything that has a weight is known for all backends of the reference run."""


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


# The arithmetic, on any numbers


CRITERIA_OF = ["ease", "ease", "speed", "speed", "agreement", "open"]
SHARES = [0.3, 0.7, 0.8, 0.2, 1.0, 1.0]
COSTS = st.integers(2, 5).flatmap(lambda rivals: arrays(float, (rivals, 6), elements=st.floats(0.01, 1e4)))
WEIGHTS = st.fixed_dictionaries({name: st.floats(0, 10) for name in CRITERIA}).filter(
    lambda some: sum(some.values()) > 0.1
)
QUICKLY = settings(deadline=None, max_examples=60)


def scores(costs, owners=None, low=None, high=None):
    return Scores(owners or [f"o{place}" for place in range(len(costs))], CRITERIA_OF, SHARES, costs, low, high)


@QUICKLY
@given(COSTS, WEIGHTS, arrays(float, 6, elements=st.floats(1.01, 10)))
def test_a_dominated_option_never_wins(costs, weights, worse):
    """Worse in everything than the first: under no weights is it first, nor in a tie."""
    subject = scores(np.concatenate([costs, costs[:1] * worse]))
    vector = subject.vector(weights)
    assert subject.leader(vector) != f"o{len(costs)}"
    assert not subject.tied(0, len(costs), vector)
    region = next(region for region in subject.regions() if region.owner == f"o{len(costs)}")
    assert region.share == region.sure == 0
    assert all(stretch.owner != f"o{len(costs)}" for stretch in subject.stretches(weights, "speed"))


@QUICKLY
@given(COSTS, WEIGHTS, st.integers(0, 5), st.floats(1.01, 10))
def test_an_option_dominated_in_one_measure_is_never_ahead(costs, weights, place, factor):
    worse = costs[:1].copy()
    worse[0, place] *= factor
    subject = scores(np.concatenate([costs, worse]))
    lead, _, most = subject.lead(len(costs), 0, subject.vector(weights))
    assert lead <= NOTHING
    assert most <= NOTHING


@QUICKLY
@given(COSTS, WEIGHTS, arrays(float, 6, elements=st.floats(1e-6, 1e6)))
def test_units_do_not_matter(costs, weights, units):
    before, after = scores(costs), scores(costs * units)
    vector = before.vector(weights)
    np.testing.assert_allclose(before.merits - before.merits[0], after.merits - after.merits[0], atol=1e-9)
    assert [before.lead(0, 1, vector)] == [pytest.approx(after.lead(0, 1, vector), abs=1e-9)]
    assert {region.owner: pytest.approx(region.share, abs=1e-6) for region in before.regions()} == {
        region.owner: region.share for region in after.regions()
    }


@QUICKLY
@given(COSTS, WEIGHTS)
def test_removing_a_rival_changes_no_order(costs, weights):
    """No rank reversal: taken away, the last leaves the others as they were."""
    assume(len(costs) > 2)
    whole, less = scores(costs), scores(costs[:-1])
    vector = whole.vector(weights)
    first, second = (one.lead(0, 1, vector)[0] for one in (whole, less))
    assert first == pytest.approx(second, abs=1e-9)


@QUICKLY
@given(COSTS, WEIGHTS)
def test_equals_tie_under_all_weights(costs, weights):
    subject = scores(np.concatenate([costs[:1], costs[:1]]))
    assert subject.tied(0, 1, subject.vector(weights))
    assert [(region.share, region.sure) for region in subject.regions()] == [(pytest.approx(1), 0)] * 2


@QUICKLY
@given(COSTS, WEIGHTS)
def test_wide_intervals_give_a_tie(costs, weights):
    """Where every ratio may as well be 1, nobody leads surely, whatever the estimates say."""
    wide = np.full((len(costs), len(costs), 6), 20.0)
    subject = scores(costs, low=-wide, high=wide)
    vector = subject.vector(weights)
    assert all(subject.tied(0, other, vector) for other in range(1, len(costs)))
    assert all(region.sure == 0 for region in subject.regions())


@QUICKLY
@given(COSTS, WEIGHTS, st.integers(0, 5), st.floats(0.1, 0.99))
def test_an_improved_leader_still_leads(costs, weights, place, factor):
    vector = scores(costs).vector(weights)
    first = scores(costs).represent(vector)[0]
    better = costs.copy()
    better[first, place] *= factor
    assert scores(better).represent(vector)[0] == first


@QUICKLY
@given(COSTS, WEIGHTS, st.sampled_from(CRITERIA), st.floats(0, 30))
def test_stretches_agree_with_a_search(costs, weights, criterion, value):
    subject = scores(costs)
    changed = {**weights, criterion: value}
    assume(sum(weight for name, weight in weights.items() if name != criterion) > 0.01)
    stretches = subject.stretches(weights, criterion)
    assert stretches[0].low == 0
    assert stretches[-1].high == math.inf
    assert all(one.high == other.low and one.owner != other.owner for one, other in itertools.pairwise(stretches))
    assume(all(abs(value - stretch.low) > 1e-4 for stretch in stretches))
    here = next(stretch for stretch in stretches if stretch.low <= value <= stretch.high)
    totals = np.sort(subject.totals(subject.vector(changed)))
    assume(totals[-1] - totals[-2] > 1e-6)
    assert subject.leader(subject.vector(changed)) == here.owner


def test_stretches_end_where_the_totals_are_equal():
    """The totals are 3, 2.5 + w and 1.5 + 2w: equal at 0.5 and at 1. A criterion without a weight counts nothing."""
    merits = np.array([[3.0, 0.0, 0.0], [2.5, 1.0, 5.0], [1.5, 2.0, 9.0]])
    subject = Scores(["a", "b", "c"], ["ease", "speed", "open"], [1.0, 1.0, 1.0], np.exp(-merits))
    for weights in ({"ease": 1.0}, {"ease": 1.0, "speed": 7.0}):
        found = subject.stretches(weights, "speed")
        assert [each.owner for each in found] == ["a", "b", "c"]
        assert [each.low for each in found] == pytest.approx([0.0, 0.5, 1.0])
        assert [each.high for each in found] == pytest.approx([0.5, 1.0, math.inf])


@pytest.mark.parametrize("seed", range(4))
def test_regions_of_exact_costs_are_sure_whole_and_sorted(seed):
    """Nothing is open between exact costs: an owner surely leads wherever one of its variants leads."""
    costs = np.random.default_rng(seed).uniform(0.1, 100, (6, 6))
    subject = scores(costs, owners=["a", "a", "b", "b", "c", "c"])
    regions = subject.regions()
    assert [region.share for region in regions] == sorted((region.share for region in regions), reverse=True)
    assert sum(region.share for region in regions) == pytest.approx(1)
    for region in regions:
        assert region.sure == pytest.approx(region.share)
        if not region.share:
            continue
        assert region.example is not None
        assert subject.leader(np.array(region.example)) == region.owner
        for corner in map(np.array, region.vertices):
            totals = subject.totals(corner)
            assert max(totals[place] for place in range(6) if subject.owners[place] == region.owner) == pytest.approx(
                totals.max(), abs=1e-6
            )
    assert any(len({*map(tuple, region.vertices)}) > 4 for region in regions)


def test_regions_of_one_and_of_two_criteria():
    one = Scores(["a", "b"], ["ease"], [1.0], np.array([[1.0], [2.0]]))
    assert [(region.owner, region.share) for region in one.regions()] == [("a", 1.0), ("b", 0.0)]
    # The totals are w and 3 (1 - w): equal at 0.75.
    two = Scores(["a", "b"], ["ease", "speed"], [1.0, 1.0], np.exp(-np.array([[1.0, 0.0], [0.0, 3.0]])))
    first, second = two.regions()
    assert (first.owner, first.share, first.sure) == ("b", pytest.approx(0.75), pytest.approx(0.75))
    assert (second.owner, second.share, second.sure) == ("a", pytest.approx(0.25), pytest.approx(0.25))


def test_without_a_measure_the_others_keep_their_intervals():
    costs = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 2.0, 1.0, 1.0, 1.0]])
    apart = np.log(costs)[:, None] - np.log(costs)[None]
    subject = scores(costs, low=apart - 0.5, high=apart + 0.25)
    less = subject.without(1, [1.0, 0.8, 0.2, 1.0, 1.0])
    kept = [0, 2, 3, 4, 5]
    np.testing.assert_allclose(less.low, subject.low[:, :, kept])
    np.testing.assert_allclose(less.high, subject.high[:, :, kept])
    assert less.measures_of == tuple(CRITERIA_OF[place] for place in kept)


@settings(deadline=None, max_examples=15)
@given(arrays(float, (6, 6), elements=st.floats(0.1, 100)), st.integers(0, 1000))
def test_shares_of_weightings_agree_with_random_sampling(costs, seed):
    """Two variants each of three owners; 20,000 weightings at random find the volumes that are computed."""
    subject = scores(costs, owners=["a", "a", "b", "b", "c", "c"])
    regions = subject.regions()
    apart = np.linalg.norm(subject.merits[:, None] - subject.merits, axis=-1)[np.triu_indices(6, 1)]
    assume(apart.min() > 1e-6)  # equals of two owners lead both: test_equals_tie_under_all_weights
    assert sum(region.share for region in regions) == pytest.approx(1, abs=1e-6)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(4), 20_000)
    winners = (drawn @ subject.merits.T).argmax(axis=1) // 2
    for region in regions:
        assert region.share == pytest.approx(np.mean(winners == "abc".index(region.owner)), abs=0.02)
        for corner in region.vertices:
            assert sum(corner) == pytest.approx(1, abs=1e-6)


@QUICKLY
@given(COSTS, st.integers(0, 5), st.floats(-13, -7).map(lambda exponent: 10**exponent))
def test_variants_that_are_all_but_equals_count_once(costs, place, difference):
    """A variant that is its owner's other but for rounding, or little more, takes no second share."""
    almost = costs[:1].copy()
    almost[0, place] *= 1 + difference
    alone = scores(costs, owners=["a", *(f"o{place}" for place in range(1, len(costs)))])
    both = scores(np.concatenate([costs, almost]), owners=[*alone.owners, "a"])
    before, after = ({region.owner: region.share for region in one.regions()} for one in (alone, both))
    assert after["a"] == pytest.approx(before["a"], abs=1e-4)


@QUICKLY
@given(COSTS, WEIGHTS)
def test_a_factor_makes_the_second_draw_level(costs, weights):
    subject = scores(costs)
    vector = subject.vector(weights)
    order = subject.represent(vector)
    gap = subject.lead(order[0], order[1], vector)[0]
    for place, factor in enumerate(subject.factors(vector)):
        if gap > 1e-3 and factor < 1e6:
            changed = costs.copy()
            changed[order[0], place] *= factor
            assert scores(changed).lead(order[0], order[1], vector)[0] == pytest.approx(0, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(COSTS, WEIGHTS)
def test_scikit_criteria_gives_the_same_ranking(costs, weights):
    """The judge: its weighted product on the same matrix, weighted as the tree weights it."""
    import skcriteria
    from skcriteria.agg.simple import WeightedProductModel

    subject = scores(costs)
    vector = subject.vector(weights)
    parts = np.maximum(subject.effective(vector), 1e-12)
    totals = subject.totals(vector)
    assume(np.diff(np.sort(totals)).min() > 1e-6)
    # Its model is for more-is-better alone: the inverse of a cost is that.
    matrix = skcriteria.mkdm(1 / costs, [max] * 6, weights=parts / parts.sum())
    judged = WeightedProductModel().evaluate(matrix)
    assert list(np.argsort(-totals)) == list(np.argsort(judged.rank_))


# The records of a run


def test_the_product_of_the_reasons_is_the_lead():
    verdict = Verdict(REFERENCE_RUN, parse_weights(ISSUE))
    first, second = verdict.ranking[:2]
    ranks = [place.rank for place in verdict.ranking]
    assert ranks.count(1) == len(verdict.tied)
    assert all(rank <= place for place, rank in enumerate(ranks, start=1)), "equals share the better rank"
    assert {place.title for place in verdict.ranking} == {"NumPy", "JAX", "PyTorch", "TensorFlow"}
    assert math.prod(reason.factor for reason in verdict.reasons) == pytest.approx(1 / second.ratio.estimate)
    assert first.ratio == (1, 1, 1)
    records = {
        (row["measure"], row["figure"]) for row in map(json.loads, lines_of(REFERENCE_RUN) + mistakes_of(REFERENCE_RUN))
    }
    for reason in verdict.reasons:
        measure, _, figures = reason.measure.record.partition("/")
        if measure != "check.csv.gz":
            names = ["change"] if figures.startswith("change: ") else figures.split(" + ")
            assert {(measure, name) for name in names} <= records


def test_by_speed_alone_step_times_decide():
    verdict = Verdict(REFERENCE_RUN, parse_weights("speed.step=1,speed.start=0,speed.memory=0,speed=1"))
    times, best = verdict.report.step_times, {}
    for key in times.variants:
        best[key[0]] = min(best.get(key[0], math.inf), times.times_fastest(key).estimate)
    first, last = verdict.ranking[0], verdict.ranking[-1]
    assert [first.name.partition(":")[0], last.name.partition(":")[0]] == [
        min(best, key=best.get),
        max(best, key=best.get),
    ]
    assert last.by_criterion["speed"] / first.by_criterion["speed"] == pytest.approx(1 / max(best.values()), rel=0.05)


def test_variants_within_rounding_are_equal():
    verdict = Verdict(REFERENCE_RUN, parse_weights("agreement=1"))
    assert len(verdict.tied) == 3
    floors = next(reason for reason in verdict.reasons if reason.measure.record == "agreement/floors")
    assert floors.factor == 1
    assert not floors.certain


def test_a_backend_that_lacks_a_fact_is_ranked_apart_with_a_range():
    verdict = Verdict(REFERENCE_RUN, parse_weights(None))
    lacking = {measure.record: names for measure, names in verdict.unknown.items()}
    assert set(lacking["openness/top_author_share"]) == {
        *("pytorch:eager", "pytorch:compiled"),
        *("tensorflow_core:eager", "tensorflow_core:function", "tensorflow_core:xla"),
    }
    assert "openness/top_author_share" in {measure.record for measure in verdict.measures}
    assert [place.title for place in verdict.ranking] == ["JAX", "NumPy"]
    assert {one.title for one in verdict.apart} == {"PyTorch", "TensorFlow"}
    # Each share is 1 to 101 and has an eighth of openness, which has a quarter of the whole.
    assert all(one.high / one.low == pytest.approx(101 ** (2 / 32)) for one in verdict.apart)
    assert all(one.nodes == ("open.concentration",) for one in verdict.apart)


@pytest.fixture
def altered(tmp_path):
    """Return a copy of the reference run: altered(change), `change` returns what stands for a record."""

    def make(change=lambda record: record):
        folder = tmp_path / "run"
        folder.mkdir()
        shutil.copy(REFERENCE_RUN / "run.json", folder)
        for name in {"check.csv.gz", "mistakes.jsonl"} & {path.name for path in REFERENCE_RUN.iterdir()}:
            shutil.copy(REFERENCE_RUN / name, folder)
        changed = (change(json.loads(line)) for line in lines_of(REFERENCE_RUN))
        text = "".join(json.dumps(record) + "\n" for record in changed if record is not None)
        (folder / "records.jsonl").write_text(text)
        return folder

    return make


def mistakes_of(folder):
    path = folder / "mistakes.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def lines_of(folder):
    return (folder / "records.jsonl").read_text().splitlines()


def outcome(folder, weights=ISSUE):
    verdict = Verdict(folder, parse_weights(weights))
    return [(place.rank, place.name, pytest.approx(place.ratio.estimate)) for place in verdict.ranking]


def test_other_units_in_the_records_give_the_same_verdict(altered):
    def in_other_units(record):
        if record["measure"] in ("speed", "deployment") and record["unit"] in ("s", "bytes"):
            record["value"] *= {"s": 1e3, "bytes": 2**-20}[record["unit"]]
        return record

    assert outcome(altered(in_other_units)) == outcome(REFERENCE_RUN)


def test_an_incorrect_variant_is_excluded(altered):
    """Its fine step times are there, and count for nothing."""

    def fail(record):
        mine = record.get("backend") == "numpy_plain"
        if mine and record["figure"] == "check" and record["check"] == "forward":
            record |= {"value": "fails", "failed": True, "reason": "the first layer is 5,000 floors off"}
        return record

    verdict = Verdict(altered(fail), parse_weights(ISSUE))
    assert "numpy_plain" not in verdict.scores.owners
    [out] = verdict.excluded
    assert out.name == "numpy_plain:plain"
    assert "5,000 floors" in out.why


def test_variants_without_checks_or_times_are_excluded_and_named(altered):
    def less(record):
        if record["figure"] in ("check", "floors") and record["backend"] == "pytorch":
            return None
        if record["figure"] == "slice" and record.get("backend") == "jax_pure" and record["variant"] == "scan":
            return None
        return record

    verdict = Verdict(altered(less), parse_weights(ISSUE))
    assert {out.name: out.why.split()[-1] for out in verdict.excluded} == {
        "pytorch:eager": "run",
        "pytorch:compiled": "run",
        "jax_pure:scan": "were",
    }
    assert {place.name for place in verdict.ranking} >= {"jax_pure:step", "numpy_plain:plain"}


def test_a_change_that_is_not_possible_counts_as_a_rewrite(altered):
    """The caller's tokens count, too; a change that was not counted is unknown for its backend alone."""

    def with_changes(record):
        if record["figure"] == "change":
            if record["change"] == "layer":
                record |= {"value": 10, "caller": 5, "answer": "patch"}
            if record["change"] == "optimiser" and record["backend"] == "pytorch":
                return None
        return record

    verdict = Verdict(altered(with_changes), parse_weights("ease=1"))
    readings = {measure.record: found for measure, found in verdict.readings.items()}
    assert readings["ease/change: layer"]["jax_pure", "scan"].amount == 15
    assert readings["ease/change: gpu"]["numpy_plain", "plain"].shown == "not possible"
    assert [(one.title, one.unknown) for one in verdict.apart] == [("PyTorch", ("ease/change: optimiser",))]
    assert {place.title for place in verdict.ranking} == {"NumPy", "JAX", "TensorFlow"}


def test_unnoticed_mistakes_of_another_version_are_unknown(altered):
    folder = altered()
    outcomes = {"numpy_plain": "wrong", "jax_pure": "raised", "pytorch": "not possible", "tensorflow_core": "NaN"}
    plan = json.loads((folder / "run.json").read_text())
    rows = [
        {"measure": "mistakes", "figure": "outcome", "value": value, "backend": backend, "variant": variant}
        | {"version": plan["backends"][backend]["version"]}
        for backend, variant in plan["plan"]["entries"]
        for value in (outcomes[backend], "raised")
    ]

    def write():
        (folder / "mistakes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        verdict = Verdict(folder, parse_weights("ease=1"))
        shown = {
            key[0]: reading and reading.shown
            for key, reading in next(
                readings for measure, readings in verdict.readings.items() if measure.record == "mistakes/outcome"
            ).items()
        }
        return shown, "mistakes/outcome" in {measure.record for measure in verdict.measures}

    shown = {"numpy_plain": "1 of 2", "jax_pure": "0 of 2", "pytorch": "0 of 1", "tensorflow_core": "1 of 2"}
    assert write() == (shown, True)
    rows[0]["version"] = rows[1]["version"] = rows[2]["version"] = rows[3]["version"] = "0.0.1"
    after, _ = write()
    assert after == {**shown, rows[0]["backend"]: None}, "of another version: unknown, and nobody else's is moved"


def test_a_single_backend_has_no_reasons():
    verdict = Verdict(REFERENCE_RUN, parse_weights(None), requirements.parse("licence:BSD-3-Clause"))
    assert [place.name for place in verdict.ranking] == ["numpy_plain:plain"]
    assert verdict.reasons == []
    assert json.dumps(verdict.as_json())


def test_a_run_that_was_checked_in_another_dtype_alone_has_no_verdict():
    """The saved run is in float32, and its checks are in float64."""
    verdict = Verdict(SAVED_RUN, parse_weights(None))
    assert not verdict.decided
    assert verdict.ranking == verdict.tied == []
    assert [out.why for out in verdict.excluded] == ["its correctness in float32 was not checked in this run"]
    assert json.dumps(verdict.as_json(), allow_nan=False)


def test_json_is_valid_and_complete():
    found = json.loads(json.dumps(Verdict(REFERENCE_RUN, parse_weights(ISSUE)).as_json(), allow_nan=False))
    assert found["tied"][0] == found["ranking"][0]["name"]
    assert found["winner"] == (found["tied"][0] if len(found["tied"]) == 1 else None)
    assert sum(measure["weight"] for measure in found["measures"]) == pytest.approx(1)
    assert len(found["measures"][0]["readings"]) == 8
    assert sum(region["share"] for region in found["regions"]) == pytest.approx(1, abs=1e-6)


# Weights and requirements


def test_unnamed_weights_are_0_and_without_any_each_is_1():
    assert parse_weights("speed=2").criteria == {"ease": 0, "speed": 2, "agreement": 0, "open": 0}
    assert parse_weights(None).criteria == dict.fromkeys(CRITERIA, 1)
    assert parse_weights("speed.memory=0").criteria == dict.fromkeys(CRITERIA, 1)
    assert parse_weights("speed.memory=0").nodes == {"speed.memory": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("eas=1", "Did you mean `ease`?"),
        ("ease", "expected NAME=NUMBER"),
        ("", "expected NAME=NUMBER"),
        ("ease=1,", "expected NAME=NUMBER"),
        ("ease=much", "expected a number, got 'much'"),
        ("ease=nan", "from 0 to"),
        ("ease=-1", "from 0 to"),
        ("ease=inf", "from 0 to"),
        ("ease=0,speed=0", "all are 0"),
        ("ease=1,ease=2", "twice"),
    ],
)
def test_invalid_weights_are_an_input_error(text, said):
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        parse_weights(text)


def test_shares_of_a_criterion_sum_to_1():
    rng = np.random.default_rng(0)
    for _ in range(50):
        some = [measure for measure in criteria.SUB_MEASURES if rng.random() < 0.5]
        parts = criteria.compute_shares(some, {})
        for criterion in {measure.criterion for measure in some}:
            mine = [part for measure, part in zip(some, parts) if measure.criterion == criterion]
            assert sum(mine) == pytest.approx(1)


def test_the_main_part_of_a_criterion_has_four_fifths():
    measured = [each for each in criteria.SUB_MEASURES if each not in criteria.DEPLOYMENT]
    parts = dict(zip((each.record for each in measured), criteria.compute_shares(measured, {})))
    assert parts["speed/slice"] == pytest.approx(0.8)
    assert sum(part for record, part in parts.items() if record.startswith("deployment/")) == pytest.approx(0.2)


def test_deployment_has_the_share_of_setup():
    shares = criteria.compute_shares(criteria.SUB_MEASURES, {})
    parts = {}
    for each, part in zip(criteria.SUB_MEASURES, shares):
        node = ".".join(each.node.split(".")[:2])
        parts[node] = parts.get(node, 0) + part
    assert parts["ease.deployment"] == pytest.approx(parts["ease.setup"]) == pytest.approx(1 / 6)


def answers(text, folder=REFERENCE_RUN, facts=None):
    verdict = Verdict(folder, parse_weights(None), requirements.parse(text), facts)
    return {name.partition(":")[0] for name in (":".join(key) for key in verdict.candidates)}, verdict


def supports(**facts):
    """Return a backend.toml's answers: the framework supports `facts`."""
    table = {name: {"value": value, "source": "its documentation", "asof": "2026-11"} for name, value in facts.items()}
    return requirements.DeclaredSupport(("cpu",), ">=3.11,<3.14", Supports.model_validate(table))


def test_requirements_exclude_variants_with_a_reason():
    left, verdict = answers("float64,licence:OSI,gpu,maintained")
    assert left == {"pytorch"}
    assert all("gpu: unknown: not tested on a GPU in this run" in out.why for out in verdict.excluded)
    assert answers("licence:Apache-2.0")[0] == {"jax_pure", "tensorflow_core"}
    left, verdict = answers("deterministic")
    assert [out.name for out in verdict.excluded] == ["pytorch:eager"]
    assert "threads" in verdict.excluded[0].why


def test_a_missing_test_is_not_a_missing_ability():
    """JAX's entry declares the CPU alone, and its documentation says that the framework supports GPUs."""
    left, verdict = answers("gpu", facts={"jax_pure": supports(gpu=True), "numpy_plain": supports(gpu=False)})
    assert left == {"jax_pure", "pytorch"}
    bases = {answer.name: (answer.met, answer.basis) for answer in verdict.answers}
    assert bases["jax_pure:scan"] == (True, requirements.SUPPORTED)
    assert bases["pytorch:eager"] == (True, requirements.DECLARED)
    assert bases["numpy_plain:plain"] == (False, requirements.SUPPORTED)
    assert bases["tensorflow_core:xla"] == (False, requirements.UNKNOWN)
    [why] = {answer.why for answer in verdict.answers if answer.name == "jax_pure:scan"}
    assert "its documentation, 2026-11" in why
    assert "not tested on a GPU in this run; this backend declares the CPU only (deployment/devices)" in why
    assert {each["basis"] for each in verdict.as_json()["answers"]} == {each.basis for each in verdict.answers}


def test_the_answers_are_counted_in_words():
    _, verdict = answers("gpu", facts={"jax_pure": supports(gpu=True), "numpy_plain": supports(gpu=False)})
    bases = [answer.basis for answer in verdict.answers]
    assert bases.count(requirements.UNKNOWN) == 3
    assert requirements.describe_answers(verdict.answers) == "4 of 8 meet it; 1 known not to, 3 unknown"
    met = [answer for answer in verdict.answers if answer.met]
    assert requirements.describe_answers(met) == "all 4 meet it"
    unknown = [answer for answer in verdict.answers if answer.basis == requirements.UNKNOWN]
    assert requirements.describe_answers(unknown) == "0 of 3 meet it; 3 unknown"


def test_the_ranking_and_the_end_of_a_run_mean_the_same_by_a_cold_start():
    verdict = Verdict(REFERENCE_RUN, parse_weights(None))
    (measure,) = (each for each in verdict.asked if each.title == "cold start")
    assert measure.record == f"{COLD_START.measure}/{COLD_START.name}"
    summary = summarise(verdict.report)
    assert len(summary.timed) == 8
    for each in summary.timed:
        assert verdict.readings[measure][each.backend, each.variant].amount == each.cold_start_s


def test_facts_on_the_framework_answer_requirements_that_no_run_measures():
    facts = {"jax_pure": supports(tpu=True, export=["onnx", "stablehlo"], languages=["Python"], distributed=True)}
    for text in ("tpu", "export:ONNX", "language:python", "distributed"):
        left, verdict = answers(text, facts=facts)
        assert left == {"jax_pure"}
        assert all(answer.basis in (requirements.SUPPORTED, requirements.UNKNOWN) for answer in verdict.answers)
    assert answers("mobile", facts=facts)[0] == set()


def test_backend_toml_answers_where_the_run_has_no_record(altered):
    def without(record):
        return None if record["figure"] in {"devices", "python"} else record

    folder = altered(without)
    today = {"pytorch": requirements.DeclaredSupport(("cpu", "cuda"), ">=3.11,<3.14")}
    left, verdict = answers("gpu", folder, today)
    assert left == {"pytorch"}
    assert all("gpu: unknown" in out.why for out in verdict.excluded)
    assert answers("python:3.13", folder, today)[0] == {"pytorch"}


def test_recorded_devices_take_precedence_over_backend_toml(altered):
    def with_devices(record):
        if record["figure"] == "devices":
            record["value"] = "cpu, cuda" if record["backend"] == "jax_pure" else "cpu"
        return record

    today = dict.fromkeys(("jax_pure", "pytorch"), requirements.DeclaredSupport(("cpu", "cuda")))
    assert answers("gpu", altered(with_devices), today)[0] == {"jax_pure"}


def test_old_or_ended_frameworks_are_not_maintained(altered):
    def older(record):
        if record["figure"] == "last_release_date" and record["backend"] == "jax_pure":
            record["value"] = "2025-11-21"
        if record["figure"] == "status" and record["backend"] == "pytorch":
            record["value"] = "ended by its developers"
        if record["figure"] == "last_release_date" and record["backend"] == "tensorflow_core":
            record["value"] = "unknown"
        return record

    left, verdict = answers("maintained", altered(older))
    assert left == {"numpy_plain"}
    assert any("unknown" in out.why for out in verdict.excluded if out.name.startswith("tensorflow"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpuu", "Did you mean `gpu`"),
        ("licence:", "licence:OSI"),
        ("licence:MITT", "Did you mean `MIT`"),
        ("licence", "licence:OSI"),
        ("python:new", "version of Python"),
        ("gpu:2", "takes no argument"),
        ("gpu,,float64", "empty"),
    ],
)
def test_invalid_requirements_are_an_input_error(text, said):
    with pytest.raises(InputError, match=said):
        requirements.parse(text)


@pytest.mark.parametrize(
    ("expression", "approved"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND MIT", True),
        ("GPL-3.0-or-later", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("LicenseRef-Proprietary", False),
        ("MIT OR LicenseRef-Proprietary", True),
        ("MIT AND LicenseRef-Proprietary", False),
        ("(MIT OR LicenseRef-A) AND Zlib", True),
        ("MIT AND CC0-1.0", None),
        ("some words", None),
    ],
)
def test_a_licence_expression_is_approved_if_approved_licences_meet_it(expression, approved):
    assert licences.is_approved(expression) is approved


def test_approved_licences_are_spdx_identifiers():
    assert all(licences.to_spdx(name) for name in licences.APPROVED)


# Faults in another dtype


@pytest.mark.parametrize(("dtype", "counts"), [("float64", False), ("float32", True)])
def test_a_fault_in_another_dtype_is_listed_and_does_not_count(altered, dtype, counts):
    """The run is in float32: a failure and huge floors in float64 neither exclude nor score."""

    def fail(record):
        if record.get("backend") == "jax_pure" and record.get("dtype") == dtype:
            if record["figure"] == "check" and record["check"] == "forward":
                record |= {"value": "fails", "failed": True, "reason": "3e10 floors"}
            if record["figure"] == "floors":
                record["value"] = 3e10
        return record

    verdict = Verdict(altered(fail), parse_weights("agreement=1"))
    assert ("jax_pure" in {out.name.partition(":")[0] for out in verdict.excluded}) is counts
    assert ("jax_pure:scan" in verdict.other_faults) is not counts
    if not counts:
        before = Verdict(REFERENCE_RUN, parse_weights("agreement=1"))
        assert {place.name: place.score for place in verdict.ranking} == {
            place.name: place.score for place in before.ranking
        }
        assert verdict.other_faults["jax_pure:scan"]["float64"] == ["fails (3e10 floors)"]


def test_only_an_amount_has_a_factor():
    """No "if its licence is 1.69 times as bad": an ordered or binary fact has no ratio, and neither has a count."""
    verdict = Verdict(REFERENCE_RUN, parse_weights("open=1,speed=0.01,open.concentration=0"))
    assert verdict.factors
    assert {measure.rule for measure, _ in verdict.factors} == {criteria.AMOUNT}


def test_a_measured_version_that_is_not_the_newest_known_is_named():
    verdict = Verdict(REFERENCE_RUN, parse_weights(ISSUE))
    assert verdict.newer_releases["jax_pure"] == ("0.10.2", "0.12.0.1", "2026-11-22")
    assert "tensorflow_core" not in verdict.newer_releases
    assert verdict.as_json()["newer_releases"]["pytorch"]["newest"] == "2.15.0"
