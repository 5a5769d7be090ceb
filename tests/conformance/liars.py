"""Wrong backends: each differs from plain NumPy in one thing, as a real framework or its adapter might."""

import threading

import numpy as np

from harness.portable.reference import Reference
from harness.portable.spec import CONVENTIONS


class InPlace(dict):
    """Arrays that are written to in place, as most frameworks write to their parameters."""

    def __setitem__(self, name, array):
        self[name][...] = array


# Of the contract


class RoundsToFloat32(Reference):
    """Stores its arrays in float32, whatever the spec says."""

    def load(self, arrays):
        super().load({name: array.astype("float32") for name, array in arrays.items()})


class DropsGivenStatistics(Reference):
    """Starts its running statistics at 0 and 1, whatever is loaded."""

    def load(self, arrays):
        super().load(arrays)
        for name, array in self.arrays.items():
            if "running" in name:
                array[...] = name.endswith("var")


class DumpsLiveArrays(Reference):
    """Hands out the arrays it trains: so does PyTorch's .numpy() on the CPU."""

    def load(self, arrays):
        super().load(arrays)
        self.arrays = InPlace(self.arrays)

    def dump(self):
        return dict(self.arrays)


class TrainsGivenArrays(Reference):
    """Trains the very arrays it was given: so does torch.from_numpy."""

    def load(self, arrays):
        super().load(arrays)
        self.arrays = InPlace(arrays)


class CountsCallsAsSteps(Reference):
    """Corrects Adam's bias by the number of calls of `train`, not of steps."""

    def train(self, order):
        calls, losses = self.steps, []
        for rows in order:
            self.steps = calls
            losses.append(super().train(rows[None]))
        return np.concatenate(losses)


class PredictMovesStatistics(Reference):
    """Predicts in training mode's side effects."""

    def predict(self, x):
        probabilities = super().predict(x)
        self.average_statistics(self.forward(x)[1])
        return probabilities


class GradientsMoveStatistics(Reference):
    """Leaves the running statistics moved by a forward pass in training mode."""

    def gradients(self, x, y):
        self.average_statistics(self.forward(x)[1])
        return super().gradients(x, y)


class GradientsCountAsStep(Reference):
    """Counts a call of `gradients` as a step of the optimiser."""

    def gradients(self, x, y):
        self.steps += 1
        return super().gradients(x, y)


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


class WaitReturnsAtOnce(Reference):
    """Trains in the background, like any asynchronous device, and waits for nothing."""

    work = None

    def train(self, order):
        losses = []
        self.work = threading.Thread(target=lambda: losses.append(Reference.train(self, order)))
        self.work.start()
        return Later(self.work, losses)

    def dump(self):
        if self.work is not None:
            self.work.join()
        return super().dump()


class Later:
    """Losses that are there when the work is done."""

    def __init__(self, work, losses):
        self.work, self.losses = work, losses

    def __array__(self, dtype=None, copy=None):
        self.work.join()
        return self.losses[0]


# Of the network


class BatchNormEpsilonOffByOnePercent(Reference):
    """bn_epsilon is 1.01 times the spec's."""

    def __init__(self, spec, device="cpu", variant=None):
        super().__init__(spec._replace(bn_epsilon=1.01 * spec.bn_epsilon))


class BatchNormEpsilonOutside(Reference):
    """z_hat = (z - mu) / (sqrt(var) + bn_epsilon), written as the epsilon inside that gives the same."""

    def batch_statistics(self, z):
        mu, var = super().batch_statistics(z)
        return mu, (np.sqrt(var) + self.spec.bn_epsilon) ** 2 - self.spec.bn_epsilon


class UnbiasedEverywhere(Reference):
    """Normalises with the variance divided by m - 1."""

    def batch_statistics(self, z):
        mu, var = super().batch_statistics(z)
        return mu, var * len(z) / (len(z) - 1)


