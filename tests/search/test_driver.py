"""The driver: every trial once in the record, whatever is killed; and the same settings after a resume."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bakeoff.cluster import units
from bakeoff.common.errors import InputError
from bakeoff.common.progress import Board
from bakeoff.environments import Environment
from bakeoff.measures.agreement.case import Case
from bakeoff.portable.reference import Plain
from bakeoff.portable.spec import initial_arrays
from bakeoff.search import jobs, results, space
from bakeoff.search.data import splits_of
from bakeoff.search.driver import Driver, find_best
from bakeoff.search.engine import LocalEngine
from bakeoff.search.jobs import Job, Result
from bakeoff.search.ledger import Ledger, Plan
from bakeoff.search.study import Study
from bakeoff.search.terminal import print_search
from bakeoff.search.trial import COMPLETE, FAILED, PRUNED, Epoch, compare_first_steps, is_conforming
from bakeoff.workload.data import batch_orders
from rich.console import Console

from tests.paths import ROOT
from tests.search import files

BACKENDS = ("one:eager", "two:eager")


class Stopped(Exception):
    """Stands in for a kill of the driver."""


def pretend(text):
    """Return the result of a job without training: a value that depends on its setting alone."""
    job = Job.model_validate_json(text)
    rate = job.spec.optimiser.learning_rate
    accuracies = [min(0.9, 0.1 + 0.1 * epoch + 0.2 * rate) for epoch in range(job.spec.training.epochs)]
    outcome = COMPLETE
    for epoch, accuracy in enumerate(accuracies):
        if epoch < len(job.prune_below) and accuracy < (job.prune_below[epoch] or 0):
            accuracies, outcome = accuracies[: epoch + 1], PRUNED
            break
    epochs = tuple(Epoch(rate, 1.0, 1.0, accuracy, 0.1) for accuracy in accuracies)
    place = {"trial": job.trial, "backend": job.backend, "variant": job.variant}
    found = {"outcome": outcome, "value": accuracies[-1], "epochs": epochs, "predictions": (1, 2)}
    result = Result(**place, **found, floors=1.0, seconds=0.5)
    return result.model_dump_json()


def make_plan(**changes):
    values = {"file": space.parse(files.THREE, "space.toml"), "contestants": BACKENDS, "sampler": "random", "trials": 9}
    return Plan.model_validate({**values, **changes})


def carry_out(ledger, run=pretend, slots=2):
    plan = ledger.plan
    engine = LocalEngine(slots, run)
    study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
    try:
        Driver(ledger, study, engine, Board(Console(), quiet=True)).carry_out()
    finally:
        engine.close()
    return study


def points(ledger):
    return {trial: planned.point for trial, planned in ledger.planned.items()}


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe"])
def test_every_backend_trains_every_trial_once(tmp_path, sampler):
    with Ledger.create(tmp_path, make_plan(sampler=sampler, trials=12)) as ledger:
        study = carry_out(ledger)
        assert ledger.complete
        assert len(ledger.results) == 24
        assert {each.key[1] for each in ledger.results.values()} == set(BACKENDS)
        assert all(trial.state.is_finished() for trial in study._study.trials)
        if sampler == "grid":
            assert list(points(ledger).values()) == ledger.plan.file.grid_points()[:12]


@pytest.mark.parametrize("sampler", ["random", "grid", "tpe"])
def test_a_search_that_is_stopped_anywhere_ends_with_the_same_settings(tmp_path, sampler):
    plan = make_plan(sampler=sampler, trials=12)
    with Ledger.create(tmp_path / "whole", plan) as ledger:
        carry_out(ledger, slots=1)
        expected, values = points(ledger), {key: each.value for key, each in ledger.results.items()}
    with Ledger.create(tmp_path / "stopped", plan) as ledger:
        folder = ledger.folder
    for stop_at in (0, 9, 21):

        def stop(text, stop_at=stop_at):
            job = Job.model_validate_json(text)
            if 2 * job.trial + BACKENDS.index(job.contestant) == stop_at:
                raise Stopped
            return pretend(text)

        with Ledger(folder) as ledger, pytest.raises(Stopped):
            carry_out(ledger, stop, slots=1)
    with Ledger(folder) as ledger:
        carry_out(ledger, slots=1)
        assert points(ledger) == expected
        assert {key: each.value for key, each in ledger.results.items()} == values


def test_a_trial_that_was_asked_for_and_not_planned_is_drawn_again(tmp_path):
    """The driver was killed between the study and the record."""
    with Ledger.create(tmp_path, make_plan()) as ledger:
        plan = ledger.plan
        Study(ledger.folder, plan.file, plan.sampler, plan.seed).ask(0)
        study = carry_out(ledger)
        assert ledger.planned[0].point == plan.file.random_point(0, 0)
        assert ledger.planned[0].study_trial == 1
        assert len(study._study.trials) == plan.trials + 1


def test_a_result_that_the_study_was_not_told_of_is_told_after_a_resume(tmp_path):
    with Ledger.create(tmp_path, make_plan(trials=1)) as ledger:
        plan = ledger.plan
        study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
        driver = Driver(ledger, study, LocalEngine(1, pretend), Board(Console(), quiet=True))
        for job in driver._jobs(0.0):
            ledger.add_result(Result.model_validate_json(pretend(job.model_dump_json())))
        assert not study._study.trials[0].state.is_finished()
        study = carry_out(ledger, run=None)
        assert study._study.trials[0].state.is_finished()


def test_telling_the_study_twice_changes_nothing(tmp_path):
    with Ledger.create(tmp_path, make_plan(trials=3)) as ledger:
        study = carry_out(ledger)
        before = [(trial.state, trial.value) for trial in study._study.trials]
        for number, outcome in enumerate(("complete", PRUNED, FAILED)):
            study.tell(number, 0.123, outcome)
        assert [(trial.state, trial.value) for trial in study._study.trials] == before


def test_a_second_result_is_not_recorded(tmp_path):
    with Ledger.create(tmp_path, make_plan()) as ledger:
        carry_out(ledger)
        size = (ledger.folder / "records.jsonl").stat().st_size
        assert not ledger.add_result(ledger.results[0, "one:eager"])
        assert (ledger.folder / "records.jsonl").stat().st_size == size


def test_a_line_that_was_cut_off_is_measured_again(tmp_path):
    with Ledger.create(tmp_path, make_plan()) as ledger:
        carry_out(ledger)
        folder, whole = ledger.folder, dict(ledger.results)
    path = folder / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with Ledger(folder) as ledger:
        assert len(ledger.results) == len(whole) - 1
        carry_out(ledger)
        assert ledger.results == whole


def test_a_damaged_folder_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="expected the folder of a search"):
        Ledger(tmp_path)
    with Ledger.create(tmp_path, make_plan()) as ledger:
        folder = ledger.folder
    (folder / "records.jsonl").write_text('{"record": "result", "trial": 1}\n')
    with pytest.raises(InputError, match="line 1: not a record of a search"):
        Ledger(folder)


def test_two_searches_of_the_same_second_have_folders_of_their_own(tmp_path):
    for _ in range(3):
        Ledger.create(tmp_path, make_plan()).close()
    assert len(list(tmp_path.iterdir())) == 3


def test_two_drivers_cannot_write_one_folder(tmp_path):
    with Ledger.create(tmp_path, make_plan()) as ledger, pytest.raises(InputError, match="another bakeoff"):
        Ledger(ledger.folder)


def test_hopeless_trials_are_pruned_by_the_median_of_earlier_ones(tmp_path):
    file = space.parse(files.THREE + "\n[pruning]\nafter_trials = 3\nafter_epochs = 1\n", "space.toml")
    with Ledger.create(tmp_path, make_plan(file=file, contestants=("one:eager",), trials=20)) as ledger:
        carry_out(ledger, slots=1)
        pruned = [each for each in ledger.results.values() if each.outcome == PRUNED]
        assert pruned
        assert all(each.trial >= 3 for each in pruned)
        for each in pruned:
            below = ledger.planned[each.trial].prune_below["one:eager"]
            assert each.epochs[-1].validation_accuracy < below[len(each.epochs) - 1]
        best = find_best(ledger)
        assert best is not None
        assert best[0] == max(each.value for each in ledger.results.values() if each.outcome == COMPLETE)


def test_a_used_budget_begins_no_trial(tmp_path):
    with Ledger.create(tmp_path, make_plan(budget_s=1e-9)) as ledger:
        carry_out(ledger)
        assert not ledger.results
        assert not ledger.complete


def test_a_setting_that_no_backend_can_train_is_a_failed_trial(tmp_path):
    """Either range is right; some of the sums leave no rows to train on."""
    share = '{ scale = "linear", low = 0.1, high = 0.75 }'
    file = space.parse(f"space.data.validation = {share}\nspace.data.test = {share}", "space.toml")
    plan = make_plan(file=file, trials=20)
    with Ledger.create(tmp_path, plan) as ledger:
        carry_out(ledger)
        assert ledger.complete
        failed = {trial for trial, point in points(ledger).items() if sum(point.values()) >= 1}
        assert failed
        assert {each.trial for each in ledger.results.values() if each.outcome == FAILED} == failed
        assert "must leave rows to train on" in results.wrong(ledger)[0]


def test_a_host_with_other_data_is_named():
    found = space.parse("", "space.toml")
    job = Job(trial=0, backend="numpy_plain", variant="plain", point={}, spec=found.spec, data="0123456789ab")
    with pytest.raises(InputError, match=r"digits has the hash \w+ here, and 0123456789ab where"):
        jobs.run_job(job.model_dump_json())


def test_tables_have_every_trial(tmp_path):
    with Ledger.create(tmp_path, make_plan()) as ledger:
        carry_out(ledger)
        found = results.trials(ledger)
        assert list(found["trial"]) == list(range(9))
        assert found["best_so_far"].is_monotonic_increasing
        prices = results.prices(ledger)
        assert list(prices["trials_per_hour"]) == [7200.0, 7200.0]
        assert (results.agreement(ledger)["value_range"] == 0).all()
        assert results.wrong(ledger) == []


@pytest.mark.parametrize(("machines", "said"), [(1, False), (2, True)])
def test_prices_of_different_machines_are_not_comparable(tmp_path, machines, said):
    def elsewhere(text):
        found = Result.model_validate_json(pretend(text))
        return found.model_copy(update={"machine": f"processor {found.trial % machines}"}).model_dump_json()

    console = Console(record=True, width=200)
    with Ledger.create(tmp_path, make_plan()) as ledger:
        carry_out(ledger, elsewhere)
        print_search(console, ledger, {})
    assert ("the prices are not comparable" in console.export_text()) is said


def test_a_trial_that_differs_from_the_oracle_is_named(tmp_path):
    def wrong(text):
        found = Result.model_validate_json(pretend(text))
        return found.model_copy(update={"floors": 500.0, "conforms": False, "deviation": "a bias"}).model_dump_json()

    with Ledger.create(tmp_path, make_plan(trials=1)) as ledger:
        carry_out(ledger, wrong)
        assert "trial 0, one:eager differs from the oracle: a bias, 500 floors" in results.wrong(ledger)


@pytest.fixture
def plain_numpy_here():
    """Run the jobs of plain NumPy in the interpreter of the tests."""
    here = Environment(python=Path(sys.executable), folder=Path(sys.prefix), seconds=0, bytes=0, packages={})
    units.use_environment("numpy_plain", here)
    yield
    units.forget_environments()


def run_plain(text):
    found = space.parse(text, "space.toml")
    which = {"trial": 0, "backend": "numpy_plain", "variant": "plain", "point": {}}
    job = Job(**which, spec=found.spec_at({}), schedule=found.schedule)
    return Result.model_validate_json(jobs.run_job(job.model_dump_json()))


def test_a_real_trial_learns_and_agrees_with_the_oracle(plain_numpy_here):
    result = run_plain("spec.training.epochs = 4\nspec.optimiser.learning_rate = 0.01")
    assert result.outcome == COMPLETE
    assert result.value > 0.8
    assert result.conforms
    assert 0 < result.floors < 16
    assert len(result.epochs) == 4


def test_a_kink_that_rounding_crosses_is_no_difference_from_the_oracle(plain_numpy_here):
    """With this setting, one order of summation in a hundred moves an activation across its kink in the first steps."""
    text = """
