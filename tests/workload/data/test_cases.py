"""Files as people have them: each is read with notes, or refused with the option that reads it."""

import bz2
import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.workload.data import describe_data, load, split
from bakeoff.workload.spec import DataSpec

from tests.workload.data.tables import ROWS, refused, spec_for, table

CASES = Path(__file__).parents[2] / "data" / "cases" / "data"


def case(name: str, target: str = "y", **keys: object) -> DataSpec:
    return DataSpec.model_validate({"source": str(CASES / name), "target": target, **keys}, strict=False)


def notes_of(spec: DataSpec) -> str:
    return "\n".join(describe_data(spec).notes)


READ = [
    ("semicolon_decimal_comma.csv", {}, 4, 120, ["separated by semicolons", "decimal mark is the comma"]),
    ("tabs.tsv", {}, 4, 120, []),
    ("compressed.csv.gz", {}, 4, 120, []),
    ("no_header.csv", {"target": "4", "header": False}, 4, 120, []),
    ("latin1.csv", {"encoding": "latin-1"}, 4, 120, []),
    ("bom.csv", {}, 4, 120, []),
    ("question_mark_missing.csv", {"missing": "drop"}, 4, 118, ["2 of 120 rows with missing values are left out"]),
    ("question_mark_missing.csv", {"missing": "mean"}, 4, 120, ["by the mean of the training rows: `a` 2"]),
    ("categories.csv", {"categories": "one-hot"}, 4, 120, ["`color=blue`, `color=green`, `color=red`"]),
    ("categories.csv", {"drop": ["color"]}, 1, 120, []),
    ("index_column.csv", {}, 4, 120, ["is an index and is left out"]),
    ("index_column.csv", {"drop": [""]}, 4, 120, []),
    ("rare_class.csv", {}, 4, 120, ["Rare classes", "`1` 4", "96.7%"]),
    ("labels_case_and_space.csv", {}, 2, 120, ["joins 4 spellings into 3", "`YES` and `yes`"]),
    ("question_mark_label.csv", {"missing": "drop"}, 2, 112, ["8 of 120 rows"]),
    ("zero_padded_codes.csv", {}, 2, 120, ["`001` and `01` and `1`"]),
    ("no_header_numbers.csv", {"target": "0"}, 4, 119, ["looks like a row", "`data.header = false`"]),
    ("no_header_numbers.csv", {"target": "4", "header": False}, 4, 120, []),
]


@pytest.mark.parametrize(("name", "keys", "features", "rows", "notes"), READ)
def test_a_case_is_read_with_its_notes(
    name: str, keys: dict[str, object], features: int, rows: int, notes: list[str]
) -> None:
    found = describe_data(case(name, **keys))
    assert (found.features, found.rows, found.problem) == (features, rows, "")
    together = "\n".join(found.notes)
    assert [note for note in notes if note not in together] == [], together
    assert len(found.notes) == 0 or notes, together


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("no_header.csv", ["`data.header = false`", "the last `4`"]),
        ("no_header_numbers.csv", ["`data.header = false`"]),
        ("latin1.csv", ["`data.encoding`", "latin-1"]),
        ("question_mark_missing.csv", ["`data.missing`", '"drop"', '"mean"', "`a` 2"]),
        ("question_mark_label.csv", ["8 of 120 labels", "`data.missing`"]),
        ("categories.csv", ["`data.categories`", '"one-hot"', "`data.drop`"]),
    ],
)
def test_a_case_is_refused_with_the_option_that_reads_it(name: str, fragments: list[str]) -> None:
    refused(lambda: load(case(name)), *fragments)


def test_the_classes_of_the_cases_are_as_written() -> None:
    assert load(case("zero_padded_codes.csv")).classes == ("001", "01", "1")
    assert load(case("labels_case_and_space.csv")).classes == ("YES", "no", "yes")
    assert describe_data(case("rare_class.csv")).classes == {"0": 116, "1": 4}


