"""The references for a changed model: the common network with exactly one thing more.

docs/reference/ease.md defines the changes; harness/measures/ease/changes.py counts what the patches cost.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from bakeoff.common.arrays import Array, Arrays
from bakeoff.measures.agreement import cases as agreement_cases
from bakeoff.measures.agreement.case import Case, ReferencePair
from bakeoff.portable.reference import Plain, Reference
from bakeoff.workload.networks import Network

OPTIMISER = "adagrad"
"""What a spec calls the optimiser that the common network does not have."""


class AdaGrad:
    """Another optimiser, AdaGrad (Duchi, Hazan & Singer 2011): s += g**2; p -= lr * g / (sqrt(s) + epsilon)."""

    spec: Any
    square: Arrays

    def adagrad(self, name: str, g: Array) -> Array:
        """Return what is taken from the parameter `name` whose gradient is g; moves the sum of squares."""
        s = self.square[name] = self.square[name] + g**2
        step: Array = self.spec.learning_rate * g / (np.sqrt(s) + self.spec.epsilon)
        return step


class EpsilonInside(AdaGrad):
    """The same with epsilon inside the root: p -= lr * g / sqrt(s + epsilon)."""

    def adagrad(self, name: str, g: Array) -> Array:
        """Return what is taken from the parameter `name` whose gradient is g; moves the sum of squares."""
        s = self.square[name] = self.square[name] + g**2
        step: Array = self.spec.learning_rate * g / np.sqrt(s + self.spec.epsilon)
        return step


class EpsilonInFloat32(AdaGrad):
    """The same, its epsilon rounded to single precision."""

    def adagrad(self, name: str, g: Array) -> Array:
        """Return what is taken from the parameter `name` whose gradient is g; moves the sum of squares."""
        s = self.square[name] = self.square[name] + g**2
        step: Array = self.spec.learning_rate * g / (np.sqrt(s) + float(np.float32(self.spec.epsilon)))
        return step


class SumFromAConstant(AdaGrad):
    """The same, its sum of squares starting at 1e-6."""

    def adagrad(self, name: str, g: Array) -> Array:
        """Return what is taken from the parameter `name` whose gradient is g; moves the sum of squares."""
        s = self.square[name] = self.square[name] + g**2
        step: Array = self.spec.learning_rate * g / (np.sqrt(1e-6 + s) + self.spec.epsilon)
        return step


class EpsilonFixed(AdaGrad):
    """The same with a constant inside the root, whatever epsilon is: p -= lr * g / sqrt(s + 1e-16)."""

    def adagrad(self, name: str, g: Array) -> Array:
        """Return what is taken from the parameter `name` whose gradient is g; moves the sum of squares."""
        s = self.square[name] = self.square[name] + g**2
        step: Array = self.spec.learning_rate * g / np.sqrt(s + 1e-16)
        return step


class LayerNorm:
    """Another layer, in front of the output layer: a_hat = (a - mean(a)) / sqrt(var(a) + bn_epsilon), row by row.

    Without parameters; the variance is biased, divided by the width (Ba, Kiros & Hinton 2016). Training and test alike.
    """

    def __init__(self, spec: Any, **choices: Any) -> None:
        super().__init__(spec, **choices)  # type: ignore[call-arg]  # Reference's
        self.epsilon = spec.bn_epsilon  # exact, where batch norm's is kept in single precision by convention

    def dense(self, a: Array) -> Array:
        """Return the output layer of the normalised activations."""
        logits: Array = super().dense(self.normalised(a)[0])  # type: ignore[misc]  # Reference's
        return logits

    def dense_gradient(self, a: Array, d_logits: Array) -> tuple[Arrays, Array]:
        """Return the gradients of the output layer's parameters, and that for a, through the normalisation."""
        a_hat, deviation = self.normalised(a)
        gradients, d = super().dense_gradient(a_hat, d_logits)  # type: ignore[misc]  # Reference's
        through_mean = d.mean(axis=1, keepdims=True)
        through_variance = a_hat * (d * a_hat).mean(axis=1, keepdims=True)
        return gradients, (d - through_mean - through_variance) / deviation

    def normalised(self, a: Array) -> tuple[Array, Array]:
        """Return a_hat (rows, width), and the deviation that it was divided by (rows, 1)."""
        mean = a.mean(axis=1, keepdims=True)
        deviation = np.sqrt(((a - mean) ** 2).mean(axis=1, keepdims=True) + self.epsilon)
        return (a - mean) / deviation, deviation


