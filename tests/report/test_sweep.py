"""The tables of a sweep: a row a point, and where the overhead ends and the arithmetic begins."""

import pandas as pd
from bakeoff.measures.speed import sweep
from bakeoff.records.query import Query
from bakeoff.report.tables.sweep import format_lines, format_points

from tests.measures.speed.test_sweep import records


def times_of(*rows):
    return sweep.times(Query(pd.DataFrame([row for each in rows for row in each])))


def test_a_point_is_a_row_and_a_variant_a_column():
    table = format_points(times_of(records(), records(backend="slow", values=(16, 64))))
    assert list(table) == ["point", "arithmetic", "a:b", "slow:b"]
    assert table["point"].tolist() == [f"batch_size {size}" for size in (16, 64, 256, 1024)]
    assert table["arithmetic"].tolist() == ["0.100 MFLOP", "1.00 MFLOP", "10.0 MFLOP", "100 MFLOP"]
    assert table["a:b"].tolist() == ["102 us", "120 us", "300 us", "2.1 ms"]
    assert table["slow:b"].tolist() == ["102 us", "120 us", "-", "-"]


def test_a_line_has_its_overhead_rate_and_crossing():
    (row,) = format_lines(times_of(records())).to_dict("records")
    assert row == {
        "backend": "a:b",
        "axis": "batch_size",
        "overhead": "100 us",
        "GFLOP/s": "50.0",
        "crossing, MFLOP [95 %]": "5.00 [5.00, 5.00]",
        "crossing at": "batch_size 64 to 256",
        "line": "misses at most 0%",
    }


def test_without_a_sweep_both_are_empty():
    nothing = times_of(records(measure="speed"))
    assert len(format_points(nothing)) == len(format_lines(nothing)) == 0
