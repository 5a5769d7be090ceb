"""Data sets -> normalised splits and batch orders (harness/data)."""

import decimal
import hashlib
import io
import json
import re
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.common.errors import InputError
from bakeoff.workload.data import Dataset, batch_orders, load, split
from bakeoff.workload.spec import DataSpec, Spec, TrainingSpec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from sklearn.datasets import _openml, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from werkzeug import Request, Response

ROWS = 30
KINDS = ("ant", "bee", "cat")


def table(rows: int = ROWS) -> pd.DataFrame:
    """Return a small, sound table with a column of labels."""
    rng = np.random.default_rng(0)
    kinds = np.array(KINDS)[np.arange(rows) % 3]
    return pd.DataFrame({"width": rng.normal(size=rows), "height": rng.integers(1, 9, rows), "kind": kinds})


def spec_for(data: DataSpec | None = None, **training: int | str) -> Spec:
    return Spec(data=data or DataSpec(), training=TrainingSpec(**{"batch_size": 2, **training}))


def raw(x: np.ndarray, y: np.ndarray) -> Dataset:
    features = tuple(f"x{number}" for number in range(x.shape[1]))
    classes = tuple(str(number) for number in range(int(y.max()) + 1))
    return Dataset("raw", np.asarray(x, np.float64), np.asarray(y, np.int64), features, classes, ())


