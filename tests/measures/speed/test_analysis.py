"""What a run's raw times show besides the step times."""

import numpy as np
import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.measures.speed import analysis
from bakeoff.records.query import Query

WHO = {"measure": "speed", "backend": "a", "variant": "b", "self_test": False}


def records(*rows):
    return Query(pd.DataFrame([{**WHO, **row} for row in rows]))


def slices(values, number=1, **more):
    return [
        {
            "figure": "slice",
            "value": value,
            "steps": 2,
            "cpu_s": value / 2,
            "round": number,
            "block": block,
            "position": 0,
        }
        | more
        for block, value in enumerate(values, start=1)
    ]


STEADY = list(0.02 + 1e-4 * np.sin(np.arange(40)))


def test_an_outlier_is_labelled_and_kept():
    values = [*STEADY, 0.2]
    found = analysis.labelled(records(*slices(values)))
    assert found["outlier"].tolist() == [False] * 40 + [True]
    assert found["wall_s"].tolist() == values
    assert found["step"].tolist() == [value / 2 for value in values]


def test_a_slice_is_compared_with_its_own_round_and_worker():
    slow = [3 * value for value in STEADY]
    rows = [*slices(STEADY), *slices(slow, number=2), *slices(slow, variant="c"), *slices(slow, self_test=True)]
    assert not analysis.labelled(records(*rows))["outlier"].any()


def test_a_very_short_slice_is_an_outlier_too():
    assert statistics.outliers(np.array([*STEADY, 0.002])).tolist() == [False] * 40 + [True]


def test_without_scatter_only_a_different_value_is_an_outlier():
    assert statistics.outliers(np.array([1.0, 1.0, 1.0, 1.0])).tolist() == [False] * 4
    assert statistics.outliers(np.array([1.0, 1.0, 1.0, 1.1])).tolist() == [False] * 3 + [True]


def test_the_details_leave_out_the_second_copy_of_the_self_test():
    rows = [*slices([0.02, 0.04, 0.06] * 11), *slices([9.0] * 33, self_test=True)]
    found = analysis.details(records(*rows), "a", "b")
    assert found["step_s"] == 0.02
    assert (found["quick_step_s"], found["slow_step_s"]) == (0.01, 0.03)
    assert found["slices"] == 33
    assert found["cores_busy"] == pytest.approx(0.5)


def test_latency_quantiles_are_those_of_all_calls_for_a_number_of_rows():
    calls = [
        {"figure": "latency", "value": 1.0, "rows": 1, "calls": list(np.arange(1, 51) / 100 + shift)}
        for shift in (0, 0.5)
    ]
    calls.append({"figure": "latency", "value": 1.0, "rows": 64, "calls": [2.0, 2.0]})
    found = analysis.details(records(*slices(STEADY), *calls), "a", "b")
    every = np.arange(1, 101) / 100
    assert found["latency_1_p50_s"] == pytest.approx(np.quantile(every, 0.5))
    assert found["latency_1_p99_s"] == pytest.approx(np.quantile(every, 0.99))
    assert found["latency_64_p95_s"] == 2.0


def test_one_round_without_steady_state_is_reported():
    steady = {"figure": "steady", "value": True, "since": 4}
    never = {"figure": "steady", "value": False, "since": None}
    assert analysis.details(records(*slices(STEADY), steady, steady), "a", "b")["steady_since"] == 4
    found = analysis.details(records(*slices(STEADY), steady, never), "a", "b")
    assert found["never_steady"] is True
    assert found["steady_since"] is None


def test_threads_are_the_largest_count_that_any_source_reports():
    threads = [{"figure": "threads", "value": count, "of": "pool", "source": "library"} for count in (1, 2)]
    assert analysis.details(records(*slices(STEADY), *threads), "a", "b")["threads"] == {"pool": 2}
    assert analysis.details(records(*slices(STEADY)), "a", "b")["threads"] == {}


def test_a_variant_that_was_not_timed_has_no_details():
    assert analysis.details(records(*slices(STEADY)), "a", "other") == {}


def test_the_peak_rate_is_the_highest_of_the_run():
    peaks = [{"figure": "peak_rate", "value": value} for value in (1e9, 3e9, 2e9)]
    assert analysis.peak_rate(records(*peaks)) == 3e9
    assert np.isnan(analysis.peak_rate(records(*slices(STEADY))))
