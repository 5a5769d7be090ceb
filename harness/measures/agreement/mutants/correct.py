"""Mutants that are no mistakes: a loss of precision, and other arithmetic for the same mathematics."""

import numpy as np

from ....portable.reference import Plain, Reference
from .base import Mutant


class CorrectionInFloat32(Reference):
    """Computes Adam's 1 - beta**t in float32, where it cancels."""

    def exact_share(self, beta):
        return float(np.float32(1) - np.float32(beta) ** np.float32(self.steps))


LOST_PRECISION: tuple[Mutant, ...] = (CorrectionInFloat32,)
"""The checks must report each of them as a loss of precision in float32, and not as a failure."""


class ExactCorrection(Reference):
    """Computes 1 - beta**t by expm1."""


class OnePassVariance(Plain):
    """Computes the variance as mean(z**2) - mean(z)**2."""

    def batch_statistics(self, z):
        mu = z.mean(axis=0)
        return mu, np.maximum((z**2).mean(axis=0) - mu**2, 0)


class ScaleAndShift(Plain):
    """Multiplies by a reciprocal in place of dividing by a root, in training and in test mode."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        rows, inverse = len(d_z_hat), 1 / np.sqrt(var + self.spec.bn_epsilon)
        whole = rows * d_z_hat - d_z_hat.sum(axis=0) - z_hat * (d_z_hat * z_hat).sum(axis=0)
        return inverse * whole / rows

    def test_logits(self, x):
        if not self.spec.batch_norm:
            return super().test_logits(x)
        a = x
        for layer in self.layers:
            scale = self.arrays["norm%d/gamma" % layer] * self.inverse_deviation(layer)
            shift = self.arrays["norm%d/beta" % layer] - self.arrays["norm%d/running_mean" % layer] * scale
            a = self.activation(a @ self.arrays["dense%d/kernel" % layer] * scale + shift)
        return self.dense(a)


class AdamRewritten(Plain):
    """Moves the averages by a difference, and folds the bias corrections into the step's length."""

    def adam(self, name, g):
        if self.convention["adam"] == "epsilon-hat":
            return super().adam(name, g)
        spec = self.spec
        v = self.moment[name] = self.moment[name] + (1 - spec.beta1) * (g - self.moment[name])
        s = self.square[name] = self.square[name] + (1 - spec.beta2) * (g * g - self.square[name])
        length, root = spec.learning_rate / self.share(spec.beta1), self.share(spec.beta2) ** 0.5
        return length * (v / (np.sqrt(s) / root + spec.epsilon))


class LogSoftmax(Plain):
    """Computes probabilities as exponentials of log-probabilities."""

    def softmax(self, logits):
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.exp(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


class OneByOne(Plain):
    """Adds up one by one, in the order that the numbers stand in: no pairs, no blocks."""

    def dense(self, a):
        return one_by_one(a, self.arrays["dense%d/kernel" % self.output]) + self.arrays["dense%d/bias" % self.output]

    def batch_statistics(self, z):
        mu = np.add.accumulate(z, axis=0)[-1] / z.dtype.type(len(z))
        return mu, np.add.accumulate((z - mu) ** 2, axis=0)[-1] / z.dtype.type(len(z))


class WideSums(Plain):
    """Takes the sums of batch norm and of the loss in float64, and rounds them."""

    def batch_statistics(self, z):
        mu, var = super().batch_statistics(z.astype(np.float64))
        return mu.astype(z.dtype), var.astype(z.dtype)

    def loss(self, logits, y):
        return logits.dtype.type(super().loss(logits.astype(np.float64), y))


def one_by_one(a, kernel):
    """Return a @ kernel, each sum taken from the first product to the last."""
    return np.add.accumulate(a[:, :, None] * kernel, axis=1)[:, -1]


LEGITIMATE: tuple[Mutant, ...] = (
    Plain,
    ExactCorrection,
    OnePassVariance,
    ScaleAndShift,
    AdamRewritten,
    LogSoftmax,
    OneByOne,
    WideSums,
)
"""The checks must not report any of them as a failure or as a loss of precision."""
