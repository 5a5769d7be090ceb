"""Data sets -> normalised splits and batch orders, the same arrays for every backend.

What a network cannot train on is refused with an `InputError`, never mended in silence: missing or infinite values,
text, dates and complex numbers in a feature; missing, fractional or too many labels. What is mended is named in the
data set's `notes`: true/false is read as 1/0, numbers written as text are read as numbers, a constant column is kept
(its standard deviation, 0, is divided by 1). Messages count data rows from 1, the header not counted.
"""
# pandas, pyarrow and scikit-learn take a second to import: only the functions that need them do.
# ruff: noqa: PLC0415

import csv
import difflib
import hashlib
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.error import HTTPError, URLError

import numpy as np
import numpy.typing as npt

from harness.errors import InputError
from harness.spec import DataSpec, Spec

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.utils import Bunch

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SOURCES = (
    "`digits`, a .csv, .parquet or .npz file, `openml:NAME` or `openml:NAME@VERSION`, "
    "or `synthetic:ROWSxFEATURESxCLASSES`"
)
MAX_SYNTHETIC_VALUES = 10**9
"""8 GB in float64. A slip of the finger should end in a message, not in the machine's out-of-memory killer."""

# What pandas calls the values of a column -> what we do with them. Everything else is text.
KINDS = {
    "boolean": "true/false",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "numbers",
    "empty": "numbers",
    "complex": "complex numbers",
    **dict.fromkeys(("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period"), "dates or times"),
}


DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)
"""What zipfile and NumPy raise for an archive that is damaged, or encrypted (RuntimeError)."""


class Dataset(NamedTuple):
    """Examples as loaded: finite numbers, with labels counted from 0."""

    name: str
    x: Floats
    """(rows, features)"""
    y: Integers
    """(rows,), in 0 ... classes-1"""
    features: tuple[str, ...]
    classes: tuple[str, ...]
    """Sorted: numbers by value, text by alphabet."""
    notes: tuple[str, ...]
    """What was done to the data on the way, a sentence each."""


class Splits(NamedTuple):
    """A data set shared out and normalised: `(x - mean) / std`, by the training rows alone."""

    x_train: Floats
    y_train: Integers
    x_validation: Floats
    y_validation: Integers
    x_test: Floats
    y_test: Integers
    mean: Floats
    """(features,); 0 without normalisation"""
    std: Floats
    """(features,), the divisor: 1 where the population standard deviation is 0, and without normalisation"""
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    hash: str
    """Twelve hexadecimal digits of the data set as loaded, whatever file it came from."""

    @property
    def features(self) -> int:
        """Return how many features a row has."""
        return len(self.mean)


def load(spec: DataSpec, seed: int = 0, cache: Path | None = None) -> Dataset:
    """Return the data set that `spec.source` names.

    `seed` draws synthetic data and does nothing to the others. `cache` is the folder that keeps what OpenML sent;
    without it, the user's cache folder. InputError for anything that cannot be trained on as it stands.
    """
    kind, _, rest = spec.source.partition(":")
    if spec.source == "digits":
        return _digits(spec)
    if kind == "synthetic":
        return _synthetic(spec, rest, seed)
    if kind == "openml":
        return _openml(spec, rest, cache)
    return _file(spec)


