"""A change is a patch that applies to the letter, its cost is in tokens, and what it makes is the changed network."""

import difflib
import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from bakeoff.common.errors import InputError
from bakeoff.environments import build
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import changed, floors, suite
from bakeoff.measures.agreement.changed import DEPARTING, PAGES, cases
from bakeoff.measures.agreement.floors import Permuted
from bakeoff.measures.ease import changes
from bakeoff.measures.ease.changes import (
    CHANGES,
    CONVENTIONS,
    STATES,
    apply,
    costs,
    distance,
    parse,
    patch_of,
    patched,
    write_changed,
)
from bakeoff.measures.ease.concepts import concepts
from bakeoff.measures.ease.names import Names
from bakeoff.measures.ease.text import formatted
from bakeoff.portable.reference import Reference
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.place import Place
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from bakeoff.workload.networks import Network

from tests import rules
from tests.portable.networks import small, some_arrays, some_order, some_rows

ENTRIES = entries.read_all()
ONLY = os.environ.get("BAKEOFF_BACKENDS")
"""As --backends: `tox -e backend-...` checks one at a time."""
CHOSEN = entries.select(ENTRIES, ONLY or None)
WANTED = {entry.name for entry, _ in CHOSEN}
PATCHES = [
    (name, change, state)
    for name, entry in ENTRIES.items()
    for change in CHANGES
    for state in STATES
    if patch_of(entry.folder, change, state)
]
each_patch = pytest.mark.parametrize(("name", "change", "state"), PATCHES)
each_backend = pytest.mark.parametrize("name", ENTRIES)

OLD = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"


def diff(old, new, file="model.py"):
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{file}", f"b/{file}", lineterm="", n=1)
    return "".join(f"{line}\n" for line in lines)


def put_in(patch, old=OLD):
    """Return `old` with a patch of model.py applied."""
    return apply(old, parse(patch, "some.patch")["model.py"], "model.py", "some.patch")


# Patches


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("two", "2"),
        OLD.replace("two\n", "").replace("nine\n", "nine\nnine and a half\n"),
        f"zero\n{OLD}",
        f"{OLD}eleven\n",
        OLD.replace("one\n", ""),
        OLD.replace("ten\n", "\n\n"),
    ],
)
def test_a_patch_makes_the_new_text(new):
    assert put_in(diff(OLD, new)) == new


def test_a_patch_that_only_puts_in_needs_no_lines_around_it():
    assert put_in("--- a/model.py\n+++ b/model.py\n@@ -2,0 +3 @@\n+two and a half\n") == OLD.replace(
        "two\n", "two\ntwo and a half\n"
    )


@pytest.mark.parametrize(
    ("old", "line", "found"),
    [
        (OLD.replace("nine", "NINE"), 9, "'NINE'"),
        (f"zero\n{OLD}", 1, "'zero'"),
        (OLD.replace("eight\nnine\nten\n", ""), 8, "''"),
    ],
)
def test_a_patch_that_does_not_fit_exactly_is_refused_with_file_hunk_and_line(old, line, found):
    patch = diff(OLD, OLD.replace("two", "2").replace("nine", "9"))
    with pytest.raises(InputError, match=r"some\.patch: hunk \d does not apply to model\.py") as refused:
        put_in(patch, old)
    assert f"at line {line}, found {found}" in str(refused.value)
    assert f"hunk {1 if line == 1 else 2} " in str(refused.value)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("", "expected a unified diff"),
        ("one\n", "some.patch:1: expected `--- a/FILE`"),
        ("--- a/model.py\n+++ b/other.py\n@@ -1 +1 @@\n-one\n+1\n", "expected `--- a/FILE`"),
        ("--- a/model.py\n+++ b/model.py\n", "expected a hunk"),
        ("--- a/model.py\n+++ b/model.py\none\n", "some.patch:3: expected a hunk"),
        (
            "--- a/model.py\n+++ b/model.py\n@@ -1,2 +1,2 @@\n-one\n+1\n",
            "promises 2 lines and 2 after it, and has 1 and 1",
        ),
        ("--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n-two\n+1\n", "promises 1 lines and 1 after it"),
        ("--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n+1\n two\n", "some.patch:6: expected a hunk"),
        ("--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+1\n", "promises"),
    ],
)
def test_what_is_no_patch_is_refused_with_its_line(patch, message):
    with pytest.raises(InputError) as refused:
        parse(patch, "some.patch")
    assert message in str(refused.value)