class Folder:
    """Writes a table in the format asked for and loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def csv(self, content: str | bytes, target: str = "kind") -> Dataset:
        path = self.path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(DataSpec(source=str(path), target=target))

    def frame(self, frame: pd.DataFrame, target: str = "kind", suffix: str = "csv") -> Dataset:
        path = self.path / f"table.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
        return load(DataSpec(source=str(path), target=target))

    def npz(self, target: str = "", **arrays: np.ndarray) -> Dataset:
        path = self.path / "table.npz"
        np.savez(path, **arrays)
        return load(DataSpec(source=str(path), target=target))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def refused(call: Callable[[], object], *fragments: str) -> str:
    """Return the message with which `call` refuses its input; it holds all the fragments."""
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert [fragment for fragment in fragments if fragment not in message] == [], message
    return message


# Sources


def test_importing_the_module_leaves_the_heavy_libraries_out() -> None:
    code = (
        "import sys, bakeoff.workload.data; print(sorted({'pandas', 'sklearn', 'pyarrow', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
    heavy = subprocess.run([sys.executable, "-c", f"import pandas; {code}"], capture_output=True, text=True, check=True)
    assert "pandas" in heavy.stdout, "the check itself sees an import"


def test_digits_are_those_of_scikit_learn() -> None:
    digits, ours = load_digits(), load(DataSpec())
    np.testing.assert_array_equal(ours.x, digits.data)
    np.testing.assert_array_equal(ours.y, digits.target)
    assert (ours.x.dtype, ours.y.dtype) == (np.float64, np.int64)
    assert ours.name == "digits"
    assert ours.classes == tuple("0123456789")
    assert len(ours.features) == 64
    assert "`pixel_0_0`" in ours.notes[0]


@pytest.mark.parametrize("source", ["digits", "synthetic:20x2x2"])
def test_a_target_is_refused_where_the_source_brings_labels(source: str) -> None:
    refused(lambda: load(DataSpec(source=source, target="kind")), source, "brings its own labels", "`kind`")


@pytest.mark.parametrize(("source", "hint"), [("digit", "`digits`"), ("mnist", "`openml:mnist`")])
def test_an_unknown_source_gets_a_suggestion(source: str, hint: str) -> None:
    refused(lambda: load(DataSpec(source=source)), f"{source}: expected `digits`", ".parquet", f"Did you mean {hint}?")


def test_an_unknown_extension_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    path.write_text("a")
    message = refused(lambda: load(DataSpec(source=str(path))), "expected `digits`, a .csv, .parquet or .npz file")
    assert "Did you mean" not in message


@pytest.mark.parametrize("size", ["10x2x2", "11x1x2", "200x5x3", "301x7x10"])
def test_synthetic_data_has_the_size_asked_for(size: str) -> None:
    rows, features, classes = map(int, size.split("x"))
    data = load(DataSpec(source=f"synthetic:{size}"))
    assert data.x.shape == (rows, features)
    assert data.y.shape == (rows,)
    counts = np.bincount(data.y)
    assert len(counts) == len(data.classes) == classes
    assert counts.max() - counts.min() <= 2


def test_synthetic_data_follow_the_seed_and_nothing_else() -> None:
    source = DataSpec(source="synthetic:50x3x2")
    np.testing.assert_array_equal(load(source, seed=2**62).x, load(source, seed=2**62).x)
    assert not np.array_equal(load(source, seed=1).x, load(source, seed=2).x)
    np.testing.assert_array_equal(load(DataSpec(), seed=1).x, load(DataSpec(), seed=2).x)


@pytest.mark.parametrize("size", ["600x2x2", "600x20x3", "600x100x4"])
def test_synthetic_data_can_be_learned(size: str) -> None:
    data = load(DataSpec(source=f"synthetic:{size}"))
    splits = split(data, spec_for())
    model = KNeighborsClassifier(9).fit(splits.x_train, splits.y_train)
    assert model.score(splits.x_test, splits.y_test) > 1.5 / len(data.classes)


def test_synthetic_data_want_more_than_a_flat_cut() -> None:
    flat, curved = [], []
    for seed in range(10):
        data = load(DataSpec(source="synthetic:600x2x2"), seed)
        flat.append(LogisticRegression().fit(data.x[:300], data.y[:300]).score(data.x[300:], data.y[300:]))
        curved.append(KNeighborsClassifier(9).fit(data.x[:300], data.y[:300]).score(data.x[300:], data.y[300:]))
    assert np.mean(curved) - np.mean(flat) > 0.05, (flat, curved)


@pytest.mark.parametrize("size", ["", "10", "10x2", "10x2x2x2", "-10x2x2", "axbxc", "1e3x2x2", "9" * 5000 + "x2x2"])
def test_a_malformed_synthetic_size_is_refused(size: str) -> None:
    refused(lambda: load(DataSpec(source=f"synthetic:{size}")), "expected synthetic:ROWSxFEATURESxCLASSES")


@pytest.mark.parametrize("size", ["0x2x2", "10x0x2", "10x2x1", "10x2x5"])
def test_an_impossible_synthetic_size_is_refused(size: str) -> None:
    refused(lambda: load(DataSpec(source=f"synthetic:{size}")), "at least 1 feature, 2 classes", "more than 2 rows")


def test_a_synthetic_size_beyond_memory_is_refused() -> None:
    refused(lambda: load(DataSpec(source="synthetic:1000000000x1000000x2")), "too many to draw")


# Files


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_is_read(folder: Folder, suffix: str) -> None:
    frame = table()
    data = folder.frame(frame, suffix=suffix)
    np.testing.assert_array_equal(data.x, frame[["width", "height"]])
    np.testing.assert_array_equal(np.array(data.classes)[data.y], frame["kind"])
    assert data.features == ("width", "height")
    assert data.classes == KINDS
    assert data.name == f"table.{suffix}"
    assert data.notes == ()


def test_the_hash_is_of_the_data_not_of_the_file(folder: Folder) -> None:
    frame = table()
    x = np.asfortranarray(frame[["width", "height"]].to_numpy(np.float64))
    same = [
        folder.frame(frame),
        folder.frame(frame, suffix="parquet"),
        folder.frame(frame[["kind", "width", "height"]]),
        folder.npz(x=x.astype(">f8"), y=frame["kind"].to_numpy(str)),
        folder.npz(x=x, y=frame["kind"].to_numpy("S3")),
    ]
    hashes = {split(data, spec_for()).hash for data in same}
    assert len(hashes) == 1, hashes


def test_numbers_in_text_are_read_to_the_last_bit(folder: Folder) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3000, 2)) * 10.0 ** rng.integers(-30, 30, size=(3000, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": np.arange(3000) % 3})
    np.testing.assert_array_equal(folder.frame(frame).x, x)


def test_the_hash_is_recomputed_by_hand_and_moves_with_every_part() -> None:
    x, y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
    data = raw(x, y)
    digest = hashlib.sha256(b"<f8(12, 2)" + x.tobytes() + b"<i8(12,)" + data.y.tobytes() + b'["0", "1"]')
    assert split(data, spec_for()).hash == digest.hexdigest()[:12]
    others = [raw(x + 1e-12, y), raw(x, 1 - y), raw(x.reshape(12, 2)[:, :1], y), data._replace(classes=("a", "b"))]
    hashes = {split(other, spec_for()).hash for other in [data, *others]}
    assert len(hashes) == 5
    assert split(data, spec_for(seed=9)).hash == digest.hexdigest()[:12], "the split leaves the hash alone"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    refused(lambda: load(DataSpec(source=str(tmp_path / "none.csv"))), "no such file")
    (tmp_path / "folder.parquet").mkdir()
    refused(lambda: load(DataSpec(source=str(tmp_path / "folder.parquet"))), "expected a file, got a folder")
    refused(lambda: load(DataSpec(source="a\0b.csv")), "cannot be read")
    refused(lambda: load(DataSpec(source="a" * 5000 + ".csv")), "cannot be read")


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_an_empty_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"table.{suffix}"
    path.touch()
    refused(lambda: load(DataSpec(source=str(path), target="kind")), "got an empty file")


def test_a_header_alone_is_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("width,kind\n"), "got 0 rows and 1 features")
    refused(lambda: folder.frame(table(0), suffix="parquet"), "got 0 rows and 2 features")
    refused(lambda: folder.csv("\n\n"), "got no columns")


def test_labels_alone_are_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("kind\na\nb\n"), "got only one column")
    refused(lambda: folder.frame(table()[["kind"]], suffix="parquet"), "got 30 rows and 0 features")


def test_the_target_has_to_be_named(folder: Folder) -> None:
    refused(
        lambda: folder.frame(table(), target=""),
        "Set `data.target`, or `--target`, to one of `width`, `height`, `kind`",
    )
    refused(lambda: folder.frame(table(), target="knid"), "no column `knid`", "Did you mean `kind`?")
    refused(lambda: folder.frame(table(), target="species"), "It has `width`, `height`, `kind`")


def test_a_table_with_semicolons_is_told_from_one_with_commas(folder: Folder) -> None:
    refused(lambda: folder.csv("width;kind\n1,5;a\n"), "one column only", "semicolons", "expected commas")
    refused(lambda: folder.csv("width;kind\n1.5;a\n"), "one column only", "semicolons")
    refused(lambda: folder.csv("width\tkind\n1\ta\n"), "one column only", "tabs")


def test_a_ragged_table_is_refused_with_its_line(folder: Folder) -> None:
    refused(lambda: folder.csv("width,kind\n1,a\n2,b,c\n"), "line 3 has 3 cells where the header has 2")
    refused(lambda: folder.csv("width,kind\n1,a\n2\n"), "line 3 has 1 cells where the header has 2")
    refused(lambda: folder.csv("width,kind\n1,a,x\n2,b,y\n"), "line 2 has 3 cells")


def test_a_quote_left_open_is_refused(folder: Folder) -> None:
    refused(lambda: folder.csv('width,kind\n1,"a\n2,b\n'), "not a regular comma-separated table")


def test_text_that_is_not_utf_8_is_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("width,kind\n1,caf\u00e9\n".encode("latin-1")), "expected UTF-8, got the byte 0xe9")
    refused(lambda: folder.csv("width,kind\n1,a\n".encode("utf-16")), "expected UTF-8")


def test_a_byte_order_mark_blank_lines_and_quotes_do_no_harm(folder: Folder) -> None:
    plain = folder.frame(table())
    lines = table().to_csv(index=False).replace("ant", '"ant"').replace("\n", "\r\n\r\n")
    dressed = folder.csv(b"\xef\xbb\xbf" + lines.encode())
    assert dressed.features == plain.features
    assert dressed.classes == plain.classes
    np.testing.assert_array_equal(dressed.x, plain.x)


def test_a_cell_too_long_for_a_table_is_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("width,kind\n1," + "a" * 200_000 + "\n"), "not a comma-separated table")


def test_duplicate_and_nameless_columns_are_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("a,a,kind\n1,2,x\n"), "the same column name twice: `a`")
    refused(lambda: folder.csv(table().to_csv()), "column 1 has no name", "index=False")
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), folder.path / "twice.parquet")
    source = str(folder.path / "twice.parquet")
    refused(lambda: load(DataSpec(source=source, target="a")), "the same column name twice: `a`")


def test_a_named_pandas_index_is_no_feature_and_a_note_says_so(folder: Folder) -> None:
    frame = table()
    frame.index = pd.Index(range(100, 100 + ROWS), name="serial")
    data = folder.frame(frame, suffix="parquet")
    assert data.features == ("width", "height")
    assert data.notes == ("The pandas index `serial` is no feature: left out.",)


def test_a_parquet_path_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    path = tmp_path / "year=2020" / "table.parquet"
    path.parent.mkdir()
    table().to_parquet(path)
    assert load(DataSpec(source=str(path), target="kind")).features == ("width", "height")


# Values of features


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
            "column `city` holds text, such as 'Bern' in data row 1: expected numbers. Encode it",
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
    refused(lambda: folder.frame(frame, suffix="parquet"), "column `pair` holds text")


def test_constant_columns_are_kept_and_named(folder: Folder) -> None:
    data = folder.frame(table().assign(tenth=0.1))
    assert "`tenth`" in data.notes[0]
    splits = split(data, spec_for())
    assert splits.features == 3
    assert splits.std[2] == 1
    for part in (splits.x_train, splits.x_validation, splits.x_test):
        np.testing.assert_array_equal(part[:, 2], 0)


# Labels


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


# Archives of arrays


def arrays(rows: int = ROWS) -> dict[str, np.ndarray]:
    return {"x": np.arange(2.0 * rows).reshape(rows, 2), "y": np.arange(rows) % 3}


def test_an_archive_is_read(folder: Folder) -> None:
    given_arrays = arrays()
    data = folder.npz(**given_arrays)
    np.testing.assert_array_equal(data.x, given_arrays["x"])
    np.testing.assert_array_equal(data.y, given_arrays["y"])
    assert data.features == ("x0", "x1")
    assert data.classes == ("0", "1", "2")


@pytest.mark.parametrize("dtype", ["u1", "i8", "f2", ">f4", ">i2", "g"])
def test_an_archive_may_hold_any_kind_of_number(folder: Folder, dtype: str) -> None:
    x, y = arrays().values()
    data = folder.npz(x=x.astype(dtype), y=y.astype(dtype))
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.y, y)


def test_the_target_names_the_array_of_labels(folder: Folder) -> None:
    x, y = arrays().values()
    images = folder.npz("label", pixels=x, label=y, scale=np.float64(3))
    np.testing.assert_array_equal(images.x, x)
    assert images.features == ("pixels0", "pixels1")
    np.testing.assert_array_equal(folder.npz("label", x=x, label=y, more=-x).x, x)
    refused(lambda: folder.npz("label", a=x, b=x, label=y), "one 2-D array beside `label`, got 2 among `a`, `b`")
    refused(lambda: folder.npz("label", a=y, label=y), "one 2-D array beside `label`, got 0")
    refused(lambda: folder.npz("lable", x=x, label=y), "no array `lable`. Did you mean `label`?")
    refused(lambda: folder.npz(x=x, label=y), "no array `y`", "It has `x`, `label`")


def test_arrays_of_another_shape_are_refused(folder: Folder) -> None:
    x, y = arrays().values()
    for wrong_x, wrong_y in [(y, y), (x.reshape(-1, 2, 1), y), (x, y[:-1]), (x, x), (x[:, :0], y), (x[:0], y[:0])]:
        refused(
            lambda x=wrong_x, y=wrong_y: folder.npz(x=x, y=y),
            "expected `x` of shape (rows, features) and `y` of shape (rows,)",
            str(wrong_x.shape),
        )


def test_what_is_no_number_is_refused_in_an_archive(folder: Folder) -> None:
    x, y = arrays().values()
    for kind in ("complex128", str, "datetime64[s]", "S9"):
        wrong = x.astype(int).astype(kind)
        refused(lambda wrong=wrong: folder.npz(x=wrong, y=y), "expected numbers in `x`", str(wrong.dtype))
    refused(lambda: folder.npz(x=x, y=y.astype(complex)), "expected classes in `y`, got complex numbers")
    refused(lambda: folder.npz(x=x, y=y.astype("datetime64[D]")), "expected classes in `y`, got dates or times")
    refused(lambda: folder.npz(x=x, y=y.astype([("a", int)])), "expected numbers or text in `y`")


def test_true_and_false_in_an_archive_become_1_and_0(folder: Folder) -> None:
    x, y = arrays().values()
    data = folder.npz(x=x % 4 < 2, y=y)
    np.testing.assert_array_equal(data.x, (x % 4 < 2).astype(float))
    assert data.notes[0] == "The array `x` is true/false: read as 1/0."


def test_missing_and_infinite_values_in_an_archive_are_refused(folder: Folder) -> None:
    x, y = arrays().values()
    x[5, 1] = np.nan
    refused(lambda: folder.npz(x=x, y=y), "missing values: `x1` 1 (the first in data row 6)")
    x[5, 1] = np.inf
    refused(lambda: folder.npz(x=x, y=y), "infinite values: `x1` 1")
    refused(lambda: folder.npz(x=np.full((30, 50), np.nan), y=y), "`x9` 30", "and 40 more")


def test_pickled_objects_are_never_opened(folder: Folder, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return (Path.touch, (tmp_path / "sprung",))

    x = np.empty((4, 1), object)
    x[:] = Trap()
    refused(lambda: folder.npz(x=x, y=np.arange(4) % 2), "cannot be read", "no Python objects")
    assert not (tmp_path / "sprung").exists()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    source = DataSpec(source=str(tmp_path / "table.npz"))
    path = tmp_path / "table.npz"
    for content in (b"no archive", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        refused(lambda: load(source), "not an .npz archive")
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    refused(lambda: load(source), "not an .npz archive")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00garbage")
    refused(lambda: load(source), "cannot be read")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("y", b"text")
    refused(lambda: load(source), "no array `y`", "It has none")


def test_what_is_no_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table().to_parquet(path)
    whole = path.read_bytes()
    for content in (b"no table", whole[:-20], whole[len(whole) // 2 :]):
        path.write_bytes(content)
        refused(lambda: load(DataSpec(source=str(path), target="kind")), "not a Parquet file that can be read")


def _sound_files() -> dict[str, bytes]:
    parquet, npz = io.BytesIO(), io.BytesIO()
    table().to_parquet(parquet)
    np.savez_compressed(npz, x=arrays()["x"], kind=arrays()["y"])
    return {"csv": table().to_csv(index=False).encode(), "parquet": parquet.getvalue(), "npz": npz.getvalue()}


SOUND = _sound_files()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(sorted(SOUND)))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject, suffix: str, tmp_path: Path) -> None:
    content = bytearray(SOUND[suffix])
    for _ in range(data.draw(st.integers(1, 8))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = tmp_path / f"table.{suffix}"
    path.write_bytes(content)
    with suppress(InputError):
        loaded = load(DataSpec(source=str(path), target="kind"))
        assert np.isfinite(loaded.x).all()
        assert set(loaded.y.tolist()) == set(range(len(loaded.classes)))


# OpenML


class OpenML:
    """A server that answers as openml.org does for the data set `toy`, number 7, in two versions."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.requests: list[str] = []
        self.arff = _arff(table().assign(kind=["'big cat'" if kind == "cat" else kind for kind in table()["kind"]]))
        self.kind = "ARFF"
        self.status = "active"
        self.targets = {"kind"}
        server.expect_request(re.compile(".*")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.requests.append(request.path)
        answers = {
            "list/data_name/toy/limit/2/status/active/": {"data": {"dataset": [{"did": 7, "version": 1}]}},
            "list/data_name/toy/limit/2/data_version/1": {"data": {"dataset": [{"did": 7, "version": 1}]}},
            "7": {"data_set_description": self.description()},
            "features/7": {"data_features": {"feature": self.features()}},
            "qualities/7": {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": str(ROWS)}]}},
        }
        if request.path == "/data/v1/download/70/toy.arff":
            return Response(self.arff)
        if request.path.startswith("/api/v1/json/data/list/data_name/gone"):
            return Response("gone", status=404)
        answer = answers.get(request.path.removeprefix("/api/v1/json/data/"))
        if answer is None:
            return Response(json.dumps({"error": {"code": "372", "message": "No results"}}), status=412)
        return Response(json.dumps(answer))

    def description(self) -> dict[str, str]:
        return {
            "id": "7",
            "name": "toy",
            "version": "1",
            "description": "A toy.",
            "format": self.kind,
            "status": self.status,
            "url": self.server.url_for("/data/v1/download/70/toy.arff"),
            "md5_checksum": hashlib.md5(self.arff, usedforsecurity=False).hexdigest(),
        }

    def features(self) -> list[dict[str, str]]:
        kinds = {"serial": "numeric", "width": "numeric", "height": "nominal", "kind": "nominal"}
        return [
            {
                "index": str(index),
                "name": name,
                "data_type": kind,
                "is_target": str(name in self.targets).lower(),
                "is_ignore": "false",
                "is_row_identifier": str(name == "serial").lower(),
                "number_of_missing_values": "0",
            }
            for index, (name, kind) in enumerate(kinds.items())
        ]


def _arff(frame: pd.DataFrame) -> bytes:
    header = "@RELATION toy\n" + "".join(f"@ATTRIBUTE {name} STRING\n" for name in ["serial", *frame.columns])
    return (header + "@DATA\n" + frame.to_csv(header=False)).encode()


def point_openml_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
        address = getattr(_openml, name)
        assert address.startswith("https://www.openml.org/")
        monkeypatch.setattr(_openml, name, address.replace("https://www.openml.org", url.rstrip("/")))
    monkeypatch.setattr(_openml, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def openml(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> OpenML:
    point_openml_at(httpserver.url_for("/"), monkeypatch)
    return OpenML(httpserver)


def test_openml_is_asked_once_and_then_read_from_the_cache(openml: OpenML, tmp_path: Path) -> None:
    data = load(DataSpec(source="openml:toy"), cache=tmp_path)
    frame = table()
    np.testing.assert_array_equal(data.x, frame[["width", "height"]])
    assert data.features == ("width", "height"), "the row identifier is no feature"
    assert data.classes == ("ant", "bee", "big cat")
    np.testing.assert_array_equal(data.y, np.arange(ROWS) % 3)
    assert data.name == "openml:toy"
    assert data.notes == ("OpenML's version 1 of `toy`, data set number 7.",)
    assert openml.requests[-1] == "/data/v1/download/70/toy.arff"
    openml.server.clear()
    again = load(DataSpec(source="openml:toy"), cache=tmp_path)
    np.testing.assert_array_equal(again.x, data.x)
    assert openml.server.log == []


def test_openml_is_cached_in_the_users_cache_folder(
    openml: OpenML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    load(DataSpec(source="openml:toy"))
    assert len(openml.requests) == 5
    assert list((tmp_path / "bakeoff").rglob("toy.arff.gz"))


def test_openml_gives_the_version_and_the_target_asked_for(openml: OpenML, tmp_path: Path) -> None:
    openml.arff = _arff(table().assign(kind=7))
    data = load(DataSpec(source="openml:toy@1", target="height"), cache=tmp_path)
    assert data.features == ("width", "kind")
    assert "/api/v1/json/data/list/data_name/toy/limit/2/data_version/1" in openml.requests
    assert data.classes == tuple(str(number) for number in sorted(set(table()["height"])))


def test_openml_columns_that_are_no_numbers_are_refused(openml: OpenML, tmp_path: Path) -> None:
    source = DataSpec(source="openml:toy", target="height")
    openml.arff = _arff(table())
    refused(lambda: load(source, cache=tmp_path), "column `kind` holds text, such as 'ant'")


def test_an_unknown_openml_target_gets_a_suggestion(openml: OpenML, tmp_path: Path) -> None:
    refused(
        lambda: load(DataSpec(source="openml:toy", target="knid"), cache=tmp_path),
        "openml:toy: no column `knid`. Did you mean `kind`?",
    )
    assert openml.requests


@pytest.mark.parametrize(("targets", "found"), [(set(), "none"), ({"kind", "height"}, "2 (`height`, `kind`)")])
def test_openml_without_one_target_asks_for_it(openml: OpenML, tmp_path: Path, targets: set[str], found: str) -> None:
    openml.targets = targets
    refused(
        lambda: load(DataSpec(source="openml:toy"), cache=tmp_path), f"names {found}. Set `data.target`, or `--target`."
    )


def test_an_inactive_openml_version_gets_a_note(openml: OpenML, tmp_path: Path) -> None:
    openml.status = "deactivated"
    data = load(DataSpec(source="openml:toy@1"), cache=tmp_path)
    assert "OpenML marks this version as deactivated: issues were found in it." in data.notes


def test_a_sparse_openml_data_set_is_refused(openml: OpenML, tmp_path: Path) -> None:
    openml.kind = "Sparse_ARFF"
    attributes = "".join(f"@ATTRIBUTE {name} NUMERIC\n" for name in ("serial", "width", "height"))
    openml.arff = (
        f"@RELATION toy\n{attributes}@ATTRIBUTE kind {{ant,bee}}\n@DATA\n{{1 2,3 bee}}\n{{2 5,3 bee}}\n".encode()
    )
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path), "openml:toy: expected a dense table")


def test_a_damaged_openml_answer_is_refused(openml: OpenML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = openml.description()
    monkeypatch.setattr(openml, "description", lambda: {**sound, "md5_checksum": "0"})
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path / "a"), "md5 checksum", "Check the name")
    monkeypatch.setattr(openml, "features", lambda: [{}])
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path / "b"), "answer cannot be used")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("absent", "No active dataset absent found. Check the name and version at openml.org"),
        ("absent@3", "Dataset absent with version 3 not found"),
        ("gone", "the OpenML server answered 404 NOT FOUND"),
    ],
)
def test_a_name_unknown_to_openml_is_refused(openml: OpenML, tmp_path: Path, name: str, problem: str) -> None:
    refused(lambda: load(DataSpec(source=f"openml:{name}"), cache=tmp_path), f"openml:{name}: ", problem, str(tmp_path))
    assert openml.requests


