"""What an installation downloads, and which interpreters have wheels, is read from pip's output."""

import json

import pytest
from bakeoff.environments import Environment, pip
from bakeoff.environments.build import read_environment
from bakeoff.environments.downloads import INTERPRETERS, parse_distribution_name, query_interpreters, sum_downloads
from bakeoff.environments.environment import RECORD

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


def test_download_size_is_the_sum_of_the_installed_files():
    assert sum_downloads(OUTPUT) == 16_900_000 + 71_000 + 512 + 1_200_000


def test_files_that_pip_does_not_install_are_not_counted():
    more = ["  Downloading candidate-9.0-py3-none-any.whl (99.0 MB)", *OUTPUT]
    assert sum_downloads(more) == sum_downloads(OUTPUT)


@pytest.mark.parametrize("missing", ["opt_einsum-3.4.0-py3", "28_x86_64.whl (16.9 MB)", "Succ"])
def test_download_size_is_unknown_when_the_size_of_one_file_is(missing):
    assert sum_downloads([line for line in OUTPUT if missing not in line]) is None


def test_download_size_without_installed_packages_is_unknown_not_zero():
    assert sum_downloads([]) is None


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("ml_dtypes-0.6.0-cp311-cp311-manylinux_2_27_x86_64.whl", "ml-dtypes"),
        ("https://files.example/a%2Bb/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl#sha256=00", "torch"),
        ("Theano-1.0.5.tar.gz", "theano"),
        ("numpy-2.4.6-cp311-cp311-manylinux_2_28_x86_64.whl.metadata", None),
    ],
)
def test_distribution_name_is_parsed_from_the_file_name(file, name):
    assert parse_distribution_name(file) == name


def test_interpreter_is_supported_when_the_index_has_a_wheel_of_the_pinned_version():
    asked = []

    def ask(arguments):
        asked.append(arguments)
        python = arguments[arguments.index("--python-version") + 1]
        versions = {"3.9": None, "3.10": "1.9.1", "3.11": "2.0, 1.9", "3.12": "1.9"}.get(python, "1.9.1")
        return versions and f"abacus (9)\nAvailable versions: {versions}\n  INSTALLED: 1.9"

    assert query_interpreters("abacus", "1.9", ask) == ["3.11", "3.12"]
    assert len(asked) == len(INTERPRETERS)
    assert query_interpreters("abacus", "1.9", lambda arguments: None) is None
    assert query_interpreters("abacus", "2.9", ask) is None


def test_values_missing_from_an_older_record_are_unknown(tmp_path):
    record = {"seconds": 1.0, "bytes": 2, "packages": {"numpy": "2.4.6"}}
    (tmp_path / RECORD).write_text(json.dumps(record), encoding="utf-8")
    old = read_environment(tmp_path)
    assert (old.download_bytes, old.interpreters) == (None, None)
    record |= {"download_bytes": 3, "interpreters": ["3.11"]}
    (tmp_path / RECORD).write_text(json.dumps(record), encoding="utf-8")
    new = read_environment(tmp_path)
    assert (new.download_bytes, new.interpreters) == (3, ("3.11",))


def test_requires_python_is_read_from_the_installed_metadata(tmp_path):
    metadata = tmp_path / "lib" / "python3.11" / "site-packages" / "abacus-1.9.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    text = "Metadata-Version: 2.1\nName: abacus\nVersion: 1.9\nRequires-Python: >=3.10\n"
    metadata.write_text(text, encoding="utf-8")
    environment = Environment(tmp_path / "bin" / "python", tmp_path, 1.0, 1, {})
    assert pip.read_requires_python(environment, "Abacus") == ">=3.10"
    assert pip.read_requires_python(environment, "other") is None
