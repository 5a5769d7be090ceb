"""What a backend says it cannot do: declared, seen to be refused, a row with its reason; and liars are caught."""

import json
import shutil
import sys

import pytest
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.environments import build as environments_build
from bakeoff.environments.environment import Environment
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import suite
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from bakeoff.workload.networks import USUAL, Kind

NUMPY = entries.backends_folder() / "numpy_plain"
DECLARED = """[[cannot]]
batch_norm = true
reason = "It has no batch norm."

[[cannot]]
optimiser = ["momentum", "rmsprop"]
dtype = "float64"
reason = "Beads are short."

[openness]
"""
NORMED = Kind("stress", "relu", True, "adam", "float64")
PLAIN = NORMED._replace(batch_norm=False)
REFUSALS = {
    "honest": 'if spec.batch_norm: raise ValueError("no batch norm")',
    "liar": "pass",
    "accident": "if spec.batch_norm: {}[spec.dtype]",
    "dies": "if spec.batch_norm: import os; os._exit(4)",
}


def written(folder, refusal, declared=DECLARED):
    """Copy numpy_plain, with this declaration, and a line with which its adapter begins to build."""
    shutil.copytree(NUMPY, folder, ignore=shutil.ignore_patterns("__pycache__", "changes"))
    for name, old, new in (
        ("backend.toml", "[openness]\n", declared),
        ("adapter.py", "        self.spec = spec\n", f"        {refusal}\n        self.spec = spec\n"),
    ):
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    return entries.read_entry(folder)


def outcomes_of(entry, tmp_path, *kinds):
    place = launch.place_of(entry, "plain", sys.executable)._replace(log=tmp_path / "worker.log")
    cases = agreement_cases.cases(kinds)
    return list(suite.check_backend(lambda: Session(place), cases, "cpu", "plain", cannot=entry.cannot))


def test_a_declaration_is_of_the_specs_that_have_a_value_of_every_field(tmp_path):
    entry = written(tmp_path / "mine", REFUSALS["honest"])
    said = {
        (kind.batch_norm, kind.optimiser, kind.dtype): entry.cannot(case.spec)
        for kind, case in ((kind, agreement_cases.cases([kind])[0]) for kind in networks.matrix())
    }
    assert said[True, "adam", "float32"] == "cannot do batch_norm = True: It has no batch norm."
    assert said[False, "rmsprop", "float64"] == "cannot do optimiser = rmsprop, dtype = float64: Beads are short."
    assert said[False, "rmsprop", "float32"] == said[False, "adam", "float64"] == ""


def test_classes_are_those_of_the_data(tmp_path):
    entry = written(tmp_path / "mine", "pass", '[[cannot]]\nclasses = 2\nreason = "One output."\n\n[openness]\n')
    spec = agreement_cases.cases([PLAIN])[0].spec
    assert entry.cannot(spec) == ""
    assert entry.cannot(spec._replace(sizes=(64, 8, 2))) == "cannot do classes = 2: One output."


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ('reason = "No."', "expected what cannot be done: at least one of `activation`, `batch_norm`"),
        ("batch_norm = true", r"`cannot\[0\].reason` is missing"),
        ('reason = "No."\noptimizer = "adam"', r"unknown key `cannot\[0\].optimizer`. Did you mean `cannot.optimiser`"),
        ('reason = "No."\noptimiser = "adagrad"', "optimiser"),
    ],
)
def test_a_wrong_declaration_is_a_sentence(tmp_path, declared, sentence):
    with pytest.raises(InputError, match=sentence):
        written(tmp_path / "mine", "pass", f"[[cannot]]\n{declared}\n\n[openness]\n")


def test_a_case_that_cannot_be_done_is_seen_to_be_refused_and_the_next_is_checked(tmp_path):
    outcomes = outcomes_of(written(tmp_path / "mine", REFUSALS["honest"]), tmp_path, NORMED, PLAIN)
    first, *rest = outcomes
    assert (first.check, first.status, first.failed) == (suite.REFUSAL, "unsupported", False)
    assert first.reason == "cannot do batch_norm = True: It has no batch norm."
    assert {outcome.status for outcome in rest} == {"passes"}
    assert len(rest) == 18, "every check"
    words = suite.describe_outcomes(outcomes)
    assert words.startswith("conforms, worst ")
    assert words.endswith(" floors, on 1 of 2 cases; cannot do batch_norm = True: It has no batch norm")


