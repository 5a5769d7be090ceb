"""`bakeoff new` writes a backend whose checks fail in the order of its TODOs; its guide ends with a correct backend."""

import importlib.metadata
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bakeoff import environments
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import diagnosis, floors, mutants, suite
from bakeoff.portable import worker
from bakeoff.portable.reference import Reference
from bakeoff.registry import entries, scaffold
from bakeoff.workers.place import Place
from bakeoff.workers.session import Session
from bakeoff.workload import networks

from tests import rules
from tests.paths import ROOT

GUIDE = (ROOT / "docs" / "how-to" / "add-a-backend.md").read_text(encoding="utf-8")
FILES = ["adapter.py", "backend.toml", "model.py", "requirements.txt"]

COMPUTES = [
    "forward",
    "test_mode_uses_running_statistics",
    "losses",
    "gradients",
    "updates",
    "running_statistics",
    "test_mode",
    "activation_at_zero",
    "large_logits",
    "steps_add_up",
    "predict_sizes",
    "gradient_sizes",
    "train_sizes",
    "softmax_example",
]
"""The checks that need correct numbers. The others check the contract, which the folder meets."""


@pytest.fixture
def folder(tmp_path):
    return scaffold.write("abacus_core", tmp_path)


def case_named(name, dtype):
    (kind,) = [kind for kind in networks.STANDARD if (kind.name, kind.dtype) == (name, dtype)]
    (case,) = agreement_cases.cases([kind])
    return case


# The folder


def test_the_folder_is_a_backend_of_the_given_name(folder, tmp_path):
    assert folder == tmp_path / "abacus_core"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    entry = entries.read_entry(folder)
    assert (entry.name, entry.description.title, entry.variants) == ("abacus_core", "abacus_core", ("plain",))
    assert entries.pinned_version(entry) == importlib.metadata.version("numpy")
    for path in folder.iterdir():
        assert "$" not in path.read_text(encoding="utf-8"), "every placeholder is filled in"


def test_every_file_has_todos_and_those_of_the_model_are_numbered(folder):
    for name in FILES:
        assert "TODO" in (folder / name).read_text(encoding="utf-8"), name
    model = (folder / "model.py").read_text(encoding="utf-8")
    asked = re.findall(r"TODO (\d) \(check `(\w+)`\)", model)
    assert sorted(asked) == [
        ("1", "forward"),
        ("2", "losses"),
        ("3", "gradients"),
        ("4", "updates"),
        ("5", "running_statistics"),
    ]


@pytest.mark.parametrize(
    "never",
    [
        rules.find_imports_between_backends,
        rules.find_harness_imports_in_backends,
        rules.find_foreign_imports_in_models,
        rules.find_foreign_imports_in_adapters,
        rules.find_computations_in_adapters,
    ],
)
def test_the_folder_follows_the_rules_for_backends(tmp_path, never):
    scaffold.write("abacus_core", tmp_path / "backends")
    assert never(tmp_path) == []


@pytest.mark.parametrize("name", ["3x", "abacus-core", "class", "a/b", "..", "", "a b"])
def test_a_name_that_cannot_be_imported_is_rejected(tmp_path, name):
    with pytest.raises(InputError, match="expected a Python identifier") as refused:
        scaffold.write(name, tmp_path)
    assert repr(name) in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["torch", "tensorflow", "numpy", "json", "pytest"])
def test_a_name_that_is_imported_is_rejected(tmp_path, name):
    with pytest.raises(InputError, match=f"choose another, such as {name}_core"):
        scaffold.write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_not_changed(folder, tmp_path):
    (folder / "model.py").write_text("mine = 1\n", encoding="utf-8")
    (folder / "adapter.py").unlink()
    with pytest.raises(InputError, match="exists, and nothing is overwritten"):
        scaffold.write("abacus_core", tmp_path)
    assert (folder / "model.py").read_text(encoding="utf-8") == "mine = 1\n"
    assert not (folder / "adapter.py").exists()