def test_an_unreachable_openml_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("localhost", 0))
        port = closed.getsockname()[1]
    point_openml_at(f"http://localhost:{port}", monkeypatch)
    refused(
        lambda: load(DataSpec(source="openml:toy"), cache=tmp_path),
        "openml:toy: the OpenML server cannot be reached",
        "refused",
    )


@pytest.mark.parametrize("name", ["", "@1", "a/b", "a b", "toy@", "toy@one", "toy@1@2"])
def test_a_malformed_openml_name_is_refused_without_asking(openml: OpenML, tmp_path: Path, name: str) -> None:
    refused(lambda: load(DataSpec(source=f"openml:{name}"), cache=tmp_path), "expected openml:NAME")
    assert openml.requests == []


# Splitting and normalising


def numbered(rows: int, classes: int) -> Dataset:
    """Return rows that can be told apart by their first feature."""
    rng = np.random.default_rng(1)
    x = np.column_stack([np.arange(rows), rng.normal(5, 3, rows), rng.uniform(-1, 1, rows)])
    return raw(x, np.arange(rows) % classes)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(30, 200),
    classes=st.integers(2, 4),
    validation=st.floats(0.15, 0.35),
    test=st.floats(0.15, 0.35),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_split_is_a_partition_that_leaks_nothing(
    rows: int, classes: int, validation: float, test: float, seed: int
) -> None:
    data = numbered(rows, classes)
    plain = DataSpec(normalisation="none", validation=validation, test=test)
    parts = split(data, spec_for(plain, seed=seed))
    together = np.concatenate([parts.x_train, parts.x_validation, parts.x_test])
    labels = np.concatenate([parts.y_train, parts.y_validation, parts.y_test])
    order = np.argsort(together[:, 0])
    np.testing.assert_array_equal(together[order], data.x)
    np.testing.assert_array_equal(labels[order], data.y)
    assert (len(parts.x_validation), len(parts.x_test)) == (round(validation * rows), round(test * rows))

    scaled = split(data, spec_for(DataSpec(validation=validation, test=test), seed=seed))
    np.testing.assert_allclose(scaled.x_train.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.x_train.std(axis=0), 1, rtol=1e-13)
    np.testing.assert_array_equal(scaled.y_test, parts.y_test)
    np.testing.assert_allclose(scaled.x_test * scaled.std + scaled.mean, parts.x_test, rtol=1e-12, atol=1e-12)


