"""Odd surroundings: nothing is lost at the end, and nothing ends in a traceback."""

import errno
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.cli import options
from bakeoff.cli import run as cli_run
from bakeoff.cli.app import app
from bakeoff.common import cache, machine
from bakeoff.common.errors import InputError
from bakeoff.environments import interpreters
from bakeoff.environments.environment import Environment
from bakeoff.registry import entries
from bakeoff.runner import start
from typer.testing import CliRunner

from tests.faults import surroundings
from tests.paths import SAVED_RUN

build = importlib.import_module("bakeoff.environments.build")  # the package has a function of that name


@pytest.fixture
def run(tmp_path):
    return shutil.copytree(SAVED_RUN, tmp_path / "run")


def bakeoff(*arguments, folder, **environment):
    """Run the command in a process of its own; return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "bakeoff", *map(str, arguments)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "BAKEOFF_CACHE": str(folder / "cache"), **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


BOUNDED = [(odd, list(surroundings.COMMANDS)[place % 4]) for place, odd in enumerate(surroundings.CIRCUMSTANCES)]
"""Every circumstance once, with the quick commands in turn; bench/faults.py tries each command in each of them."""


@pytest.mark.parametrize(("odd", "command"), BOUNDED)
def test_a_command_in_odd_surroundings_works_or_says_why_not(odd, command):
    if odd in surroundings.NEED_ROOT and os.geteuid() != 0:
        pytest.skip("needs root: to become another user, or to mount a small disk")
    # The folders of pytest are for their owner alone, and the command may be another user's.
    with tempfile.TemporaryDirectory() as folder:
        assert surroundings.run_case(command, odd, Path(folder)) == ""


# Output paths are opened before work begins


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "numpy_plain", "--records", "FILE.csv"],
        ["mistakes", "numpy_plain", "--records", "FILE.jsonl"],
        ["deploy", "numpy_plain", "--records", "FILE.jsonl"],
        ["table", "RUN", "-o", "FILE.csv"],
        ["report", "RUN", "-o", "FILE.html"],
    ],
)
def test_an_output_path_that_cannot_be_written_is_refused_before_any_work(arguments, run, tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "build_all", lambda *_, **__: pytest.fail("work began"))
    (tmp_path / "file").write_text("")
    words = [word.replace("FILE", str(tmp_path / "file" / "below")).replace("RUN", str(run)) for word in arguments]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, InputError)
    assert "cannot be written" in str(result.exception)


def test_the_test_of_an_output_path_leaves_no_file_and_changes_none(tmp_path):
    (tmp_path / "old").write_text("old")
    options.require_writable(tmp_path / "file")
    options.require_writable(tmp_path / "old")
    assert not (tmp_path / "file").exists()
    assert (tmp_path / "old").read_text() == "old"


def test_a_full_disk_names_the_command_that_resumes(tmp_path):
    class Unwritable:
        folder = tmp_path / "run"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    class Work:
        run = Unwritable()

        def carry_out(self, board):
            raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "run" / "records.jsonl"))

    with pytest.raises(InputError, match=rf"No space left.*bakeoff run --resume {tmp_path / 'run'}"):
        cli_run.carry_out(Work())


# Caches, users, machines


def test_a_built_environment_is_used_although_nothing_can_be_written(tmp_path, monkeypatch):
    entry = entries.read_all()["numpy_plain"]
    found = Environment(Path(sys.executable), tmp_path, 1.0, 2, {})
    monkeypatch.setattr(build, "read_environment", lambda folder: found)
    monkeypatch.setattr(build, "describe_damage", lambda environment: "")
    monkeypatch.setattr(build, "hold_lock", lambda *_: pytest.fail("a lock was written"))
    assert build.build(entry) is found


def test_an_environment_that_lost_a_package_is_damaged(tmp_path):
    packages = tmp_path / "lib" / "python3.11" / "site-packages" / "numpy-2.0.dist-info"
    packages.mkdir(parents=True)
    (packages / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 2.0\n")
    whole = Environment(Path(sys.executable), tmp_path, 1.0, 2, {"numpy": "2.0"})
    assert build.describe_damage(whole) == ""
    assert "is gone" in build.describe_damage(whole._replace(python=tmp_path / "gone"))
    (packages / "METADATA").unlink()
    assert "lacks numpy" in build.describe_damage(whole)


def test_a_value_that_cannot_be_cached_is_made_again(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "file"))
    cache.keep("kind", "key", 1)
    assert cache.find("kind", "key") is None


def test_a_user_without_a_home_folder_gets_a_sentence(monkeypatch):
    monkeypatch.delenv("BAKEOFF_CACHE", raising=False)
    monkeypatch.setattr(cache.platformdirs, "user_cache_path", lambda name: Path("~/.cache") / name)
    with pytest.raises(InputError, match=r"no home folder\. Set BAKEOFF_CACHE"):
        cache.cache_folder()


def test_cuda_without_a_gpu_is_refused_before_a_run_folder_exists(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "gpus", list)
    backends = [name for name, entry in entries.read_all().items() if "cuda" in entry.description.devices]
    words = ["run", "--device", "cuda", "--backends", backends[0], "--results", str(tmp_path / "results")]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, InputError)
    assert "no NVIDIA GPU is visible here" in str(result.exception)
    assert not (tmp_path / "results").exists()
    assert start.machine is machine


@pytest.mark.parametrize("given", ["name", "environment", "path"])
def test_an_interpreter_is_found_by_name_path_or_environment(given, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    words = {"name": "python", "environment": str(tmp_path), "path": str(tmp_path / "bin" / "python")}
    assert interpreters.locate_python(Path(words[given])) == tmp_path / "bin" / "python"
    assert options.locate_pythons([Path(words[given])]) == [tmp_path / "bin" / "python"]


# Terminals and streams


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_cannot_encode_gets_an_escape(run, encoding, tmp_path):
    text = (run / "run.json").read_text(encoding="utf-8").replace('"digits"', '"\u6570\u5b57 \u2013 [v2]"')
    (run / "run.json").write_text(text, encoding="utf-8")
    ended = bakeoff("table", run, folder=tmp_path, PYTHONIOENCODING=encoding)
    assert ended.returncode == 0, ended.stderr.decode(errors="replace")
    assert "[v2]" in ended.stdout.decode(encoding)


@pytest.mark.parametrize("name", ["results [v2]", "a[/b]", "\udcff"])
def test_a_path_of_any_name_is_printed(name, tmp_path):
    ended = bakeoff("table", tmp_path / name, folder=tmp_path, LANG="C")
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr
    if "\udcff" not in name:
        assert name.encode() in ended.stderr


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_closed_descriptors_are_no_error(closed, run, tmp_path):
    shell = " ".join(f"{number}>&-" if number else "0<&-" for number in closed)
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" "$@" {shell}', sys.executable, "-m", "bakeoff", "table", str(run)],
        env={"PATH": os.environ["PATH"], "BAKEOFF_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_reader_that_has_enough_is_no_error(run, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "bakeoff", "table", str(run), "--format", "markdown"],
        env={"PATH": os.environ["PATH"], "BAKEOFF_CACHE": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "xx_XX.nonsense"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"TZ": "Mars/Olympus"},
        {"HOME": "/nonexistent"},
        {"COLUMNS": "1"},
        {"COLUMNS": "many", "LINES": "-5"},
        {"TERM": "unknown-terminal"},
    ],
)
def test_odd_variables_are_no_error(variables, run, tmp_path):
    ended = bakeoff("table", run, folder=tmp_path, **variables)
    assert ended.returncode == 0, ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; the next test forbids it in another way")
def test_a_run_that_cannot_be_written_is_printed(run):
    run.chmod(0o500)
    result = CliRunner().invoke(app, ["table", str(run)])
    run.chmod(0o700)
    assert result.exit_code == 0


def test_the_table_of_a_run_of_somebody_else_is_printed(run, monkeypatch):
    from bakeoff.report import files

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(files, "make_real_folder", refuse)
    result = CliRunner().invoke(app, ["table", str(run)])
    assert result.exit_code == 0, result.exception
    assert "numpy_plain" in result.output
    assert "tables: cannot be written" in result.stderr


def test_output_that_does_not_fit_is_one_message_and_no_more(run, tmp_path):
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bakeoff", "table", str(run), "--format", "markdown"],
            env={"PATH": os.environ["PATH"], "BAKEOFF_CACHE": str(tmp_path / "cache")},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
    assert ended.returncode == 2
    assert ended.stderr.count(b"No space left on device") == 1
    assert b"Exception ignored" not in ended.stderr
