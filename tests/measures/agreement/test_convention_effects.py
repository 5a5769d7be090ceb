"""Departures: each declared choice alone, on the oracle; known answers, and a whole run that writes them down."""

import itertools
import json
import shutil
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.environments import build
from bakeoff.environments.environment import Environment
from bakeoff.measures.agreement.convention_effects import Problem, _probabilities, departures, effective
from bakeoff.measures.speed import rounds
from bakeoff.portable import spec as portable
from bakeoff.portable.reference import Reference
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.report import report as report_report
from bakeoff.report import text as report_text
from bakeoff.workload import data, networks
from bakeoff.workload.spec import OptimiserSpec, parse
from typer.testing import CliRunner

from tests.paths import SAVED_RUN

SMALL = """
[data]
source = "synthetic:200x6x3"

[network]
hidden = [8]

[training]
batch_size = 10
epochs = 2
"""
OPTIMISERS = get_args(OptimiserSpec.model_fields["name"].annotation)
ALTERNATIVES = [(name, value) for name, values in portable.CONVENTIONS.items() for value in values[1:]]


def problem(**changes):
    """Return a small full training; `changes` are of the network's spec."""
    run = parse(SMALL, "small")
    splits = data.split(data.load(run.data), run)
    spec = run.portable(splits.features, len(splits.classes))._replace(**changes)
    order = data.batch_orders(len(splits.y_train), spec.batch_size, run.training.epochs, 0)
    return Problem(spec, portable.initial_arrays(spec, "he", 0), splits, order)


def trained(given, conventions=None, **changes):
    """Return an oracle after the training, in float64."""
    oracle = Reference(given.spec._replace(dtype="float64", **changes), conventions=conventions or {})
    oracle.load(given.arrays)
    oracle.put(given.splits.x_train.astype("float32"), given.splits.y_train)
    losses = oracle.train(given.order)
    return oracle, losses


def test_rows(given):
    return given.splits.x_test.astype("float32")


test_rows.__test__ = False


# Known answers


def test_the_unbiased_running_variance_is_worth_what_arithmetic_says():
    given = problem()
    oracle, _ = trained(given)
    common = oracle.predict(test_rows(given))
    # It is an average of the batches' variances and of the 1 that it starts at: only the former is scaled.
    m, left = given.spec.batch_size, given.spec.bn_decay ** len(given.order)
    oracle.arrays["norm0/running_var"] = (oracle.arrays["norm0/running_var"] - left) * m / (m - 1) + left
    chosen = oracle.predict(test_rows(given))
    (found,) = departures(given, {"running_variance": "unbiased"})
    assert (found.convention, found.value) == ("running_variance", "unbiased")
    assert found.largest == pytest.approx(np.abs(chosen - common).max(), rel=1e-9)
    assert found.largest > 1e-3
    assert found.mean == pytest.approx(np.abs(chosen - common).mean(), rel=1e-9)
    assert found.changed_predictions == (chosen.argmax(1) != common.argmax(1)).mean()
    assert found.accuracy == (chosen.argmax(1) == given.splits.y_test).mean()
    assert found.common_accuracy == (common.argmax(1) == given.splits.y_test).mean()


@pytest.mark.parametrize("value", ["unbiased", "inverse_std"])
def test_the_running_variance_changes_no_loss_of_training(value):
    given = problem()
    assert np.array_equal(trained(given)[1], trained(given, {"running_variance": value})[1])


def test_the_heavy_ball_s_sum_is_the_average_at_a_larger_learning_rate():
    given = problem(optimiser="momentum", learning_rate=0.01)
    common, _ = trained(given)
    larger, _ = trained(given, learning_rate=given.spec.learning_rate / (1 - given.spec.beta1))
    here, there = (oracle.predict(test_rows(given)) for oracle in (common, larger))
    (found,) = departures(given, {"momentum": "sum"})
    assert found.largest == pytest.approx(np.abs(there - here).max(), rel=1e-6)
    assert found.changed_predictions == (there.argmax(1) != here.argmax(1)).mean() > 0
    assert found.accuracy != found.common_accuracy


