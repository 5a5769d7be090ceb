"""Wrong backends, one or more for every check: those that break the contract, and mutants of the oracle."""

import threading

import numpy as np
from bakeoff.measures.agreement.mutants import (
    BatchStatisticsInTest,
    CallsCountedAsSteps,
    ClippedProbabilities,
    FirstStatisticsInTest,
    GammaNotTrained,
    GradientPastTheMean,
    GradientPastTheStatistics,
    GradientPastTheVariance,
    LeakyRelu,
    LossAfterTheStep,
    NoBiasCorrection,
    NoEpsilonInTest,
    OrderIgnored,
    OutputBiasIgnored,
    ReluSlopeOfAHalf,
    SoftmaxOfBaseTwo,
    StaleMoments,
    StaleStepCount,
    SumLoss,
    SwappedRunningDecay,
    UnshiftedSoftmax,
    WeightDecay,
    undeclared,
)
from bakeoff.portable.reference import Reference


class BatchStatisticsOfManyRows(Reference):
    """Predicts with the batch's own statistics above 100 rows."""

    def test_logits(self, x):
        return self.forward(x)[0] if len(x) > 100 else super().test_logits(x)


class GradientsOfManyRowsSummed(Reference):
    """Sums the gradient over the rows, where it has more than 100, in place of the mean."""

    def gradients(self, x, y):
        factor = len(x) if len(x) > 100 else 1
        return {name: factor * gradient for name, gradient in super().gradients(x, y).items()}


class LongCallsCutShort(Reference):
    """Takes at most 50 steps a call."""

    def train(self, order):
        losses = super().train(order[:50])
        return np.resize(losses, len(order))


class InPlace(dict):
    """Arrays that are written to in place, as most frameworks write to their parameters."""

    def __setitem__(self, name, array):
        self[name][...] = array


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


LIARS = {
    "arrays_survive": [RoundsToFloat32, DropsGivenStatistics],
    "arrays_are_copies": [DumpsLiveArrays, TrainsGivenArrays],
    "forward": [LeakyRelu, BatchStatisticsInTest, NoEpsilonInTest],
    "test_mode_uses_running_statistics": [DropsGivenStatistics, FirstStatisticsInTest, BatchStatisticsInTest],
    "gradients": [GradientPastTheStatistics, GradientPastTheMean, GradientPastTheVariance, SumLoss],
    "losses": [SumLoss, LossAfterTheStep, OrderIgnored],
    "updates": [NoBiasCorrection, undeclared("adam", "epsilon-hat"), WeightDecay, GammaNotTrained],
    "running_statistics": [undeclared("running_variance", "unbiased"), SwappedRunningDecay],
    "test_mode": [FirstStatisticsInTest, OutputBiasIgnored],
    "activation_at_zero": [ReluSlopeOfAHalf],
    "large_logits": [UnshiftedSoftmax, ClippedProbabilities],
    "steps_add_up": [CallsCountedAsSteps],
    "rows_are_independent": [BatchStatisticsInTest],
    "predict_changes_nothing": [PredictMovesStatistics],
    "gradients_change_nothing": [GradientsMoveStatistics, GradientsCountAsStep],
    "load_forgets": [StaleMoments, StaleStepCount],
    "predict_sizes": [BatchStatisticsOfManyRows],
    "gradient_sizes": [GradientsOfManyRowsSummed],
    "train_sizes": [LongCallsCutShort],
    "softmax_example": [SoftmaxOfBaseTwo],
    "wait_waits": [WaitReturnsAtOnce],
}
"""Each check, and those that it must not let pass."""
