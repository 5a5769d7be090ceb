"""Arrays in .npz archives."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec

from tests.workload.data.tables import Folder, arrays, refused


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
    for wrong_x, wrong_y in [(y, y), (x, y[:-1]), (x, x), (x[:, :0], y), (x[:0], y[:0])]:
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
    refused(lambda: folder.npz(x=x, y=np.arange(4) % 2), "cannot be read", "not Python objects")
    assert not (tmp_path / "sprung").exists()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    source = DataSpec(source=str(tmp_path / "table.npz"))
    path = tmp_path / "table.npz"
    for content in (b"no archive", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        refused(lambda: load(source), "not an .npz archive")
    with path.open("wb") as file:
        np.save(file, np.arange(3))
    refused(lambda: load(source), "this is a NumPy array", "`.npy`")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00garbage")
    refused(lambda: load(source), "cannot be read")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("y", b"text")
    refused(lambda: load(source), "no array `y`", "It has none")
