"""The cost of new shapes: a slower path is found where there is one, and nowhere else."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from bakeoff.common.statistics import Interval
from bakeoff.measures import VOCABULARY
from bakeoff.measures.speed import figures, rounds, shapes, size_costs
from bakeoff.measures.speed.contestants import Contestant, Problem
from bakeoff.measures.speed.plan import Plan
from bakeoff.portable import spec as portable
from bakeoff.records.query import Query
from bakeoff.report.tables import shapes as tables

SPEC = portable.Spec(
    sizes=(4, 5, 3), activation="relu", batch_norm=True, bn_decay=0.9, bn_epsilon=1e-5, optimiser="adam",
    learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, batch_size=32, dtype="float32",
)  # fmt: skip


def measure(place, monkeypatch, variant):
    """Return the cost of new batch sizes of a variant of tests/misbehaving/new_shapes, and its records."""
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 4)).astype("float32"), rng.integers(0, 3, 100)
    arrays = portable.initial_arrays(SPEC, "he", 0)
    problem = Problem(SPEC, arrays, x, y, rng.integers(0, 100, (3, 32)))
    last = shapes.resize(problem, shapes.list_sizes(32)[-1], None)
    contestant = Contestant("fake", variant, place("new_shapes"))
    plan = Plan(1, 16, 0.002, 1, None, "cpu", 0)
    written = []

    def write(figure, value, **keys):
        record = {"task": "shapes", "attempt": 1, "time": time.time(), **figure.record(value, **keys)}
        assert not VOCABULARY.problem(record)
        written.append(record)

    shapes.measure(contestant, problem, last, plan, 4, write, lambda _: None)
    table = pd.DataFrame(written)
    (cost,) = size_costs.read_costs(Query(table), [("fake", variant)])
    return cost, table


@pytest.fixture
def cost_of(place, monkeypatch):
    return lambda variant: measure(place, monkeypatch, variant)


def test_a_variant_that_compiles_each_size_pays_for_each_and_is_as_fast_afterwards(cost_of):
    cost, table = cost_of("compiles")
    assert list(cost.sizes["batch_size"]) == list(range(34, 58, 2))
    assert cost.sizes["first_call_s"].min() >= 0.03  # what the compilation takes, at each of the twelve
    assert cost.slower_path is False
    assert cost.at_last.low < 1.05
    assert (cost.failed, cost.rejected) == ("", "")
    assert set(table["figure"]) == {"first_call", "slice"}


def test_a_variant_that_gives_up_compiling_is_slower_at_the_last_size_only(cost_of):
    cost, _ = cost_of("gives_up")
    assert cost.slower_path is True
    assert cost.at_last.low > 2 > cost.at_first.low  # three times as long, and as before at a size that it knew
    (sentence,) = tables.describe_slower_paths([cost])
    assert sentence.startswith(
        "fake:gives_up falls back to a slower path after 12 batch sizes: a step takes, at the last"
    )


def test_a_variant_that_slows_down_altogether_is_slower_at_the_first_size_too(cost_of):
    cost, _ = cost_of("slows_down")
    assert cost.slower_path is True
    assert cost.at_last.low > 2
    assert cost.at_first.low > 2


def test_a_network_for_one_batch_size_is_built_anew_for_each(cost_of):
    cost, table = cost_of("fixed_batch")
    assert "expected a batch of 32 rows, got 34" in cost.rejected
    assert table.loc[table["figure"].eq("first_call"), "rebuilt"].tolist() == [True] * 12
    assert cost.slower_path is False
    assert tables.format_costs([cost])["a slower path"].tolist() == ["no; built anew for each size"]


def test_a_variant_that_dies_at_a_new_size_has_its_reason(cost_of):
    cost, _ = cost_of("dies")
    assert "exit code 9 during train" in cost.failed
    assert cost.slower_path is None
    assert list(tables.describe_slower_paths([cost])) == [
        f"fake:dies: the cost of new batch sizes was not measured: {cost.failed}"
    ]
    assert tables.format_costs([cost])["a slower path"].tolist() == ["not measured"]


# Worked out by hand


def test_the_machine_s_own_change_of_pace_cancels():
    """The machine is 1.5 times as slow after as before, for both workers; the one of many sizes is 2 times as slow."""
    steady = np.ones(size_costs.BLOCKS)
    at_last, at_first = size_costs.compare_workers({
        (size_costs.BEFORE, size_costs.MANY): 1.0 * steady,
        (size_costs.BEFORE, size_costs.ONE): 2.0 * steady,
        (size_costs.AT_LAST, size_costs.MANY): 3.0 * steady,
        (size_costs.AT_LAST, size_costs.ONE): 2.0 * steady,
        (size_costs.AT_FIRST, size_costs.MANY): 3.0 * steady,  # 1.0 * 1.5 * 2
        (size_costs.AT_FIRST, size_costs.ONE): 3.0 * steady,  # 2.0 * 1.5
    })  # fmt: skip
    assert at_last == pytest.approx((1.5, 1.5, 1.5))
    assert at_first == pytest.approx((2.0, 2.0, 2.0))


def test_without_all_slices_nothing_is_said():
    ratios = size_costs.compare_workers({(size_costs.BEFORE, size_costs.MANY): np.ones(size_costs.BLOCKS)})
    assert all(math.isnan(value) for ratio in ratios for value in ratio)


def slice_of(size, value, block):
    keys = {"worker": size_costs.MANY, "when": size_costs.AT_NEW, "batch_size": size, "block": block}
    return figures.SIZE_SLICE.record(value, backend="a", variant="b", **keys, steps=2, cpu_s=0.0)


def test_a_new_size_costs_its_first_call_without_its_steps():
    """Two steps of 0.1 s (the median of 0.1, 0.1 and 0.4) in a first call of 1 s: 0.8 s are the new size's."""
    keys = {"backend": "a", "variant": "b", "batch_size": 40, "position": 1, "steps": 2, "rebuilt": False}
    records = [figures.NEW_SIZE.record(1.0, **keys)]
    records += [slice_of(40, value, block) for block, value in enumerate((0.2, 0.2, 0.8), start=1)]
    (cost,) = size_costs.read_costs(Query(pd.DataFrame(records)), [("a", "b")])
    (row,) = cost.sizes.to_dict("records")
    assert row == pytest.approx({"batch_size": 40, "position": 1, "first_call_s": 1.0, "extra_s": 0.8, "step_s": 0.1})
    (raw,) = tables.tabulate_costs([cost]).to_dict("records")
    assert raw["new_size_s"] == pytest.approx(0.8)
    assert raw["rows_per_s_most"] == pytest.approx(400)  # 40 rows in 0.1 s


@pytest.mark.parametrize(("at_last", "at_first", "slower"), [
    ((1.2, 1.11, 1.3), (1.0, 0.9, 1.1), True),
    ((1.0, 0.9, 1.1), (1.2, 1.11, 1.3), True),
    ((1.2, 1.05, 1.3), (1.2, 1.0, 1.3), False),  # within what processes differ by
])  # fmt: skip
def test_a_slower_path_is_one_whose_whole_interval_lies_above_the_limit(at_last, at_first, slower):
    cost = size_costs.SizeCost("a", "b", pd.DataFrame(), Interval(*at_last), Interval(*at_first), "", "")
    assert cost.slower_path is slower


@pytest.mark.parametrize("batch_size", [2, 8, 64, 1000])
def test_the_sizes_are_twelve_new_ones(batch_size):
    sizes = shapes.list_sizes(batch_size)
    assert len({batch_size, *sizes}) == 13
    assert max(sizes) <= max(1.75 * batch_size, batch_size + 12)
