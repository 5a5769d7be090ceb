"""Every command in README.md and docs/ is one that the command line takes, and is executed by a test or has a reason.

A command that reads a run or the files of a backend is executed here, on a small saved run. One that builds
environments or trains in frameworks takes minutes: the file in ELSEWHERE executes it on a made-up backend.
"""

import re
import shlex
import shutil
import sys
from collections.abc import Iterator

import pytest
import typer
from bakeoff.cli import app

from tests.paths import REFERENCE_RUN, ROOT, SAVED_RUN
from tests.test_docs import PAGES

HERE = {"openness", "table", "report", "compare", "verdict", "pack", "ease", "new", "--help"}
ELSEWHERE = {
    "run": "tests/runner/test_comparison.py",
    "check": "tests/measures/agreement/test_run_checks.py",
    "setup": "tests/cli/test_cli.py",
    "deploy": "tests/measures/deployment/test_deployment.py",
    "doctor": "tests/measures/speed/test_doctor.py",
    "mistakes": "tests/measures/mistakes/test_mistakes.py",
    "search": "tests/cli/test_search.py",
    "study": "tests/studies/test_studies.py",
}
"""By subcommand, the test file that executes it: in a documented command it would train in real frameworks."""
NOT_EXECUTED = {
    "python3 -m venv": "makes the reader's own environment; tests/test_packaging.py makes one and installs into it",
    ".venv/bin/pip": "as above",
    ".venv/bin/tox": "runs these tests",
    ".": "sets up the reader's shell",
    "pip": "installs into the reader's environment; tests/test_packaging.py installs the wheel and the source",
    "pre-commit": "writes into the reader's clone",
    "pytest": "runs these tests",
    "tox run": "runs these tests",
    "tox list": "prints what tox.ini says of each environment",
    "autograd-env/bin/pip": "installs a framework; tests/registry/test_scaffold.py checks the guide's backend in one",
    "uv": "asks the package index for the newest versions",
    "_BAKEOFF_COMPLETE=source_zsh bakeoff": "is executed by tests/cli/test_completion.py",
    "dask": "runs until it is stopped; tests/cluster/test_how_to.py starts a scheduler and a worker with these options",
    "openssl": "writes keys; tests/cluster/test_how_to.py executes it in a folder of its own",
    "kubectl": "needs a Kubernetes cluster",
    "python bench/": "takes hours of a quiet machine",
    "python docs/publish.py": "replaces the published results; tests/test_results.py takes its steps one by one",
}
"""Other commands by how they begin, each with the reason why no test executes it as it stands."""


def commands() -> Iterator[tuple[str, str]]:
    """Yield (page, command) for each command in a block of a console."""
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                for command in line.partition("  #")[0].split("&&"):
                    if command.strip():
                        yield page.name, command.strip()


ALL = list(dict.fromkeys(commands()))
BAKEOFF = [
    (page, tuple(shlex.split(command)[1:]))
    for page, command in ALL
    if command.split()[0].rpartition("/")[2] == "bakeoff"
]
"""(page, arguments) of each command of Bakeoff's own."""


def test_commands_are_found():
    assert len(BAKEOFF) > 50
    assert {"README.md", "tutorial.md", "add-a-backend.md"} <= {page for page, _ in BAKEOFF}


@pytest.mark.parametrize(
    ("page", "arguments"), BAKEOFF, ids=lambda each: each if isinstance(each, str) else " ".join(each)
)
def test_the_command_line_takes_it(page, arguments):
    name, *rest = arguments
    if name == "--help":
        return
    command = typer.main.get_command(app.app).commands[name]
    with command.make_context(name, rest) as context:  # raises a usage error for an unknown option or a bad value
        assert context.params


def test_it_is_executed_or_has_a_reason():
    names = {arguments[0] for _, arguments in BAKEOFF}
    assert names - HERE - ELSEWHERE.keys() == set()
    others = [command for _, command in ALL if command.split()[0].rpartition("/")[2] != "bakeoff"]
    assert [command for command in others if not command.startswith(tuple(NOT_EXECUTED))] == []
    assert [start for start in NOT_EXECUTED if not any(command.startswith(start) for command in others)] == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_file_that_executes_it_does(name):
    assert f'"{name}"' in (ROOT / ELSEWHERE[name]).read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stand in a folder with what the documented commands name: two runs of one spec, and the published run."""
    for name in ("RUN", "OTHER", "BEFORE", "AFTER", "results/2026-01-01T00-00-00-before"):
        shutil.copytree(SAVED_RUN, tmp_path / name)
    for name in ("RUN", "reference"):
        shutil.copytree(REFERENCE_RUN, tmp_path / "results" / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    return tmp_path


EXECUTED = list(dict.fromkeys(arguments for _, arguments in BAKEOFF if arguments[0] in HERE))


@pytest.mark.parametrize("arguments", EXECUTED, ids=" ".join)
def test_it_ends_without_an_error(arguments, folder, monkeypatch, capsys):
    given = ["numpy_plain" if word == "NAME" else word for word in arguments]
    monkeypatch.setattr(sys, "argv", ["bakeoff", *given])
    with pytest.raises(SystemExit) as ended:
        app.main()
    captured = capsys.readouterr()
    assert (ended.value.code or 0) == 0, captured.err
    assert captured.out or captured.err, "it says what it did"
