"""The points of a sweep, and the line through their step times."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.measures.speed import sweep
from bakeoff.records.query import Query
from bakeoff.workload.spec import parse

OVERHEAD_S, RATE = 1e-4, 5e10


def spec(text):
    return parse(text, "my.toml")


# The points


def test_a_spec_without_a_sweep_has_no_points():
    assert list(sweep.points(spec(""), 1)) == []


def test_each_axis_varies_alone():
    swept = spec(
        "network.hidden = [8, 4]\nsweep.batch_size = [16, 32]\nsweep.width = [5]\nsweep.depth = [1, 3]\n"
        "sweep.dtype = ['float64']\nsweep.threads = [2]"
    )
    found = {point.name: point for point in sweep.points(swept, 1)}
    assert list(found) == [
        "batch_size=16", "batch_size=32", "width=5", "depth=1", "depth=3", "dtype=float64", "threads=2",
    ]  # fmt: skip
    told = {
        name: (each.spec.training.batch_size, each.spec.network.hidden, each.spec.training.dtype, each.threads)
        for name, each in found.items()
    }
    assert told == {
        "batch_size=16": (16, (8, 4), "float32", 1),
        "batch_size=32": (32, (8, 4), "float32", 1),
        "width=5": (64, (5, 5), "float32", 1),
        "depth=1": (64, (8,), "float32", 1),
        "depth=3": (64, (8, 8, 8), "float32", 1),
        "dtype=float64": (64, (8, 4), "float64", 1),
        "threads=2": (64, (8, 4), "float32", 2),
    }


def test_the_operations_of_a_point_are_those_of_its_own_network():
    (point,) = sweep.points(spec("network.hidden = [8]\nsweep.width = [16]"), 1)
    forward = 2 * 64 * (10 * 16), 2 * 64 * (16 * 3)
    assert point.operations(10, 3) == 3 * sum(forward) - forward[0]


# The line


def timed(operations, overhead=OVERHEAD_S, rate=RATE, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return [(overhead + each / rate) * np.exp(rng.normal(0, noise, 24)) for each in operations]


OPERATIONS = np.array([1e5, 1e6, 1e7, 1e8])


def test_a_straight_line_is_recovered():
    line = sweep.line(OPERATIONS, timed(OPERATIONS))
    assert line.overhead_s == pytest.approx(OVERHEAD_S)
    assert line.rate == pytest.approx(RATE)
    assert line.crossing == pytest.approx((OVERHEAD_S * RATE,) * 3)
    assert line.misses == pytest.approx(0, abs=1e-9)


def test_the_interval_of_the_crossing_covers_it():
    covered = 0
    for seed in range(40):
        line = sweep.line(OPERATIONS, timed(OPERATIONS, noise=0.05, seed=seed))
        assert line.crossing.low < line.crossing.high
        covered += not line.crossing.excludes(OVERHEAD_S * RATE)
    assert covered >= 34


def test_small_steps_count_as_much_as_large_ones():
    """Of 100 ms and 0.1 ms, an error of a tenth: squares of seconds would see only the first."""
    rounds = timed(OPERATIONS)
    rounds[0] = rounds[0] * 1.1
    assert sweep.line(OPERATIONS, rounds).overhead_s > 1.02 * OVERHEAD_S


def test_without_a_cost_of_work_there_is_no_crossing():
    line = sweep.line(OPERATIONS, [np.full(24, OVERHEAD_S)] * 4)
    assert line.rate > 1e14
    assert line.crossing.estimate > 1e9


def test_without_overhead_the_crossing_is_at_zero():
    line = sweep.line(OPERATIONS, timed(OPERATIONS, overhead=0.0))
    assert line.overhead_s == pytest.approx(0, abs=1e-12)
    assert line.crossing.estimate == pytest.approx(0, abs=1)


def test_a_bent_line_reports_its_misfit():
    rounds = timed(OPERATIONS)
    rounds[2] = rounds[2] * 2
    assert sweep.line(OPERATIONS, rounds).misses > sweep.BENT


# The records


def records(axis="batch_size", values=(16, 64, 256, 1024), backend="a", **more):
    rows = []
    for value, operations, blocks in zip(values, OPERATIONS, timed(OPERATIONS)):
        for block, seconds in enumerate(blocks):
            rows.append(
                {"measure": "sweep", "figure": "slice", "value": 2 * seconds, "steps": 2, "axis": axis, "point": value}
                | {"operations": operations, "backend": backend, "variant": "b", "block": block, **more}
            )
    return rows


def test_the_slices_of_the_run_are_not_part_of_the_sweep():
    own = records(measure="speed")
    assert len(sweep.times(Query(pd.DataFrame(own)))) == 0
    assert len(sweep.times(Query(pd.DataFrame(own + records())))) == 4


def test_the_crossing_is_reported_on_the_axis_too():
    (row,) = sweep.lines(sweep.times(Query(pd.DataFrame(records())))).to_dict("records")
    assert (row["backend"], row["axis"]) == ("a:b", "batch_size")
    assert row["crossing"] == pytest.approx(5e6)
    assert row["crossing_at"] == "64 to 256"


@pytest.mark.parametrize(("operations", "place"), [(1e4, "below 16"), (5e5, "16 to 64"), (1e9, "beyond 1024")])
def test_a_crossing_outside_the_timed_points_is_marked(operations, place):
    found = sweep.times(Query(pd.DataFrame(records())))
    assert sweep.locate(found, operations) == place


def test_two_points_and_deeper_networks_have_no_line():
    short = records(values=(16, 64))
    deep = records(axis="depth", values=(1, 2, 3, 4))
    assert len(sweep.lines(sweep.times(Query(pd.DataFrame(short + deep))))) == 0