def test_each_choice_is_told_alone():
    given = problem(optimiser="momentum")
    both = departures(given, {"running_variance": "unbiased", "momentum": "sum"})
    alone = [*departures(given, {"running_variance": "unbiased"}), *departures(given, {"momentum": "sum"})]
    assert both == alone
    assert len(both) == 2


# What makes no difference is left out


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_common_spec_s_own_values_are_no_departure(optimiser):
    given = problem(optimiser=optimiser)
    assert departures(given, {name: values[0] for name, values in portable.CONVENTIONS.items()}) == []
    assert departures(given, {}) == []


@pytest.mark.parametrize(("convention", "value"), ALTERNATIVES)
def test_what_is_left_out_makes_no_difference_and_what_is_not_makes_one(convention, value):
    changes = [{}, {"batch_norm": False}, {"sizes": (6, 3)}, {"beta1": 0.0}, {"beta2": 0.0}]
    for optimiser, change in itertools.product(OPTIMISERS, changes):
        given = problem(optimiser=optimiser, **change)
        here, there = (trained(given, chosen)[0].predict(test_rows(given)) for chosen in ({}, {convention: value}))
        # Beyond rounding; but a constant that is rounded changes the numbers, and no formula.
        differs = bool(np.abs(there - here).max() > (0 if convention in portable.CONSTANTS else 1e-10))
        assert bool(effective(given.spec, {convention: value})) == differs, (optimiser, change)


def test_a_convention_is_batch_norm_s_an_optimiser_s_or_of_the_loss():
    of_an_optimiser = {*OPTIMISERS, *(f"{name}_constants" for name in OPTIMISERS)}
    assert set(portable.CONVENTIONS) - of_an_optimiser == {"running_variance", "batch_norm_constants", "loss"}


def test_a_convention_of_the_loss_alone_is_no_departure_of_what_is_trained():
    given = problem(optimiser="sgd", batch_norm=False, learning_rate=10.0)
    (common, losses), (clipped, told) = trained(given), trained(given, {"loss": "clipped"})
    assert np.abs(losses - told).max() > 0, "or the problem does not tell"
    assert all(np.array_equal(array, clipped.dump()[name]) for name, array in common.dump().items())
    assert departures(given, {"loss": "clipped"}) == []


@pytest.mark.parametrize("declared", [{"momentun": "sum"}, {"momentum": "nesterov"}])
def test_a_convention_that_there_is_not_is_refused(declared):
    with pytest.raises(ValueError, match="convention"):
        departures(problem(), declared)


# What it costs


def test_the_common_training_is_every_backend_s():
    given = problem()
    before = _probabilities.cache_info().misses
    departures(given, {"running_variance": "unbiased", "momentum": "sum"})
    departures(given, {"running_variance": "unbiased"})
    departures(given, {"adam": "epsilon-hat"})
    assert _probabilities.cache_info().misses - before == 3  # the common one, and two choices that have an effect
    departures(problem(), {"momentum": "sum"})
    assert _probabilities.cache_info().misses - before == 3  # without an effect, nothing is trained


def test_a_choice_that_diverges_is_not_a_number():
    given = problem(optimiser="momentum", batch_norm=False, learning_rate=1e200)
    (found,) = departures(given, {"momentum": "sum"})
    assert np.isnan([found.largest, found.mean, found.changed_predictions, found.accuracy]).all()
    row = {"backend": "own", "convention": "momentum", "chosen": "sum", "largest": np.nan}
    assert report_text.departure(row) == "own's momentum sum cannot be told: a training did not stay finite"