def test_normalisation_equals_exact_arithmetic_on_the_training_rows() -> None:
    data = load(DataSpec())
    plain = split(data, spec_for(DataSpec(normalisation="none"), seed=3))
    scaled = split(data, spec_for(seed=3))
    n = len(plain.x_train)
    for column, values in enumerate(plain.x_train.T.astype(int).tolist()):
        mean = decimal.Decimal(sum(values)) / n
        std = (sum((value - mean) ** 2 for value in values) / n).sqrt() or decimal.Decimal(1)
        assert scaled.mean[column] == pytest.approx(float(mean), rel=1e-14)
        assert scaled.std[column] == pytest.approx(float(std), rel=1e-14)
        for ours, theirs in ((scaled.x_test, plain.x_test), (scaled.x_validation, plain.x_validation)):
            expected = [float((decimal.Decimal(value) - mean) / std) for value in theirs[:, column]]
            np.testing.assert_allclose(ours[:, column], expected, rtol=1e-12, atol=1e-13)


def test_normalisation_looks_at_the_training_rows_alone() -> None:
    data = numbered(60, 2)
    before = split(data, spec_for())
    held_out = ~np.isin(data.x[:, 0], np.round(before.x_train[:, 0] * before.std[0] + before.mean[0]))
    assert held_out.sum() == 24
    moved = data._replace(x=np.where(held_out[:, None], data.x * 100 + 7, data.x))
    after = split(moved, spec_for())
    np.testing.assert_array_equal(after.mean, before.mean)
    np.testing.assert_array_equal(after.std, before.std)
    np.testing.assert_array_equal(after.x_train, before.x_train)
    assert not np.array_equal(after.x_test, before.x_test)