def test_the_test_split_of_keras_is_used(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "mnist.npz"
    pictures = rng.integers(0, 256, (160, 6, 6), dtype=np.uint8)
    labels = (np.arange(160) % 4).astype(np.uint8)
    np.savez(path, x_train=pictures[:100], y_train=labels[:100], x_test=pictures[100:], y_test=labels[100:])
    for target in ("", "y_train"):
        data = load(DataSpec(source=str(path), target=target))
        splits = split(data, spec_for(DataSpec(normalisation="none")))
        np.testing.assert_array_equal(splits.x_test, pictures[100:].reshape(60, 36))
        np.testing.assert_array_equal(splits.y_test, labels[100:])
        assert (len(splits.y_train), len(splits.y_validation)) == (80, 20)
        assert "flattened to 36 features" in data.notes[0]
        assert "100 training, 0 validation, 60 test" in data.notes[1]


def test_pictures_and_labels_of_any_rank_are_flattened(tmp_path: Path) -> None:
    path = tmp_path / "pictures.npz"
    x, y = np.arange(30 * 18).reshape(30, 3, 3, 2), np.arange(30).reshape(30, 1) % 3
    np.savez(path, x=x, y=y)
    data = load(DataSpec(source=str(path)))
    np.testing.assert_array_equal(data.x, x.reshape(30, 18))
    np.testing.assert_array_equal(data.y, y[:, 0])
    assert "flattened to 18 features" in data.notes[0]
    assert "`y`, of shape (30, 1), are flattened" in data.notes[1]


def test_one_hot_labels_are_the_position_of_the_one(tmp_path: Path) -> None:
    x, y = np.arange(60.0).reshape(30, 2), np.eye(3)[np.arange(30) % 3]
    np.savez(tmp_path / "a.npz", x=x, y=y)
    data = load(DataSpec(source=str(tmp_path / "a.npz")))
    np.testing.assert_array_equal(data.y, np.arange(30) % 3)
    assert "one-hot labels in `y` are read as the position of the 1" in data.notes[0]
    pq.write_table(pa.table({"a": x[:, 0], "y": y.tolist()}), tmp_path / "a.parquet")
    lists = load(DataSpec(source=str(tmp_path / "a.parquet"), target="y"))
    np.testing.assert_array_equal(lists.y, data.y)
    np.savez(tmp_path / "soft.npz", x=x, y=y * 0.8 + 0.1)
    message = refused(lambda: load(DataSpec(source=str(tmp_path / "soft.npz"))), "one-hot", "argmax")
    assert "Reshape" not in message


# Labels keep their identity.


@pytest.mark.parametrize(
    ("labels", "classes", "note"),
    [
        (["007", "7", "8"], ("007", "7", "8"), "`007` and `7`"),
        (["5E2", "500", "7"], ("500", "5E2", "7"), "`500` and `5E2`"),
        (["9007199254740993", "9007199254740992", "1"], ("1", "9007199254740992", "9007199254740993"), ""),
        (["18446744073709551617", "18446744073709551616"], ("18446744073709551616", "18446744073709551617"), ""),
        (["<=50K", "<=50K.", ">50K"], ("<=50K", "<=50K.", ">50K"), "`<=50K` and `<=50K.`"),
        (["1", "1.0", "2"], ("1", "1.0", "2"), "`1` and `1.0`"),
        (["1.0", "2.0", "10.0"], ("1", "2", "10"), ""),
        (["-1", "1"], ("-1", "1"), ""),
        (["2", "1", "10"], ("1", "2", "10"), ""),
        (["true", "True", "false"], ("True", "false", "true"), "`True` and `true`"),
        (["new york", "new_york", "rome"], ("new york", "new_york", "rome"), "`new york` and `new_york`"),
        (["a", "b", "unknown"], ("a", "b", "unknown"), "look like a placeholder are classes of their own: `unknown`"),
        (["a", "b", "-"], ("-", "a", "b"), "look like a placeholder"),
        (["C", "C+"], ("C", "C+"), ""),
        (["+", "-x"], ("+", "-x"), ""),
        (["1e400", "1"], ("1", "1e400"), ""),
    ],
)
def test_every_label_of_a_text_file_is_a_class_of_its_own(
    tmp_path: Path, labels: list[str], classes: tuple[str, ...], note: str
) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{row % 7}.5,{labels[row % len(labels)]}" for row in range(10 * len(labels))]
    path.write_text("\n".join(["a,y", *rows]) + "\n")
    data = load(DataSpec(source=str(path), target="y"))
    assert data.classes == classes
    assert np.bincount(data.y).tolist() == [10] * len(classes)
    assert (note in "\n".join(data.notes)) if note else data.notes == ()


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (pa.array([2**63, 2**63 + 1] * 15, pa.uint64()), (str(2**63), str(2**63 + 1))),
        (pa.array([2**53, 2**53 + 1] * 15, pa.int64()), (str(2**53), str(2**53 + 1))),
        (pa.array([Decimal(2**80), Decimal(2**80 + 1)] * 15), (str(2**80), str(2**80 + 1))),
        (pa.array(["yes", "yes "] * 14 + ["no", "no"]), ("no", "yes")),
        (pa.array(["7", "007"] * 15).dictionary_encode(), ("007", "7")),
    ],
)
def test_labels_of_a_parquet_file_are_exact(tmp_path: Path, values: pa.Array, classes: tuple[str, ...]) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": np.arange(30) % 7, "y": values}), path)
    assert load(DataSpec(source=str(path), target="y")).classes == classes


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}])
def test_lists_and_structures_are_no_labels(tmp_path: Path, value: object) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": np.arange(30) % 7, "y": [value] * 30}), path)
    refused(lambda: load(DataSpec(source=str(path), target="y")), "`y`, got", "Name another column")