def test_hunks_may_not_lie_over_each_other():
    head = "--- a/model.py\n+++ b/model.py\n"
    with pytest.raises(InputError, match="hunk 2 does not apply"):
        put_in(f"{head}@@ -2,2 +2,2 @@\n two\n-three\n+3\n@@ -3 +3 @@\n-three\n+drei\n")


def test_a_patch_of_another_file_is_refused(tmp_path):
    folder = shutil.copytree(ENTRIES["numpy_plain"].folder, tmp_path / "numpy_plain")
    toml = (folder / "backend.toml").read_text(encoding="utf-8")
    patch = tmp_path / "some.patch"
    patch.write_text(diff(toml, toml.replace("NumPy", "Numpy"), "backend.toml"), encoding="utf-8")
    with pytest.raises(InputError, match=r"changes backend\.toml: expected model\.py and adapter\.py alone"):
        patched(folder, "model.py", patch)


# Counting


def test_the_distance_is_what_is_deleted_and_inserted_at_the_least():
    assert distance("kitten", "sitting") == 5  # k out, s in; e out, i in; g in
    assert distance("", "abc") == distance("abc", "") == 3
    assert distance("abc", "abc") == 0


def test_the_distance_is_a_distance():
    rng = random.Random(0)
    words = ["".join(rng.choices("ab(", k=rng.randrange(12))) for _ in range(30)]
    for a, b, c in zip(words, words[1:], words[2:]):
        assert distance(a, b) == distance(b, a)
        assert distance(a, c) <= distance(a, b) + distance(b, c)
        assert (distance(a, b) == 0) == (a == b)
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        assert distance(a, b) <= len(a) + len(b) - 2 * sum(size for *_, size in matcher.get_matching_blocks())


def copied(name, parent):
    """Return a copy of a backend's folder that may be written to."""
    return shutil.copytree(ENTRIES[name].folder, parent / name)


def cost(folder, change):
    (found,) = [
        each
        for each in costs(folder, "model.py", ENTRIES[folder.name].description.import_name)
        if each.change == change
    ]
    return found


def rewrite(folder, change, state, edit):
    """Make the patch of this state anew, its model's text edited."""
    old = (folder / "model.py").read_text(encoding="utf-8")
    path = folder / "changes" / f"{change}.{state}.patch"
    new = patched(folder, "model.py", path)["model.py"]
    assert edit(new) != new
    path.write_text(diff(old, edit(new)), encoding="utf-8")


def test_reformatting_what_a_patch_puts_in_moves_nothing(tmp_path):
    folder = copied("numpy_plain", tmp_path)
    before = cost(folder, "optimiser")
    rewrite(
        folder,
        "optimiser",
        "after",
        lambda text: text.replace(
            "        self.s += np.multiply(self.g, self.g, out=self.scratch)\n        np.sqrt",
            '        """The sum of squares."""\n\n        # all of them\n        self.s += np.multiply(\n'
            "            self.g,\n            self.g,\n            out=(self.scratch),\n        )\n        np.sqrt",
        ),
    )
    assert cost(folder, "optimiser") == before


def test_a_bigger_change_costs_more_by_what_is_more_of_it(tmp_path):
    folder = copied("pytorch", tmp_path)
    before = cost(folder, "optimiser")
    rewrite(
        folder,
        "optimiser",
        "after",
        lambda text: text.replace(
            ", eps=epsilon)\n    return torch.optim.Adam(", ", eps=epsilon, foreach=True)\n    return torch.optim.Adam("
        ),
    )
    assert cost(folder, "optimiser") == before._replace(tokens=before.tokens + 4)


