"""The section that compares runs says what the intervals allow, and names runs by their folders alone."""

import json
import shutil

import pytest
from bakeoff.common import statistics
from bakeoff.measures.speed.figures import SLICE
from bakeoff.report.compare import Pair
from bakeoff.report.html import comparison
from bakeoff.report.html.blocks import _comparison
from bakeoff.report.report import Report

from tests.paths import REFERENCE_RUN

SLOWER = ("numpy_plain", "plain")


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """The reference run, and a copy of it in which one variant takes twice the time."""
    monkeypatch.setattr(statistics, "RESAMPLES", 200)
    folder = tmp_path / "later"
    shutil.copytree(REFERENCE_RUN, folder, ignore=shutil.ignore_patterns("tables", "logs"))
    lines = []
    for line in (folder / "records.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["figure"] == SLICE.name and (record.get("backend"), record.get("variant")) == SLOWER:
            record["value"] *= 2
        lines.append(json.dumps(record) + "\n")
    (folder / "records.jsonl").write_text("".join(lines))
    return Report(REFERENCE_RUN), Report(folder)


def test_the_chart_says_what_the_intervals_allow(reports):
    chart = comparison.chart_changes(Pair(*reports), 1)
    found = dict(zip(chart.rows["variant"], chart.rows["change"], strict=True))
    assert found.pop(":".join(SLOWER)) == comparison.MORE
    assert len(found) == 7
    assert set(found.values()) == {comparison.UNCLEAR}
    assert chart.rows["ratio"].is_monotonic_increasing
    assert "100 % more time" in chart.rows["words"].iloc[-1]


def test_a_run_goes_by_its_name_and_not_by_its_place(reports):
    block = _comparison(reports)
    text = " ".join([*block.lead, *(table.title for table in block.tables), *(chart.title for chart in block.charts)])
    assert "later" in text
    assert "numpy_plain:plain: 100 % more time" in text
    assert str(reports[0].folder) not in text
    assert str(reports[1].folder.parent) not in text