def test_classes_that_a_split_lacks_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    labels = [f"c{row % 2}" for row in range(100)] + ["rare"] * 3
    path.write_text("a,y\n" + "".join(f"{row % 9},{label}\n" for row, label in enumerate(labels)))
    found = describe_data(DataSpec(source=str(path), target="y", validation=0.1))
    assert found.splits["rare"][0] > 0
    assert any("1 of 3 classes have no" in note and "`rare`" in note for note in found.notes), found.notes


# The layout of text files.


def lay_out(rows: int = ROWS, separator: str = ",", end: str = "", decimal: str = ".") -> str:
    lines = [
        separator.join([f"{(row * 7 % 11) / 8}".replace(".", decimal), str(row * 5 % 13), "ab"[row % 2]]) + end
        for row in range(rows)
    ]
    return "\n".join(lines) + "\n"


HEADER = "a,b,y\n"


@pytest.mark.parametrize(
    ("name", "content", "keys", "note"),
    [
        ("t.txt", "a\tb\ty\n" + lay_out(separator="\t"), {}, "separated by tabs"),
        ("t.txt", "a b y\n" + lay_out(separator="   "), {}, "separated by blanks"),
        ("t.csv", "a|b|y\n" + lay_out(separator="|"), {}, "separated by bars"),
        ("t.csv", "a~b~y\n" + lay_out(separator="~"), {"separator": "~"}, ""),
        ("t.csv", "a;b;y\n" + lay_out(separator=";", decimal=","), {}, "decimal mark is the comma"),
        ("t.csv", "a, in cm;b;y\n" + lay_out(separator=";"), {}, "separated by semicolons"),
        ("t.csv", "sep=;\na;b;y\n" + lay_out(separator=";"), {}, "says that the separator is `;`"),
        ("t.csv", "# made by hand\n# in May\n" + HEADER + lay_out(), {}, "2 lines of comment"),
        ("t.csv", "#a,b,y\n" + lay_out(), {}, ""),
        ("t.csv", "My table\n\n" + HEADER + lay_out(), {"skip_lines": 2}, "first 2 lines are left out"),
        ("t.csv", "a,b,y,\n" + lay_out(end=","), {}, "empty column after the separator"),
        ("t.csv", HEADER + lay_out(end=","), {}, "empty column after the separator"),
        ("t.data", lay_out(), {"header": False, "target": "2"}, ""),
        ("t.csv", HEADER + lay_out().replace(",a", ', "a"'), {}, ""),
        ("t.csv", (HEADER + lay_out()).replace("\n", "\r\n"), {}, ""),
    ],
)
def test_a_layout_is_read(tmp_path: Path, name: str, content: str, keys: dict[str, object], note: str) -> None:
    path = tmp_path / name
    path.write_text(content, newline="")
    spec = DataSpec.model_validate({"source": str(path), "target": "y", **keys})
    data = load(spec)
    assert data.classes == ("a", "b")
    np.testing.assert_array_equal(data.x, [[(row * 7 % 11) / 8, row * 5 % 13] for row in range(ROWS)])
    assert (note in "\n".join(data.notes)) if note else data.notes == ()