def test_the_counts_of_a_change_are_those_of_its_two_programs():
    """By hand: `, loss_of=loss_of` in the model; `torch.compile(...)` and the argument in what calls it."""
    found = cost(ENTRIES["pytorch"].folder, "compiled")
    assert (found.tokens, found.names) == (4, ("torch.compile",))
    assert (cost(ENTRIES["numpy_plain"].folder, "float64").tokens) == 4  # float32 out and float64 in, twice
    assert cost(ENTRIES["pytorch"].folder, "layer").names == ("torch.nn.LayerNorm",)


def test_what_a_framework_ships_costs_its_user_less_than_what_is_written_out():
    found = {name: cost(ENTRIES[name].folder, "optimiser").tokens for name in ENTRIES}
    assert found["pytorch"] < min(found["numpy_plain"], found["jax_pure"], found["tensorflow_core"]) / 2


@each_backend
def test_every_backend_answers_every_change(name):
    found = costs(ENTRIES[name].folder, "model.py", ENTRIES[name].description.import_name)
    assert [each.change for each in found] == list(CHANGES)
    for each in found:
        print(each)
        assert (each.tokens is None) == (each.answer == "not possible")
        assert (each.tokens, each.caller) != (0, 0) or each.answer == "nothing"


# Nothing is said silently


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda home: (home / "changes.toml").unlink(), "changes.toml: cannot be read"),
        (lambda home: (home / "layer.after.patch").unlink(), "neither layer.before.patch nor layer.after.patch"),
        (lambda home: (home / "layer.patch").write_text(""), "layer.patch: expected changes.toml and"),
        (lambda home: (home / "gpu.after.patch").write_text(""), "gpu.after.patch: expected changes.toml and"),
        (lambda home: edit(home, "[layer]", "[layers]"), "unknown key `layers`"),
        (lambda home: edit(home, 'answer = "not possible"', 'answer = "no"'), "`gpu.answer`"),
        (lambda home: edit(home, 'documentation = "https', 'documentation = "see'), "documentation`"),
        (lambda home: edit(home, "[layer]", '[layer]\nconvention = "inside"'), "`layer.convention`: expected none"),
        (
            lambda home: edit(home, "[optimiser]", '[optimiser]\nconvention = "within"'),
            "`optimiser.convention`: expected inside or float32, got 'within'",
        ),
        (
            lambda home: (home / "layer.after.patch").write_text(
                diff((home.parent / "model.py").read_text(), "# more\n" + (home.parent / "model.py").read_text())
            ),
            "the patches of `layer` change no token",
        ),
    ],
)
def test_a_change_that_is_not_answered_as_it_should_be_is_refused(tmp_path, spoil, message):
    folder = copied("numpy_plain", tmp_path)
    spoil(folder / "changes")
    with pytest.raises(InputError) as refused:
        costs(folder, "model.py", ("numpy",))
    assert message in str(refused.value)


def edit(home, old, new):
    path = home / "changes.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_backend_that_answers_no_change_has_none(tmp_path):
    folder = copied("numpy_plain", tmp_path)
    shutil.rmtree(folder / "changes")
    assert costs(folder, "model.py", ("numpy",)) == []


@each_patch
def test_a_changed_backend_keeps_to_what_backends_may_do(name, change, state, tmp_path):
    """Mathematics in an adapter would be hidden from the count; an import of the harness would be no framework."""
    entry = ENTRIES[name]
    (tmp_path / "backends").mkdir()
    folder = write_changed(entry.folder, "model.py", patch_of(entry.folder, change, state), tmp_path / "backends")
    assert not (folder / "changes").exists()
    for never in (
        rules.an_adapter_computes,
        rules.an_adapter_imports_more_than_its_model,
        rules.a_model_imports_more_than_its_framework,
        rules.a_backend_imports_the_harness,
    ):
        assert never(tmp_path) == []


