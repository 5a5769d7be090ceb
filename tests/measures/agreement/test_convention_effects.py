"""The effect of each declared convention alone, on the oracle: known answers, and a whole run that records them."""

import itertools
import json
import shutil
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common import statistics
from bakeoff.environments.environment import Environment
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement.convention_effects import (
    FullTraining,
    _probabilities,
    effective_conventions,
    measure_convention_effects,
)
from bakeoff.measures.speed import rounds
from bakeoff.portable import spec as portable
from bakeoff.portable.reference import Reference
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.report import report
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
    return FullTraining(spec, portable.initial_arrays(spec, "he", 0), splits, order)


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


def test_the_effect_of_the_unbiased_running_variance_is_the_one_by_arithmetic():
    given = problem()
    oracle, _ = trained(given)
    common = oracle.predict(test_rows(given))
    # It is an average of the batches' variances and of the 1 that it starts at: only the former is scaled.
    m, left = given.spec.batch_size, given.spec.bn_decay ** len(given.order)
    oracle.arrays["norm0/running_var"] = (oracle.arrays["norm0/running_var"] - left) * m / (m - 1) + left
    chosen = oracle.predict(test_rows(given))
    (found,) = measure_convention_effects(given, {"running_variance": "unbiased"})
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
    (found,) = measure_convention_effects(given, {"momentum": "sum"})
    assert found.largest == pytest.approx(np.abs(there - here).max(), rel=1e-6)
    assert found.changed_predictions == (there.argmax(1) != here.argmax(1)).mean() > 0
    assert found.accuracy != found.common_accuracy


def test_the_effect_of_each_convention_is_measured_alone():
    given = problem(optimiser="momentum")
    both = measure_convention_effects(given, {"running_variance": "unbiased", "momentum": "sum"})
    alone = [
        *measure_convention_effects(given, {"running_variance": "unbiased"}),
        *measure_convention_effects(given, {"momentum": "sum"}),
    ]
    assert both == alone
    assert len(both) == 2


# A convention without an effect is left out


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_common_spec_s_own_values_have_no_effect(optimiser):
    given = problem(optimiser=optimiser)
    assert measure_convention_effects(given, {name: values[0] for name, values in portable.CONVENTIONS.items()}) == []
    assert measure_convention_effects(given, {}) == []


@pytest.mark.parametrize(("convention", "value"), ALTERNATIVES)
def test_a_convention_is_effective_where_it_changes_the_result_and_only_there(convention, value):
    changes = [{}, {"batch_norm": False}, {"sizes": (6, 3)}, {"beta1": 0.0}, {"beta2": 0.0}]
    for optimiser, change in itertools.product(OPTIMISERS, changes):
        given = problem(optimiser=optimiser, **change)
        here, there = (trained(given, chosen)[0].predict(test_rows(given)) for chosen in ({}, {convention: value}))
        # Beyond rounding; but a constant that is rounded changes the numbers, and no formula.
        differs = bool(np.abs(there - here).max() > (0 if convention in portable.CONSTANTS else 1e-10))
        assert bool(effective_conventions(given.spec, {convention: value})) == differs, (optimiser, change)


def test_a_convention_belongs_to_batch_norm_an_optimiser_or_the_loss():
    of_an_optimiser = {*OPTIMISERS, *(f"{name}_constants" for name in OPTIMISERS), "adam_bias_correction"}
    assert set(portable.CONVENTIONS) - of_an_optimiser == {"running_variance", "batch_norm_constants", "loss"}


def test_a_convention_of_the_reported_loss_has_no_effect_on_training():
    given = problem(optimiser="sgd", batch_norm=False, learning_rate=10.0)
    (common, losses), (clipped, clipped_losses) = trained(given), trained(given, {"loss": "clipped"})
    assert np.abs(losses - clipped_losses).max() > 0, "the two losses differ on this problem"
    assert all(np.array_equal(array, clipped.dump()[name]) for name, array in common.dump().items())
    assert measure_convention_effects(given, {"loss": "clipped"}) == []


@pytest.mark.parametrize("declared", [{"momentun": "sum"}, {"momentum": "nesterov"}])
def test_an_unknown_convention_is_an_error(declared):
    with pytest.raises(ValueError, match="convention"):
        measure_convention_effects(problem(), declared)


# Trainings of the oracle


