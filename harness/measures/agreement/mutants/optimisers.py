"""Mutants with a mistake in an optimiser or in its state."""

import numpy as np

from ....portable import spec as specs
from ....portable.reference import Reference
from .base import WithSpec


class SwappedDecays(WithSpec):
    """Takes beta1 for beta2, and beta2 for beta1."""

    def changed(self, spec):
        return {"beta1": spec.beta2, "beta2": spec.beta1}


class WrongBeta2(WithSpec):
    """Has a beta2 of 0.99: a framework's default."""

    def changed(self, spec):
        return {"beta2": 0.99}


class LearningRateOffByOnePercent(WithSpec):
    """Has a learning rate 1 % too large."""

    def changed(self, spec):
        return {"learning_rate": 1.01 * spec.learning_rate}


class WrongAdamEpsilon(WithSpec):
    """Has an optimiser epsilon of 1e-7: a framework's default."""

    def changed(self, spec):
        return {"epsilon": 1e-7}


class AdamEpsilonInside(Reference):
    """Adds Adam's epsilon inside the square root: p -= lr * v_hat / sqrt(s_hat + epsilon)."""

    def adam(self, name, g):
        update = super().adam(name, g)
        s_hat, epsilon = self.square[name] / self.share(self.spec.beta2), self.spec.epsilon
        return update * (np.sqrt(s_hat) + epsilon) / np.sqrt(s_hat + epsilon)


class NoBiasCorrection(Reference):
    """Leaves Adam's bias correction out."""

    def share(self, beta):
        return 1.0


class StepsCountedFromTwo(Reference):
    """Counts Adam's steps from two."""

    def adam(self, name, g):
        self.steps += 1
        update = super().adam(name, g)
        self.steps -= 1
        return update


class WeightDecay(Reference):
    """Adds 1e-4 times the parameter to every gradient."""

    def update(self, name, g):
        return super().update(name, g + 1e-4 * self.arrays[name])


class ClippedGradients(Reference):
    """Clips every gradient to 0.1."""

    def update(self, name, g):
        return super().update(name, np.clip(g, -0.1, 0.1))


class GammaNotTrained(Reference):
    """Leaves gamma as it was loaded."""

    def update(self, name, g):
        return 0 * g if name.endswith("gamma") else super().update(name, g)


class StepsCountedByParameter(Reference):
    """Counts a step of Adam for every parameter that it updates."""

    def adam(self, name, g):
        place = specs.parameters(self.spec).index(name)
        taken, count = self.steps, len(specs.parameters(self.spec))
        self.steps = (taken - 1) * count + place + 1
        update = super().adam(name, g)
        self.steps = taken
        return update


class StepCountStandsStill(Reference):
    """Corrects the bias of every step of Adam as if it were the first: its step count is not kept."""

    def adam(self, name, g):
        taken, self.steps = self.steps, 1
        update = super().adam(name, g)
        self.steps = taken
        return update


class FirstMomentNotCorrected(Reference):
    """Corrects the bias of Adam's second moment only."""

    def adam(self, name, g):
        return super().adam(name, g) * self.share(self.spec.beta1)


class SecondMomentNotCorrected(Reference):
    """Corrects the bias of Adam's first moment only."""

    def adam(self, name, g):
        update = super().adam(name, g)
        s, epsilon = self.square[name], self.spec.epsilon
        return update * (np.sqrt(s / self.share(self.spec.beta2)) + epsilon) / (np.sqrt(s) + epsilon)


class NesterovAdam(Reference):
    """Looks one step of momentum ahead: Nadam for Adam."""

    def adam(self, name, g):
        beta1 = self.spec.beta1
        super().adam(name, g)
        ahead = (beta1 * self.moment[name] + (1 - beta1) * g) / self.share(beta1)
        return (
            self.spec.learning_rate
            * ahead
            / (np.sqrt(self.square[name] / self.share(self.spec.beta2)) + self.spec.epsilon)
        )


class LargestSecondMoment(Reference):
    """Divides by the largest second moment so far: AMSGrad for Adam."""

    def load(self, arrays):
        super().load(arrays)
        self.largest = {name: array.copy() for name, array in self.square.items()}

    def adam(self, name, g):
        update = super().adam(name, g)
        s, epsilon, share = self.square[name], self.spec.epsilon, self.share(self.spec.beta2)
        largest = self.largest[name] = np.maximum(self.largest[name], s)
        return update * (np.sqrt(s / share) + epsilon) / (np.sqrt(largest / share) + epsilon)


class DecoupledWeightDecay(Reference):
    """Takes 1 % of the learning rate times the parameter away: AdamW for Adam."""

    def update(self, name, g):
        p = self.arrays[name]
        return super().update(name, g) + (p - p * (1 - 0.01 * self.spec.learning_rate))


class LearningRateDecays(Reference):
    """Divides the learning rate by 1 + 1e-4 t."""

    def update(self, name, g):
        return super().update(name, g) / (1 + 1e-4 * (self.steps - 1))


class GradientsPileUp(Reference):
    """Adds every gradient to those before it: nobody set them to zero."""

    def load(self, arrays):
        super().load(arrays)
        self.pile = {}

    def update(self, name, g):
        self.pile[name] = self.pile.get(name, 0) + g
        return super().update(name, self.pile[name])


class GradientsNeverZeroed(GradientsPileUp):
    """Adds every gradient to those before it, also to one that was only looked at: nobody set them to zero."""

    def gradients(self, x, y):
        found = super().gradients(x, y)
        self.pile = dict(found)
        return found


class CentredRMSprop(Reference):
    """Takes the squared average gradient from RMSprop's second moment."""

    def rmsprop(self, name, g):
        beta2 = self.spec.beta2
        super().rmsprop(name, g)
        m = self.moment[name] = beta2 * self.moment[name] + (1 - beta2) * g
        centred = np.maximum(self.square[name] - m**2, 0)
        return self.spec.learning_rate * g / (np.sqrt(centred) + self.spec.epsilon)


class BiasCorrectedMomentum(Reference):
    """Corrects the bias of momentum's average, as Adam does."""

    def momentum(self, name, g):
        return super().momentum(name, g) / self.share(self.spec.beta1)


class StaleMoments(Reference):
    """Keeps the optimiser's averages when arrays are loaded again."""

    def load(self, arrays):
        before = vars(self).get("moment")
        super().load(arrays)
        if before:
            self.moment = before


class StaleStepCount(Reference):
    """Keeps the optimiser's step count when arrays are loaded again."""

    def load(self, arrays):
        before = vars(self).get("steps", 0)
        super().load(arrays)
        self.steps = before


class CallsCountedAsSteps(Reference):
    """Corrects Adam's bias by the number of calls of `train`, not of steps."""

    def train(self, order):
        calls, losses = self.steps, []
        for rows in order:
            self.steps = calls
            losses.append(super().train(rows[None]))
        return np.concatenate(losses)