spec.network.hidden = [64]
spec.network.bn_decay = 0.6891655109393701
spec.optimiser.learning_rate = 0.005545996722241045
spec.optimiser.beta1 = 0.9988731854046581
spec.training.epochs = 1
"""
    assert run_plain(text).conforms


@pytest.mark.parametrize(("wrong_from", "expected"), [((), True), ((0,), True), ((0, 1), True), ((0, 1, 2), False)])
def test_a_difference_from_every_start_is_one(wrong_from, expected):
    found = space.parse(files.THREE, "space.toml").spec
    splits = splits_of(found)
    network = found.portable(splits.features, len(splits.classes))
    starts = [initial_arrays(network, "he", seed) for seed in range(3)]
    order = batch_orders(len(splits.y_train), 64, 1, 0)
    case = Case("trial", network, starts[0], splits.x_train.astype("float32"), splits.y_train, order, False)

    class Sometimes(Plain):
        """Takes steps that are 1 % too long from some of the starts."""

        conventions = {}

        def load(self, arrays):
            wrong = any(arrays is starts[number] for number in wrong_from)
            self.spec = network._replace(learning_rate=network.learning_rate * (1.01 if wrong else 1))
            super().load(arrays)

    worst, deviation = compare_first_steps(Sometimes(network, conventions={}), case, starts)
    assert is_conforming(worst) is expected, deviation


def test_a_trial_that_diverges_is_a_result(plain_numpy_here):
    result = run_plain(
        'spec.network.batch_norm = false\nspec.optimiser.name = "sgd"\nspec.optimiser.learning_rate = 1e30'
    )
    assert (result.outcome, result.value) == ("diverged", 0.0)


def test_the_rule_of_the_file_changes_the_learning_rate(plain_numpy_here):
    changes = 'schedule = { rule = "by-hand", changes = [{ after_epoch = 1, learning_rate = 1e-9 }] }\n'
    result = run_plain(changes + "[spec]\ntraining.epochs = 3")
    assert [epoch.learning_rate for epoch in result.epochs] == [0.001, 1e-9, 1e-9]
    _, second, third = (epoch.validation_loss for epoch in result.epochs)
    assert second == pytest.approx(third, rel=0.5)
    assert result.epochs[1].loss == pytest.approx(result.epochs[2].loss, rel=0.05)


def test_a_backend_that_does_not_support_the_network_is_a_reason(plain_numpy_here):
    job = Job(trial=0, backend="sklearn_mlp", variant="partial_fit", point={}, spec=space.parse("", "x").spec)
    result = Result.model_validate_json(jobs.run_job(job.model_dump_json()))
    assert result.outcome == FAILED
    assert result.reason


@pytest.mark.parametrize("where", [[], ["--cluster"]], ids=["here", "on a cluster"])
def test_killing_workers_and_the_driver_loses_nothing(where):
    """The long form, 60 trials with 20 kills, is the default of the script."""
    command = [sys.executable, "bench/search_kills.py", "--trials", "10", "--workers", "2", "--kills", "4", *where]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["results"], report["twice"], report["lost"], report["missing"]) == (10, 0, 0, [])
