"""What is left to the frameworks: in a spec, in what a backend is told, in a run and in its table."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bakeoff.common import predictions
from bakeoff.common.errors import InputError
from bakeoff.measures.training import defaults
from bakeoff.registry import scaffold
from bakeoff.workload.spec import FRAMEWORK_DEFAULT, Spec, parse

from tests.cli.test_cli import DRIVER, imports

CONSTANTS = [field for field in FRAMEWORK_DEFAULT if field != "initial_weights"]


# In a spec


def test_what_is_left_open_is_none_and_what_is_not_stays():
    spec = parse('optimiser.epsilon = "default"\nnetwork.initial_weights = "default"', "my.toml")
    assert spec.framework_defaults == ("epsilon", "initial_weights")
    assert spec.optimiser.epsilon is None
    assert spec.optimiser.beta1 == 0.9
    assert spec.hash() != Spec().hash()


def test_everything_can_be_left_open_and_the_common_spec_is_what_was_there():
    spec = Spec().with_framework_defaults()
    assert spec.framework_defaults == FRAMEWORK_DEFAULT
    assert spec.common() == Spec()
    assert Spec().framework_defaults == ()


def test_a_spec_with_something_left_open_is_read_again_as_it_was():
    spec = Spec().with_framework_defaults()
    assert Spec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json"))), strict=False) == spec


@pytest.mark.parametrize("field", CONSTANTS)
def test_a_backend_is_told_none_where_it_has_a_default_of_its_own(field):
    common, spec = Spec().portable(4, 3), Spec().with_framework_defaults()
    assert spec.portable(4, 3) == common
    assert spec.portable(4, 3, own=(field, "initial_weights")) == common._replace(**{field: None})


def test_what_is_told_is_not_left_to_a_backend_that_has_a_default():
    assert Spec().portable(4, 3, own=FRAMEWORK_DEFAULT) == Spec().portable(4, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("optimiser.epsilon = 'Default'", "`optimiser.epsilon`: expected a valid number or \"default\", got 'Default'"),
        ("network.bn_decay = 1.5", '`network.bn_decay`: expected less than 1 or "default", got 1.5'),
        ("training.epochs = 'default'", "`training.epochs`: expected a valid integer, got 'default'"),
    ],
)
def test_what_cannot_be_left_open_is_explained(text, sentence):
    with pytest.raises(InputError) as caught:
        parse(text, "my.toml")
    assert sentence in str(caught.value)


# What is measured


def test_distances():
    first, second = np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.5, 0.5]])
    assert predictions.compare_predictions(first, second) == (0.5, 0.25, 0.5)
    assert np.isnan(predictions.compare_predictions(first, np.full((2, 2), np.nan))).all()


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda rng: rng.standard_normal((300, 200)) * np.sqrt(2 / 300), "normal, variance 2.0"),
        (lambda rng: rng.uniform(-1, 1, (300, 200)) / np.sqrt(300), "uniform, variance 0.3"),
        (lambda rng: np.zeros((300, 200)), "constant"),
    ],
)
def test_initial_describe_weights(draw, words):
    arrays = {
        "dense0/kernel": draw(np.random.default_rng(0)),
        "dense1/kernel": np.ones((2, 2)),
        "dense1/bias": np.ones(2),
    }
    assert defaults.describe_weights(arrays).startswith(words)


# A run


OWN_MIND = '''
"""The harness's own plain NumPy, with an epsilon and initial weights of its own."""

import numpy as np


class Backend:
    conventions = {}
    variants = ("plain",)
    defaults = ("epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        from bakeoff_portable.reference import Plain

        self.spec = spec if spec.epsilon is not None else spec._replace(epsilon=0.5)
        self.net = Plain(self.spec)

    def settings(self):
        return {"epsilon": "fuzz=%g" % self.spec.epsilon}

    def initial(self, seed):
        from bakeoff_portable.spec import shapes

        rng = np.random.RandomState(seed)
        arrays = {name: np.ones(shape, self.spec.dtype) for name, shape in shapes(self.spec).items()}
        for name, array in arrays.items():
            if name.endswith("kernel"):
                array[...] = rng.uniform(-0.1, 0.1, array.shape)
        return arrays

    def __getattr__(self, name):
        return getattr(self.net, name)
'''
SPEC = """
[data]
source = "synthetic:400x6x3"

[network]
hidden = [64, 64]

[training]
epochs = 2
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a run with --framework-defaults: of NumPy, and of a backend with its own defaults."""
    folder = tmp_path_factory.mktemp("defaults")
    own = scaffold.write("own_mind", folder)
    (own / "adapter.py").write_text(OWN_MIND)
    (folder / "my.toml").write_text(SPEC)
    command = [sys.executable, "-c", DRIVER, "run", "my.toml", "--framework-defaults", "--quick", "--json"]
    ended = subprocess.run(
        [*command, "--backends", "numpy_plain,./own_mind"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**imports(), "BAKEOFF_CACHE": str(folder / "cache")},
    )
    assert ended.returncode in (0, 1), ended.stderr
    return folder / json.loads(ended.stdout)["run"]


def test_a_run_reports_the_values_in_force_and_marks_those_of_the_framework(finished):
    table = pd.read_csv(finished / "tables" / "framework_defaults.csv").set_index("backend")
    assert table.loc["own_mind:plain", "epsilon"] == "fuzz=0.5*"
    assert table.loc["own_mind:plain", "initial_weights"].startswith("uniform, variance 0.2")
    assert table.loc["own_mind:plain", "initial_weights"].endswith("*")
    assert float(table.loc["numpy_plain:plain", "epsilon"]) == 1e-8
    assert table.loc["numpy_plain:plain", "initial_weights"] == "he"
    assert not table.loc["numpy_plain:plain"].astype(str).str.endswith("*").any()


def test_only_a_backend_with_defaults_of_its_own_moves_from_the_common_spec(finished):
    table = pd.read_csv(finished / "tables" / "framework_defaults.csv").set_index("backend")
    moved = table["mean change of a probability"].astype(float)
    assert moved["numpy_plain:plain"] < 1e-4
    assert moved["own_mind:plain"] > 1e-2


def test_every_two_backends_are_compared(finished):
    records = [json.loads(line) for line in (finished / "records.jsonl").read_text().splitlines()]
    distances = {
        (f"{record['backend']}:{record['variant']}", record["other"]): record["value"]
        for record in records
        if record["measure"] == "training" and record["figure"] == "default_distance"
    }
    assert distances["own_mind:plain", "numpy_plain:plain"] == distances["numpy_plain:plain", "own_mind:plain"] > 0
    assert len(distances) == 4


def test_both_are_timed_with_their_own_defaults(finished):
    records = [json.loads(line) for line in Path(finished / "records.jsonl").read_text().splitlines()]
    timed = {record["backend"] for record in records if record["figure"] == "slice"}
    assert timed == {"numpy_plain", "own_mind"}
    assert not [record for record in records if record["figure"] in ("failed", "unsupported")]
