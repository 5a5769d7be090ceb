"""The legends of a run of many variants: whole, on a desktop and on a phone."""

import pytest
from bakeoff.report.html.page import write_page
from bakeoff.report.report import Report
from bakeoff.verdict.interactive import export_scoring
from bakeoff.verdict.requirements import read_support

from tests.paths import ROOT

from .browser import DESKTOP, PHONE

CUT = "\N{HORIZONTAL ELLIPSIS}"


@pytest.fixture(scope="module")
def large_page(tmp_path_factory):
    """Return the page of the run of all backends."""
    report = Report(ROOT / "results" / "all")
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page([report], path, export_scoring(report, read_support()))
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_legend_is_cut(chromium, large_page, size):
    chromium.resize(size)
    try:
        chromium.open(large_page)
        legends = chromium.run(
            "return Object.fromEntries(figures().map((box) => [box.dataset.chart,"
            " [...box.querySelectorAll('.role-legend-label text')].map((each) => each.textContent)]))"
        )
        timed = chromium.run("return [...new Set(CHARTS.get('slices').rows.map((row) => row[0]))].length")
        wide = chromium.run("return figures().filter((box) => box.querySelector('.picture').scrollWidth > innerWidth)")
    finally:
        chromium.resize(DESKTOP)
        chromium.page = None
    assert len(set(legends["slices"])) == timed > 30
    assert [each for labels in legends.values() for each in labels if CUT in each] == []
    assert wide == []
    assert chromium.problems() == []
