"""`bakeoff report`: where it writes, what it says when it cannot, and how large the page of many variants is."""

import shutil
import sys

import pytest
from bakeoff.cli.app import main
from bakeoff.report.html.page import build_page
from bakeoff.report.report import Report

from tests.paths import ROOT, SAVED_RUN

LARGE_RUN = ROOT / "results" / "all"
MOST_BYTES = 5_000_000
MOST_CPU_S = 2.0


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(SAVED_RUN, tmp_path / "run")


def report(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bakeoff", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_it_writes_beside_the_records_or_where_it_is_told(monkeypatch, run, tmp_path, capsys):
    assert not report(monkeypatch, run)
    assert (run / "report.html").read_text().startswith("<!doctype html>")
    assert "report.html" in capsys.readouterr().err
    assert not report(monkeypatch, run, "-o", tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 100_000


def test_a_place_that_cannot_be_written_is_a_sentence(monkeypatch, run, tmp_path, capsys):
    assert report(monkeypatch, run, "-o", tmp_path / "missing" / "page.html") == 2
    assert "Choose another place" in " ".join(capsys.readouterr().err.split())


def test_a_missing_extra_is_named_with_the_command(monkeypatch, run, capsys):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert report(monkeypatch, run) == 2
    assert "pip install '.[report]'" in capsys.readouterr().err


def test_another_run_is_compared_with_the_first(run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    page = build_page([Report(run), Report(other)], {"scope": "", "limits": "", "problem": "none", "criteria": []})
    assert "Compared with other runs" in page
    assert f"{other.name}: what changed" in page


def test_the_page_of_many_variants_is_small_and_soon_usable(chromium, tmp_path):
    """Processor time of the page's main thread, not wall time: a loaded machine makes nothing slower in it."""
    large = Report(LARGE_RUN)
    path = tmp_path / "report.html"
    scoring = {"scope": "", "limits": "", "problem": "left out here", "criteria": []}
    path.write_text(build_page([large], scoring), encoding="utf-8")
    assert len(large.entries) >= 24
    assert path.stat().st_size < MOST_BYTES
    chromium.driver.get("about:blank")
    chromium.command("Performance.enable", {"timeDomain": "threadTicks"})
    chromium.open(path, drawn=False)
    chromium.wait("return document.documentElement.dataset.usable !== undefined")
    metrics = {each["name"]: each["value"] for each in chromium.command("Performance.getMetrics", {})["metrics"]}
    chromium.page = None
    assert 0 < metrics["TaskDuration"] < MOST_CPU_S
