"""The page draws a sweep over its sizes, and over what its axis names where that is no size."""

from types import SimpleNamespace

import pandas as pd
from bakeoff.report.html.speed import chart_sweep


def test_the_axis_of_a_sweep_is_the_size():
    rows = [
        {"axis": axis, "point": point, "operations": 10.0, "backend": "a:b", "step_s": 1.0, "blocks": None}
        for axis, points in (("batch_size", ["16", "256"]), ("dtype", ["float32", "float64"]))
        for point in points
    ]
    sizes, kinds = chart_sweep(SimpleNamespace(sweep_times=pd.DataFrame(rows)))
    x = sizes.spec["encoding"]["x"]
    assert (x["field"], x["title"], x["axis"]["values"]) == ("size", "batch size (logarithmic)", [16, 256])
    assert sizes.rows["size"].tolist() == [16, 256]
    assert kinds.spec["encoding"]["x"]["field"] == "point"
