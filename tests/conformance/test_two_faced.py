"""What is checked is what is timed: backends that behave otherwise elsewhere are caught by every way to check them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import run_checks, suite
from bakeoff.measures.agreement.subject import Subject
from bakeoff.measures.agreement.timed_check import TimedCheck
from bakeoff.measures.speed import figures, rounds
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.cores import first_cores
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from rich.console import Console

from tests.paths import ROOT

from .two_faced import HONEST, TWO_FACED, write_copy

HERE = Path(sys.executable)
ALL = pytest.mark.parametrize("name", TWO_FACED)


def standard(label):
    """Return the network of `name-dtype`."""
    return next(each for each in networks.STANDARD if f"{each.name}-{each.dtype}" == label)


def check(folder, kinds):
    """Return the outcomes of `bakeoff check` on these networks."""
    entry = entries.read_entry(folder)
    board = Board(Console(file=sys.stderr), quiet=True)
    found = run_checks.check_backends([(entry, "plain")], {entry.label: HERE}, kinds, "cpu", 1, board)
    return found[f"{entry.name}:plain"].outcomes


@ALL
def test_check_catches_it(name, tmp_path):
    """The case that shows it comes last, after one of another dtype that it passes in a process shared by both."""
    shown = standard(TWO_FACED[name].network)
    others = [each for each in networks.STANDARD if each.required and each.dtype != shown.dtype][:1]
    outcomes = check(write_copy(name, tmp_path), [*others, shown])
    failed = [each for each in outcomes if each.failed and (each.case, each.dtype) == (shown.name, shown.dtype)]
    assert TWO_FACED[name].check in [each.check for each in failed]
    assert any(array in failed[0].reason for array in ("dense", "norm", "loss", "probabilities")), failed[0].reason


@pytest.mark.parametrize("name", ["remembers_the_first_dtype", "rate_by_the_first_dtype"])
def test_in_a_process_that_is_shared_it_would_pass(name, tmp_path):
    """Otherwise the test above shows nothing: a check in one process for both dtypes does not see it."""
    entry = entries.read_entry(write_copy(name, tmp_path))
    place = launch.place_of(entry, "plain", HERE)._replace(log=tmp_path / "log")
    wide, narrow = agreement_cases.cases([standard("stress-tanh-adam-float64"), standard(TWO_FACED[name].network)])
    with Session(place) as session:
        for case in (wide, narrow):
            session.build(case.spec, "cpu", "plain")
            subject = Subject(session, case, {}, "cpu", "plain")
            assert suite.run_check(suite.CHECKS["updates"], subject, ()).status == "passes"


def test_the_honest_copy_passes(tmp_path):
    outcomes = check(HONEST, [standard("stress-tanh-adam-float64"), standard("stress-tanh-adam-float32")])
    assert [each.reason for each in outcomes if each.status != "passes"] == []


@ALL
def test_pytest_catches_it(name, tmp_path):
    write_copy(name, tmp_path)
    test_file = tmp_path / "test_mine.py"
    test_file.write_text(
        f'import bakeoff.testing\n\ntest_it = bakeoff.testing.conformance("{name}")\n', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(test_file), "-q", "-p", "no:cacheprovider", "-k", TWO_FACED[name].network],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "BAKEOFF_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{TWO_FACED[name].check}: " in done.stdout


# The worker that is timed


@pytest.fixture(scope="module")
def problem():
    """Return the default spec's training as it is timed, with the check of the timed worker."""
    spec, splits = networks.default_network()
    (case,) = agreement_cases.cases([networks.DEFAULT])
    check = TimedCheck(spec, case.arrays, case.x, splits.y_train)
    return rounds.Problem(spec, case.arrays, case.x, splits.y_train, case.order, check)


def time_round(folder, problem, tmp_path, **changes):
    """Time one short round; return its records."""
    entry = entries.read_entry(folder)
    cores = first_cores(1)
    place = launch.place_of(entry, "plain", HERE, cores=cores, log=tmp_path / "log")
    plan = rounds.Plan(1, 2, 0.004, 1, cores, "cpu", 0, **{"measure_peak_and_latency": False, **changes})
    records = []
    rounds.run_round(
        1,
        [rounds.Contestant(entry.name, "plain", place)],
        problem,
        plan,
        lambda figure, value, **keys: records.append(figure.record(value, **keys)),
        {},
        lambda line: None,
    )
    return records


def of(records, figure):
    return [each for each in records if each["figure"] == figure.name]


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)


def test_an_honest_worker_passes_its_check_before_and_after_its_slices(problem, tmp_path):
    records = time_round(HONEST, problem, tmp_path)
    checks = of(records, figures.TIMED_CHECK)
    assert [(each["when"], each["value"]) for each in checks] == [
        ("before the first slice", "passed"),
        ("after the last slice", "passed"),
    ]
    assert all(0 < each["floors"] < 16 for each in checks)
    assert not of(records, figures.FAILED)


@pytest.mark.parametrize("name", ["rate_by_the_first_dtype", "idle_when_pinned", "batch_statistics_of_many_rows"])
def test_a_worker_that_computes_something_else_is_not_timed(name, problem, tmp_path):
    records = time_round(write_copy(name, tmp_path), problem, tmp_path)
    (failed,) = of(records, figures.FAILED)
    assert failed["value"].startswith("computes something else: the timed worker, before the first slice: ")
    assert "floors, allowed 128" in failed["value"]
    assert not of(records, figures.SLICE)


LAZY = """        self.calls = getattr(self, "calls", 0) + 1
        if self.calls > 30:
            return np.ones(len(order), self.spec.dtype)
        return self.model.train("""


def test_a_worker_that_tires_of_it_is_caught_after_its_slices(problem, tmp_path):
    import shutil

    folder = Path(shutil.copytree(HONEST, tmp_path / "tires"))
    text = (folder / "adapter.py").read_text()
    honest = "        return self.model.train("
    assert text.count(honest) == 1
    (folder / "adapter.py").write_text(text.replace(honest, LAZY))
    records = time_round(folder, problem, tmp_path)
    (failed,) = of(records, figures.FAILED)
    assert "the timed worker, after the last slice: loss of the timed steps" in failed["value"]


def test_a_pace_beyond_the_machine_is_caught(problem, tmp_path, monkeypatch):
    """A worker whose results are right and whose clock is wrong, on a machine whose matrix product is known."""
    monkeypatch.setattr(rounds.peak, "measure", lambda *arguments: 1e3)
    monkeypatch.setattr(rounds, "LATENCY_BLOCKS", 0)
    records = time_round(HONEST, problem, tmp_path, measure_peak_and_latency=True)
    (failed,) = of(records, figures.FAILED)
    assert "times the rate of the machine's own matrix product" in failed["value"]
    json.dumps(records, allow_nan=False)


def test_framework_defaults_are_not_compared(problem, tmp_path):
    """The oracle does not know a learning rate that the framework chooses."""

    class Own:
        spec = problem.spec._replace(learning_rate=None)

    found = problem.check(Own(), problem.order)
    assert np.isnan(found.floors)
    assert not found.reason
