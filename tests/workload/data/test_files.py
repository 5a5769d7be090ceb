"""Tables in files: what is read, what is refused, and the hash of the data."""

import hashlib
import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.common.errors import InputError
from bakeoff.workload.data import load, split
from bakeoff.workload.spec import DataSpec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workload.data.tables import KINDS, ROWS, Folder, arrays, raw, refused, spec_for, table


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
    plain = folder.frame(table())
    for separator, decimal in ((";", ","), (";", "."), ("\t", ","), ("|", ".")):
        text = table().to_csv(index=False, sep=separator, decimal=decimal)
        np.testing.assert_array_equal(folder.csv(text).x, plain.x)


def test_a_ragged_table_is_refused_with_its_line(folder: Folder) -> None:
    refused(lambda: folder.csv("width,kind\n1,a\n2,b,c\n"), "line 3 has 3 cells where the header has 2")
    refused(lambda: folder.csv("width,kind\n1,a\n2\n"), "line 3 has 1 cell where the header has 2")
    refused(lambda: folder.csv("width,kind\n1,a,x\n2,b,y\n"), "line 2 has 3 cells")


def test_a_quote_left_open_is_refused(folder: Folder) -> None:
    refused(lambda: folder.csv('width,kind\n1,"a\n2,b\n'), "a double quote that opens after line 1 is not closed")


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
    refused(lambda: folder.csv("width,kind\n1," + "a" * 200_000 + "\n"), "not a regular table of text")


def test_duplicate_and_nameless_columns_are_refused(folder: Folder) -> None:
    refused(lambda: folder.csv("a,a,kind\n1,2,x\n"), "the same column name twice: `a`")
    assert folder.csv(table().to_csv()).features == ("width", "height"), "an index is no feature"
    nameless = table().to_csv(index=False).replace("width", "", 1)
    refused(lambda: folder.csv(nameless), "column 1 has no name", '`data.drop` = [""]')
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), folder.path / "twice.parquet")
    source = str(folder.path / "twice.parquet")
    refused(lambda: load(DataSpec(source=source, target="a")), "the same column name twice: `a`")


def test_a_named_pandas_index_is_no_feature_and_a_note_says_so(folder: Folder) -> None:
    frame = table()
    frame.index = pd.Index(range(100, 100 + ROWS), name="serial")
    data = folder.frame(frame, suffix="parquet")
    assert data.features == ("width", "height")
    assert data.notes == ("The pandas index `serial` is not a feature and is not read.",)


def test_a_parquet_path_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    path = tmp_path / "year=2020" / "table.parquet"
    path.parent.mkdir()
    table().to_parquet(path)
    assert load(DataSpec(source=str(path), target="kind")).features == ("width", "height")


# Damaged files


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
