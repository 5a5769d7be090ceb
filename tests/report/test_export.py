"""`bakeoff table` writes chosen columns in a chosen order, in every format, with the same values."""

import io
import json

import pandas as pd
import pytest
from bakeoff.common import statistics
from bakeoff.common.errors import InputError
from bakeoff.report import export
from bakeoff.report.report import Report
from bakeoff.report.terminal.run import convert_table_to_json
from bakeoff.report.text import to_csv

from tests.paths import REFERENCE_RUN


@pytest.fixture(scope="module")
def report():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        report = Report(REFERENCE_RUN)
        assert report.rows
        assert report.notes()
        yield report


CHOSEN = ("variant", "step_s", "install_s")


def test_columns_and_order_are_as_chosen(report):
    table = export.select(report, False, CHOSEN, "-step_s")
    assert list(table.raw) == list(CHOSEN)
    assert table.raw["step_s"].is_monotonic_decreasing
    assert list(table.readable) == ["backend", "time per step [95 %]", "install_s"]
    assert table.readable["backend"].str.partition(":")[2].tolist() == table.raw["variant"].tolist()


def test_without_a_choice_it_is_the_summary(report):
    table = export.select(report, False)
    assert table.raw.equals(report.summary())
    assert table.readable.equals(report.readable_summary())


def test_rows_without_a_value_come_last(report):
    table = export.select(report, False, (), "-known_failures")
    assert len(table.raw) == len(report.summary())


@pytest.mark.parametrize(("columns", "sort"), [(("step",), ""), ((), "step_sec")])
def test_an_unknown_column_is_named_with_the_nearest(report, columns, sort):
    with pytest.raises(InputError, match=r"no column `step.*Did you mean `step_s"):
        export.select(report, False, columns, sort)


def test_columns_of_the_speed_need_raw_values(report):
    with pytest.raises(InputError, match="format of raw values"):
        export.select(report, True, ("step_s",))
    assert list(export.select(report, True, ("step_s",), raw=True).raw) == ["step_s"]


def test_every_format_has_the_same_values(report):
    table = export.select(report, False, CHOSEN, "step_s")
    steps = table.raw["step_s"].tolist()
    assert pd.read_csv(io.StringIO(export.render(table, "csv")))["step_s"].tolist() == pytest.approx(steps, rel=1e-12)
    assert pd.read_parquet(io.BytesIO(export.to_parquet(table)))["step_s"].tolist() == steps
    rows = json.loads(json.dumps(convert_table_to_json(report, table)))["rows"]
    assert [row["step_s"] for row in rows] == pytest.approx(steps, rel=1e-12)
    for form in ("markdown", "html", "latex"):
        # The notes name variants too.
        text = export.render(table._replace(notes=[]), form)
        names = [name.replace("_", "\\_") if form == "latex" else name for name in table.readable["backend"]]
        places = [text.index(name) for name in names]
        assert places == sorted(places)


def test_the_speed_with_its_dictionaries_can_be_parquet(report):
    back = pd.read_parquet(io.BytesIO(export.to_parquet(export.select(report, True, raw=True))))
    assert json.loads(back["threads"].iloc[0])


def test_text_is_escaped(report):
    table = export.select(report, False, ("version",))
    hostile = table._replace(
        readable=pd.DataFrame({"a_b": ["<b>50 % & more</b>"]}), notes=["<script>", "a note\nof two lines"]
    )
    html = export.render(hostile, "html")
    assert "<b>" not in html
    assert "<script>" not in html
    latex = export.render(hostile, "latex")
    assert r"a\_b" in latex
    assert r"50 \% \& more" in latex
    assert latex.startswith("% <script>\n% a note of two lines\n")


def test_csv_is_written_as_pandas_writes_it():
    table = pd.DataFrame(
        {
            "text": pd.array(["plain", 'a "quoted", one', None, "two\nlines"], dtype="str"),
            "number": [0.1, float("nan"), 1e300, -2.0],
            "infinite": [float("inf"), 1 / 3, 12345678901234567.0, 0.0],
            "count": [1, 2, 3, 10**12],
            "flag": [True, False, True, True],
            "mixed": pd.Series(["a", 1.5, None, True], dtype=object),
            "parts": [{"a": 1}, [1, 2], None, ()],
        }
    )
    assert to_csv(table) == table.to_csv(index=False)
    assert to_csv(pd.DataFrame()) == pd.DataFrame().to_csv(index=False)
    assert to_csv(table.head(0)) == table.head(0).to_csv(index=False)
    alone = pd.DataFrame({"text": ["", "a", None]})
    assert to_csv(alone) == alone.to_csv(index=False)


def test_a_cell_with_a_carriage_return_stays_one_cell():
    written = to_csv(pd.DataFrame({"text": ["one\rtwo"], "number": [1]}))
    assert pd.read_csv(io.StringIO(written)).to_dict("records") == [{"text": "one\rtwo", "number": 1}]
