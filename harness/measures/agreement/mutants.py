"""Mutants of the oracle: each computes the common network with one known mistake of real frameworks.

selftest.py tests the checks with them: every mistake must be detected. diagnosis.py compares a failing backend with
them: the mutant whose results match names the likely cause. The last group is correct arithmetic in another form, which
no check may report as a fault.
"""

from functools import cache

import numpy as np

from ...portable import spec as specs
from ...portable.reference import Plain, Reference
from ...portable.spec import CONVENTIONS

Mutant = type[Reference]


def describe_mutant(mutant: Mutant) -> str:
    """Return what the mutant does, for the middle of a sentence."""
    text = str(mutant.__doc__).strip().rstrip(".")
    return text[0].lower() + text[1:]


@cache
def undeclared(convention: str, value: str) -> Mutant:
    """Return the mutant that follows this value of a convention, and does not say so."""

    class Undeclared(Reference):
        def __init__(self, spec, device="cpu", variant=None, conventions=None):
            super().__init__(spec, conventions={**(conventions or {}), convention: value})

    Undeclared.__name__ = f"{convention}: {value}"
    Undeclared.__doc__ = f"Follows `{convention}: {value}`."
    return Undeclared


class WithSpec(Reference):
    """Runs another spec than it was given: `changed(spec)`."""

    def __init__(self, spec, device="cpu", variant=None, conventions=None):
        super().__init__(spec._replace(**self.changed(spec)), conventions=conventions)

    def changed(self, spec):
        """Return the fields that differ."""
        raise NotImplementedError


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


class Float32Inside(WithSpec):
    """Computes in float32 and answers in float64."""

    def changed(self, spec):
        return {"dtype": "float32"}

    def dump(self):
        return {name: array.astype("float64") for name, array in super().dump().items()}


class AdamEpsilonInside(Reference):
    """Adds Adam's epsilon inside the square root: p -= lr * v_hat / sqrt(s_hat + epsilon)."""

    def adam(self, name, g):
        update = super().adam(name, g)
        s_hat, epsilon = self.square[name] / self.share(self.spec.beta2), self.spec.epsilon
        return update * (np.sqrt(s_hat) + epsilon) / np.sqrt(s_hat + epsilon)


class NoBiasCorrection(Reference):
    """Leaves Adam's bias correction out."""

    def adam(self, name, g):
        taken, self.steps = self.steps, 10**6
        update = super().adam(name, g)
        self.steps = taken
        return update


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


# Violations of the contract that show in the results


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


OTHER_CONVENTIONS = tuple((convention, value) for convention, values in CONVENTIONS.items() for value in values[1:])
"""Every value of a convention that is not the common spec's own."""

UNDECLARED = tuple(undeclared(convention, value) for convention, value in OTHER_CONVENTIONS)

MISTAKES: tuple[Mutant, ...] = (
    BatchNormEpsilonOfAFramework,
    BatchNormEpsilonOffByOnePercent,
    BatchNormEpsilonOutside,
    UnbiasedEverywhere,
    GradientPastTheStatistics,
    GradientPastTheMean,
    GradientPastTheVariance,
    GammaLeftOutBelow,
    BatchStatisticsInTest,
    TrainingModeInTest,
    FirstStatisticsInTest,
    TrainsInTestMode,
    NoEpsilonInTest,
    DeviationForVarianceInTest,
    SwappedRunningDecay,
    WrongRunningDecay,
    SwappedDecays,
    WrongBeta2,
    LearningRateOffByOnePercent,
    WrongAdamEpsilon,
    Float32Inside,
    AdamEpsilonInside,
    NoBiasCorrection,
    StepsCountedFromTwo,
    WeightDecay,
    ClippedGradients,
    GammaNotTrained,
    OutputBiasIgnored,
    LeakyRelu,
    ReluSlopeOfAHalf,
    SumLoss,
    SumGradient,
    LabelsOfTheWholeBatch,
    LossAfterTheStep,
    LabelsOffByOne,
    LastRowDropped,
    OrderIgnored,
    UnshiftedSoftmax,
    ClippedProbabilities,
    SoftmaxOfBaseTwo,
    SoftmaxDownTheBatch,
    StatisticsOfTheFirstBatch,
    StatisticsMovedTwice,
    StatisticsNeverMoved,
    EpsilonAveraged,
    StepsCountedByParameter,
    StepCountStandsStill,
    FirstMomentNotCorrected,
    SecondMomentNotCorrected,
    NesterovAdam,
    LargestSecondMoment,
    DecoupledWeightDecay,
    LearningRateDecays,
    GradientsPileUp,
    GradientsNeverZeroed,
    CentredRMSprop,
    BiasCorrectedMomentum,
    SoftmaxTwice,
    LabelSmoothing,
    MeanOverClassesToo,
    CappedRelu,
    HardSigmoid,
    SlopeOfTheLinearTanh,
    StaleMoments,
    StaleStepCount,
    CallsCountedAsSteps,
    *UNDECLARED,
)
"""The checks must detect each of them on the cases of the matrix."""


# No mistakes: loss of precision


class CorrectionInFloat32(Reference):
    """Computes Adam's 1 - beta**t in float32, where it cancels."""

    def share(self, beta):
        return float(np.float32(1) - np.float32(beta) ** np.float32(self.steps))


LOST_PRECISION: tuple[Mutant, ...] = (CorrectionInFloat32,)
"""The checks must report each of them as a loss of precision in float32, and not as a failure."""


# No mistakes: other arithmetic for the same mathematics


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
