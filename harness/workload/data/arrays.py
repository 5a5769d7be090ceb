"""Data sets in .npz archives and .npy files. Nothing is unpickled."""

import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from ...common.errors import InputError
from ..spec import DataSpec
from . import containers
from .columns import assemble, read_frame
from .containers import DAMAGED, File
from .dataset import TEST, TRAINING, VALIDATION, Column, Dataset
from .labels import argmax_one_hot, note_one_hot, read_label_texts
from .wording import explain_unknown_name, quote_names

# pandas takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415

Array = npt.NDArray[Any]

ENDINGS = (("train", TRAINING), ("val", VALIDATION), ("valid", VALIDATION), ("validation", VALIDATION), ("test", TEST))
"""The endings of names such as `x_train`, with their splits."""


def read_npy(file: File, spec: DataSpec) -> Dataset:
    """Return the data set in one array: its columns are those of a record, or numbered from 0."""
    import pandas as pd

    try:
        with file.open() as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
    except DAMAGED as error:
        hint = "Store numbers, not Python objects." if "pickle" in str(error) else "Write it with numpy.save."
        raise InputError(f"{file.name}: cannot be read: {error}. {hint}") from None
    if array.dtype.names:
        columns = {name: _make_native(array[name]) for name in array.dtype.names}
    elif array.ndim == 2:
        columns = {str(number): _make_native(column) for number, column in enumerate(array.T)}
    else:
        raise InputError(
            f"{file.name}: expected an array of shape (rows, columns), got {array.shape}. Write features and labels "
            "into one .npz file, as `x` and `y`: numpy.savez(FILE, x=..., y=...)."
        )
    return read_frame(spec.source, pd.DataFrame(columns), spec, ())