class BesselUndeclared(Reference):
    """Averages the unbiased variance, and does not say so."""

    def __init__(self, spec, device="cpu", variant=None):
        super().__init__(spec, conventions={"running_variance": "unbiased"})


class GradientPastTheStatistics(Reference):
    """Takes the batch's mean and variance for constants."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        return d_z_hat / np.sqrt(var + self.spec.bn_epsilon)


class GradientPastTheMean(Reference):
    """Takes the batch's mean for a constant."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        through_variance = z_hat * (d_z_hat * z_hat).mean(axis=0)
        return (d_z_hat - through_variance) / np.sqrt(var + self.spec.bn_epsilon)


class GradientPastTheVariance(Reference):
    """Takes the batch's variance for a constant."""

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        return (d_z_hat - d_z_hat.mean(axis=0)) / np.sqrt(var + self.spec.bn_epsilon)


class BatchStatisticsInTest(Reference):
    """Predicts with the batch's own statistics: training mode was never left."""

    def test_logits(self, x):
        return self.forward(x)[0]


class FirstStatisticsInTest(Reference):
    """Predicts as if the running statistics still were 0 and 1."""

    def test_logits(self, x):
        trained = self.arrays
        self.arrays = {n: np.full_like(a, n.endswith("var")) if "running" in n else a for n, a in trained.items()}
        logits = super().test_logits(x)
        self.arrays = trained
        return logits


class NoEpsilonInTest(Reference):
    """Leaves bn_epsilon out in test mode."""

    def inverse_deviation(self, layer):
        return 1 / np.sqrt(self.arrays["norm%d/running_var" % layer])


class WithSpec(Reference):
    """Runs another spec than it was given: `changed(spec)`."""

    def __init__(self, spec, device="cpu", variant=None):
        super().__init__(spec._replace(**self.changed(spec)))


class SwappedRunningDecay(WithSpec):
    """Keeps 1 - bn_decay of the old running statistics: PyTorch's momentum for Keras's."""

    def changed(self, spec):
        return {"bn_decay": 1 - spec.bn_decay}


class WrongRunningDecay(WithSpec):
    """Keeps its framework's default decay of 0.99."""

    def changed(self, spec):
        return {"bn_decay": 0.99}


class SwappedDecays(WithSpec):
    """Takes beta1 for beta2."""

    def changed(self, spec):
        return {"beta1": spec.beta2, "beta2": spec.beta1}


class WrongBeta2(WithSpec):
    """Keeps its framework's default beta2 of 0.99."""

    def changed(self, spec):
        return {"beta2": 0.99}


class LearningRateOffByOnePercent(WithSpec):
    """Steps 1 % too far."""

    def changed(self, spec):
        return {"learning_rate": 1.01 * spec.learning_rate}


class WrongAdamEpsilon(WithSpec):
    """Keeps its framework's default epsilon of 1e-7."""

    def changed(self, spec):
        return {"epsilon": 1e-7}


class Float32Inside(WithSpec):
    """Computes in float32 and answers in float64."""

    def changed(self, spec):
        return {"dtype": "float32"}

    def dump(self):
        return {name: array.astype("float64") for name, array in super().dump().items()}


class EpsilonHatUndeclared(Reference):
    """Adam with epsilon-hat, and does not say so."""

    def __init__(self, spec, device="cpu", variant=None):
        super().__init__(spec, conventions={"adam": "epsilon-hat"})


class AdamEpsilonInside(Reference):
    """p -= lr * v_hat / sqrt(s_hat + epsilon)."""

    def adam(self, name, g):
        outside = self.spec
        update = super().adam(name, g)
        s_hat = self.square[name] / (1 - outside.beta2**self.steps)
        return update * (np.sqrt(s_hat) + outside.epsilon) / np.sqrt(s_hat + outside.epsilon)


