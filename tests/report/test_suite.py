"""The results of a suite, from runs whose workloads are those of the reference run with known factors."""

import math

import numpy as np
import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.measures.speed.suite import FACTORS
from bakeoff.report.html.blocks import _suite
from bakeoff.report.html.suite import chart_profiles
from bakeoff.report.report import Report
from bakeoff.report.summary import summarise
from bakeoff.report.tables import suite
from bakeoff.report.tables.code import compute_doubling

from tests.paths import REFERENCE_RUN
from tests.suite_runs import make_suite_run

SLOW = {"numpy_plain": 100.0}


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch):
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_suite_run(tmp_path_factory.mktemp("suite") / "run", {"wide": SLOW, "same": {}})


@pytest.fixture
def report(folder):
    return Report(folder)


def test_a_run_of_one_workload_has_no_suite():
    report = Report(REFERENCE_RUN)
    assert not report.suite_results
    assert not any("workload" in note for note in report.notes())


def test_a_workload_with_the_same_times_has_the_same_ratios(report):
    results = report.suite_results
    assert results.names == ["small", "wide", "same"]
    for key in results.variants:
        assert results.ratio("same", key) == results.ratio("small", key)


def test_a_factor_on_one_of_three_workloads_moves_the_mean_by_its_third_root(report):
    """The times of NumPy are 100 times as long on one workload of three: its mean is 100 ** (1/3) times as long."""
    results, numpy = report.suite_results, ("numpy_plain", "plain")
    alone = results.mean_seconds(numpy, ["small"]).estimate
    assert results.mean_seconds(numpy).estimate == pytest.approx(alone * 100 ** (1 / 3))


def test_the_table_has_every_variant_on_every_workload(report):
    table = report.suite()
    assert len(table) == 3 * len(report.entries)
    fastest = table[table["rank"] == 1]
    assert fastest["workload"].tolist() == ["small", "wide", "same"]
    assert fastest["times_fastest"].tolist() == [1.0] * 3
    shown = report.readable_suite()
    assert list(shown.columns) == ["backend", "small", "wide", "same", "mean [95 %]"]


def test_profiles_end_at_1_where_the_factor_is_large_enough(report):
    profiles = report.profiles().set_index("backend")
    ratios = report.suite().assign(backend=lambda rows: rows["backend"] + ":" + rows["variant"])
    for backend, mine in ratios.groupby("backend"):
        assert profiles.loc[backend, "within_10"] == pytest.approx((mine["times_fastest"] <= 10).mean())


def test_the_headline_names_the_framework_whose_rank_depends_on_the_workload(report):
    (line,) = [note for note in report.notes() if "ranking by speed" in note]
    assert "NumPy is " in line
    assert "last on wide" in line
    assert report.notes().index(line) == len(report.warnings())


def test_the_answer_speaks_of_all_workloads_and_names_the_one_of_its_times(report):
    answer = summarise(report).answer
    assert answer.startswith(report.notes()[len(report.warnings())])
    assert "On the workload small, which the rest is about: " in answer


def test_the_same_ranks_everywhere_are_said_to_be_so(tmp_path):
    report = Report(make_suite_run(tmp_path / "run", {"again": {}}))
    assert "The frameworks' ranking by speed is the same on all 2 workloads." in report.notes()


def test_the_headline_from_ranks():
    titles = {"a": "Abacus", "b": "Beads", "c": "Cards"}
    ranks = {"small": {"a": 2, "b": 1, "c": 2}, "wide": {"a": 3, "b": 1, "c": 2}}
    assert suite._headline(ranks, titles) == (
        "Beads is first on 2 of 2 workloads. The ranking by speed depends on the workload: Abacus is tied for second "
        "on small, and last on wide."
    )


def test_a_variant_without_times_on_a_workload_has_no_mean_and_counts_in_the_profile(tmp_path):
    folder = make_suite_run(tmp_path / "run", {"wide": {}}, missing={("wide", "numpy_plain")})
    results, key = Report(folder).suite_results, ("numpy_plain", "plain")
    assert math.isnan(results.mean(key).estimate)
    assert results.profiles[key]["wide"] == math.inf
    shown = suite.format_ratios(results).set_index("backend")
    assert shown.loc["numpy_plain:plain", "wide"] == "-"
    assert shown.index[-1] == "numpy_plain:plain"


def test_the_tables_of_a_suite_are_written(report):
    tables = report.write()
    table = pd.read_csv(tables / "suite.csv")
    assert np.isfinite(table["times_fastest"]).all()
    assert len(pd.read_csv(tables / "profiles.csv")) == len(report.entries)
    assert "geometric mean" in (tables / "suite.md").read_text()


def test_the_page_has_the_profiles_and_the_ratios(report):
    block = _suite(report)
    (chart,) = block.charts
    assert len(chart.rows) == len(report.profile_curves())
    assert set(chart.rows["variant"]) == {":".join(key) for key in report.suite_results.variants}
    assert [row[0] for row in block.tables[0].rows] == report.readable_suite()["backend"].tolist()
    assert chart_profiles(Report(REFERENCE_RUN)) is None


def test_a_curve_has_the_shares_of_the_table(report):
    """The table has the share at eight factors: the curve has it at its last corner up to each of them."""
    curves = report.profile_curves()
    for row in report.profiles().to_dict("records"):
        mine = curves[curves["backend"].eq(row["backend"])]
        for factor in FACTORS:
            assert mine.loc[mine["factor"] <= factor, "share"].iloc[-1] == row[f"within_{factor:g}"]


@pytest.mark.parametrize(
    ("faster", "tokens_ratio", "doubling"),
    [
        ((4.0, 3.9, 4.1), 9.0, 3.0),  # two doublings: 3 * 3
        ((2.0, 1.5, 2.5), 1.5, 1.5),
        ((8.0, 7.0, 9.0), 1.0, 1.0),  # faster for nothing
        ((1.05, 0.98, 1.1), 2.0, None),  # not distinguishably faster
        ((math.nan, math.nan, math.nan), 2.0, None),
    ],
)
def test_what_twice_the_speed_costs_is_worked_out_by_hand(faster, tokens_ratio, doubling):
    found = compute_doubling(statistics.Interval(*faster), tokens_ratio)
    assert math.isnan(found) if doubling is None else found == pytest.approx(doubling)