def split(dataset: Dataset, spec: Spec) -> Splits:
    """Share the rows out, class by class, from `spec.training.seed`, and normalise them.

    InputError where a class has too few rows, a split too few for the classes, the training split too few for one
    batch, or a feature values beyond the run's dtype.
    """
    train, validation, test = _shares(dataset, spec)
    _check_batch(len(train), spec.training.batch_size)
    x, y, notes = dataset.x, dataset.y, dataset.notes
    mean, std = np.zeros(x.shape[1]), np.ones(x.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        if spec.data.normalisation == "standard":
            mean, std = _statistics(x[train])
            notes += _constant_in_training(dataset, train)
        x = (x - mean) / std
    _check_range(dataset, x, mean, std, spec.training.dtype)
    return Splits(
        x_train=x[train],
        y_train=y[train],
        x_validation=x[validation],
        y_validation=y[validation],
        x_test=x[test],
        y_test=y[test],
        mean=mean,
        std=std,
        classes=dataset.classes,
        notes=notes,
        hash=_hash(dataset),
    )


def batch_orders(rows: int, batch_size: int, epochs: int, seed: int) -> Integers:
    """Return the row numbers of every step: (epochs * (rows // batch_size), batch_size).

    One permutation an epoch, from PCG64(seed); the rows left over after its last full batch are dropped.
    InputError where the rows do not fill one batch.
    """
    _check_batch(rows, batch_size)
    rng = np.random.Generator(np.random.PCG64(seed))
    kept = rows - rows % batch_size
    orders = [rng.permutation(rows)[:kept].reshape(-1, batch_size) for _ in range(epochs)]
    return np.concatenate(orders).astype(np.int64)


def _digits(spec: DataSpec) -> Dataset:
    from sklearn.datasets import load_digits

    _refuse_target(spec)
    digits = load_digits()
    y, classes = _numbered(digits.target)
    return _checked(Dataset(spec.source, digits.data, y, tuple(digits.feature_names), classes, ()))


def _synthetic(spec: DataSpec, size: str, seed: int) -> Dataset:
    """Draw two clouds of points a class, so that no flat cut separates the classes."""
    from sklearn.datasets import make_blobs

    _refuse_target(spec)
    rows, features, classes = _size(spec.source, size)
    x, cloud = make_blobs(
        n_samples=rows,
        n_features=features,
        centers=2 * classes,
        # Distances between centres grow with the root of the features. So does the spread: no size is easier.
        cluster_std=1.5 * features**0.5,
        random_state=_random_state(seed),
    )
    y, names = _numbered(cloud % classes)
    return _checked(Dataset(spec.source, x, y, tuple(f"x{number}" for number in range(features)), names, ()))


def _size(source: str, size: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"[0-9]{1,12}(x[0-9]{1,12}){2}", size):
        raise InputError(f"{source}: expected synthetic:ROWSxFEATURESxCLASSES, such as synthetic:1000x20x3.")
    rows, features, classes = map(int, size.split("x"))
    if features < 1 or classes < 2 or rows <= 2 * classes:
        raise InputError(
            f"{source}: expected at least 1 feature, 2 classes and more than 2 rows a class, "
            f"got {rows} rows, {features} features and {classes} classes."
        )
    if rows * features > MAX_SYNTHETIC_VALUES:
        raise InputError(
            f"{source}: {rows * features:,} values are too many to draw: keep rows x features to "
            f"{MAX_SYNTHETIC_VALUES:,} at most."
        )
    return rows, features, classes


def _refuse_target(spec: DataSpec) -> None:
    if spec.target:
        raise InputError(
            f"{spec.source} brings its own labels: leave `data.target` empty (it is `{spec.target}`), "
            "or name a file as `data.source`."
        )


def _openml(spec: DataSpec, wanted: str, cache: Path | None) -> Dataset:
    match = re.fullmatch(r"([\w.(),+-]+)(?:@([0-9]{1,9}))?", wanted, re.ASCII)
    if not match:
        raise InputError(f"{spec.source}: expected openml:NAME or openml:NAME@VERSION, such as openml:iris@1.")
    name, version = match.groups()
    bunch = _fetch(spec.source, name, version, spec.target, cache)
    if bunch.frame is None:
        raise InputError(f"{spec.source}: expected a dense table, OpenML has a sparse one. Choose another data set.")
    target = spec.target or _default_target(spec.source, bunch.target_names)
    details = bunch.details
    notes = [f"OpenML's version {details['version']} of `{name}`, data set number {details['id']}."]
    if details["status"] != "active":
        notes.append(f"OpenML marks this version as {details['status']}: issues were found in it.")
    return _from_frame(spec.source, bunch.frame.apply(_unquoted), target, tuple(notes))


def _fetch(source: str, name: str, version: str | None, target: str, cache: Path | None) -> "Bunch":
    """Return scikit-learn's Bunch; all columns are features in it where the user has named a target."""
    from platformdirs import user_cache_path
    from sklearn.datasets import fetch_openml

    folder = cache or user_cache_path("bakeoff")
    try:
        # Retries and the choice between versions are told as warnings; the one is noise, the other becomes a note.
        with warnings.catch_warnings(action="ignore"):
            return fetch_openml(
                name,
                version=int(version) if version else "active",
                target_column=None if target else "default-target",
                data_home=folder,
                as_frame="auto",
                parser="auto",
                # No categories: scikit-learn 1.9 fails on those that pandas 3.1 reads as numbers (its issue 34892).
                read_csv_kwargs={"dtype": None, "low_memory": False},
            )
    except HTTPError as error:
        problem = f"the OpenML server answered {error.code} {error.reason}"
    except URLError as error:
        problem = f"the OpenML server cannot be reached ({error.reason})"
    except ValueError as error:
        problem = str(error)
    # Whatever else a damaged answer makes scikit-learn and pandas stumble on: there is no list of it.
    except Exception as error:
        problem = f"OpenML's answer cannot be used ({type(error).__name__}: {error})"
    raise InputError(
        f"{source}: {problem.rstrip('.')}. Check the name and version at openml.org, and the connection. "
        f"What was fetched once is kept in {folder}."
    )


def _unquoted(values: "pd.Series") -> "pd.Series":
    """Return a column of an ARFF file without the single quotes that the format puts around text."""
    return values.str.replace(r"^'(.*)'$", r"\1", regex=True) if values.dtype == "str" else values


def _default_target(source: str, names: Sequence[str]) -> str:
    if len(names) != 1:
        found = f"{len(names)} ({_quoted(names)})" if names else "none"
        raise InputError(f"{source}: expected one column of labels, OpenML names {found}. Set `data.target`.")
    return names[0]


def _file(spec: DataSpec) -> Dataset:
    path = Path(spec.source)
    read = READERS.get(path.suffix.lower())
    if read is None:
        close = difflib.get_close_matches(spec.source.lower(), ["digits"]) or [f"openml:{spec.source}"]
        hint = f" Did you mean `{close[0]}`?" if re.fullmatch(r"[\w-]+", spec.source) else ""
        raise InputError(f"{spec.source}: expected {SOURCES}.{hint}")
    _check_readable(path)
    return read(path, spec)


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file. Check `data.source`: a path is relative to where you are.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: expected a file, got a folder. Name one file in it.") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}.") from None
    if empty:
        raise InputError(f"{path}: expected a table, got an empty file.")