def test_without_normalisation_values_stay() -> None:
    data = load(DataSpec())
    splits = split(data, spec_for(DataSpec(normalisation="none")))
    assert set(np.unique(splits.x_train)) <= set(range(17))
    np.testing.assert_array_equal(splits.mean, np.zeros(64))
    np.testing.assert_array_equal(splits.std, np.ones(64))


def test_a_column_constant_in_training_only_is_divided_by_1_and_noted() -> None:
    data = numbered(60, 2)
    train = split(data, spec_for(DataSpec(normalisation="none"))).x_train[:, 0].astype(int)
    x = data.x.copy()
    x[:, 2] = 0.3
    x[np.setdiff1d(np.arange(60), train), 2] = 0.8
    splits = split(data._replace(x=x), spec_for())
    np.testing.assert_array_equal(splits.x_train[:, 2], 0)
    np.testing.assert_array_equal(splits.x_test[:, 2], 0.5)
    assert splits.notes == ("Constant in the training rows only, and so divided by 1: `x2`.",)


def test_every_split_holds_the_classes_in_proportion() -> None:
    data = raw(np.arange(300.0).reshape(150, 2), np.repeat([0, 1, 2], [90, 40, 20]))
    splits = split(data, spec_for())
    for y, counts in ((splits.y_train, (54, 24, 12)), (splits.y_validation, (18, 8, 4)), (splits.y_test, (18, 8, 4))):
        np.testing.assert_array_equal(np.bincount(y), counts)


