"""Specs, backend folders and data files from a stranger: read, or refused with one clear message within 10 s."""

import os
import random

import numpy as np
import pytest
from bakeoff.common import safe_files
from bakeoff.common.errors import InputError
from bakeoff.measures.ease.text import format_python
from bakeoff.registry import entries
from bakeoff.workload.data import arrays, containers, describe_data
from bakeoff.workload.spec import DataSpec, TrainingSpec, parse, read_spec

from tests.faults import input_files

BOUNDED = {"spec": 60, "backend": 20, "data": 40}
"""Of each kind; bench/faults.py has 1,000, 500 and 500."""


@pytest.mark.parametrize("seed", range(BOUNDED["spec"]))
def test_a_mutated_spec_is_read_or_refused(seed, tmp_path):
    path, done = input_files.make_spec(tmp_path, random.Random(seed))
    assert input_files.read_a_spec(path) == "", done


@pytest.mark.parametrize("seed", range(BOUNDED["backend"]))
def test_a_mutated_backend_is_read_or_refused(seed, tmp_path):
    folder, done = input_files.make_backend(tmp_path, random.Random(seed))
    assert input_files.read_backend(folder) == "", done


@pytest.mark.parametrize("seed", range(BOUNDED["data"]))
def test_a_mutated_data_file_is_read_or_refused(seed, tmp_path):
    path, done = input_files.make_data(tmp_path, random.Random(seed))
    assert input_files.read_data(path) == "", done


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("a = " + "[" * 1000 + "]" * 1000, "nested too deep"),
        ("a = " + "9" * 4301, "not valid TOML"),
        ("[training]\nseed = " + "9" * 4000, "training.seed"),
        ("[network]\nbn_decay = " + "9" * 400, "bn_decay"),
    ],
)
def test_toml_beyond_python_s_limits_is_one_message(toml, said):
    with pytest.raises(InputError, match=said) as caught:
        parse(toml, "spec.toml")
    assert str(caught.value).startswith("spec.toml: ")
    assert len(str(caught.value)) < 1000


def test_of_many_errors_the_first_are_listed():
    with pytest.raises(InputError, match="180 more errors"):
        parse("[network]\n" + "".join(f"key{number} = 1\n" for number in range(200)), "spec.toml")


def test_a_small_archive_of_huge_arrays_is_not_unpacked(tmp_path, monkeypatch):
    """Two gigabytes of zeros are a file of two megabytes: both were unpacked, whatever their size."""
    monkeypatch.setattr(containers, "MOST_UNPACKED", 20_000_000)
    monkeypatch.setattr(arrays, "_choose", lambda *_: pytest.fail("it was unpacked"))
    input_files.write_bomb(tmp_path / "file.npz", 16)
    with pytest.raises(InputError, match=r"file\.npz: unpacks to more than 20,000,000 bytes"):
        describe_data(DataSpec(source=str(tmp_path / "file.npz")), TrainingSpec())


def test_an_archive_without_compression_may_be_as_large_as_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MOST_UNPACKED", 100)
    written = {"x": np.random.default_rng(0).normal(size=(60, 4)), "y": np.arange(60) % 3}
    np.savez(tmp_path / "file.npz", **written)
    assert describe_data(DataSpec(source=str(tmp_path / "file.npz")), TrainingSpec(batch_size=8))
    np.savez_compressed(tmp_path / "file.npz", **written)
    with pytest.raises(InputError, match=r"more than 100 bytes\. Write it with numpy\.savez"):
        describe_data(DataSpec(source=str(tmp_path / "file.npz")), TrainingSpec(batch_size=8))


@pytest.mark.parametrize("name", ["file.csv", "file.parquet", "file.npz", "file.csv.gz"])
@pytest.mark.parametrize("kind", ["fifo", "zero"])
def test_a_named_pipe_and_a_device_are_no_data(tmp_path, name, kind):
    path = tmp_path / name
    os.mkfifo(path) if kind == "fifo" else path.symlink_to("/dev/zero")
    with pytest.raises(InputError, match="expected a file, got a"):
        describe_data(DataSpec(source=str(path), target="label"), TrainingSpec())


def test_a_spec_that_is_a_named_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "spec.toml")
    with pytest.raises(InputError, match="expected a file, got a named pipe"):
        read_spec(tmp_path / "spec.toml")


def test_a_cell_of_a_million_digits_and_a_letter_takes_no_hours(tmp_path):
    (tmp_path / "file.csv").write_text("a,label\n" + "1" * 1_000_000 + "x,b\n")
    with input_files.time_limit(input_files.LIMIT_S), pytest.raises(InputError):
        describe_data(DataSpec(source=str(tmp_path / "file.csv"), target="label"), TrainingSpec())


def test_false_pandas_metadata_are_named(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"a": [1.0] * 60, "label": ["x", "y"] * 30}).replace_schema_metadata({b"pandas": b'{"a": 5}'})
    pq.write_table(table, tmp_path / "file.parquet")
    with pytest.raises(InputError, match="not a Parquet file that can be read: KeyError"):
        describe_data(DataSpec(source=str(tmp_path / "file.parquet"), target="label"), TrainingSpec())


@pytest.mark.parametrize("source", ["x = " + " + ".join(["1"] * 50_000), "def (:", "x = 1\0", "x = " + "not " * 20_000])
def test_a_model_that_python_cannot_parse_is_one_message(source):
    with pytest.raises(InputError, match=r"model.py:1: expected Python"):
        format_python(source + "\n", "model.py")


def test_requirements_that_are_no_utf_8_leave_the_version_open(tmp_path):
    folder, _ = input_files.make_backend(tmp_path, random.Random(0))
    import shutil

    shutil.rmtree(folder)
    shutil.copytree(entries.backends_folder() / "numpy_plain", folder)
    (folder / "requirements.txt").write_bytes(b"\xff\xfe\n")
    assert entries.pinned_version(entries.read_entry(folder)) == entries.NOT_PINNED


def test_a_file_is_replaced_and_a_link_not_followed(tmp_path):
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "precious")
    safe_files.write_replacing(tmp_path / "file", "new")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "file").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "precious"]