def _csv(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    header = _csv_header(path)
    _check_names(spec.source, header)
    try:
        frame = pd.read_csv(path, index_col=False, low_memory=False, skipinitialspace=True)
        frame.columns = header
    except ValueError as error:
        raise InputError(f"{path}: not a regular comma-separated table: {error}.") from None
    return _from_frame(spec.source, frame, spec.target, ())


def _csv_header(path: Path) -> list[str]:
    """Return the column names of a UTF-8 file whose every row has as many cells.

    Read apart from pandas, which renames duplicates, fills short rows up and takes a long row's first cell for a name.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            rows = filter(None, reader)
            header = next(rows, [])
            _check_separator(path, header)
            for cells in rows:
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}: line {reader.line_num} has {len(cells)} cells where the header has {len(header)}. "
                        "Give every row as many; put text that holds commas in double quotes."
                    )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}: expected UTF-8, got the byte 0x{byte:02x}. Save the file as UTF-8.") from None
    except csv.Error as error:
        raise InputError(f"{path}: not a comma-separated table: {error}.") from None
    return header


def _check_separator(path: Path, header: list[str]) -> None:
    if len(header) > 1:
        return
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if separator in "".join(header):
            raise InputError(
                f"{path}: one column only, and {name} in its header: expected commas. "
                "Save it with commas between cells, and points in decimal numbers."
            )
    found = "only one column" if header else "no columns"
    raise InputError(f"{path}: expected a column of labels and at least one feature, got {found}.")


def _parquet(path: Path, spec: DataSpec) -> Dataset:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            _check_names(spec.source, file.schema_arrow.names)
            frame = file.read().to_pandas()
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a Parquet file that can be read: {error}.") from None
    index = [str(name) for name in frame.index.names if name is not None]
    notes = (f"The pandas index {_quoted(index)} is no feature: left out.",) if index else ()
    frame.columns = [str(name) for name in frame.columns]
    return _from_frame(spec.source, frame, spec.target, notes)


def _check_names(source: str, names: Sequence[str]) -> None:
    unnamed = [str(number) for number, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise InputError(
            f"{source}: column {', '.join(unnamed)} has no name. Name it, or leave it out "
            "(pandas writes such a column for its index: use to_csv(..., index=False))."
        )
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise InputError(f"{source}: the same column name twice: {_quoted(duplicates)}. Give each column its own.")


def _npz(path: Path, spec: DataSpec) -> Dataset:
    import pandas as pd

    arrays = _npz_arrays(path)
    target = spec.target or "y"
    if target not in arrays:
        raise InputError(f"{path}: {_unknown('array', target, list(arrays))} Set `data.target` to the array of labels.")
    name = _npz_features(path, arrays, target)
    x, labels = arrays[name], arrays[target]
    if x.ndim != 2 or not x.size or labels.shape != x.shape[:1]:
        raise InputError(
            f"{path}: expected `{name}` of shape (rows, features) and `{target}` of shape (rows,), "
            f"got {x.shape} and {labels.shape}. Reshape them."
        )
    if x.dtype.kind not in "biuf":
        raise InputError(f"{path}: expected numbers in `{name}`, got the dtype {x.dtype}. Turn them into numbers.")
    notes = (f"The array `{name}` is true/false: read as 1/0.",) if x.dtype.kind == "b" else ()
    features = tuple(f"{name}{number}" for number in range(x.shape[1]))
    y, classes = _labels(spec.source, target, pd.Series(_native(path, target, labels)))
    return _checked(Dataset(spec.source, x.astype(np.float64), y, features, classes, notes))


def _native(path: Path, target: str, labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return labels that pandas takes: it knows neither the other byte order, nor bytes as text, nor records."""
    if labels.dtype.kind == "V":
        raise InputError(f"{path}: expected numbers or text in `{target}`, got the dtype {labels.dtype}.")
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    return labels.astype(labels.dtype.newbyteorder("="))


def _npz_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: not an .npz archive, or a damaged one. Write it with numpy.savez.")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except DAMAGED as error:
        hint = "Store numbers or text, no Python objects." if "pickle" in str(error) else "Write it with numpy.savez."
        raise InputError(f"{path}: cannot be read: {error}. {hint}") from None
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _npz_features(path: Path, arrays: dict[str, npt.NDArray[Any]], target: str) -> str:
    if "x" in arrays and target != "x":
        return "x"
    tables = [name for name, array in arrays.items() if array.ndim == 2 and name != target]
    if len(tables) != 1:
        raise InputError(
            f"{path}: expected an array `x` of shape (rows, features), or one 2-D array beside `{target}`, "
            f"got {len(tables)} among {_quoted(list(arrays))}. Name the features `x`."
        )
    return tables[0]


READERS: dict[str, Callable[[Path, DataSpec], Dataset]] = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}