@each_backend
@pytest.mark.parametrize("change", ["float64", "gpu", "compiled"])
def test_a_program_before_its_change_has_nothing_of_it(name, change):
    entry = ENTRIES[name]
    patch = patch_of(entry.folder, change, "before")
    if patch is None:
        said = changes.read_changes(entry.folder)[change]
        assert said.answer in ("nothing", "not possible"), "a change that is counted begins with a program without it"
        return
    files = patched(entry.folder, "model.py", patch)
    texts = [formatted(files[file], file) for file in files]
    tokens = {token.text for text in texts for token in text.tokens}
    found = {each.what for text in texts for each in concepts(Names(text.tree, entry.description.import_name))}
    assert not {"float64": {"float64"}, "gpu": {"cuda"}, "compiled": set()}[change] & tokens
    if change == "compiled":
        assert not {"compiled function", "told to the compiler", "loop or branch by call"} & found


# The changed network


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("norm", [True, False])
def test_every_gradient_through_the_layer_is_the_slope_along_the_imaginary_axis(activation, norm):
    spec = small(activation=activation, batch_norm=norm)
    oracle, arrays, (x, y) = PAGES["layer"].oracle, some_arrays(spec), some_rows(spec)
    reference = oracle(spec)
    reference.load(arrays)
    h = 1e-30
    for name, gradient in reference.gradients(x, y).items():
        expected = np.zeros_like(gradient)
        for place in np.ndindex(*gradient.shape):
            moved = {key: array.astype("complex128") for key, array in arrays.items()}
            moved[name][place] += h * 1j
            wide = oracle(spec._replace(dtype="complex128"))
            wide.load(moved)
            logits, _ = wide.forward(x.astype("complex128"))
            expected[place] = wide.loss(logits, y).imag / h
        assert np.abs(gradient).max() > 1e-6
        assert np.abs(gradient - expected).max() <= 1e-13 * np.abs(expected).max(), name


def test_rows_are_normalised_one_by_one():
    a = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    reference = PAGES["layer"].oracle(small(bn_epsilon=0.5))
    a_hat, _ = reference.normalised(a)
    assert a_hat == pytest.approx(np.array([[-1, 0, 1], [0, 0, 0]]) / np.sqrt(2 / 3 + 0.5), rel=1e-15)


ROOTS = {
    "": lambda total, epsilon: total**0.5 + epsilon,
    "inside": lambda total, epsilon: (total + epsilon) ** 0.5,
    "float32": lambda total, epsilon: total**0.5 + float(np.float32(epsilon)),
}


def test_every_convention_of_a_change_has_a_page():
    assert set(DEPARTING) == {(change, each) for change, found in CONVENTIONS.items() for each in found}
    assert set(ROOTS) == {"", *CONVENTIONS["optimiser"]}
    assert len({page.plain.__qualname__ for page in (*PAGES.values(), *DEPARTING.values())}) == len(PAGES) + len(
        DEPARTING
    ), "floors are kept by this name"


@pytest.mark.parametrize("convention", ROOTS)
def test_adagrad_divides_by_the_root_of_the_sum_of_squares(convention):
    spec = small(optimiser=changed.OPTIMISER)
    reference = (DEPARTING["optimiser", convention] if convention else PAGES["optimiser"]).oracle(spec)
    reference.load(some_arrays(spec))
    reference.put(*some_rows(spec))
    name, total = "dense0/kernel", 0.0
    for rows in some_order(spec, len(reference.y), 3):
        p, g = reference.dump()[name], reference.gradients(reference.x[rows], reference.y[rows])[name]
        total = total + g * g
        reference.train(rows[None])
        assert reference.dump()[name] == pytest.approx(
            p - spec.learning_rate * g / ROOTS[convention](total, spec.epsilon), rel=1e-14
        )


