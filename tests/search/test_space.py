"""The search file: what it says, and the sentence for what is wrong with it."""

import pytest
from bakeoff.common.errors import InputError
from bakeoff.search.space import FIELDS, parse, read_search_file

from tests.search import files


def test_a_grid_has_every_combination_once():
    points = parse(files.THREE, "space.toml").grid_points()
    assert len(points) == 27
    assert len({tuple(point.values()) for point in points}) == 27
    assert len({point["optimiser.learning_rate"] for point in points}) == 3


def test_27_random_trials_try_27_learning_rates():
    found = parse(files.THREE, "space.toml")
    assert len({found.random_point(0, trial)["optimiser.learning_rate"] for trial in range(27)}) == 27


def test_a_random_setting_depends_on_seed_and_trial_alone():
    found = parse(files.THREE, "space.toml")
    assert found.random_point(3, 5) == parse(files.THREE, "other.toml").random_point(3, 5)
    assert found.random_point(3, 5) != found.random_point(3, 6)
    assert found.random_point(3, 5) != found.random_point(4, 5)


def test_a_setting_becomes_a_spec():
    found = parse(files.THREE, "space.toml")
    spec = found.spec_at({"optimiser.learning_rate": 0.25, "network.hidden": [4, 3]})
    assert (spec.optimiser.learning_rate, spec.network.hidden) == (0.25, (4, 3))
    assert spec.training.epochs == 2


def test_quoted_names_are_the_same_as_tables():
    quoted = '[space]\n"optimiser.learning_rate" = { scale = "log", low = 1e-4, high = 1.0 }'
    assert parse(quoted, "a") == parse(files.LOG, "b")


def test_every_field_of_a_spec_but_the_sweep_can_be_searched():
    assert "training.seed" in FIELDS
    assert "data.normalisation" in FIELDS
    assert not [name for name in FIELDS if name.startswith("sweep")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('space.optimiser.rate = { scale = "log", low = 1e-4, high = 1.0 }', "`space.optimiser.rate` is no field"),
        ('space.optimiser.learning_rate = { scale = "log", low = 0, high = 1.0 }', "a low above 0"),
        ('space.optimiser.beta1 = { scale = "one-minus", low = 0.9, high = 1.0 }', "a high below 1"),
        ('space.optimiser.beta1 = { scale = "linear", low = 0.9, high = 1.0 }', "does not accept 1.0"),
        ('space.optimiser.beta1 = { scale = "linear", low = 0.9 }', "takes `low` and `high`"),
        ('space.optimiser.beta1 = { scale = "linear", low = 0.99, high = 0.9 }', "got 0.99 and 0.9"),
        ('space.optimiser.beta1 = { scale = "logarithmic", low = 0.9, high = 0.99 }', "expected 'linear', 'log'"),
        ("space.optimiser.beta1 = { low = 0.9, high = 0.99 }", "beta1.scale` is missing: linear, log, one-minus"),
        ("space.optimiser.beta1 = 0.9", "beta1`: expected a table, got 0.9"),
        ('space.optimiser.beta1 = { scale = "linear", low = "0.9", high = 0.99 }', "low`: expected a valid number"),
        ('space.optimiser.beta1 = { scale = "linear", low = nan, high = 0.99 }', "low`: expected a finite number"),
        ('space.optimiser.beta1 = { scale = "linear", lo = 0.9, high = 0.99 }', "Did you mean .*beta1.low`"),
        ('space.training.batch_size = { scale = "linear", low = 8, high = 64 }', "8.0: expected a valid integer"),
        ('space.training.batch_size = { scale = "choice", values = [8, 16, 8] }', "each value once"),
        ('space.optimiser.epsilon = { scale = "choice", values = ["default", 1e-8] }', "needs explicit values"),
        ("pruning.after = 3", "Did you mean `pruning.after_trials`"),
        ('space.network.activation = { scale = "choice", values = ["relu", "gelu"] }', "does not accept 'gelu'"),
        ('space.training.batch_size = { scale = "integer", low = 2.5, high = 8 }', "whole numbers"),
        ('spec.optimiser.learning_rate = "default"', "needs explicit values"),
        ('schedule = { rule = "by-hand" }', "needs `changes`"),
        ("[space", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_a_sentence(text, words):
    with pytest.raises(InputError, match=words) as raised:
        parse(text, "space.toml")
    assert "space.toml" in str(raised.value)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no such search file"):
        read_search_file(tmp_path / "none.toml")