def _from_frame(source: str, frame: "pd.DataFrame", target: str, notes: tuple[str, ...]) -> Dataset:
    columns = list(frame.columns)
    if not target:
        raise InputError(f"{source}: which column holds the labels? Set `data.target` to one of {_quoted(columns)}.")
    if target not in columns:
        raise InputError(f"{source}: {_unknown('column', target, columns)} Set `data.target` to the column of labels.")
    features = [name for name in columns if name != target]
    if not len(frame) or not features:
        raise InputError(
            f"{source}: expected rows, a column of labels and at least one feature, "
            f"got {len(frame)} rows and {len(features)} features."
        )
    y, classes = _labels(source, target, frame[target])
    x, treated = _matrix(source, frame[features])
    return _checked(Dataset(source, x, y, tuple(features), classes, notes + treated))


def _matrix(source: str, frame: "pd.DataFrame") -> tuple[Floats, tuple[str, ...]]:
    """Return the columns as numbers, (rows, features), NaN where missing, and notes of how they were read."""
    columns, faults = [], []
    kinds: dict[str, list[str]] = {"true/false": [], "text": []}
    for name, values in frame.items():
        try:
            numbers, kind = _numbers(str(name), _plain(values))
        except InputError as error:
            faults.append(f"{source}: {error}")
            continue
        columns.append(numbers)
        kinds.setdefault(kind, []).append(str(name))
    if faults:
        more = [f"... and {len(faults) - 10} more such columns."] if len(faults) > 10 else []
        raise InputError("\n".join(faults[:10] + more))
    notes = []
    if kinds["true/false"]:
        notes.append(f"True/false is read as 1/0: {_quoted(kinds['true/false'])}.")
    if kinds["text"]:
        notes.append(f"Numbers written as text are read as numbers: {_quoted(kinds['text'])}.")
    return np.column_stack(columns), tuple(notes)