@pytest.mark.parametrize(("change", "convention"), [*((change, "") for change in PAGES), *DEPARTING])
def test_a_changed_problem_has_its_own_truth_and_floors(change, convention):
    (case,) = cases(change, [Network("stress", "tanh", True, "adam", "float64")], convention)
    page = case.page
    if convention:
        assert page is DEPARTING[change, convention]
        common = floors.measure(floors.training, PAGES[change].oracle(case.spec), case, {})
        assert max(each.floors for each in common) > 1e3, "the page without the convention is not the one with it"
    honest = floors.measure(floors.training, page.plain(case.spec), case, {})
    assert max(each.floors for each in honest) < 2
    rearranged = floors.measure(floors.training, Permuted(case.spec, {}, 99, page.plain), case, {})
    assert max(each.floors for each in rearranged) < 4
    if change == "layer":
        common = floors.measure(floors.training, Reference(case.spec), case, {})
        assert max(each.floors for each in common) > 1e6, "the common network is not the changed one"
        assert floors._floors_key(floors.training, case, ()) != floors._floors_key(
            floors.training, replace(case, page=agreement_case.COMMON), ()
        )


# Through real workers


KINDS = {
    "float64": [Network("stress", "tanh", True, "adam", "float64")],
    "float32": [Network("stress", "relu", True, "adam", "float32")],
}


def kinds_of(name, dtype):
    """Return the cell of this dtype, or the likest to it that the backend can do."""
    return networks.with_supported(KINDS[dtype], ENTRIES[name].unsupported)[-1:]


LOSING = {"flax_nnx", "keras3", "paddlepaddle"}
"""Backends that lose precision in float32 as they stand, by their own Adam: see tests/conformance/test_backends.py."""


@cache
def environment_of(name, part):
    return build.build(ENTRIES[name]._replace(part=part))


def session_of(name, folder, log, variant):
    entry = ENTRIES[name].for_variant(variant)
    worker, python = entry.worker, environment_of(name, entry.part).python
    return Session(Place(python, folder, log, None, 1, worker.thread_variables, worker.variables))


def variants_of(name, folder, log):
    """Return the variants that the adapter offers, that can run here, and that BAKEOFF_BACKENDS does not leave out."""
    entry = ENTRIES[name]
    with session_of(name, folder, log, entry.variants[0]) as session:
        offered = session.variants
    chosen = [variant for each, variant in CHOSEN if each.name == name]
    # A patch may leave other variants than those asked for: then all of them.
    asked = [each for each in offered if each in chosen] if set(entry.variants) == set(offered) else offered
    return [each for each in asked if launch.explain_unavailable(entry, each) == ""]


def outcomes_of(name, folder, log, problems, variant):
    return list(suite.check_backend(lambda: session_of(name, folder, log, variant), problems, "cpu", variant))


def only(name):
    if name not in WANTED:
        pytest.skip(f"only {ONLY} is asked for, by BAKEOFF_BACKENDS")


@pytest.mark.conformance
@each_patch
def test_a_changed_backend_conforms_to_the_changed_page(name, change, state, tmp_path):
    only(name)
    entry = ENTRIES[name]
    folder = write_changed(entry.folder, "model.py", patch_of(entry.folder, change, state), tmp_path)
    dtypes = ["float64", "float32"]
    if change == "float64":
        dtypes = ["float32" if state == "before" else "float64"]
    variants = variants_of(name, folder, tmp_path / "log")
    parts = [entry.for_variant(each).part for each in variants]
    if change == "compiled":
        assert len(set(parts)) == len(parts), "an eager program, or one compiled in one way"
    # One dtype in the first variant, the other in the last, which compiles most: a patch is of the code that all have.
    # And each environment once: in some of what is changed they may differ.
    asked = list(zip((variants[0], variants[-1]), dtypes))
    seen = {entry.for_variant(variant).part for variant, _ in asked}
    asked += [(each, dtypes[-1]) for each, part in zip(variants, parts) if part not in seen and len(dtypes) > 1]

    def checked(variant, dtype):
        convention = changes.read_changes(entry.folder)[change].convention
        problems = cases(change if state == "after" else "", kinds_of(name, dtype), convention)
        outcomes = outcomes_of(name, folder, tmp_path / f"log-{variant}-{dtype}", problems, variant)
        assert {outcome.case for outcome in outcomes} == {case.name for case in problems}
        return outcomes

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: checked(*each), asked))
    for (variant, dtype), outcomes in zip(asked, found):
        worst = max(outcome.floors for outcome in outcomes if not outcome.known)
        print(f"{name}:{variant} {dtype} {change} {state}: {len(outcomes)} checks, worst {worst:.1f} floors")
        assert not [f"{each.case} {each.check}: {each.reason} {each.explanation}" for each in outcomes if each.red]
        assert worst < agreement_case.LOSES_PRECISION or (dtype == "float32" and name in LOSING)


