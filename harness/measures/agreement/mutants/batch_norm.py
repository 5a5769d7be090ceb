"""Mutants with a mistake in batch norm: its epsilon, its statistics, its gradient, its test mode."""

import numpy as np

from ....portable.reference import Reference
from .base import WithSpec


class BatchNormEpsilonOfAFramework(WithSpec):
    """Has a bn_epsilon of 1e-3: a framework's default."""

    def changed(self, spec):
        return {"bn_epsilon": 1e-3}


class BatchNormEpsilonOffByOnePercent(WithSpec):
    """Has a bn_epsilon 1.01 times the spec's."""

    def changed(self, spec):
        return {"bn_epsilon": 1.01 * spec.bn_epsilon}


class BatchNormEpsilonOutside(Reference):
    """Adds batch norm's epsilon outside the square root: (z - mu) / (sqrt(var) + bn_epsilon)."""

    def batch_statistics(self, z):
        mu, var = super().batch_statistics(z)
        # Written as the epsilon inside that gives the same.
        return mu, (np.sqrt(var) + self.spec.bn_epsilon) ** 2 - self.spec.bn_epsilon


class UnbiasedEverywhere(Reference):
    """Normalises training batches with the variance divided by m - 1."""

    def batch_statistics(self, z):
        mu, var = super().batch_statistics(z)
        return mu, var * len(z) / (len(z) - 1)


class GradientPastTheStatistics(Reference):
    """Takes batch norm's mean and variance for constants in the gradient."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        return d_z_hat / np.sqrt(var + self.spec.bn_epsilon)


class GradientPastTheMean(Reference):
    """Takes batch norm's mean for a constant in the gradient."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        through_variance = z_hat * (d_z_hat * z_hat).mean(axis=0)
        return (d_z_hat - through_variance) / np.sqrt(var + self.spec.bn_epsilon)


class GradientPastTheVariance(Reference):
    """Takes batch norm's variance for a constant in the gradient."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        return (d_z_hat - d_z_hat.mean(axis=0)) / np.sqrt(var + self.spec.bn_epsilon)


class GammaLeftOutBelow(Reference):
    """Leaves gamma out of the gradient for what batch norm is given."""

    def backward(self, logits, y, tape):
        self.hidden = reversed(self.layers)
        return super().backward(logits, y, tape)

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        gamma = self.arrays["norm%d/gamma" % next(self.hidden)]
        return super().batch_norm_gradient(d_z_hat / gamma, var, z_hat)


class BatchStatisticsInTest(Reference):
    """Predicts with the batch's own statistics: training mode was never left."""

    def test_logits(self, x):
        return self.forward(x)[0]


class TrainingModeInTest(Reference):
    """Predicts in training mode: with the batch's own statistics, and the running ones move."""

    def test_logits(self, x):
        logits, tape = self.forward(x)
        self.average_statistics(tape)
        return logits


class FirstStatisticsInTest(Reference):
    """Predicts as if the running statistics still were 0 and 1."""

    def test_logits(self, x):
        trained = self.arrays
        self.arrays = {n: np.full_like(a, n.endswith("var")) if "running" in n else a for n, a in trained.items()}
        logits = super().test_logits(x)
        self.arrays = trained
        return logits


class TrainsInTestMode(Reference):
    """Trains on in test mode after a prediction, by the running statistics: nobody went back to training mode."""

    testing = False

    def predict(self, x):
        self.testing = True
        return super().predict(x)

    def gradients(self, x, y):
        self.testing = False
        return super().gradients(x, y)

    def forward(self, x):
        self.hidden = iter(self.layers)
        return super().forward(x)

    def batch_statistics(self, z):
        layer = next(self.hidden)
        if not self.testing:
            return super().batch_statistics(z)
        return self.arrays["norm%d/running_mean" % layer], self.inverse_deviation(layer) ** -2 - self.spec.bn_epsilon

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        if not self.testing:
            return super().batch_norm_gradient(d_z_hat, var, z_hat)
        return d_z_hat / np.sqrt(var + self.spec.bn_epsilon)

    def average_statistics(self, tape):
        if not self.testing:
            super().average_statistics(tape)


class NoEpsilonInTest(Reference):
    """Leaves bn_epsilon out in test mode."""

    def inverse_deviation(self, layer):
        return 1 / np.sqrt(self.arrays["norm%d/running_var" % layer])


class DeviationForVarianceInTest(Reference):
    """Takes the running deviation for the variance in test mode: (z - mu) / sqrt(sqrt(var) + bn_epsilon)."""

    def inverse_deviation(self, layer):
        return 1 / np.sqrt(np.sqrt(self.arrays["norm%d/running_var" % layer]) + self.spec.bn_epsilon)


class SwappedRunningDecay(WithSpec):
    """Keeps 1 - bn_decay of the old running statistics: the other share."""

    def changed(self, spec):
        return {"bn_decay": 1 - spec.bn_decay}


class WrongRunningDecay(WithSpec):
    """Keeps 0.99 of the old running statistics: a framework's default."""

    def changed(self, spec):
        return {"bn_decay": 0.99}


class StatisticsOfTheFirstBatch(Reference):
    """Starts the running statistics at the first batch's own, not at 0 and 1."""

    def average_statistics(self, tape):
        given, first = self.spec, self.steps == 0
        self.spec = given._replace(bn_decay=0.0) if first else given
        super().average_statistics(tape)
        self.spec = given


class StatisticsMovedTwice(Reference):
    """Moves the running statistics twice a step: the forward pass is run again for the gradient."""

    def average_statistics(self, tape):
        super().average_statistics(tape)
        super().average_statistics(tape)


class StatisticsNeverMoved(Reference):
    """Leaves the running statistics as they were loaded."""

    def average_statistics(self, tape):
        pass


class EpsilonAveraged(Reference):
    """Averages the variance with bn_epsilon already added."""

    def average_statistics(self, tape):
        epsilon = self.spec.bn_epsilon
        super().average_statistics([(a, h, mu, var if var is None else var + epsilon, z) for a, h, mu, var, z in tape])
