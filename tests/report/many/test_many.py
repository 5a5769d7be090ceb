"""An index page has every run as text, and merged runs disagree only where each is sure."""

import json
import math
import re
import shutil

import pytest
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.common.statistics import Interval
from bakeoff.report.many import index
from bakeoff.report.many.merge import Merged

from tests.paths import REFERENCE_RUN, ROOT, SAVED_RUN


@pytest.fixture(autouse=True, scope="module")
def fewer_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        yield


@pytest.fixture(scope="module")
def merged():
    return Merged([REFERENCE_RUN, ROOT / "results" / "all"])


def test_the_ranking_has_the_common_variants_with_each_runs_own_ratios(merged):
    table = merged.ranking()
    assert len(table) == 8
    assert list(table) == ["backend", "run 1", "run 2"]
    assert table.iloc[0].tolist()[0] == "jax_pure:scan"
    assert table.iloc[0]["run 1"].startswith("1.  1.00")


def test_runs_of_one_machine_do_not_disagree(merged):
    assert merged.disagreements() == []
    assert "disagree on 0 of 28 pairs" in " ".join(merged.notes())


def test_runs_of_a_suite_say_which_workload_is_ranked(merged):
    assert not any("suite" in note for note in merged.notes())
    suite = Merged([ROOT / "results" / "suite"] * 2)
    assert "Of a suite, only its first workload is ranked here, small: " in " ".join(suite.notes())


def test_a_disagreement_needs_both_runs_to_be_sure(merged, monkeypatch):
    first, second = (report.step_times for report in merged.reports)
    for times, low, high in ((first, 0.4, 0.6), (second, 1.8, 2.2)):
        ratio = Interval((low + high) / 2, low, high)
        monkeypatch.setattr(times, "ratio", lambda *_, ratio=ratio: ratio)
    found = merged.disagreements()
    assert len(found) == 28
    assert "0.500 [0.400, 0.600] in reference" in found[0].sentence
    assert merged.as_json()["disagreements"][0]["first"] == found[0].first
    monkeypatch.setattr(second, "ratio", lambda *_: Interval(1.5, 0.9, 2.2))
    assert merged.disagreements() == []


def test_one_run_and_runs_of_other_specs_are_rejected(tmp_path):
    with pytest.raises(InputError, match="two runs or more"):
        Merged([REFERENCE_RUN])
    other = shutil.copytree(SAVED_RUN, tmp_path / "other")
    with pytest.raises(InputError, match="Compare runs of the same"):
        Merged([REFERENCE_RUN, other])


def copy_run(parent, name, **changes):
    folder = shutil.copytree(SAVED_RUN, parent / name)
    header = json.loads((folder / "run.json").read_text())
    header["created"] = changes.get("created", header["created"])
    header["backends"]["numpy_plain"]["version"] = changes.get("version", "2.0")
    header["machine"]["processor"] = changes.get("processor", "P")
    (folder / "run.json").write_text(json.dumps(header))
    return folder


@pytest.fixture
def page(tmp_path):
    copy_run(tmp_path / "runs", "one", version="2.9", created="2026-01-01T00:00:00Z")
    copy_run(tmp_path / "runs", "two", version="2.10", created="2026-02-01T00:00:00Z")
    copy_run(tmp_path / "runs", "three", processor="</script><script>alert(1)</script>")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    count, unreadable = index.write_index(tmp_path / "runs", tmp_path / "index.html")
    assert count == 3
    assert [folder.name for folder in unreadable] == ["broken"]
    return (tmp_path / "index.html").read_text()


def test_the_page_has_a_row_for_each_result_and_filters(page):
    body = page[page.index('<table id="results">') : page.index("<h2>")]
    assert len(re.findall(r'<tr class="result" data-run="(one|two|three)"', body)) == 3
    assert re.findall(r"<strong>(\w+)</strong>", body)[-2:] == ["two", "one"]  # the newest run comes first
    for key in index.FILTERS:
        assert f'<select name="{key}">' in page


def test_the_page_needs_no_network(page):
    assert not re.search(r"(src|href)\s*=|@import|https?://", page)


def test_text_is_never_markup(page):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_trend_is_of_one_machine_in_the_order_of_versions(page):
    trends = page[page.index('<table id="trends">') :]
    assert trends.count("<polyline") == 1
    assert re.search(r"2\.9: .* -&gt; 2\.10: ", trends)


def test_the_newest_run_of_a_version_counts():
    same = {"variant": "a:b", "machine": "m", "spec": "s"}
    rows = [
        {**same, "version": "1", "created": "2026-01", "step_s": 3.0},
        {**same, "version": "1", "created": "2026-02", "step_s": 2.0},
        {**same, "version": "odd version", "created": "2026-02", "step_s": 1.0},
        {**same, "version": "2", "created": "2026-02", "step_s": math.nan},
    ]
    (trend,) = index.list_trends(rows)
    assert trend.versions == ("1", "odd version")
    assert trend.step_s == (2.0, 1.0)
    assert trend.points.startswith("4.0,4.0 ")


def test_a_folder_without_runs_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no runs here yet"):
        index.write_index(tmp_path, tmp_path / "index.html")
