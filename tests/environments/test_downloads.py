"""Getting started: what pip downloaded, and which interpreters have wheels."""

import json

import pytest
from bakeoff.environments import build, pip
from bakeoff.environments import environment as environments_environment
from bakeoff.environments.downloads import INTERPRETERS, distribution_of, downloaded_bytes, supported_interpreters

OUTPUT = """\
Looking in indexes: https://index.example/simple
Collecting numpy==2.4.6 (from -r requirements.txt (line 1))
  Downloading numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (6.6 kB)
  Downloading https://files.example/ab/numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl (16.9 MB)
Collecting opt_einsum==3.4.0
  Using cached opt_einsum-3.4.0-py3-none-any.whl (71 kB)
Collecting old.style==1.0
  Downloading old.style-1.0.tar.gz (512 bytes)
Collecting older==2
  Downloading older-2-py3-none-any.whl (1.2MB)
Installing collected packages: numpy, opt_einsum, old.style, older
Successfully installed numpy-2.4.6 old.style-1.0 older-2 opt_einsum-3.4.0
""".splitlines()


def test_the_download_is_the_sum_of_what_pip_installed_from():
    assert downloaded_bytes(OUTPUT) == 16_900_000 + 71_000 + 512 + 1_200_000


def test_what_was_looked_at_and_not_installed_is_not_counted():
    more = ["  Downloading candidate-9.0-py3-none-any.whl (99.0 MB)", *OUTPUT]
    assert downloaded_bytes(more) == downloaded_bytes(OUTPUT)


@pytest.mark.parametrize("gone", ["opt_einsum-3.4.0-py3", "28_x86_64.whl (16.9 MB)", "Succ"])
def test_a_download_of_which_a_part_is_not_told_is_unknown(gone):
    assert downloaded_bytes([line for line in OUTPUT if gone not in line]) is None


def test_nothing_installed_is_unknown_and_not_nothing():
    assert downloaded_bytes([]) is None


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ml_dtypes-0.6.0-cp311-cp311-manylinux_2_27_x86_64.whl", "ml-dtypes"),
        ("https://files.example/a%2Bb/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl#sha256=00", "torch"),
        ("Theano-1.0.5.tar.gz", "theano"),
        ("numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl.metadata", None),
    ],
)
def test_a_file_is_told_by_its_name(file, name):
    assert distribution_of(file) == name


def test_an_interpreter_is_supported_where_the_index_has_a_wheel_of_the_pinned_version():
    asked = []

    def ask(arguments):
        asked.append(arguments)
        python = arguments[arguments.index("--python-version") + 1]
        versions = {"3.9": None, "3.10": "1.9.1", "3.11": "2.0, 1.9", "3.12": "1.9"}.get(python, "1.9.1")
        return versions and f"abacus (9)\nAvailable versions: {versions}\n  INSTALLED: 1.9"

    assert supported_interpreters("abacus", "1.9", ask) == ["3.11", "3.12"]
    assert len(asked) == len(INTERPRETERS)
    assert supported_interpreters("abacus", "1.9", lambda arguments: None) is None
    assert supported_interpreters("abacus", "2.9", ask) is None


def test_a_record_of_before_it_was_asked_is_unknown(tmp_path):
    record = {"seconds": 1.0, "bytes": 2, "packages": {"numpy": "2.4.6"}}
    (tmp_path / build.RECORD).write_text(json.dumps(record), encoding="utf-8")
    old = build._read(tmp_path)
    assert (old.download_bytes, old.interpreters) == (None, None)
    record |= {"download_bytes": 3, "interpreters": ["3.11"]}
    (tmp_path / build.RECORD).write_text(json.dumps(record), encoding="utf-8")
    new = build._read(tmp_path)
    assert (new.download_bytes, new.interpreters) == (3, ("3.11",))


def test_what_a_distribution_needs_is_read_where_it_is_installed(tmp_path):
    metadata = tmp_path / "lib" / "python3.11" / "site-packages" / "abacus-1.9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    text = "Metadata-Version: 2.1\nName: abacus\nVersion: 1.9\nRequires-Python: >=3.10\n"
    metadata.write_text(text, encoding="utf-8")
    environment = environments_environment.Environment(tmp_path / "bin" / "python", tmp_path, 1.0, 1, {})
    assert pip.requires_python(environment, "Abacus") == ">=3.10"
    assert pip.requires_python(environment, "other") is None