class LayerNormOutside(LayerNorm):
    """The same with epsilon outside the root: a_hat = (a - mean(a)) / (sqrt(var(a)) + bn_epsilon).

    Its gradient is that of a root of which epsilon is a part, as with epsilon inside: exact where epsilon is 0.
    """

    def normalised(self, a: Array) -> tuple[Array, Array]:
        """Return a_hat (rows, width), and the deviation that it was divided by (rows, 1)."""
        mean = a.mean(axis=1, keepdims=True)
        deviation = np.sqrt(((a - mean) ** 2).mean(axis=1, keepdims=True)) + self.epsilon
        return (a - mean) / deviation, deviation


class ReferenceWithAdaGrad(AdaGrad, Reference):
    """The oracle with AdaGrad."""


class PlainWithAdaGrad(AdaGrad, Plain):
    """The page with AdaGrad, as it is written."""


class ReferenceWithEpsilonInside(EpsilonInside, Reference):
    """The oracle with AdaGrad, epsilon inside the root."""


class PlainWithEpsilonInside(EpsilonInside, Plain):
    """The page with AdaGrad, epsilon inside the root."""


class ReferenceWithEpsilonInFloat32(EpsilonInFloat32, Reference):
    """The oracle with AdaGrad, epsilon in single precision."""


class PlainWithEpsilonInFloat32(EpsilonInFloat32, Plain):
    """The page with AdaGrad, epsilon in single precision."""


class ReferenceWithSumFromAConstant(SumFromAConstant, Reference):
    """The oracle with AdaGrad, its sum from 1e-6."""


class PlainWithSumFromAConstant(SumFromAConstant, Plain):
    """The page with AdaGrad, its sum from 1e-6."""


class ReferenceWithEpsilonFixed(EpsilonFixed, Reference):
    """The oracle with AdaGrad, a constant inside the root."""


class PlainWithEpsilonFixed(EpsilonFixed, Plain):
    """The page with AdaGrad, a constant inside the root."""


class ReferenceWithLayerNorm(LayerNorm, Reference):
    """The oracle with layer normalisation."""


class PlainWithLayerNorm(LayerNorm, Plain):
    """The page with layer normalisation, as it is written."""


class ReferenceWithLayerNormOutside(LayerNormOutside, Reference):
    """The oracle with layer normalisation, epsilon outside the root."""


class PlainWithLayerNormOutside(LayerNormOutside, Plain):
    """The page with layer normalisation, epsilon outside the root."""


PAGES = {
    "optimiser": ReferencePair(ReferenceWithAdaGrad, PlainWithAdaGrad),
    "layer": ReferencePair(ReferenceWithLayerNorm, PlainWithLayerNorm),
}
"""By change; for the others the page is the common one."""

CONVENTION_PAGES = {
    ("optimiser", "inside"): ReferencePair(ReferenceWithEpsilonInside, PlainWithEpsilonInside),
    ("optimiser", "float32"): ReferencePair(ReferenceWithEpsilonInFloat32, PlainWithEpsilonInFloat32),
    ("optimiser", "from-1e-6"): ReferencePair(ReferenceWithSumFromAConstant, PlainWithSumFromAConstant),
    ("optimiser", "fixed"): ReferencePair(ReferenceWithEpsilonFixed, PlainWithEpsilonFixed),
    ("layer", "outside"): ReferencePair(ReferenceWithLayerNormOutside, PlainWithLayerNormOutside),
}
"""By change and the convention that a backend says it follows there: harness/ease/changes.py has them in words."""


def cases(change: str, kinds: Sequence[Network], convention: str = "") -> list[Case]:
    """Return the problems of these cells, for a model with the change: with its page, and its optimiser."""
    if change not in PAGES:
        return agreement_cases.cases(kinds)
    page = CONVENTION_PAGES[change, convention] if convention else PAGES[change]
    asked = [kind._replace(optimiser=OPTIMISER) if change == "optimiser" else kind for kind in kinds]
    return [replace(case, name=f"{case.name}-{change}", reference_pair=page) for case in agreement_cases.cases(asked)]