def test_the_split_follows_the_seed() -> None:
    data = numbered(60, 3)
    np.testing.assert_array_equal(split(data, spec_for(seed=5)).x_test, split(data, spec_for(seed=5)).x_test)
    assert not np.array_equal(split(data, spec_for(seed=5)).x_test, split(data, spec_for(seed=6)).x_test)


def test_a_class_of_three_rows_is_split_and_one_of_two_refused() -> None:
    data = raw(np.arange(400.0).reshape(200, 2), np.repeat([0, 1], [197, 3]))
    for seed in range(20):
        assert set(split(data, spec_for(seed=seed)).y_train.tolist()) == {0, 1}
    data = raw(np.arange(100.0).reshape(50, 2), np.repeat([0, 1], [48, 2]))
    refused(lambda: split(data, spec_for()), "class `1` has 2 rows: expected at least 3")


def test_splits_smaller_than_the_classes_are_refused() -> None:
    data = raw(np.arange(60.0).reshape(30, 2), np.arange(30) % 5)
    refused(lambda: split(data, spec_for(DataSpec(test=0.1))), "the test split would have 3 rows for 5 classes")
    few = DataSpec(validation=0.01)
    refused(lambda: split(data, spec_for(few)), "the validation split would have 0 rows", "`data.validation`")
    most = DataSpec(validation=0.45, test=0.45)
    refused(lambda: split(data, spec_for(most)), "the training split would have 2 rows", "more than 30 rows")