@pytest.mark.conformance
@pytest.mark.parametrize("name", [name for name, change, state in PATCHES if (change, state) == ("float64", "before")])
def test_a_program_of_float32_alone_is_not_of_float64(name, tmp_path):
    """Or float64 would have been there before it was put in."""
    only(name)
    entry = ENTRIES[name]
    folder = write_changed(entry.folder, "model.py", patch_of(entry.folder, "float64", "before"), tmp_path)
    problems = agreement_cases.cases(kinds_of(name, "float64"))
    assert any(outcome.red for outcome in outcomes_of(name, folder, tmp_path / "log", problems, entry.variants[0]))


MISTAKES = {
    "numpy_plain": (
        "optimiser",
        "        self.s += np.multiply(self.g, self.g, out=self.scratch)\n        np.sqrt(self.s",
        "        self.s += np.multiply(self.g, self.g, out=self.scratch)\n        np.sqrt(self.s + self.epsilon",
    ),
    "pytorch": ("layer", ", elementwise_affine=False", " * 2, elementwise_affine=False"),
    "jax_pure": ("layer", "jax.nn.standardize(x, epsilon=bn_epsilon)", "jax.nn.standardize(x, epsilon=2 * bn_epsilon)"),
    "tensorflow_core": (
        "layer",
        "tf.nn.moments(x, axes=[1], keepdims=True)",
        "tf.nn.moments(tf.stop_gradient(x), axes=[1], keepdims=True)",
    ),
    "autograd_numpy": ("layer", "np.var(a, axis=1, keepdims=True)", "np.var(a, axis=1, keepdims=True, ddof=1)"),
    "paddlepaddle": ("optimiser", "paddle.optimizer.Adagrad(", "paddle.optimizer.RMSProp("),
    "flax_nnx": ("optimiser", "initial_accumulator_value=0.0, ", ""),
    "keras3": ("optimiser", "initial_accumulator_value=0.0, ", ""),
    "pytensor_plain": ("layer", "x.var(axis=1, keepdims=True)", "x.var(axis=1, ddof=1, keepdims=True)"),
}
"""A mistake in a patch of each backend: its change, what is right, and what is wrong."""


@pytest.mark.conformance
@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_patch_is_caught(name, tmp_path):
    only(name)
    entry = ENTRIES[name]
    change, right, wrong = MISTAKES[name]
    folder = write_changed(entry.folder, "model.py", patch_of(entry.folder, change, "after"), tmp_path)
    text = (folder / "model.py").read_text(encoding="utf-8")
    assert text.count(right) == 1
    (folder / "model.py").write_text(text.replace(right, wrong), encoding="utf-8")
    convention = changes.read_changes(entry.folder)[change].convention
    problems = cases(change, kinds_of(name, "float64"), convention)
    outcomes = outcomes_of(name, folder, tmp_path / "log", problems, entry.variants[0])
    red = [outcome for outcome in outcomes if outcome.red]
    print(*(f"{each.check}: {each.reason}" for each in red), sep="\n")
    assert {"optimiser": "updates", "layer": "gradients"}[change] in [outcome.check for outcome in red]


@pytest.mark.conformance
@each_backend
def test_a_backend_that_was_not_changed_is_caught(name, tmp_path):
    """An empty patch would cost nothing: the changed page has other numbers."""
    only(name)
    entry = ENTRIES[name]
    problems = cases("layer", kinds_of(name, "float64"))
    outcomes = outcomes_of(name, entry.folder, tmp_path / "log", problems, entry.variants[0])
    explained = next(outcome.explanation for outcome in outcomes if outcome.explanation)
    assert explained.startswith("forward departs first: forward probabilities at the start")
    assert "known conventions and mistakes" not in explained, "its suspects are of the common network"