class NoBiasCorrection(Reference):
    """Adam without the division by 1 - beta**t."""

    def adam(self, name, g):
        taken, self.steps = self.steps, 10**6
        update = super().adam(name, g)
        self.steps = taken
        return update


class StepsCountedFromTwo(Reference):
    """Counts the step before it corrects the bias, and once too often."""

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
    """Lets 1 % of the negative side through."""

    def activation(self, h):
        return np.where(h > 0, h, 0.01 * h)

    def activation_gradient(self, h, a):
        return np.where(h > 0, 1.0, 0.01)


class SumLoss(Reference):
    """Sums the loss over the batch."""

    def loss(self, logits, y):
        return super().loss(logits, y) * len(y)

    def backward(self, logits, y, tape):
        return {name: g * len(y) for name, g in super().backward(logits, y, tape).items()}


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


LIARS = {
    "arrays_survive": [RoundsToFloat32, DropsGivenStatistics],
    "arrays_are_copies": [DumpsLiveArrays, TrainsGivenArrays],
    "forward": [LeakyRelu, BatchStatisticsInTest, NoEpsilonInTest],
    "test_mode_uses_running_statistics": [DropsGivenStatistics, FirstStatisticsInTest, BatchStatisticsInTest],
    "gradients": [GradientPastTheStatistics, GradientPastTheMean, GradientPastTheVariance, SumLoss],
    "losses": [SumLoss, LossAfterTheStep, OrderIgnored],
    "updates": [NoBiasCorrection, EpsilonHatUndeclared, WeightDecay, GammaNotTrained],
    "running_statistics": [BesselUndeclared, SwappedRunningDecay],
    "test_mode": [FirstStatisticsInTest, OutputBiasIgnored],
    "large_logits": [UnshiftedSoftmax, ClippedProbabilities],
    "steps_add_up": [CountsCallsAsSteps],
    "rows_are_independent": [BatchStatisticsInTest],
    "predict_changes_nothing": [PredictMovesStatistics],
    "gradients_change_nothing": [GradientsMoveStatistics, GradientsCountAsStep],
    "load_forgets": [StaleMoments, StaleStepCount],
    "softmax_example": [SoftmaxOfBaseTwo],
    "wait_waits": [WaitReturnsAtOnce],
}
"""Each check, and those that it must not let pass."""

MUTANTS = [
    AdamEpsilonInside,
    BatchNormEpsilonOffByOnePercent,
    BatchNormEpsilonOutside,
    BatchStatisticsInTest,
    BesselUndeclared,
    ClippedGradients,
    ClippedProbabilities,
    CountsCallsAsSteps,
    EpsilonHatUndeclared,
    FirstStatisticsInTest,
    Float32Inside,
    GammaNotTrained,
    GradientPastTheMean,
    GradientPastTheStatistics,
    GradientPastTheVariance,
    LabelsOffByOne,
    LastRowDropped,
    LeakyRelu,
    LearningRateOffByOnePercent,
    LossAfterTheStep,
    NoBiasCorrection,
    NoEpsilonInTest,
    OrderIgnored,
    OutputBiasIgnored,
    SoftmaxOfBaseTwo,
    StaleMoments,
    StaleStepCount,
    StepsCountedFromTwo,
    SumLoss,
    SwappedDecays,
    SwappedRunningDecay,
    UnbiasedEverywhere,
    UnshiftedSoftmax,
    WeightDecay,
    WrongAdamEpsilon,
    WrongBeta2,
    WrongRunningDecay,
]
"""Mutants of the oracle, of which none may conform."""


def undeclared(convention, value):
    """Return a backend that follows this value of a convention, and does not say so."""

    class Undeclared(Reference):
        def __init__(self, spec, device="cpu", variant=None):
            super().__init__(spec, conventions={convention: value})

    return Undeclared


DEPARTURES = [(convention, value) for convention, values in CONVENTIONS.items() for value in values[1:]]
"""Every convention that departs from the common spec's own."""
