"""The columns of a table as numbers."""

import decimal
from datetime import date

import numpy as np
import pandas as pd
import pytest
from bakeoff.workload.data import split

from tests.workload.data.tables import ROWS, Folder, refused, spec_for, table


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_missing_values_are_refused_with_columns_counts_and_first_rows(folder: Folder, suffix: str) -> None:
    frame = table()
    frame["height"] = frame["height"].astype("Int64")
    frame.loc[[4, 9], "width"] = None
    frame.loc[7, "height"] = None
    refused(
        lambda: folder.frame(frame, suffix=suffix),
        "missing values: `width` 2 (the first in data row 5), `height` 1 (the first in data row 8). Fill them in",
    )


def test_a_column_without_any_value_is_missing_throughout(folder: Folder) -> None:
    frame = table().assign(width=None)
    for suffix in ("csv", "parquet"):
        refused(lambda suffix=suffix: folder.frame(frame, suffix=suffix), "missing values: `width` 30")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_infinite_values_are_refused(folder: Folder, suffix: str) -> None:
    frame = table()
    frame.loc[2, "width"] = -np.inf
    refused(lambda: folder.frame(frame, suffix=suffix), "infinite values: `width` 1 (the first in data row 3)")


def test_text_in_a_column_of_numbers_is_refused_with_its_row(folder: Folder) -> None:
    frame = table().astype({"height": str})
    frame.loc[[3, 5], "height"] = "tall"
    for suffix in ("csv", "parquet"):
        refused(
            lambda suffix=suffix: folder.frame(frame, suffix=suffix),
            "column `height`: expected numbers, got 'tall' in data row 4 (2 such)",
        )


def test_every_column_of_text_is_named_and_encoding_suggested(folder: Folder) -> None:
    frame = table().assign(city="Bern", colour="red")
    for changed in (frame, frame.astype({"city": "category"})):
        message = refused(
            lambda changed=changed: folder.frame(changed, suffix="parquet"),
            "column `city` holds text, such as 'Bern' in data row 1: expected numbers. Set `data.categories` to",
            "column `colour` holds text",
        )
        assert message.count("\n") == 1
    many = table().assign(**{f"city{number}": "Bern" for number in range(30)})
    assert refused(lambda: folder.frame(many), "... and 20 more such columns.").count("\n") == 10


def test_true_and_false_become_1_and_0_with_a_note(folder: Folder) -> None:
    frame = table()
    frame["male"] = np.arange(ROWS) % 2 == 0
    frame["nullable"] = frame["male"].astype("boolean")
    for suffix in ("csv", "parquet"):
        data = folder.frame(frame, suffix=suffix)
        np.testing.assert_array_equal(data.x[:, 2], frame["male"].astype(float))
        assert data.features == ("width", "height", "male", "nullable")
        assert data.notes == ("True/false is read as 1/0: `male`, `nullable`.",)
    frame["male"] = frame["male"].astype(object)
    frame.loc[1, "male"] = None
    refused(lambda: folder.frame(frame), "missing values: `male` 1 (the first in data row 2)")


def test_numbers_written_as_text_are_read_with_a_note(folder: Folder) -> None:
    frame = table()
    numbers = frame["height"].astype(float)
    for kind in (str, object, "category"):
        changed = frame.assign(height=frame["height"].astype(str).astype(kind))
        data = folder.frame(changed, suffix="parquet")
        np.testing.assert_array_equal(data.x[:, 1], numbers)
        assert data.notes == ("Numbers written as text are read as numbers: `height`.",)


def test_other_kinds_of_numbers_are_numbers(folder: Folder) -> None:
    frame = table()
    frame["money"] = [decimal.Decimal(number) / 4 for number in range(ROWS)]
    frame["small"] = np.arange(ROWS).astype(np.uint8)
    frame["grade"] = pd.Categorical(np.arange(ROWS) % 4)
    data = folder.frame(frame, suffix="parquet")
    np.testing.assert_array_equal(data.x[:, 2:], np.column_stack([np.arange(30) / 4, np.arange(30), np.arange(30) % 4]))


@pytest.mark.parametrize(
    "values",
    [
        [date(2020, 1, 1 + number) for number in range(ROWS)],
        pd.date_range("2020-01-01", periods=ROWS),
        pd.to_timedelta(range(ROWS), unit="h"),
    ],
)
def test_dates_and_times_are_refused(folder: Folder, values: object) -> None:
    frame = table().assign(day=values)
    refused(lambda: folder.frame(frame, suffix="parquet"), "column `day` holds dates or times")
    refused(lambda: folder.frame(frame, target="day", suffix="parquet"), "expected classes in `day`, got dates")


def test_dates_written_as_text_are_called_dates(folder: Folder) -> None:
    frame = table().assign(day=pd.date_range("2020-01-01", periods=ROWS))
    refused(lambda: folder.frame(frame), "column `day` holds dates or times, such as '2020-01-01' in data row 1")


def test_lists_in_cells_are_refused(folder: Folder) -> None:
    frame = table().assign(pair=[[1, 2]] * ROWS)
    refused(lambda: folder.frame(frame, suffix="parquet"), "column `pair` holds lists", "`data.drop`")


def test_constant_columns_are_kept_and_named(folder: Folder) -> None:
    data = folder.frame(table().assign(tenth=0.1))
    assert "`tenth`" in data.notes[0]
    splits = split(data, spec_for())
    assert splits.features == 3
    assert splits.std[2] == 1
    for part in (splits.x_train, splits.x_validation, splits.x_test):
        np.testing.assert_array_equal(part[:, 2], 0)