def read_npz(file: File, spec: DataSpec) -> Dataset:
    """Return the data set in an archive of arrays. Raises InputError where it is unfit."""
    import pandas as pd

    parts: Array | None
    try:
        with file.open() as stream, np.load(stream, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{file.name}: not an .npz archive, but one array. Name it with the ending `.npy`.")
            _require_bounded(file, archive)
            if {"x_train", "y_train", "x_test", "y_test"} <= set(archive.files) and spec.target in ("", "y", "y_train"):
                names, arrays, parts = _read_split_pairs(file, archive)
            else:
                names, arrays = _choose(file, archive, spec)
                parts = archive[spec.split] if spec.split and spec.split in archive.files else None
    except DAMAGED as error:
        with file.open() as stream:
            archived = zipfile.is_zipfile(stream)
        if not archived:
            raise InputError(f"{file.name}: not an .npz archive, or damaged. Write it with numpy.savez.") from None
        hint = "Store numbers or text, not Python objects." if "pickle" in str(error) else "Write it with numpy.savez."
        raise InputError(f"{file.name}: cannot be read: {error}. {hint}") from None
    if spec.split and parts is None:
        raise InputError(f"{file.name}: no array `{spec.split}`, which `data.split` names.")
    (x, x_notes), (labels, y_notes) = _flatten(file, names, *arrays), _flatten_labels(file, names, *arrays)
    source = spec.source
    texts, label_notes = read_label_texts(source, names[1], pd.Series(labels))
    features = tuple(f"{names[0]}{number}" for number in range(x.shape[1]))
    words = None if parts is None else pd.Series(_convert_labels(file, "split", parts))
    dataset = assemble(
        source,
        spec.model_copy(update={"target": names[1]}),
        x.astype(np.float64),
        features,
        texts,
        words,
        (*x_notes, *y_notes, *label_notes),
    )
    columns = (
        Column(names[0], f"{arrays[0].dtype} {arrays[0].shape}", f"{x.shape[1]} features"),
        Column(names[1], f"{arrays[1].dtype} {arrays[1].shape}", "labels"),
    )
    return dataset._replace(columns=columns)


def _require_bounded(file: File, archive: Any) -> None:
    """Raise InputError where compressed arrays unpack to more than memory is meant for: a small file can hold much."""
    packed = [each for each in archive.zip.infolist() if each.compress_type != zipfile.ZIP_STORED]
    if sum(each.file_size for each in packed) > containers.MOST_UNPACKED:
        raise InputError(
            f"{file.name}: unpacks to more than {containers.MOST_UNPACKED:,} bytes. Write it with numpy.savez, which "
            "compresses nothing."
        )


def _read_split_pairs(file: File, archive: Any) -> tuple[tuple[str, str], tuple[Array, Array], Array]:
    """Return the arrays of an archive with one pair for each split, joined, and the split of each row."""
    features: list[Array] = []
    labels: list[Array] = []
    parts: list[str] = []
    for ending, part in ENDINGS:
        if f"x_{ending}" not in archive.files or f"y_{ending}" not in archive.files:
            continue
        x, y = archive[f"x_{ending}"], archive[f"y_{ending}"]
        alike = not features or (x.shape[1:], y.shape[1:]) == (features[0].shape[1:], labels[0].shape[1:])
        if x.ndim < 2 or len(x) != len(y) or not alike:
            raise InputError(
                f"{file.name}: `x_{ending}` {x.shape} and `y_{ending}` {y.shape} do not fit: expected as many rows, "
                "and the same shape of a row in each split."
            )
        features.append(x)
        labels.append(y)
        parts += [("train", "validation", "test")[part]] * len(x)
    return ("x", "y"), (np.concatenate(features), np.concatenate(labels)), np.array(parts)


def _choose(file: File, archive: Any, spec: DataSpec) -> tuple[tuple[str, str], tuple[Array, Array]]:
    """Return the names and the arrays of features and labels. The other arrays are not read."""
    names = list(archive.files)
    shapes = _read_shapes(archive)
    target = spec.target or "y"
    if target not in shapes:
        there = explain_unknown_name("array", target, list(shapes))
        raise InputError(f"{file.name}: {there} Set `data.target`, or `--target`, to the array of labels.")
    if "x" in names and target != "x":
        return ("x", target), (archive["x"], archive[target])
    rows = shapes[target][:1]
    tables = [name for name, shape in shapes.items() if len(shape) > 1 and name != target and name not in spec.drop]
    fitting = [name for name in tables if shapes[name][:1] == rows]
    if len(fitting) != 1:
        raise InputError(
            f"{file.name}: expected an array `x` of shape (rows, features), or one 2-D array beside `{target}`, "
            f"got {len(fitting)} among {quote_names(list(shapes))}. Name the features `x`, "
            "or leave the others out with `data.drop`."
        )
    return (fitting[0], target), (archive[fitting[0]], archive[target])


def _read_shapes(archive: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array, from the headers alone."""
    shapes = {}
    for member in archive.zip.namelist():
        if not member.endswith(".npy"):
            continue
        with archive.zip.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shapes[member.removesuffix(".npy")] = read(stream)[0]
    return shapes


def _flatten(file: File, names: tuple[str, str], x: Array, labels: Array) -> tuple[Array, tuple[str, ...]]:
    """Return the features (rows, features), and notes on their conversion."""
    name, target = names
    if x.ndim < 2 or not x.size or labels.shape[:1] != x.shape[:1]:
        raise InputError(
            f"{file.name}: expected `{name}` of shape (rows, features) and `{target}` of shape (rows,), "
            f"got {x.shape} and {labels.shape}. Give both the same number of rows, and a row at least one feature."
        )
    if x.dtype.kind not in "biuf":
        raise InputError(f"{file.name}: expected numbers in `{name}`, got the dtype {x.dtype}. Convert them.")
    notes = []
    if x.dtype.kind == "b":
        notes.append(f"The array `{name}` is true/false: read as 1/0.")
    if x.ndim > 2:
        notes.append(f"Each row of `{name}`, of shape {x.shape[1:]}, is flattened.")
        x = x.reshape(len(x), -1)
        notes[-1] = notes[-1].replace("is flattened", f"is flattened to {x.shape[1]} features")
    return x, tuple(notes)


def _flatten_labels(file: File, names: tuple[str, str], x: Array, labels: Array) -> tuple[Array, tuple[str, ...]]:
    """Return one label a row (rows,), and notes on the conversion."""
    name, target = names
    if labels.ndim == 1:
        return _convert_labels(file, target, labels), ()
    if labels.size == len(labels):
        note = f"The labels in `{target}`, of shape {labels.shape}, are flattened."
        return _convert_labels(file, target, labels.reshape(-1)), (note,)
    numbers = argmax_one_hot(labels)
    if numbers is None:
        raise InputError(
            f"{file.name}: expected `{name}` of shape (rows, features) and `{target}` of shape (rows,), (rows, 1) or "
            f"one-hot, got {x.shape} and {labels.shape}. Write one label a row, such as {target}.argmax(axis=1)."
        )
    return numbers, (note_one_hot(target, labels.shape[1]),)


def _convert_labels(file: File, target: str, labels: Array) -> Array:
    """Return labels that pandas accepts: it supports no foreign byte order, no bytes as text and no records."""
    if labels.dtype.kind == "V":
        raise InputError(f"{file.name}: expected numbers or text in `{target}`, got the dtype {labels.dtype}.")
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "backslashreplace")
    return _make_native(labels)


def _make_native(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("="), copy=False)