@pytest.mark.parametrize(
    ("name", "content", "fragments"),
    [
        ("t.csv", "My table\n" + HEADER + lay_out(), ["line 1 is not the header", "`data.skip_lines` = 1"]),
        ("t.csv", "a;b,c;y\n" + "x;y,z;u\n" * 30, ["commas or semicolons", "`data.separator`"]),
        ("t.csv", 'a,b,y\n"1,188",2,u\n' + '"2,345",3,v\n' * 20, ["thousands separator", "`data.decimal`"]),
        ("t.csv", HEADER + lay_out().replace("0.875,", "51%,"), ["'51%'", "percent sign", "`data.drop`"]),
        ("t.csv", HEADER + lay_out() + '1.5,"2,a\n', ["double quote", "is not closed"]),
        ("t.csv", HEADER + lay_out() + "1.5,2,a,4\n", ["line 32 has 4 cells", "`data.separator`"]),
        ("t.csv", "1.5,1.5,a\n" + lay_out(), ["`data.header = false`"]),
        ("t.csv", b"\xff\xfe" + HEADER.encode("utf-16-le"), ["utf-16", "`data.encoding`"]),
        ("t.csv", b"PK\x03\x04....xl/workbook.xml", ["Excel workbook", "`.xlsx`"]),
        ("t.csv", b"PK\x03\x04....other", ["zip archive", "`.zip`"]),
        ("t.csv", gzip.compress(b"a,y\n", mtime=0), ["gzip file", ".csv.gz"]),
        ("t.csv", b"<!DOCTYPE html><html></html>", ["web page"]),
        ("t.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", ["git lfs pull"]),
        ("t.csv", b"PAR1....", ["Parquet file", "`.parquet`"]),
        ("t.csv.gz", b"no gzip", ["cannot be decompressed"]),
        ("t.zip", b"no zip", ["cannot be unpacked"]),
        ("t.xlsx", b"PK", ["not an Excel workbook"]),
        ("t.xls", b"\xd0\xcf\x11\xe0", ["Save the sheet as an .xlsx or .csv file"]),
        ("t.pkl", b"x", ["would run code"]),
    ],
)
def test_a_refusal_points_the_right_way(tmp_path: Path, name: str, content: str | bytes, fragments: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(lambda: load(DataSpec(source=str(path), target="y")), *fragments)


def test_an_address_is_refused_and_a_home_folder_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(lambda: load(DataSpec(source="https://example.org/t.csv", target="y")), "Download the file")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.csv").write_text(HEADER + lay_out())
    assert len(load(DataSpec(source="~/t.csv", target="y")).y) == ROWS


def test_the_same_table_in_every_format_has_the_same_hash(tmp_path: Path) -> None:
    frame = table()
    text = frame.to_csv(index=False).encode()
    (tmp_path / "t.csv").write_bytes(text)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "t.csv.bz2").write_bytes(bz2.compress(text))
    with pa.output_stream(str(tmp_path / "t.csv.zst"), compression="zstd") as stream:
        stream.write(text)
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("folder/t.csv", text)
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_feather(tmp_path / "t.feather")
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    records = frame.to_records(index=False)
    np.save(tmp_path / "t.npy", records.astype([("width", "f8"), ("height", "i8"), ("kind", "U3")]))
    hashes = {path.name: describe_data(DataSpec(source=str(path), target="kind")).hash for path in tmp_path.iterdir()}
    assert len(hashes) == 9
    assert len(set(hashes.values())) == 1, hashes


def test_a_zip_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", "a")
        archive.writestr("b.csv", "b")
    refused(lambda: load(DataSpec(source=str(tmp_path / "t.zip"), target="y")), "got 2: `a.csv`, `b.csv`")


def test_an_array_that_is_not_needed_may_hold_objects(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=np.ones((30, 2)), y=np.arange(30) % 2, names=np.array(["a", None], object))
    assert len(load(DataSpec(source=str(tmp_path / "t.npz"))).y) == 30


# Missing values and splits of one's own.


