"""A loaded run: its tables have the documented columns, its values are those of the records, its HTML is escaped."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.measures.training.figures import TEST_ACCURACY
from bakeoff.report.notebook.frames import FRAMES
from bakeoff.report.notebook.run import load

from tests.paths import REFERENCE_RUN, ROOT, SAVED_RUN

NAMES = [frame.name for frame in FRAMES]


@pytest.fixture(scope="module")
def run():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        loaded = load(REFERENCE_RUN)
        assert len(loaded.ratios) == len(loaded.summary) ** 2
        yield loaded


@pytest.mark.parametrize("frame", FRAMES, ids=NAMES)
def test_a_table_has_exactly_its_documented_columns_with_their_units(run, frame):
    table = getattr(run, frame.name)
    assert list(table.columns) == list(frame.columns)
    assert set(table.attrs["units"]) == {name for name, (unit, _) in frame.columns.items() if unit}
    assert len(table) or frame.name == "sweep"


def test_a_figure_is_asked_for_by_its_name_and_keys(run):
    slices = run.figure("speed/slice", backend="numpy_plain", self_test=False)
    assert set(slices["backend"]) == {"numpy_plain"}
    assert len(slices) < len(run.figure("speed/slice"))
    with pytest.raises(InputError, match=r"such as speed/slice, got 'speed/slyce'. Did you mean `speed/slice`\?"):
        run.figure("speed/slyce")
    with pytest.raises(InputError, match=r"speed/slice has no key `bckend`. Did you mean `backend`\?"):
        run.figure("speed/slice", bckend="numpy_plain")


@pytest.mark.parametrize("frame", [each for each in FRAMES if each.name != "sweep"], ids=lambda each: each.name)
def test_every_documented_column_has_values_in_a_published_run(run, frame):
    """A column that the measure has renamed would be empty."""
    table = getattr(run, frame.name)
    # No GPU took part, and every environment serves its whole backend.
    expected_empty = {"speed": {"device_bytes"}, "installation": {"variant"}}.get(frame.name, set())
    assert {name for name in table if table[name].isna().all()} == expected_empty


def test_the_tables_agree_with_the_records(run):
    assert run.summary["step_s"].tolist() == run.report.summary()["step_s"].tolist()
    timed = run.slices[~run.slices["self_test"].astype(bool)]
    medians = timed.groupby(["backend", "variant"])["step"].median()
    for row in run.summary.to_dict("records"):
        assert row["step_s"] == pytest.approx(medians[row["backend"], row["variant"]])
    ratios = run.ratios.set_index(["backend", "variant", "other_backend", "other_variant"])["ratio"]
    assert ratios["jax_pure", "scan", "jax_pure", "scan"] == 1
    assert len(run.figure(TEST_ACCURACY, backend="jax_pure")) == 2


def test_an_unknown_table_is_named_with_those_that_exist(run):
    with pytest.raises(AttributeError, match=r"no `sped`. Its tables: summary, speed, "):
        run.sped  # noqa: B018  # the access is the test
    assert set(NAMES) <= set(dir(run))


def test_a_folder_without_a_run_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        load(tmp_path)


def test_the_html_has_the_answer_and_escapes_text(run, monkeypatch):
    page = run._repr_html_()
    assert "jax_pure:scan is the fastest" in page
    assert page.count("<tr>") >= len(run.summary)
    hostile = load(SAVED_RUN)
    monkeypatch.setattr(hostile.report, "warnings", lambda: ["<script>alert(1)</script>"])
    assert "<script>" not in hostile._repr_html_()
    assert "&lt;script&gt;" in hostile._repr_html_()


def test_figures_are_charts_with_every_variant(run):
    drawn = {row["backend"] for rows in run.plot.step_times().to_dict()["datasets"].values() for row in rows}
    assert drawn == set(run.summary["backend"] + ":" + run.summary["variant"])
    curves = run.plot.learning_curves().to_dict()
    assert sum(len(rows) for rows in curves["datasets"].values()) == len(run.training)
    with pytest.raises(InputError, match="no sweep"):
        run.plot.sweep()


def test_the_reference_page_names_every_table():
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert re.findall(r"^### `run\.(\w+)`$", page, re.MULTILINE) == NAMES


def test_the_import_is_light():
    code = "import bakeoff, sys; print(sorted({'pandas', 'scipy', 'altair', 'numpy', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_table_can_be_written_by_pandas(run, tmp_path):
    run.summary.to_parquet(tmp_path / "summary.parquet")
    back = pd.read_parquet(tmp_path / "summary.parquet")
    assert back["step_s"].tolist() == run.summary["step_s"].tolist()
