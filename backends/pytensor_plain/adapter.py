"""PyTensor's side of the contract: arrays in, arrays out."""

import os
import sys
from functools import cached_property

import numpy as np

os.environ["PYTENSOR_FLAGS"] = ",".join(
    (
        # What it compiles stays with the environment that compiled it, not in the user's home.
        "base_compiledir=" + os.path.join(sys.prefix, "pytensor"),
        # pip brings no BLAS to link with. Empty, as the documentation has it, leaves C mode's products to NumPy.
        "blas__ldflags=",
        # With it, the process that compiles gets other bits than one that finds the compiled code; it was no faster.
        "numba__fastmath=False",
        # In C mode what a step computes on its way keeps its memory for the next step.
        "allow_gc=False",
    )
)
import pytensor  # it reads its flags when it is imported

from . import model


class Backend:
    """The common network in PyTensor: a function a step, compiled through C or Numba, or one scan for all the steps."""

    conventions = {}
    variants = ("c", "numba", "numba_scan")

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("PyTensor computes on the cpu, got device %r" % device)
        pytensor.config.floatX = spec.dtype
        # Not an argument of the functions: what they call, such as softmax, is compiled by a function of its own.
        pytensor.config.mode = "NUMBA" if variant in ("numba", "numba_scan") else "CVM"
        self.compiled = model.by_scan if variant == "numba_scan" else model.by_step
        self.spec = spec
        self.layers = model.network(spec.sizes, spec.batch_norm)
        self.hyper = {
            "activation": spec.activation,
            "bn_epsilon": spec.bn_epsilon,
            "bn_decay": spec.bn_decay,
        }
        self.x = pytensor.shared(np.zeros((1, spec.sizes[0]), spec.dtype))
        self.y = pytensor.shared(np.zeros(1, np.int64))

    # To compile takes seconds: each is compiled when it is first called.

    @cached_property
    def trainer(self):
        """The function that trains, and the optimiser's state."""
        s = self.spec
        constants = {"learning_rate": s.learning_rate, "beta1": s.beta1, "beta2": s.beta2, "epsilon": s.epsilon}
        return model.trainer(self.layers, self.x, self.y, s.optimiser, constants, self.compiled, **self.hyper)

    @cached_property
    def compute(self):
        """The function of a batch's gradients."""
        return model.gradients(self.layers, **self.hyper)

    @cached_property
    def probabilities(self):
        """The function of the probabilities of rows."""
        return model.predictor(self.layers, **self.hyper)

    def variable(self, name):
        layer, leaf = name.split("/")
        return self.layers[int(layer.lstrip("densorm"))][leaf]

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.variable(name).set_value(array)
        for variable in self.trainer[1] if "trainer" in vars(self) else ():
            variable.set_value(np.zeros_like(variable.get_value(borrow=True)))

    def dump(self):
        return {name: self.variable(name).get_value() for name in self.names}

    def put(self, x, y):
        self.x.set_value(x)
        self.y.set_value(y)

    def train(self, order):
        return self.trainer[0](order)

    def wait(self):
        """PyTensor's functions return when they have computed."""

    def gradients(self, x, y):
        found = dict(zip(model.trained(self.layers), self.compute(x, y)))
        return {name: np.array(found[self.variable(name)]) for name in self.names if "running" not in name}

    def predict(self, x):
        return self.probabilities(x)

    def versions(self):
        return {"pytensor": pytensor.__version__, "numpy": np.__version__}
