"""The page of a run with a suite shows every variant on every workload."""

import pytest
from bakeoff.report.html.page import write_page
from bakeoff.report.html.suite import FASTEST, SLOWER, chart_suite
from bakeoff.report.report import Report

from tests.suite_runs import make_suite_run


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    workloads = {"wide": {"pytorch": 0.1, "numpy_plain": 8.0}, "deep": {"tensorflow_core": 2.0}}
    return Report(make_suite_run(tmp_path_factory.mktemp("suite") / "run", workloads, {("deep", "numpy_plain")}))


def test_the_chart_has_the_table_s_ratios_and_no_row_without_a_time(suite):
    rows = chart_suite(suite).rows
    table = suite.suite().dropna(subset=["times_fastest"])
    assert rows["times_fastest"].sum() == pytest.approx(table["times_fastest"].sum())
    assert len(rows) == len(table)
    assert not len(rows[rows["workload"].eq("deep") & rows["variant"].str.startswith("numpy_plain")])
    fastest = rows[rows["standing"].eq(FASTEST)]
    assert sorted(fastest["workload"]) == ["deep", "small", "wide"]
    assert set(fastest["times_fastest"]) == {1.0}
    assert fastest.loc[fastest["workload"].eq("wide"), "variant"].item().startswith("pytorch:")
    assert rows.loc[rows["standing"].eq(SLOWER), "times_fastest_low"].min() > 1


def test_a_run_with_one_workload_has_no_such_chart(reference):
    assert chart_suite(reference) is None


def test_the_page_draws_every_field(chromium, suite, tmp_path):
    path = tmp_path / "report.html"
    write_page([suite], path, {"scope": "", "limits": "", "problem": "left out here", "criteria": []})
    chromium.open(path)
    chromium.run("document.querySelector('#size').scrollIntoView()")
    chromium.wait("return document.querySelector('#figure-suite').dataset.drawn !== undefined")
    numbers = [each for each in chromium.texts("#figure-suite svg text") if each.replace(".", "").isdigit()]
    assert len(numbers) == len(chart_suite(suite).rows)
    assert {"1.00"} < set(numbers)
    assert chromium.problems() == []
    chromium.page = None