def _numbers(name: str, values: "pd.Series") -> tuple[Floats, str]:
    """Return a column as numbers, (rows,), NaN where missing, and the kind of values it had."""
    import pandas as pd

    kind = _kind(values)
    if kind in ("dates or times", "complex numbers"):
        raise InputError(f"column `{name}` holds {kind}: expected real numbers. Turn it into numbers, or leave it out.")
    if kind == "text":
        text = values.astype(str).where(values.notna())
        parsed = pd.to_numeric(text, errors="coerce")
        _check_text(name, text, parsed)
        values = parsed
    numbers: Floats = values.to_numpy(np.float64, na_value=np.nan)
    return numbers, kind


def _check_text(name: str, text: "pd.Series", parsed: "pd.Series") -> None:
    """Refuse a column with text that spells no number."""
    wrong = np.flatnonzero(text.notna() & parsed.isna())
    if not len(wrong):
        return
    first = str(text.iloc[wrong[0]])[:40]
    if len(wrong) < text.notna().sum():
        raise InputError(
            f"column `{name}`: expected numbers, got {first!r} in data row {wrong[0] + 1} ({len(wrong)} such). "
            "Correct the values, or leave the column out."
        )
    what = "dates or times" if _is_date(first) else "text"
    raise InputError(
        f"column `{name}` holds {what}, such as {first!r} in data row {wrong[0] + 1}: expected numbers. "
        "Encode it (one 0/1 column a value, say), or leave it out."
    )


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _plain(values: "pd.Series") -> "pd.Series":
    """Return a categorical column as the values that it stands for."""
    return values.astype(object).infer_objects() if values.dtype == "category" else values


def _kind(values: "pd.Series") -> str:
    import pandas as pd

    return KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "text")


def _labels(source: str, target: str, column: "pd.Series") -> tuple[Integers, tuple[str, ...]]:
    """Return labels counted from 0, (rows,), and the classes that they stand for, sorted.

    InputError where a label is missing or fractional, or where the values do not look like classes.
    """
    values = _plain(column)
    kind = _kind(values)
    blank = values.astype(str).str.strip() == "" if kind == "text" else False
    missing = np.flatnonzero(values.isna() | blank)
    if len(missing):
        raise InputError(
            f"{source}: {len(missing)} of {len(values)} labels in `{target}` are missing, the first in data row "
            f"{missing[0] + 1} (empty, NA, NaN, null and None count as missing). Fill them in, or leave those rows out."
        )
    if kind in ("dates or times", "complex numbers"):
        raise InputError(f"{source}: expected classes in `{target}`, got {kind}. Name another column.")
    if kind == "numbers":
        y, classes = _numbered(_whole(source, target, values))
    else:
        y, classes = _named(values.astype(str).tolist())
    _check_classes(source, target, len(y), classes)
    return y, classes


