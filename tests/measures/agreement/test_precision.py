"""Precision: floors read from what was measured, and a distribution over seeds at the end of real trainings."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import floors as agreement_floors
from bakeoff.measures.agreement import precision, suite
from bakeoff.measures.agreement.case import Deviation, Quantity
from bakeoff.measures.agreement.precision import Precision
from bakeoff.portable.reference import Reference
from bakeoff.registry import entries as registry_entries
from bakeoff.workers import launch
from bakeoff.workers.session import Session
from bakeoff.workload import data, networks
from bakeoff.workload.spec import parse

SMALL = """
[data]
source = "synthetic:200x6x3"

[network]
hidden = [8]

[training]
batch_size = 16
epochs = 2
"""


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def small():
    return parse(SMALL, "small")


@pytest.fixture
def session(place):
    """Return a way to a live numpy_plain in this interpreter: session(), or session(folder of a copy)."""
    opened = []

    def start(folder=None):
        opened.append(Session(place("", folder=folder or registry_entries.backends_folder() / "numpy_plain")))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def changed(folder, stem, old, new):
    """Return a copy of numpy_plain in which the file `stem`.py has another text."""
    shutil.copytree(registry_entries.backends_folder() / "numpy_plain", folder)
    path = folder / f"{stem}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return folder


def measured(step, floors, array="a", phase="update"):
    return Deviation(Quantity(phase, array, step), floors * 1e-7, 1e-7)


# Early


def test_the_worst_of_a_step_is_the_one_with_most_floors():
    seen = [measured(0, 9), measured(1, 2, "x"), measured(1, 3, "y"), measured(10, 5, "z"), measured(7, 100)]
    found = precision.find_worst(seen)
    assert {step: (each.quantity.array, round(each.floors)) for step, each in found.items()} == {
        1: ("y", 3),
        10: ("z", 5),
    }


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_nan_is_the_worst(order):
    seen = [measured(100, 2, "x"), measured(100, float("nan"), "y")]
    assert precision.find_worst(seen[order])[100].quantity.array == "y"


def test_what_a_check_has_measured_is_what_is_measured_here(session, small):
    early, _ = precision.cases(1, 1, small)
    outcomes = list(suite.check_backend(session, [early], "cpu", "plain"))
    backend = session()
    backend.build(early.spec, "cpu", "plain")
    here = precision.find_worst(agreement_floors.measure(agreement_floors.training, backend, early, {}))
    training_checks = ("losses", "updates", "running_statistics", "test_mode")
    measured_by_checks = [each for outcome in outcomes if outcome.check in training_checks for each in outcome.measured]
    assert precision.find_worst(measured_by_checks) == here
    assert list(here) == list(agreement_case.CHECKPOINTS)


def test_the_early_case_is_the_matrix_s_own():
    early, _ = precision.cases(1, 1)
    (own,) = agreement_cases.cases([networks.DEFAULT])
    assert (early.name, early.spec, early.required) == (own.name, own.spec, own.required)
    for name, array in own.arrays.items():
        assert np.array_equal(early.arrays[name], array), name
    assert np.array_equal(early.x, own.x)
    assert np.array_equal(early.order, own.order)


# Seeds


def test_a_seed_draws_weights_and_order_and_no_rows(small):
    _, ends = precision.cases(3, None, small)
    assert [case.name for case in ends] == ["seed 0", "seed 1", "seed 2"]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert not np.array_equal(ends[one].arrays["dense0/kernel"], ends[other].arrays["dense0/kernel"])
        assert not np.array_equal(ends[one].order, ends[other].order)
        assert np.array_equal(ends[one].x, ends[other].x)
    assert {len(case.order) for case in ends} == {2 * (120 // 16)}
    assert {len(case.order) for case in precision.cases(1, 5, small)[1]} == {5 * (120 // 16)}


def test_the_end_is_seen_on_rows_that_no_step_was_trained_on(small):
    _, (case,) = precision.cases(1, 9, small)
    splits = data.split(data.load(small.data), small)
    assert set(case.order.ravel()) == set(range(len(splits.y_train)))
    oracle = Reference(case.spec._replace(dtype="float64"))
    (quantity,) = seen = precision.predict_unseen_rows(oracle, case)
    assert quantity == Quantity("test mode", "probabilities", len(case.order))
    assert oracle.steps == len(case.order)
    assert np.array_equal(seen[quantity], oracle.predict(splits.x_test.astype("float32")))


def test_a_long_training_goes_in_calls_that_are_each_short(small):
    class Short(Reference):
        calls = ()

        def train(self, order):
            self.calls = (*self.calls, len(order))
            return super().train(order)

    _, (case,) = precision.cases(1, 20, small)
    backend = Short(case.spec)
    precision.predict_unseen_rows(backend, case)
    assert backend.calls == (100, 40)


def test_the_distribution_is_described_by_its_median_its_ends_and_its_jumps():
    floors = (3, 1, 500, 2, 128)
    found = Precision({1: measured(1, 2)}, tuple(measured(480, each) for each in floors))
    assert found.floors == pytest.approx(floors)
    assert found.median == pytest.approx(3)
    assert found.jumped == 1
    assert found.describe() == "3.0 floors [1.0, 500.0] at the end, 1 of 5 jumped"
    assert Precision({}, (measured(1, float("nan")),)).jumped == 1


# Real trainings


def test_plain_numpy_loses_about_a_floor(session, small):
    early, ends = precision.cases(2, None, small)
    said = []
    found = precision.measure(session(), "plain", early, ends, said.append)
    assert list(found.steps) == list(agreement_case.CHECKPOINTS)
    assert max(each.floors for each in found.steps.values()) < 16
    assert len(found.ends) == 2
    assert all(0.05 < floors < 16 for floors in found.floors)
    assert all(each.floor >= 2.0**-24 for each in found.ends)
    assert found.jumped == 0
    assert [line.split(":")[0] for line in said] == ["seed 0", "seed 1"]


def test_a_wrong_backend_jumps_at_every_seed(session, small, tmp_path):
    early, ends = precision.cases(2, None, small)
    declared = changed(
        tmp_path / "own", "adapter", "conventions = {}", 'conventions = {"running_variance": "unbiased"}'
    )
    found = precision.measure(session(declared), "plain", early, ends, print)
    assert found.jumped == 2
    assert found.steps[1].quantity.array.endswith(("running_var", "probabilities"))


def test_the_floors_are_computed_once_on_a_machine(session, small, tmp_path):
    first = precision.measure(session(), "plain", *precision.cases(1, None, small), print)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "floors").iterdir()}
    assert len(kept) == 2  # of the early steps, and of the seed
    second = precision.measure(session(), "plain", *precision.cases(1, None, small), print)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "floors").iterdir()} == kept
    assert second == first
    precision.measure(session(), "plain", *precision.cases(1, 3, small), print)
    assert len(list((tmp_path / "cache" / "floors").iterdir())) == 3  # a longer training has floors of its own


def test_a_backend_that_cannot_be_measured_is_named_and_the_rest_goes_on(small, tmp_path, capsys):
    fails = changed(tmp_path / "fails", "model", "    return losses\n", "    raise ArithmeticError('too hot')\n")
    folders = [fails, registry_entries.backends_folder() / "numpy_plain"]
    entries = [registry_entries.read_entry(folder) for folder in folders]
    lost = entries[1]._replace(name="lost")
    chosen = [(lost, "plain"), *((entry, "plain") for entry in entries)]
    python = Path(sys.executable)
    made = {"lost": environments.Missing("needs Python ==2.7"), "fails": python, "numpy_plain": python}
    board = Board(app.err, quiet=True)
    found, unable = precision.measure_all(chosen, made, *precision.cases(1, 1, small), board)
    assert list(found) == ["numpy_plain:plain"]
    assert unable == {
        "lost:plain": "needs Python ==2.7",
        "fails:plain": "raised: train raised ArithmeticError: too hot",
    }


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys, small):
    """Return the command line on small trainings: bakeoff(*arguments) gives its exit code and standard output."""
    cases = precision.cases
    monkeypatch.setattr(precision, "cases", lambda seeds, epochs: cases(seeds, epochs, small))
    python = Path(sys.executable)
    monkeypatch.setattr(launch, "interpreters_of", lambda chosen, *_: {entry.name: python for entry, _ in chosen})

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", "precision", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, capsys.readouterr().out

    return call


def test_the_command_gives_programs_every_seed(bakeoff):
    code, out = bakeoff("numpy_plain", "--seeds", "3", "--epochs", "1", "--json")
    assert code == 0
    given = json.loads(out)
    assert given["unable"] == {}
    found = given["measured"]["numpy_plain:plain"]
    assert list(found["steps"]) == ["1", "10", "100"]
    assert len(found["seeds"]) == 3
    assert {seed["step"] for seed in found["seeds"]} == {7}
    floors = [seed["floors"] for seed in found["seeds"]]
    assert [found["min"], found["median"], found["max"]] == sorted(floors)
    assert found["jumped"] == 0


def test_the_command_prints_a_row_a_variant(bakeoff):
    code, out = bakeoff("numpy_plain", "--seeds", "2", "--epochs", "1")
    assert code == 0
    (row,) = [line for line in out.splitlines() if line.startswith("numpy_plain:plain")]
    assert "0 of 2" in row
    assert len(row) <= 80
    for heading in (" 100 ", "end [min, max]", "jumped"):
        assert heading in out


def test_a_backend_that_cannot_be_measured_makes_exit_code_1(bakeoff, monkeypatch):
    missing = environments.Missing("needs Python ==2.7")
    monkeypatch.setattr(launch, "interpreters_of", lambda chosen, *_: {entry.name: missing for entry, _ in chosen})
    code, out = bakeoff("numpy_plain")
    assert code == 1
    assert out == "numpy_plain:plain: not measured: needs Python ==2.7\n"