def test_a_class_that_the_test_split_uses_up_is_refused() -> None:
    data = raw(np.arange(400.0).reshape(200, 2), np.repeat([0, 1], [197, 3]))
    refused(
        lambda: split(data, spec_for(DataSpec(validation=0.1, test=0.7))),
        "raw cannot be split class by class",
        "Change `data.validation` and `data.test`, or give more than 200 rows",
    )
    refused(
        lambda: split(data, spec_for(DataSpec(validation=0.05, test=0.9))),
        "raw: no training row is left of the class `1`",
    )


def test_fewer_training_rows_than_a_batch_are_refused() -> None:
    spec = spec_for(batch_size=64)
    refused(lambda: split(numbered(60, 2), spec), "36 training rows do not fill one batch of 64", "to at most 36")
    assert len(split(numbered(60, 2), spec_for(batch_size=36)).x_train) == 36


def test_values_beyond_the_runs_dtype_are_refused() -> None:
    data = numbered(60, 2)
    large = data._replace(x=data.x * 1e39)
    plain = DataSpec(normalisation="none")
    refused(lambda: split(large, spec_for(plain)), "values of `x0`, `x1`, `x2` are too large for float32")
    assert split(large, spec_for(plain, dtype="float64")).x_test.max() > 1e39
    assert np.abs(split(large, spec_for()).x_test).max() < 10
    beyond = data._replace(x=np.where(data.x == data.x[3], 1.7e308, -1.7e308))
    refused(lambda: split(beyond, spec_for(dtype="float64")), "too large for float64")