def test_the_common_training_runs_once_for_all_backends():
    given = problem()
    before = _probabilities.cache_info().misses
    measure_convention_effects(given, {"running_variance": "unbiased", "momentum": "sum"})
    measure_convention_effects(given, {"running_variance": "unbiased"})
    measure_convention_effects(given, {"adam": "epsilon-hat"})
    assert _probabilities.cache_info().misses - before == 3  # the common spec, and two effective conventions
    measure_convention_effects(problem(), {"momentum": "sum"})
    assert _probabilities.cache_info().misses - before == 3  # a convention without an effect trains nothing


def test_the_effect_of_a_training_that_diverges_is_nan_and_the_report_says_so(ended, tmp_path):
    given = problem(optimiser="momentum", batch_norm=False, learning_rate=1e200)
    (found,) = measure_convention_effects(given, {"momentum": "sum"})
    assert np.isnan([found.largest, found.mean, found.changed_predictions, found.accuracy]).all()
    unknown = "Its effect is unknown, because a training run did not stay finite."
    saved = Path(shutil.copytree(ended, tmp_path / "diverged"))
    records = [json.loads(line) for line in (saved / "records.jsonl").read_text().splitlines()]
    for record in records:
        if record["figure"] == "convention_effect":
            record |= {"value": float("nan"), "largest": float("nan")}
    (saved / "records.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    assert any(line.endswith(unknown) for line in report.Report(saved).notes())


# In a run


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Return the folder of a run of two copies of numpy_plain, of which `own` declares something; resumed once."""
    tmp = tmp_path_factory.mktemp("conventions")
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
        patch.setattr(
            environments, "build", lambda entry, *_: Environment(Path(sys.executable), tmp, 1.0, 2, {"numpy": "2"})
        )
        patch.setenv("BAKEOFF_CACHE", str(tmp / "cache"))
        CliRunner().invoke(app.app, ["run", str(tmp / "small.toml"), "--quick", "--results", str(tmp / "results")])
        folder = read.latest(tmp / "results")
        CliRunner().invoke(app.app, ["run", "--resume", str(folder)])
    return folder


def test_a_run_records_the_declared_conventions_and_their_effects(ended):
    records = read.read_records(ended, VOCABULARY)
    declared = records[records["figure"] == "convention"]
    assert declared[["backend", "convention", "value"]].values.tolist() == [
        ["own", "running_variance", "unbiased"],
        ["own", "momentum", "sum"],
    ]
    (record,) = records[records["figure"] == "convention_effect"].to_dict("records")
    assert (record["measure"], record["task"], record["backend"]) == ("agreement", "convention effects own", "own")
    run = parse(SMALL, "small")
    given = problem()
    assert given.spec == run.portable(6, 3)
    (expected,) = measure_convention_effects(given, {"running_variance": "unbiased"})
    assert (record["convention"], record["chosen"]) == ("running_variance", "unbiased")
    assert record["value"] == record["largest"] == expected.largest
    for field in ("mean", "changed_predictions", "accuracy", "common_accuracy"):
        assert record[field] == getattr(expected, field), field


def test_effects_are_measured_once_after_training_and_before_timing(ended):
    lines = [json.loads(line) for line in (ended / "records.jsonl").read_text().splitlines()]
    ends = [line["task"] for line in lines if line["figure"] == "finished"]
    assert ends.count("convention effects own") == 1
    assert "convention effects none" not in ends
    assert ends.index("train own:plain") < ends.index("convention effects own") < ends.index("round 1")
    first_of_round = next(line["time"] for line in lines if line["task"] == "round 1")
    assert max(line["time"] for line in lines if line["task"] == "convention effects own") <= first_of_round


def test_the_table_of_effects_is_written_with_a_note(ended):
    (row,) = pd.read_csv(ended / "tables" / "convention_effects.csv").to_dict("records")
    (expected,) = measure_convention_effects(problem(), {"running_variance": "unbiased"})
    assert (row["backend"], row["convention"], row["chosen"]) == ("own", "running_variance", "unbiased")
    assert row["largest"] == pytest.approx(expected.largest, rel=1e-3)
    text = (ended / "tables" / "convention_effects.md").read_text()
    assert f"| {row['largest']}" in text
    (note,) = [line for line in text.splitlines() if line.startswith("- NumPy (own)'s batch norm keeps the unbiased")]
    assert f"probabilities change by at most {expected.largest:.2g}" in note
    assert note in (ended / "tables" / "summary.md").read_text()


def test_a_run_without_effects_has_no_note_of_one(tmp_path):
    saved = Path(shutil.copytree(SAVED_RUN, tmp_path / "saved"))
    made = report.Report(saved)
    assert not any("probabilities change by at most" in line for line in made.notes())
    assert (made.write() / "convention_effects.md").read_text().endswith("Nothing to show.\n")
