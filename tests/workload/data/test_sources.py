"""The sources of data sets: the digits, synthetic data, and what is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bakeoff.workload.data import load, split
from bakeoff.workload.spec import DataSpec
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from tests.workload.data.tables import refused, spec_for


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
    refused(lambda: load(DataSpec(source=source, target="kind")), source, "has its own labels", "`kind`")


@pytest.mark.parametrize(("source", "hint"), [("digit", "`digits`"), ("mnist", "`openml:mnist`")])
def test_an_unknown_source_gets_a_suggestion(source: str, hint: str) -> None:
    refused(lambda: load(DataSpec(source=source)), f"{source}: expected `digits`", ".parquet", f"Did you mean {hint}?")


def test_an_unknown_extension_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.ods"
    path.write_text("a")
    message = refused(lambda: load(DataSpec(source=str(path))), "expected `digits`", "a .csv, .tsv,")
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
