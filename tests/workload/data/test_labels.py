"""The column of labels as classes."""

import numpy as np
import pandas as pd
import pytest

from tests.workload.data.tables import ROWS, Folder, refused, table


def test_labels_sort_by_number_or_by_alphabet(folder: Folder) -> None:
    frame = table().drop(columns="kind")
    numbers = np.array([10, 9, -1])[np.arange(ROWS) % 3]
    for values in (numbers, numbers.astype(float), numbers.astype(str), pd.Categorical(numbers.astype(str))):
        for suffix in ("csv", "parquet"):
            data = folder.frame(frame.assign(kind=values), suffix=suffix)
            assert data.classes == ("-1", "9", "10")
            np.testing.assert_array_equal(data.y[:3], [2, 1, 0])
    words = np.array(["pear", "Fig", "10"])[np.arange(ROWS) % 3]
    data = folder.frame(frame.assign(kind=words))
    assert data.classes == ("10", "Fig", "pear")
    np.testing.assert_array_equal(data.y[:3], [2, 1, 0])


def test_true_and_false_are_classes(folder: Folder) -> None:
    frame = table().assign(kind=np.arange(ROWS) % 2 == 0)
    for suffix in ("csv", "parquet"):
        data = folder.frame(frame, suffix=suffix)
        assert data.classes == ("False", "True")
        np.testing.assert_array_equal(data.y, frame["kind"])


def test_missing_labels_are_refused(folder: Folder) -> None:
    for kind in (object, float, "category"):
        frame = table()
        labels = pd.Series(np.arange(ROWS) % 3).astype(kind)
        labels[[6, 8]] = None
        refused(
            lambda frame=frame, labels=labels: folder.frame(frame.assign(kind=labels), suffix="parquet"),
            "2 of 30 labels in `kind` are missing, the first in data row 7",
        )
    blank = table()
    blank.loc[1, "kind"] = " "
    refused(lambda: folder.frame(blank, suffix="parquet"), "1 of 30 labels", "data row 2")
    refused(lambda: folder.csv("width,kind\n1,a\n2,\n3,a\n"), "1 of 3 labels", "data row 2")


def test_one_class_is_refused(folder: Folder) -> None:
    refused(lambda: folder.frame(table().assign(kind="ant")), "at least two classes in `kind`, got `ant` in 30 rows")


def test_a_measured_target_is_refused(folder: Folder) -> None:
    refused(lambda: folder.frame(table(), target="width"), "expected classes in `width`", "a measured quantity")
    infinite = table().assign(kind=np.where(np.arange(ROWS) == 3, np.inf, 1.0))
    refused(lambda: folder.frame(infinite), "expected classes in `kind`, got inf in data row 4")


@pytest.mark.parametrize("classes", [ROWS, ROWS // 2])
def test_as_many_classes_as_half_the_rows_are_refused(folder: Folder, classes: int) -> None:
    for values in (np.arange(ROWS) % classes, [f"id{row % classes}" for row in range(ROWS)]):
        refused(
            lambda values=values: folder.frame(table().assign(kind=values)),
            f"{classes} different labels in the 30 rows of `kind`: that looks like",
        )


def test_fewer_classes_than_half_the_rows_are_taken(folder: Folder) -> None:
    assert len(folder.frame(table().assign(kind=np.arange(ROWS) % 14)).classes) == 14
