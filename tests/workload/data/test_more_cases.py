"""More files as people have them, written out here: each is read, with the notes it needs, or refused with a way on."""

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff.workload.data import describe_data
from bakeoff.workload.spec import DataSpec

from tests.workload.data.tables import ROWS, refused

HEADER = "a,b,y\n"


def lines(write, rows: int = ROWS) -> str:
    """Return a line for each row number."""
    return "".join(f"{write(row)}\n" for row in range(rows))


def plain(row: int) -> str:
    return f"{row * 7 % 11 / 8},{row * 5 % 13},{'uv'[row * 3 % 7 % 2]}"


def label(row: int) -> str:
    return "uv"[row * 3 % 7 % 2]


SEMICOLONS = "a;b;y\n" + lines(lambda row: plain(row).replace(",", ";"))
PLAIN = HEADER + lines(plain)

# Each: the file's name, its content, keys of the spec, the features, and what the notes hold; () for no notes.
READ = {
    "every cell in quotes": (
        "t.csv",
        '"a","b","y"\n' + lines(lambda row: f'"{row % 7}.5","{row % 5}","{label(row)}"'),
        {},
        2,
        (),
    ),
    "semicolons, commas and CRLF": (
        "t.csv",
        ("a;b;y\n" + lines(lambda row: f"{row % 7},5;{row % 5};{label(row)}")).replace("\n", "\r\n"),
        {},
        2,
        ("semicolons", "decimal mark is the comma"),
    ),
    "lines that end as on an old Macintosh": ("t.csv", PLAIN.replace("\n", "\r"), {}, 2, ()),
    "colons, when the spec says so": ("t.txt", PLAIN.replace(",", ":"), {"separator": ":"}, 2, ()),
    "columns of fixed width": (
        "t.txt",
        " a    b   y\n" + lines(lambda row: f" {row % 7}.5  {row % 5:3d}  {label(row)}"),
        {},
        2,
        ("blanks",),
    ),
    "tabs and decimal commas": (
        "t.txt",
        "a\tb\ty\n" + lines(lambda row: f"{row % 7},5\t{row % 5}\t{label(row)}"),
        {},
        2,
        ("tabs", "comma"),
    ),
    "commas in a file named .tsv": ("t.tsv", PLAIN, {}, 2, ("commas",)),
    "tabs in a file named .csv": ("t.csv", PLAIN.replace(",", "\t"), {}, 2, ("tabs",)),
    "an ending in capitals": ("T.CSV", PLAIN, {}, 2, ()),
    "blanks around names": ("t.csv", PLAIN.replace(HEADER, " a , b , y \n"), {}, 2, ()),
    "blank lines": ("t.csv", PLAIN.replace("\n", "\n\n"), {}, 2, ()),
    "true and false in words": (
        "t.csv",
        HEADER + lines(lambda row: f"{['true', 'false'][row % 3 == 0]},{row % 5},{label(row)}"),
        {},
        2,
        ("True/false is read as 1/0: `a`",),
    ),
    "yes and no as a category": (
        "t.csv",
        HEADER + lines(lambda row: f"{['yes', 'no'][row % 3 == 0]},{row % 5},{label(row)}"),
        {"categories": "one-hot"},
        3,
        ("`a=no`, `a=yes`",),
    ),
    "quotes inside text, written twice": (
        "t.csv",
        "a,b,y\n" + lines(lambda row: f'{row % 7},"say ""hi"" {row % 2}",{label(row)}'),
        {"categories": "one-hot"},
        3,
        ('say "hi" 0',),
    ),
    "lines inside quotes, in a column that is left out": (
        "t.csv",
        "a,note,b,y\n" + lines(lambda row: f'{row % 7},"one\ntwo {row % 3}",{row % 5},{label(row)}'),
        {"drop": ["note"]},
        2,
        (),
    ),
    "commas inside text between semicolons": (
        "t.csv",
        "a;b;city;y\n" + lines(lambda row: f"{row % 7};{row % 5};Paris, France;{label(row)}"),
        {"drop": ["city"]},
        2,
        ("semicolons",),
    ),
    "numbers with an exponent": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7 + 1}e-3,{row % 5},{label(row)}"),
        {},
        2,
        (),
    ),
    "labels with a zero after the point": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7},{row % 5},{row % 3}.0"),
        {},
        2,
        (),
    ),
    "UTF-16, when the spec says so": ("t.csv", SEMICOLONS.encode("utf-16"), {"encoding": "utf-16"}, 2, ("semicolons",)),
    "a Windows encoding": (
        "t.csv",
        PLAIN.replace(HEADER, "größe,b,y\n").encode("cp1252"),
        {"encoding": "cp1252"},
        2,
        (),
    ),
    "-999 for what is missing": (
        "t.csv",
        HEADER + lines(lambda row: f"{-999 if row % 9 == 3 else row % 7},{row % 5},{label(row)}"),
        {},
        2,
        ("often stand for a missing value", "-999 in 3 rows of `a`", "`data.missing`"),
    ),
    "9999 for what is missing": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7},{9999 if row % 9 == 3 else row % 5},{label(row)}"),
        {},
        2,
        ("9999 in 3 rows of `b`",),
    ),
    "a feature that is the label": (
        "t.csv",
        "a,copy,y\n" + lines(lambda row: f"{row % 7},{row % 3 * 4},{'uvw'[row % 3]}"),
        {},
        2,
        ("determine the label", "`copy`", "`data.drop`"),
    ),
    "a constant feature": (
        "t.csv",
        HEADER + lines(lambda row: f"1,{row % 5},{label(row)}"),
        {},
        2,
        ("Constant columns", "`a`"),
    ),
    "missing values in words": (
        "t.csv",
        HEADER + lines(lambda row: f"{'NaN' if row == 3 else row % 7},{row % 5},{label(row)}"),
        {"missing": "mean"},
        2,
        ("`a` 1",),
    ),
}