def test_a_parent_that_is_not_a_folder_is_rejected(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        scaffold.write("abacus_core", tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_missing_parent_folder_is_made(tmp_path):
    assert (
        entries.read_entry(scaffold.write("abacus_core", tmp_path / "a" / "b")).folder == tmp_path / "a/b/abacus_core"
    )


# The command


@pytest.fixture
def bakeoff(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


@pytest.mark.parametrize(
    ("arguments", "path"), [((), "./abacus_core"), (("--folder", "my own"), "'my own/abacus_core'")]
)
def test_the_command_prints_the_next_steps(bakeoff, tmp_path, arguments, path):
    code, out, err = bakeoff("new", "abacus_core", *arguments)
    assert (code, err) == (0, "")
    assert f'bakeoff check {path} --python "$(which python)"' in out
    assert "docs/how-to/add-a-backend.md" in out
    assert (tmp_path / path.strip("'") / "model.py").is_file()


def test_the_command_explains_why_it_does_not_write(bakeoff):
    bakeoff("new", "abacus_core")
    code, out, err = bakeoff("new", "abacus_core")
    assert (code, out) == (2, "")
    assert err.startswith("bakeoff: abacus_core exists")


# How it fails


def test_the_new_backend_fails_only_the_checks_of_numbers(folder, tmp_path):
    case = case_named("stress-tanh-adam", "float64")
    place = Place(Path(sys.executable), folder, tmp_path / "log")
    outcomes = list(suite.check_backend(lambda: Session(place), [case], "cpu", "plain"))
    assert [outcome.check for outcome in outcomes if outcome.failed] == COMPUTES
    assert [outcome.status for outcome in outcomes if outcome.check not in COMPUTES] == ["passes"] * 7
    assert not [outcome.traceback for outcome in outcomes if outcome.traceback], "it runs"
    assert "correct: no; on stress-tanh-adam float64, forward deviates first" in suite.describe_outcomes(outcomes)


@pytest.fixture
def adapter(folder):
    """Return the adapter, imported in this process as a worker imports it."""
    package = worker.add_package("bakeoff_template", str(folder))
    yield importlib.import_module(f"{package}.adapter")
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def filled_in(model, spec, done):
    """Return the template's two classes with the first `done` TODOs filled in by the oracle."""

    def oracle(arrays):
        reference = Reference(spec)
        reference.load(arrays)
        return reference

    class Network(model.Network):
        def predict(self, x):
            return oracle(self.arrays).predict(x) if done >= 1 else super().predict(x)

        def loss_and_gradients(self, x, y):
            loss, gradients = super().loss_and_gradients(x, y)
            reference = oracle(self.arrays)
            logits, _ = reference.forward(x)
            return (
                reference.loss(logits, y) if done >= 2 else loss,
                reference.gradients(x, y) if done >= 3 else gradients,
            )

        def train(self, optimiser, x, y, order):
            losses = []
            for rows in order:
                reference = oracle(self.arrays)
                _, tape = reference.forward(x[rows])
                losses.extend(super().train(optimiser, x, y, [rows]))
                if done >= 5:
                    reference.average_statistics(tape)
                    self.arrays.update({name: a for name, a in reference.arrays.items() if "running" in name})
            return np.array(losses)

    class Optimiser(model.Optimiser):
        def step(self, arrays, gradients):
            if done >= 4:
                self.reference = getattr(self, "reference", None) or oracle(arrays)
                self.reference.steps += 1
                for name, gradient in gradients.items():
                    arrays[name] = arrays[name] - self.reference.update(name, gradient)

    return SimpleNamespace(Network=Network, Optimiser=Optimiser)


@pytest.mark.parametrize(
    ("done", "phase"),
    [(0, "forward"), (1, "loss"), (2, "gradient"), (3, "update"), (4, "running statistics"), (5, None)],
)
def test_after_each_todo_the_first_deviation_is_that_of_the_next(adapter, monkeypatch, done, phase):
    case = case_named("stress-tanh-adam", "float64")
    monkeypatch.setattr(adapter, "model", filled_in(adapter.model, case.spec, done))
    first = diagnosis.find_first_deviation(floors.measure(floors.training, adapter.Backend(case.spec), case, {}))
    assert (first.quantity.phase if first else None) == phase


# The guide


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def of_the_guide(tmp_path):
    """Return the backend folder that the guide ends with."""
    folder = scaffold.write("autograd_plain", tmp_path)
    *_, versions, _, model = blocks("python")
    adapter = (folder / "adapter.py").read_text(encoding="utf-8")
    adapter = adapter.replace("from . import model", "from importlib.metadata import version\n\nfrom . import model")
    (folder / "adapter.py").write_text(adapter[: adapter.index("    def versions")] + versions, encoding="utf-8")
    (folder / "model.py").write_text(model, encoding="utf-8")
    for language, name in (("toml", "backend.toml"), ("text", "requirements.txt")):
        (text,) = blocks(language)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_steps_of_the_guide_are_in_its_finished_model():
    *steps, versions, own_tests, model = blocks("python")
    assert len(steps) == 6
    for step in steps:
        assert step in model
    assert "def versions" in versions
    assert "bakeoff.testing.conformance" in own_tests


def test_the_guide_and_the_template_have_the_same_updates(folder):
    rows = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert rows == ["sgd", "momentum", "rmsprop", "adam"]
    template = (folder / "model.py").read_text(encoding="utf-8")
    formula = "p -= learning_rate * (v / (1 - beta1**t)) / (sqrt(s / (1 - beta2**t)) + epsilon)"
    assert formula in template
    assert f"`{formula}`" in GUIDE


def flat(text):
    return " ".join(text.split())


def test_the_guide_names_a_cause_as_the_diagnosis_does():
    words = [mutants.describe_mutant(mutant) for mutant in mutants.MISTAKES]
    assert [each for each in words if each in flat(GUIDE)], "Adam's epsilon inside the square root"


def test_the_folder_of_the_guide_is_a_backend(of_the_guide):
    entry = entries.read_entry(of_the_guide)
    assert entries.pinned_version(entry) == "1.9.1"
    for name in ("model.py", "adapter.py"):
        compile((of_the_guide / name).read_text(encoding="utf-8"), name, "exec")


@pytest.mark.conformance
def test_the_backend_of_the_guide_passes_every_check(of_the_guide, tmp_path):
    """It runs in an environment of its pinned packages, on the networks that `bakeoff check` uses."""
    environment = environments.build(entries.read_entry(of_the_guide))
    place = Place(environment.python, of_the_guide, tmp_path / "log")
    cases = agreement_cases.cases(networks.pairwise_cover())
    outcomes = list(suite.check_backend(lambda: Session(place), cases, "cpu", "plain"))
    assert len({(outcome.case, outcome.dtype) for outcome in outcomes}) == len(cases)
    assert [f"{outcome.check} on {outcome.case}: {outcome.reason}" for outcome in outcomes if outcome.reason] == []


SLIPS = {
    "gradients of all arrays": ('if "running" not in name}\n        return', "}\n        return"),
    "epsilon inside the root": ("(np.sqrt(s_hat) + self.epsilon)", "np.sqrt(s_hat + self.epsilon)"),
    "still in the box": ("= getval(mean)", "= mean"),
    "no shift": ("        logits = logits - np.max(logits, axis=1, keepdims=True)\n", ""),
}
"""The mistakes that the guide makes on the way: (the text of the finished model, the text of the mistake)."""


@pytest.mark.conformance
@pytest.mark.parametrize("slip", SLIPS)
def test_the_mistakes_of_the_guide_give_the_messages_that_it_shows(of_the_guide, tmp_path, slip):
    right, wrong = SLIPS[slip]
    model = (of_the_guide / "model.py").read_text(encoding="utf-8")
    assert model.count(right) == 1
    (of_the_guide / "model.py").write_text(model.replace(right, wrong), encoding="utf-8")
    environment = environments.build(entries.read_entry(of_the_guide))
    place = Place(environment.python, of_the_guide, tmp_path / "log")
    case = case_named("default-relu-adam", "float64")
    outcomes = list(suite.check_backend(lambda: Session(place), [case], "cpu", "plain"))
    first = next(outcome for outcome in outcomes if outcome.failed)
    assert numberless(first.explanation or first.reason) in numberless(GUIDE)


def numberless(text):
    """Return the text on one line with its numbers replaced: floors differ between processors."""
    return re.sub(r"\d[\d.,e+-]*", "N", flat(text))