def test_nothing_that_could_be_checked_is_not_called_conforming(tmp_path):
    outcomes = outcomes_of(written(tmp_path / "mine", REFUSALS["honest"]), tmp_path, NORMED)
    assert (
        suite.describe_outcomes(outcomes) == "nothing was checked: cannot do batch_norm = True: It has no batch norm."
    )


@pytest.mark.parametrize(
    ("liar", "sentence"),
    [
        ("liar", "It has no batch norm. But it builds: remove the declaration"),
        ("accident", "Expected a ValueError that says so, got: raised: build raised KeyError: 'float64'"),
        ("dies", "Expected a ValueError that says so, got: died: the worker ended itself with exit code 4"),
    ],
)
def test_what_does_not_refuse_as_it_declares_is_red(tmp_path, liar, sentence):
    outcomes = outcomes_of(written(tmp_path / "mine", REFUSALS[liar]), tmp_path, NORMED, PLAIN)
    first, *rest = outcomes
    assert (first.check, first.failed) == (suite.REFUSAL, True)
    assert sentence in first.reason
    assert rest, "the next case is checked all the same"
    assert suite.describe_outcomes(outcomes).startswith(
        "correct: no; on stress-relu-adam float64, refusal: declared as unsupported"
    )


def test_in_place_of_each_case_the_likest_that_can_be_done_is_checked_too(tmp_path):
    entry = written(tmp_path / "mine", REFUSALS["honest"])
    assert networks.within([NORMED], entry.cannot) == [NORMED, PLAIN]
    assert networks.within([PLAIN, NORMED], entry.cannot) == [PLAIN, NORMED]
    assert networks.within([USUAL], entry.cannot)[-1] == USUAL._replace(batch_norm=False)
    assert networks.within(networks.gates(), networks.can_all) == networks.gates()
    (last,) = networks.within([PLAIN._replace(optimiser="rmsprop")], entry.cannot)[1:]
    assert last.optimiser in ("sgd", "adam")


@pytest.fixture
def bakeoff(tmp_path, monkeypatch, capsys):
    """Return the command line; backends are `mine`, in this interpreter, and numpy_plain's copy `other`."""
    backends = tmp_path / "backends"
    written(backends / "mine", REFUSALS["honest"])
    written(backends / "other", "pass", "[openness]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(entries, "backends_folder", lambda: backends)
    gates = networks.gates()
    monkeypatch.setattr(networks, "cover", lambda: gates[1:2])
    monkeypatch.setattr(networks, "gates", lambda own=None: gates[1:2])
    built = []

    def build(entry, *_):
        built.append(entry.name)
        return Environment(
            type(tmp_path)(sys.executable), tmp_path / "numpy_plain-0123456789ab", 1.0, 2, {"numpy": "2"}
        )

    monkeypatch.setattr(environments_build, "build", build)

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


def test_a_run_gives_it_a_row_with_the_reason_and_runs_nothing_of_it(bakeoff, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    code, out, err = bakeoff("run", "small.toml", "--quick", "--budget", "1s", "--json")
    assert out, err
    rows = {row["backend"]: row for row in json.loads(out)["rows"]}
    assert code == 0
    assert rows["mine"]["failure"] == "spec: cannot do batch_norm = True: It has no batch norm."
    assert [rows["mine"][key] for key in ("conforms", "step_s", "test_accuracy")] == [None] * 3
    assert not rows["other"]["failure"]
    assert rows["other"]["step_s"] > 0
    assert bakeoff.built == ["other"]
    tasks = read.read_records(read.latest(tmp_path / "results"))["task"].dropna()
    assert not [task for task in tasks if task.startswith(("check mine", "train mine"))]


def test_a_run_of_nothing_else_has_failed(bakeoff, tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    code, _, err = bakeoff("run", "small.toml", "--quick", "--budget", "1s", "--backends", "mine")
    assert code == 1
    assert "mine: cannot do batch_norm = True: It has no batch norm." in err


def test_a_check_shows_what_it_cannot_do_and_ends_well(bakeoff, tmp_path):
    written(tmp_path / "own", REFUSALS["honest"])
    code, out, _ = bakeoff("check", "./own", "--python", sys.executable)
    assert code == 0, out
    (line,) = [line for line in out.splitlines() if line.startswith("stress-relu-adam float64")]
    assert line.endswith("unsupported")
    assert "on 1 of 2 cases; cannot do batch_norm = True: It has no batch norm" in out
