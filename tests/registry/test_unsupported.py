"""Unsupported networks: declared with a reason, rejected by the adapter, reported; false declarations are detected."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.environments import Environment
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import suite
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from bakeoff.workload.networks import DEFAULT, Network

NUMPY = entries.backends_folder() / "numpy_plain"
DECLARED = """[[unsupported]]
batch_norm = true
reason = "It has no batch norm."

[[unsupported]]
optimiser = ["momentum", "rmsprop"]
dtype = "float64"
reason = "Beads are short."

[openness]
"""
NORMED = Network("stress", "relu", True, "adam", "float64")
PLAIN = NORMED._replace(batch_norm=False)
BUILD_LINES = {
    "honest": 'if spec.batch_norm: raise ValueError("no batch norm")',
    "liar": "pass",
    "accident": "if spec.batch_norm: {}[spec.dtype]",
    "dies": "if spec.batch_norm: import os; os._exit(4)",
}


def written(folder, build_line, declared=DECLARED):
    """Copy numpy_plain with this declaration; the adapter runs the line `build_line` when it is built."""
    shutil.copytree(NUMPY, folder, ignore=shutil.ignore_patterns("__pycache__", "changes"))
    for name, old, new in (
        ("backend.toml", "[openness]\n", declared),
        ("adapter.py", "        self.spec = spec\n", f"        {build_line}\n        self.spec = spec\n"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    return entries.read_entry(folder)


def outcomes_of(entry, tmp_path, *kinds):
    place = launch.place_of(entry, "plain", Path(sys.executable))._replace(log=tmp_path / "worker.log")
    cases = agreement_cases.cases(kinds)
    return list(suite.check_backend(lambda: Session(place), cases, "cpu", "plain", unsupported=entry.unsupported))


def test_a_declaration_applies_to_specs_that_match_every_field(tmp_path):
    entry = written(tmp_path / "mine", BUILD_LINES["honest"])
    said = {
        (kind.batch_norm, kind.optimiser, kind.dtype): entry.unsupported(case.spec)
        for kind, case in ((kind, agreement_cases.cases([kind])[0]) for kind in networks.full_matrix())
    }
    assert said[True, "adam", "float32"] == "does not support batch_norm = True: It has no batch norm."
    assert (
        said[False, "rmsprop", "float64"] == "does not support optimiser = rmsprop, dtype = float64: Beads are short."
    )
    assert said[False, "rmsprop", "float32"] == said[False, "adam", "float64"] == ""


def test_the_number_of_classes_is_that_of_the_data(tmp_path):
    entry = written(tmp_path / "mine", "pass", '[[unsupported]]\nclasses = 2\nreason = "One output."\n\n[openness]\n')
    spec = agreement_cases.cases([PLAIN])[0].spec
    assert entry.unsupported(spec) == ""
    assert entry.unsupported(spec._replace(sizes=(64, 8, 2))) == "does not support classes = 2: One output."


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ('reason = "No."', "expected the fields that are not supported: at least one of `activation`, `batch_norm`"),
        ("batch_norm = true", r"`unsupported\[0\].reason` is missing"),
        (
            'reason = "No."\noptimizer = "adam"',
            r"unknown key `unsupported\[0\].optimizer`. Did you mean `unsupported.optimiser`",
        ),
        ('reason = "No."\noptimiser = "adagrad"', "optimiser"),
    ],
)
def test_a_wrong_declaration_is_explained(tmp_path, declared, sentence):
    with pytest.raises(InputError, match=sentence):
        written(tmp_path / "mine", "pass", f"[[unsupported]]\n{declared}\n\n[openness]\n")


def test_an_unsupported_case_must_be_rejected_and_the_next_case_is_checked(tmp_path):
    outcomes = outcomes_of(written(tmp_path / "mine", BUILD_LINES["honest"]), tmp_path, NORMED, PLAIN)
    first, *rest = outcomes
    assert (first.check, first.status, first.failed) == (suite.REJECTION, "unsupported", False)
    assert first.reason == "does not support batch_norm = True: It has no batch norm."
    assert {outcome.status for outcome in rest} == {"passes"}
    assert [outcome.check for outcome in rest] == list(suite.CHECKS), "every check"
    words = suite.describe_outcomes(outcomes)
    assert words.startswith("correct: yes; rounding error at most ")
    assert words.endswith("; checked on 1 of 2 cases: does not support batch_norm = True: It has no batch norm")


def test_a_backend_without_a_supported_case_does_not_pass(tmp_path):
    outcomes = outcomes_of(written(tmp_path / "mine", BUILD_LINES["honest"]), tmp_path, NORMED)
    assert (
        suite.describe_outcomes(outcomes)
        == "nothing was checked: does not support batch_norm = True: It has no batch norm."
    )


@pytest.mark.parametrize(
    ("liar", "sentence"),
    [
        ("liar", "It has no batch norm. But it builds: remove the declaration"),
        ("accident", "Expected a ValueError that says so, got: raised: build raised KeyError: 'float64'"),
        ("dies", "Expected a ValueError that says so, got: died: the worker ended itself with exit code 4"),
    ],
)
def test_a_backend_that_does_not_reject_an_unsupported_case_fails(tmp_path, liar, sentence):
    outcomes = outcomes_of(written(tmp_path / "mine", BUILD_LINES[liar]), tmp_path, NORMED, PLAIN)
    first, *rest = outcomes
    assert (first.check, first.failed) == (suite.REJECTION, True)
    assert sentence in first.reason
    assert rest, "the next case is checked all the same"
    assert suite.describe_outcomes(outcomes).startswith(
        "correct: no; on stress-relu-adam float64, rejection: declared as unsupported"
    )


def test_the_most_similar_supported_case_is_checked_as_well(tmp_path):
    entry = written(tmp_path / "mine", BUILD_LINES["honest"])
    assert networks.with_supported([NORMED], entry.unsupported) == [NORMED, PLAIN]
    assert networks.with_supported([PLAIN, NORMED], entry.unsupported) == [PLAIN, NORMED]
    assert networks.with_supported([DEFAULT], entry.unsupported)[-1] == DEFAULT._replace(batch_norm=False)
    assert networks.with_supported(networks.required_networks(), networks.supports_all) == networks.required_networks()
    (last,) = networks.with_supported([PLAIN._replace(optimiser="rmsprop")], entry.unsupported)[1:]
    assert last.optimiser in ("sgd", "adam")


@pytest.fixture
def bakeoff(tmp_path, monkeypatch, capsys):
    """Return the command line; backends are `mine`, in this interpreter, and numpy_plain's copy `other`."""
    backends = tmp_path / "backends"
    written(backends / "mine", BUILD_LINES["honest"])
    written(backends / "other", "pass", "[openness]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(entries, "backends_folder", lambda: backends)
    required = networks.required_networks()
    monkeypatch.setattr(networks, "pairwise_cover", lambda: required[1:2])
    monkeypatch.setattr(networks, "required_networks", lambda own=None: required[1:2])
    built = []

    def build(entry, *_):
        built.append(entry.name)
        return Environment(
            type(tmp_path)(sys.executable), tmp_path / "numpy_plain-0123456789ab", 1.0, 2, {"numpy": "2"}
        )

    monkeypatch.setattr(environments, "build", build)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    call.built = built
    return call


SMALL = """
[data]
source = "synthetic:300x6x3"

[network]
hidden = [8]

[training]
batch_size = 16
epochs = 1
"""


def test_a_run_reports_the_reason_and_does_not_run_the_backend(bakeoff, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    code, out, err = bakeoff("run", "small.toml", "--quick", "--budget", "1s", "--json")
    assert out, err
    rows = {row["backend"]: row for row in json.loads(out)["rows"]}
    assert code == 0
    assert rows["mine"]["failure"] == "does not support batch_norm = True: It has no batch norm."
    assert [rows["mine"][key] for key in ("correct", "step_s", "test_accuracy")] == [None] * 3
    assert not rows["other"]["failure"]
    assert rows["other"]["step_s"] > 0
    assert bakeoff.built == ["other"]
    tasks = read.read_records(read.latest(tmp_path / "results"), VOCABULARY)["task"].dropna()
    assert not [task for task in tasks if task.startswith(("check mine", "train mine"))]


def test_a_run_without_a_supported_backend_fails(bakeoff, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    code, _, err = bakeoff("run", "small.toml", "--quick", "--budget", "1s", "--backends", "mine")
    assert code == 1
    assert "mine: does not support batch_norm = True: It has no batch norm." in err


def test_check_shows_unsupported_cases_and_succeeds(bakeoff, tmp_path):
    written(tmp_path / "own", BUILD_LINES["honest"])
    code, out, _ = bakeoff("check", "./own", "--python", sys.executable)
    assert code == 0, out
    (line,) = [line for line in out.splitlines() if line.startswith("stress-relu-adam float64")]
    assert line.endswith("unsupported")
    assert "checked on 1 of 2 cases: does not support batch_norm = True: It has no batch norm" in out