def _whole(source: str, target: str, values: "pd.Series") -> npt.NDArray[Any]:
    """Return the values, refusing any that is no whole number."""
    numbers: npt.NDArray[Any] = values.to_numpy()
    if numbers.dtype.kind in "iu":
        return numbers
    numbers = numbers.astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.floor(numbers)))
    if len(wrong):
        raise InputError(
            f"{source}: expected classes in `{target}`, got {numbers[wrong[0]]:g} in data row {wrong[0] + 1}: "
            "a measured quantity. Name another column, or sort its values into classes."
        )
    return numbers


def _numbered(values: npt.NDArray[Any]) -> tuple[Integers, tuple[str, ...]]:
    found, y = np.unique(values, return_inverse=True)
    return y.astype(np.int64), tuple(str(int(value)) for value in found)


def _named(values: list[str]) -> tuple[Integers, tuple[str, ...]]:
    classes = sorted(set(values))
    # Data formats disagree on whether a class called 10 is text: it comes after 9 in any of them.
    if all(re.fullmatch(r"-?[0-9]{1,18}", name) for name in classes):
        classes.sort(key=int)
    number = {name: number for number, name in enumerate(classes)}
    return np.array([number[value] for value in values], dtype=np.int64), tuple(classes)


def _check_classes(source: str, target: str, rows: int, classes: tuple[str, ...]) -> None:
    if len(classes) < 2:
        raise InputError(
            f"{source}: expected at least two classes in `{target}`, got {_quoted(classes) or 'none'} in {rows} rows. "
            "Name another column, or add rows of another class."
        )
    if 2 * len(classes) >= rows:
        raise InputError(
            f"{source}: {len(classes)} different labels in the {rows} rows of `{target}`: that looks like a measured "
            "quantity or an identifier, not like classes. Name another column, or add rows."
        )


def _checked(dataset: Dataset) -> Dataset:
    """Return the data set under its short name, refusing what is not finite and noting what is constant."""
    x, notes = dataset.x, dataset.notes
    _refuse(dataset, np.isnan(x), "missing values", "Fill them in, or leave those rows or columns out.")
    _refuse(dataset, np.isinf(x), "infinite values", "Replace them, or leave those rows or columns out.")
    constant = _chosen(dataset.features, (x == x[0]).all(axis=0))
    if constant:
        notes += (f"Constant columns are kept, and divided by 1 where they are normalised: {_quoted(constant)}.",)
    return dataset._replace(name=Path(dataset.name).name, x=np.ascontiguousarray(x), notes=notes)


def _refuse(dataset: Dataset, wrong: npt.NDArray[np.bool_], what: str, remedy: str) -> None:
    counts = wrong.sum(axis=0)
    if not counts.any():
        return
    places = [
        f"`{dataset.features[column]}` {counts[column]} (the first in data row {wrong[:, column].argmax() + 1})"
        for column in np.flatnonzero(counts)
    ]
    raise InputError(f"{dataset.name}: {what}: {_some(places)}. {remedy}")


def _shares(dataset: Dataset, spec: Spec) -> list[Integers]:
    """Return the row numbers of the training, validation and test split."""
    from sklearn.model_selection import train_test_split

    rows, y = len(dataset.y), dataset.y
    validation, test = (round(share * rows) for share in (spec.data.validation, spec.data.test))
    _check_shares(dataset, {"training": rows - validation - test, "validation": validation, "test": test})
    rng = _random_state(spec.training.seed)
    try:
        rest, for_test = train_test_split(np.arange(rows), test_size=test, stratify=y, random_state=rng)
        train, for_validation = train_test_split(rest, test_size=validation, stratify=y[rest], random_state=rng)
    except ValueError as error:
        raise InputError(f"{dataset.name} cannot be split class by class: {error} {_more(dataset)}") from None
    absent = sorted(set(range(len(dataset.classes))) - set(y[train].tolist()))
    if absent:
        names = _quoted([dataset.classes[number] for number in absent])
        raise InputError(f"{dataset.name}: no training row is left of the class {names}. {_more(dataset)}")
    return [train, for_validation, for_test]