# Batch orders


@given(
    batch_size=st.integers(1, 20),
    batches=st.integers(1, 10),
    left_over=st.integers(0, 19),
    epochs=st.integers(1, 5),
    seed=st.integers(0, 2**63 - 1),
)
def test_an_epoch_visits_no_row_twice(batch_size: int, batches: int, left_over: int, epochs: int, seed: int) -> None:
    rows = batch_size * batches + left_over % batch_size
    orders = batch_orders(rows, batch_size, epochs, seed)
    assert orders.shape == (epochs * batches, batch_size)
    assert orders.dtype == np.int64
    assert orders.min() >= 0
    assert orders.max() < rows
    for epoch in orders.reshape(epochs, -1):
        assert len(set(epoch.tolist())) == batch_size * batches


def test_batch_orders_are_permutations_drawn_from_pcg64() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    first, second = rng.permutation(11), rng.permutation(11)
    expected = [first[:4], first[4:8], second[:4], second[4:8]]
    np.testing.assert_array_equal(batch_orders(11, 4, 2, seed=7), expected)


def test_batch_orders_follow_the_seed_and_go_on_from_epoch_to_epoch() -> None:
    np.testing.assert_array_equal(batch_orders(50, 5, 4, 1)[:20], batch_orders(50, 5, 2, 1))
    assert not np.array_equal(batch_orders(50, 5, 1, 1), batch_orders(50, 5, 1, 2))


def test_batch_orders_of_less_than_a_batch_are_refused() -> None:
    refused(lambda: batch_orders(3, 4, 1, 0), "3 training rows do not fill one batch of 4")
