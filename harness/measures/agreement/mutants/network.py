"""Mutants with a mistake in the layers, the activations, the loss or the batches."""

import numpy as np

from ....portable.reference import Reference
from .base import WithSpec


class Float32Inside(WithSpec):
    """Computes in float32 and answers in float64."""

    def changed(self, spec):
        return {"dtype": "float32"}

    def dump(self):
        return {name: array.astype("float64") for name, array in super().dump().items()}


class OutputBiasIgnored(Reference):
    """Leaves the output layer's bias out."""

    def dense(self, a):
        return a @ self.arrays["dense%d/kernel" % self.output]


class LeakyRelu(Reference):
    """Lets 1 % of relu's negative side through."""

    def activation(self, h):
        return np.where(h > 0, h, 0.01 * h)

    def activation_gradient(self, h, a):
        return np.where(h > 0, 1.0, 0.01)


class ReluSlopeOfAHalf(Reference):
    """Takes 0.5 for relu's slope at 0, as the mean of both sides."""

    def activation_gradient(self, h, a):
        slope = super().activation_gradient(h, a)
        return np.where(h == 0, 0.5, slope) if self.spec.activation == "relu" else slope


class SumLoss(Reference):
    """Sums the loss over the batch."""

    def loss(self, logits, y):
        return super().loss(logits, y) * len(y)

    def backward(self, logits, y, tape):
        return {name: g * len(y) for name, g in super().backward(logits, y, tape).items()}


class SumGradient(Reference):
    """Sums the gradient over the batch, and takes the mean of the loss."""

    def logits_gradient(self, logits, y):
        return super().logits_gradient(logits, y) * len(y)


class LabelsOfTheWholeBatch(Reference):
    """Takes 1 off the probability of every label in the batch, in every row: d[:, y] for d[rows, y]."""

    def logits_gradient(self, logits, y):
        d_logits = self.softmax(logits)
        d_logits[:, y] -= 1
        return d_logits / len(y)


class LossAfterTheStep(Reference):
    """Returns the loss of the batch after its step."""

    def train(self, order):
        losses = []
        for rows in order:
            super().train(rows[None])
            losses.append(self.loss(self.forward(self.x[rows])[0], self.y[rows]))
        return np.array(losses)


class LabelsOffByOne(Reference):
    """Counts labels from one."""

    def put(self, x, y):
        super().put(x, (y + 1) % self.spec.sizes[-1])


class LastRowDropped(Reference):
    """Leaves out the last row of every batch."""

    def train(self, order):
        return super().train(order[:, :-1])


class OrderIgnored(Reference):
    """Takes the rows as they come."""

    def train(self, order):
        rows = np.arange(order.size) + self.steps * order.shape[1]
        return super().train(rows.reshape(order.shape) % len(self.x))


class UnshiftedSoftmax(Reference):
    """Takes exponentials of the logits as they are."""

    def softmax(self, logits):
        with np.errstate(all="ignore"):
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    def loss(self, logits, y):
        with np.errstate(all="ignore"):
            return (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]).mean()


class ClippedProbabilities(Reference):
    """Takes the logarithm of probabilities that it keeps above 1e-7."""

    def loss(self, logits, y):
        return -np.log(np.maximum(self.softmax(logits)[np.arange(len(y)), y], 1e-7)).mean()


class SoftmaxOfBaseTwo(Reference):
    """Takes powers of two for exponentials in test mode."""

    def predict(self, x):
        powers = 2 ** self.test_logits(x)
        return powers / powers.sum(axis=1, keepdims=True)


class SoftmaxDownTheBatch(Reference):
    """Divides by the sum over the batch, not over the classes, in test mode: the other axis."""

    def predict(self, x):
        return self.softmax(self.test_logits(np.asarray(x, dtype=self.spec.dtype)).T).T


class SoftmaxTwice(Reference):
    """Takes the loss of the probabilities as if they were logits: softmax twice."""

    def loss(self, logits, y):
        return super().loss(self.softmax(logits), y)

    def logits_gradient(self, logits, y):
        once = self.softmax(logits)
        outer = super().logits_gradient(once, y)
        return once * (outer - (outer * once).sum(axis=1, keepdims=True))


class LabelSmoothing(Reference):
    """Smooths the labels by 0.1."""

    def loss(self, logits, y):
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return 0.9 * super().loss(logits, y) - 0.1 * log_p.mean()

    def logits_gradient(self, logits, y):
        rows, classes = logits.shape
        uniform = (self.softmax(logits) - 1 / classes) / rows
        return 0.9 * super().logits_gradient(logits, y) + 0.1 * uniform


class MeanOverClassesToo(Reference):
    """Divides the loss by the number of classes too."""

    def loss(self, logits, y):
        return super().loss(logits, y) / logits.shape[1]

    def logits_gradient(self, logits, y):
        return super().logits_gradient(logits, y) / logits.shape[1]


class CappedRelu(Reference):
    """Caps relu at 1."""

    def activation(self, h):
        return np.minimum(super().activation(h), 1) if self.spec.activation == "relu" else super().activation(h)

    def activation_gradient(self, h, a):
        slope = super().activation_gradient(h, a)
        return slope * (h < 1) if self.spec.activation == "relu" else slope


class HardSigmoid(Reference):
    """Takes clip(0.2 h + 0.5, 0, 1) for the sigmoid."""

    def activation(self, h):
        return np.clip(0.2 * h + 0.5, 0, 1) if self.spec.activation == "sigmoid" else super().activation(h)

    def activation_gradient(self, h, a):
        inside = 0.2 * ((a > 0) & (a < 1))
        return inside if self.spec.activation == "sigmoid" else super().activation_gradient(h, a)


class SlopeOfTheLinearTanh(Reference):
    """Takes tanh's slope for 1 - tanh(h), without the square."""

    def activation_gradient(self, h, a):
        return 1 - a if self.spec.activation == "tanh" else super().activation_gradient(h, a)
