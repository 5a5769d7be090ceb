"""Every patched backend computes the changed network, in real workers and environments."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest
from bakeoff import environments
from bakeoff.measures.agreement import case as agreement_case
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement import suite
from bakeoff.measures.ease import changes
from bakeoff.measures.ease.changes import find_patch
from bakeoff.workers import launch
from bakeoff.workers.place import Place
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from bakeoff.workload.networks import Network

from tests.measures.ease.changed_backends import (
    CHOSEN,
    ENTRIES,
    ONLY,
    PATCHES,
    WANTED,
    each_backend,
    write_patched,
)
from tests.measures.ease.changed_oracles import cases
from tests.tiers import FULL

KINDS = {
    "float64": [Network("stress", "tanh", True, "adam", "float64")],
    "float32": [Network("stress", "relu", True, "adam", "float32")],
}


def dtypes_of(name):
    """Return the dtypes of KINDS that the backend supports on some network."""
    return [
        dtype
        for dtype in KINDS
        if not all(
            ENTRIES[name].unsupported(networks.spec_of(each)) for each in networks.full_matrix() if each.dtype == dtype
        )
    ]


def kinds_of(name, dtype):
    """Return the cell of this dtype, or the most similar one that the backend supports."""
    return networks.with_supported(KINDS[dtype], ENTRIES[name].unsupported)[-1:]


LOSING = {"cntk_layers", "flax_nnx", "keras3", "lasagne_layers", "mlx_nn", "mxnet_gluon", "paddlepaddle", "tinygrad_nn"}
"""Backends that lose precision in float32 as they stand, by their own Adam: see tests/conformance/test_backends.py."""

IN_FLOAT32_ALONE = {("mxnet_gluon", "optimiser")}
"""Changes in float32 alone: the history of MXNet's AdaGrad is in float32, and nothing in float64 can be added to it."""


@cache
def environment_of(name, part):
    return environments.build(ENTRIES[name]._replace(part=part))


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
    # The changes are of the backend's model file, and a variant with one of its own has none.
    asked = [each for each in asked if each not in entry.own_models()]
    return [each for each in asked if not launch.explain_unavailable(entry, each)]


def outcomes_of(name, folder, log, problems, variant):
    return list(suite.check_backend(lambda: session_of(name, folder, log, variant), problems, "cpu", variant))


def only(name):
    if name not in WANTED:
        pytest.skip(f"only {ONLY} is asked for, by BAKEOFF_BACKENDS")


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("name", "change", "state"),
    [pytest.param(*patch, marks=() if patch[1:] == ("optimiser", "after") else FULL) for patch in PATCHES],
)
def test_a_changed_backend_computes_the_changed_network(name, change, state, tmp_path):
    only(name)
    entry = ENTRIES[name]
    folder = write_patched(entry.folder, entry.description.model, find_patch(entry.folder, change, state), tmp_path)
    dtypes = dtypes_of(name)
    if change == "float64":
        dtypes = ["float32" if state == "before" else "float64"]
    if (name, change) in IN_FLOAT32_ALONE:
        dtypes = ["float32", "float32"]
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
        assert not [f"{each.case} {each.check}: {each.reason} {each.explanation}" for each in outcomes if each.failed]
        assert worst < agreement_case.LOSES_PRECISION or (dtype == "float32" and name in LOSING)


@FULL
@pytest.mark.conformance
@pytest.mark.parametrize("name", [name for name, change, state in PATCHES if (change, state) == ("float64", "before")])
def test_a_program_of_float32_alone_is_not_of_float64(name, tmp_path):
    """The program before the change must not support float64 already."""
    only(name)
    entry = ENTRIES[name]
    folder = write_patched(
        entry.folder, entry.description.model, find_patch(entry.folder, "float64", "before"), tmp_path
    )
    problems = agreement_cases.cases(kinds_of(name, "float64"))
    assert any(outcome.failed for outcome in outcomes_of(name, folder, tmp_path / "log", problems, entry.variants[0]))


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
    "mxnet_gluon": ("layer", "epsilon=bn_epsilon, center=False", "epsilon=2 * bn_epsilon, center=False"),
    "theano_plain": ("layer", "x.var(axis=1, keepdims=True)", "x.var(axis=1, ddof=1, keepdims=True)"),
    "lasagne_layers": ("layer", "T.sqrt(var + self.epsilon)", "T.sqrt(var + 2 * self.epsilon)"),
    "pytensor_plain": ("layer", "x.var(axis=1, keepdims=True)", "x.var(axis=1, ddof=1, keepdims=True)"),
    "caffe2_nets": ("layer", "axis=1, epsilon=bn_epsilon)", "axis=1)"),
    "caffe_netspec": ("optimiser", '"AdaGrad", epsilon', '"RMSProp", epsilon'),
    "cntk_layers": ("layer", "centred) + epsilon)", "centred) + 2 * epsilon)"),
    "mlx_nn": ("layer", "eps=bn_epsilon, affine=False", "eps=2 * bn_epsilon, affine=False"),
    "tinygrad_nn": ("layer", "eps=bn_epsilon, elementwise_affine", "eps=2 * bn_epsilon, elementwise_affine"),
    "dl4j_java": ("optimiser", "new AdaGrad(learningRate, epsilon)", "new AdaGrad(2 * learningRate, epsilon)"),
}
"""A mistake in a patch of each backend: its change, what is right, and what is wrong."""


@FULL
@pytest.mark.conformance
@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_patch_is_detected(name, tmp_path):
    only(name)
    entry = ENTRIES[name]
    change, right, wrong = MISTAKES[name]
    folder = write_patched(entry.folder, entry.description.model, find_patch(entry.folder, change, "after"), tmp_path)
    model = folder / entry.description.model
    text = model.read_text(encoding="utf-8")
    assert text.count(right) == 1
    model.write_text(text.replace(right, wrong), encoding="utf-8")
    convention = changes.read_changes(entry.folder)[change].convention
    problems = cases(change, kinds_of(name, dtypes_of(name)[0]), convention)
    outcomes = outcomes_of(name, folder, tmp_path / "log", problems, entry.variants[0])
    failures = [outcome for outcome in outcomes if outcome.failed]
    print(*(f"{each.check}: {each.reason}" for each in failures), sep="\n")
    assert {"optimiser": "updates", "layer": "gradients"}[change] in [outcome.check for outcome in failures]


@FULL
@pytest.mark.conformance
@each_backend
def test_a_backend_that_was_not_changed_is_detected(name, tmp_path):
    """Otherwise an empty patch would pass, and count as a change of no tokens."""
    only(name)
    entry = ENTRIES[name]
    problems = cases("layer", kinds_of(name, dtypes_of(name)[0]))
    outcomes = outcomes_of(name, entry.folder, tmp_path / "log", problems, entry.variants[0])
    explained = next(outcome.explanation for outcome in outcomes if outcome.explanation)
    assert explained.startswith("forward deviates first: forward probabilities at the start")
    assert "known conventions and mistakes" not in explained, "the suspects are of the common network"