def test_the_mean_is_that_of_the_training_rows() -> None:
    spec = case("question_mark_missing.csv", missing="mean", normalisation="none")
    data = load(spec)
    row = int(np.isnan(data.x[:, 0]).argmax())
    splits = split(data, spec_for(spec))
    parts = (splits.x_train, splits.x_validation, splits.x_test)
    filled = np.concatenate([part[(part[:, 1:] == data.x[row, 1:]).all(axis=1)] for part in parts])
    known = splits.x_train[np.isin(splits.x_train[:, 0], data.x[:, 0])][:, 0]
    assert filled[0, 0] == pytest.approx(known.mean(), rel=1e-12)


@pytest.mark.parametrize("validation", [True, False])
def test_a_column_assigns_the_rows(tmp_path: Path, validation: bool) -> None:
    words = np.array(["train", "train", "train", "Validation" if validation else "train", "TEST "])
    frame = table(150).assign(part=words[np.arange(150) // 3 % 5], number=np.arange(150))
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec = DataSpec(source=str(tmp_path / "t.csv"), target="kind", split="part", normalisation="none", validation=0.25)
    splits = split(load(spec), spec_for(spec))
    np.testing.assert_array_equal(splits.x_test[:, 2], np.flatnonzero(np.arange(150) // 3 % 5 == 4))
    assert (len(splits.y_train), len(splits.y_validation)) == (90, 30)
    drawn = DataSpec(source=spec.source, target="kind", drop=("part",))
    assert describe_data(drawn).hash != describe_data(spec).hash, "the hash covers the split"
    refused(lambda: load(spec.model_copy(update={"split": "prat"})), "Did you mean `part`?", "`data.split`")


def test_other_words_for_a_split_are_refused(tmp_path: Path) -> None:
    table().assign(part="training set").to_csv(tmp_path / "t.csv", index=False)
    spec = DataSpec(source=str(tmp_path / "t.csv"), target="kind", split="part")
    refused(lambda: load(spec), "expected `train`, `test`", "`training set`")


def test_a_column_that_counts_the_rows_is_noted(tmp_path: Path) -> None:
    table().assign(id=range(1, ROWS + 1)).to_csv(tmp_path / "t.csv", index=False)
    spec = DataSpec(source=str(tmp_path / "t.csv"), target="kind")
    assert "count the rows are read as features: `id`" in notes_of(spec)
    dropped = spec.model_copy(update={"drop": ("id",)})
    assert load(dropped).features == ("width", "height")
    refused(lambda: load(spec.model_copy(update={"drop": ("idd",)})), "Did you mean `id`?")


def test_a_number_with_a_fault_further_down_is_refused_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER + lay_out(2000) + "tall,1,a\n")
    refused(lambda: load(DataSpec(source=str(tmp_path / "t.csv"), target="y")), "got 'tall' in data row 2001 (1 such)")


def test_the_default_data_set_keeps_its_hash() -> None:
    assert describe_data(DataSpec()).hash == "da89313cc011"


def test_keys_without_effect_are_refused(tmp_path: Path) -> None:
    refused(lambda: load(DataSpec(drop=("a",))), "`data.drop` has no effect")
    table().to_parquet(tmp_path / "t.parquet")
    refused(lambda: load(DataSpec(source=str(tmp_path / "t.parquet"), target="kind", separator=";")), "text files only")


def test_a_description_has_columns_and_classes() -> None:
    found = describe_data(case("categories.csv", categories="one-hot"))
    assert [(column.name, column.use) for column in found.columns] == [
        ("y", "labels"),
        ("a", "feature"),
        ("color", "3 features"),
    ]
    assert found.classes == {"cat": 60, "dog": 60}
    assert found.splits == {"cat": (36, 12, 12), "dog": (36, 12, 12)}


def test_data_too_small_for_a_batch_are_described_with_the_problem(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "t.csv", index=False)
    found = describe_data(DataSpec(source=str(tmp_path / "t.csv"), target="kind"))
    assert found.classes == {"ant": 10, "bee": 10, "cat": 10}
    assert "do not fill one batch" in found.problem


def test_labels_missing_in_a_frame_of_floats_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(30.0) % 7, "y": [1.0, 2.0, np.nan] * 10})
    frame.to_parquet(tmp_path / "t.parquet")
    spec = DataSpec(source=str(tmp_path / "t.parquet"), target="y")
    refused(lambda: load(spec), "10 of 30 labels")
    assert load(spec.model_copy(update={"missing": "drop"})).classes == ("1", "2")