# In a run


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Return the folder of a run of two copies of numpy_plain, of which `own` declares something; resumed once."""
    tmp = tmp_path_factory.mktemp("departures")
    for name, declared in (("none", "{}"), ("own", '{"running_variance": "unbiased", "momentum": "sum"}')):
        folder = tmp / "backends" / name
        shutil.copytree(entries.backends_folder() / "numpy_plain", folder)
        adapter = (folder / "adapter.py").read_text()
        assert "conventions = {}" in adapter
        (folder / "adapter.py").write_text(adapter.replace("conventions = {}", f"conventions = {declared}"))
    (tmp / "small.toml").write_text(SMALL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entries, "backends_folder", lambda: tmp / "backends")
        patch.setattr(rounds, "WARM_LIMIT_S", 0.2)
        patch.setattr(statistics, "RESAMPLES", 200)
        patch.setattr(networks, "required_networks", lambda own=None: [])
        patch.setattr(build, "build", lambda entry, *_: Environment(Path(sys.executable), tmp, 1.0, 2, {"numpy": "2"}))
        patch.setenv("BAKEOFF_CACHE", str(tmp / "cache"))
        CliRunner().invoke(app.app, ["run", str(tmp / "small.toml"), "--quick", "--results", str(tmp / "results")])
        folder = read.latest(tmp / "results")
        CliRunner().invoke(app.app, ["run", "--resume", str(folder)])
    return folder


def test_a_run_writes_what_was_declared_and_how_far_it_departs(ended):
    records = read.read_records(ended)
    declared = records[records["quantity"] == "convention"]
    assert declared[["backend", "convention", "value"]].values.tolist() == [
        ["own", "running_variance", "unbiased"],
        ["own", "momentum", "sum"],
    ]
    (record,) = records[records["quantity"] == "departure"].to_dict("records")
    assert (record["measure"], record["task"], record["backend"]) == ("agreement", "departures own", "own")
    run = parse(SMALL, "small")
    given = problem()
    assert given.spec == run.portable(6, 3)
    (expected,) = departures(given, {"running_variance": "unbiased"})
    assert (record["convention"], record["chosen"]) == ("running_variance", "unbiased")
    assert record["value"] == record["largest"] == expected.largest
    for field in ("mean", "changed_predictions", "accuracy", "common_accuracy"):
        assert record[field] == getattr(expected, field), field


def test_departures_are_worked_out_once_after_training_and_before_timing(ended):
    lines = [json.loads(line) for line in (ended / "records.jsonl").read_text().splitlines()]
    ends = [line["task"] for line in lines if line["quantity"] == "finished"]
    assert ends.count("departures own") == 1
    assert "departures none" not in ends
    assert ends.index("train own:plain") < ends.index("departures own") < ends.index("round 1")
    first_of_round = next(line["at"] for line in lines if line["task"] == "round 1")
    assert max(line["at"] for line in lines if line["task"] == "departures own") <= first_of_round


def test_the_table_of_departures_is_written_and_a_remark_made(ended):
    (row,) = pd.read_csv(ended / "tables" / "departures.csv").to_dict("records")
    (expected,) = departures(problem(), {"running_variance": "unbiased"})
    assert (row["backend"], row["convention"], row["chosen"]) == ("own", "running_variance", "unbiased")
    assert row["largest"] == pytest.approx(expected.largest, rel=1e-3)
    text = (ended / "tables" / "departures.md").read_text()
    assert f"| {row['largest']}" in text
    (remark,) = [line for line in text.splitlines() if line.startswith("- Departures from the common spec")]
    assert f"own's running_variance unbiased moves test probabilities by up to {expected.largest:.1e}" in remark
    assert remark in (ended / "tables" / "summary.md").read_text()


def test_a_run_without_departures_says_nothing_of_them(tmp_path):
    saved = Path(shutil.copytree(SAVED_RUN, tmp_path / "saved"))
    report = report_report.Report(saved)
    assert not any("Departures" in line for line in report.remarks())
    assert (report.write() / "departures.md").read_text().endswith("Nothing to show.\n")