@pytest.mark.parametrize("case", READ)
def test_it_is_read_with_its_notes(tmp_path: Path, case: str) -> None:
    name, content, keys, features, notes = READ[case]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = DataSpec.model_validate({"source": str(tmp_path / name), "target": "y", **keys}, strict=False)
    found = describe_data(spec)
    assert (found.rows, found.features) == (ROWS, features)
    assert len(found.classes) in (2, 3)
    together = "\n".join(found.notes)
    assert [note for note in notes if note not in together] == [], together
    assert notes or not found.notes, together


# Each: the file's name, its content, keys of the spec, and what the message holds.
REFUSED = {
    "colons that nobody said": ("t.txt", PLAIN.replace(",", ":"), {}, ["`data.separator`"]),
    "a blank between thousands": (
        "t.csv",
        "a;b;y\n" + lines(lambda row: f"1 {row + 100};{row % 5};{label(row)}"),
        {},
        ["'1 100'", "thousands", "`data.drop`"],
    ),
    "points between thousands, and a decimal comma": (
        "t.csv",
        "a;b;y\n" + lines(lambda row: f"1.{row + 100},5;{row % 5};{label(row)}"),
        {},
        ["'1.100,5'", "`data.decimal", "`data.drop`"],
    ),
    "a currency sign": (
        "t.csv",
        HEADER + lines(lambda row: f"${row % 7}.50,{row % 5},{label(row)}"),
        {},
        ["'$0.50'", "`data.categories`", "`data.drop`"],
    ),
    "dates": (
        "t.csv",
        HEADER + lines(lambda row: f"2024-01-{row % 28 + 1:02d},{row % 5},{label(row)}"),
        {},
        ["dates or times", "`data.drop`"],
    ),
    "times": (
        "t.csv",
        HEADER + lines(lambda row: f"12:{row:02d}:00,{row % 5},{label(row)}"),
        {},
        ["dates or times", "`data.drop`"],
    ),
    "a dash for what is missing": (
        "t.csv",
        HEADER + lines(lambda row: f"{'-' if row == 3 else row % 7},{row % 5},{label(row)}"),
        {},
        ["'-' in data row 4", "`data.drop`"],
    ),
    "infinity": (
        "t.csv",
        HEADER + lines(lambda row: f"{'inf' if row == 3 else row % 7},{row % 5},{label(row)}"),
        {},
        ["infinite", "data row 4", "`data.drop`"],
    ),
    "numbers beyond the range of a double": (
        "t.csv",
        HEADER + lines(lambda row: f"1e400,{row % 5},{label(row)}"),
        {},
        ["infinite", "`data.drop`"],
    ),
    "an empty label": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7},{row % 5},{'' if row == 4 else label(row)}"),
        {},
        ["1 of 30 labels", "data row 5", "`data.missing`"],
    ),
    "a measured quantity for a label": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7},{row % 5},{row * 1.37:.2f}"),
        {},
        ["measured quantity"],
    ),
    "an identifier for a label": (
        "t.csv",
        HEADER + lines(lambda row: f"{row % 7},{row % 5},{row * 137}"),
        {},
        ["30 different labels", "Name another column"],
    ),
    "one class": ("t.csv", HEADER + lines(lambda row: f"{row % 7},{row % 5},u"), {}, ["at least two classes", "`u`"]),
    "a last line that is no row": ("t.csv", PLAIN + "# end of file\n", {}, ["line 32 has 1 cell where", "Remove it"]),
    "the header again, further down": ("t.csv", PLAIN + PLAIN, {}, ["'a' in data row 31"]),
    "a second header with the units": (
        "t.csv",
        HEADER + "cm,kg,-\n" + lines(plain),
        {},
        ["'cm' in data row 1", "'kg' in data row 1"],
    ),
    "the target in other letters": (
        "t.csv",
        PLAIN.replace(HEADER, "a,b,Y\n"),
        {},
        ["Did you mean `Y`?", "`data.target`"],
    ),
    "the same name twice": ("t.csv", PLAIN.replace(HEADER, "a,a,y\n"), {}, ["same column name twice", "`data.drop`"]),
    "sentences": (
        "t.csv",
        "a,text,y\n" + lines(lambda row: f"{row % 7},sentence {row} of words,{label(row)}"),
        {"categories": "one-hot"},
        ["30 different values", '`data.drop` = ["text"]'],
    ),
    "single quotes around commas": (
        "t.csv",
        "a,note,y\n" + lines(lambda row: f"{row % 7},'x, y',{label(row)}"),
        {},
        ["double quotes", "`data.separator`"],
    ),
    "nothing but blank lines": ("t.csv", "\n\n  \n", {}, ["got no columns"]),
    "nothing but a header": ("t.csv", HEADER, {}, ["got 0 rows"]),
    "JSON": ("t.csv", '[\n  {"a": 1, "y": 2}\n]', {}, ["JSON file", ".parquet"]),
    "XML": ("t.csv", '<?xml version="1.0"?><data/>', {}, ["XML file", ".csv"]),
    "ARFF": ("t.csv", "@relation x\n@attribute a numeric\n@data\n1,u\n", {}, ["ARFF file", "openml:NAME"]),
    "LIBSVM": ("t.txt", lines(lambda row: f"{row % 2} 1:{row} 3:{row % 5}"), {}, ["LIBSVM file", "load_svmlight_file"]),
    "UTF-16 without a mark": ("t.csv", PLAIN.encode("utf-16-le"), {}, ["NUL bytes", "`data.encoding`", "utf-16-le"]),
    "an encoding that does not exist": (
        "t.csv",
        PLAIN,
        {"encoding": "klingon"},
        ["no encoding `klingon`", "`latin-1`"],
    ),
    "half of a compressed file": (
        "t.csv.gz",
        gzip.compress(PLAIN.encode() * 50)[:-200],
        {},
        ["cannot be decompressed", "damaged"],
    ),
    "compressed twice": ("t.csv.gz", gzip.compress(gzip.compress(PLAIN.encode())), {}, ["this is a gzip file"]),
    "text named .parquet": ("t.parquet", PLAIN, {}, ["not a Parquet file", "`.csv`"]),
    "no ending": ("table", PLAIN, {}, [".csv"]),
    "more lines left out than there are": ("t.csv", PLAIN, {"skip_lines": 500}, ["got no columns"]),
    "a separator at the end of some rows": (
        "t.csv",
        HEADER + lines(lambda row: plain(row) + "," * (row % 2)),
        {},
        ["line 3 has 4 cells", "`data.separator`"],
    ),
    "a short row": ("t.csv", HEADER + lines(lambda row: plain(row) if row != 7 else "1,2"), {}, ["line 9 has 2 cells"]),
    "a column of a split with other words": ("t.csv", PLAIN, {"split": "b"}, ["`train`", "`data.split`"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_a_way_on(tmp_path: Path, case: str) -> None:
    name, content, keys, fragments = REFUSED[case]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = DataSpec.model_validate({"source": str(tmp_path / name), "target": "y", **keys}, strict=False)
    refused(lambda: describe_data(spec), *fragments)


def test_a_sentinel_among_numbers_of_its_size_is_no_sentinel(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER + lines(lambda row: f"{-999 + row * 70},{row % 5},{label(row)}"))
    assert describe_data(DataSpec(source=str(tmp_path / "t.csv"), target="y")).notes == ()


def test_a_feature_with_a_value_for_two_classes_is_no_copy_of_the_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HEADER + lines(lambda row: f"{row % 3 // 2},{row % 5},{'uvw'[row % 3]}"))
    assert describe_data(DataSpec(source=str(tmp_path / "t.csv"), target="y")).notes == ()


ARRAYS = {
    "labels as text": ({"y": np.array(["u", "v"])[np.arange(ROWS) % 2]}, ("u", "v")),
    "labels below 0": ({"y": np.arange(ROWS) % 2 * 2 - 1}, ("-1", "1")),
    "labels that do not begin at 0": ({"y": np.arange(ROWS) % 2 + 5}, ("5", "6")),
    "labels as whole floats": ({"y": np.arange(ROWS) % 2 * 1.0}, ("0", "1")),
    "labels as true and false": ({"y": np.arange(ROWS) % 2 == 0}, ("False", "True")),
}


@pytest.mark.parametrize("case", ARRAYS)
def test_the_labels_of_arrays_are_read(tmp_path: Path, case: str) -> None:
    made, classes = ARRAYS[case]
    np.savez(tmp_path / "t.npz", x=np.random.default_rng(0).normal(size=(ROWS, 2)), **made)
    found = describe_data(DataSpec(source=str(tmp_path / "t.npz")))
    assert tuple(found.classes) == classes
    assert sum(found.classes.values()) == ROWS


def test_dictionaries_and_decimals_of_a_parquet_file_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = {
        "a": pa.array(rng.normal(size=ROWS)).cast(pa.float32()),
        "b": pa.array([Decimal(number % 7) / 4 for number in range(ROWS)]),
    }
    pq.write_table(
        pa.table({**columns, "y": pa.array(["u", "v"] * (ROWS // 2)).dictionary_encode()}), tmp_path / "t.parquet"
    )
    found = describe_data(DataSpec(source=str(tmp_path / "t.parquet"), target="y"))
    assert (found.features, found.classes) == (2, {"u": 15, "v": 15})