def _check_shares(dataset: Dataset, sizes: dict[str, int]) -> None:
    counts = np.bincount(dataset.y, minlength=len(dataset.classes))
    rarest = int(counts.argmin())
    if counts[rarest] < 3:
        raise InputError(
            f"{dataset.name}: class `{dataset.classes[rarest]}` has {counts[rarest]} rows: expected at least 3, "
            "one for each of training, validation and test. Add rows, or leave the class out."
        )
    for name, size in sizes.items():
        if size < len(counts):
            raise InputError(
                f"{dataset.name}: the {name} split would have {size} rows for {len(counts)} classes: "
                f"expected at least one row each. {_more(dataset)}"
            )


def _more(dataset: Dataset) -> str:
    return f"Change `data.validation` and `data.test`, or give more than {len(dataset.y)} rows."


def _check_batch(rows: int, batch_size: int) -> None:
    if rows < batch_size:
        raise InputError(
            f"{rows} training rows do not fill one batch of {batch_size}: lower `training.batch_size` to at most "
            f"{rows}, give more rows, or lower `data.validation` and `data.test`."
        )


def _statistics(x: Floats) -> tuple[Floats, Floats]:
    """Return mean and divisor of each column: the population standard deviation, or 1 where that is 0."""
    mean, std = x.mean(axis=0), x.std(axis=0)
    # The mean of equal numbers can round away from them; their deviation is 0 all the same, not that rounding.
    constant = (x == x[0]).all(axis=0)
    return np.where(constant, x[0], mean), np.where(constant | (std == 0), 1.0, std)


def _constant_in_training(dataset: Dataset, train: Integers) -> tuple[str, ...]:
    x = dataset.x
    constant = (x[train] == x[train[0]]).all(axis=0) & (x != x[0]).any(axis=0)
    names = _chosen(dataset.features, constant)
    return (f"Constant in the training rows only, and so divided by 1: {_quoted(names)}.",) if names else ()


def _check_range(dataset: Dataset, x: Floats, mean: Floats, std: Floats, dtype: str) -> None:
    fits = (np.abs(x) <= np.finfo(dtype).max).all(axis=0) & np.isfinite(mean) & np.isfinite(std)
    if not fits.all():
        names = _quoted(_chosen(dataset.features, ~fits))
        raise InputError(f"{dataset.name}: values of {names} are too large for {dtype}. Use a larger unit for them.")


def _hash(dataset: Dataset) -> str:
    digest = hashlib.sha256()
    for array in (np.ascontiguousarray(dataset.x, "<f8"), np.ascontiguousarray(dataset.y, "<i8")):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    digest.update(json.dumps(dataset.classes).encode())
    return digest.hexdigest()[:12]


def _random_state(seed: int) -> np.random.RandomState:
    """Return what scikit-learn draws from: a plain number it takes up to 2**32 only, a spec's seed goes to 2**63."""
    return np.random.RandomState(np.random.PCG64(seed))


def _chosen(names: Sequence[str], chosen: npt.NDArray[np.bool_]) -> list[str]:
    return [name for name, wanted in zip(names, chosen, strict=True) if wanted]


def _unknown(what: str, name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"It has {_quoted(names) or 'none'}."
    return f"no {what} `{name}`. {hint}"


def _quoted(names: Sequence[str]) -> str:
    return _some([f"`{name}`" for name in names])


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - 10} more" if len(items) > 10 else ""
    return ", ".join(items[:10]) + more
