"""Lasagne's side of the contract: arrays in, arrays out."""

import logging
import os
import sys
from functools import cached_property

import numpy as np

os.environ["THEANO_FLAGS"] = ",".join(
    (
        # What it compiles stays with the environment that compiled it, not in the user's home.
        "base_compiledir=" + os.path.join(sys.prefix, "theano"),
        # pip brings no BLAS to link with. Empty, as the documentation has it, leaves the products to NumPy.
        "blas.ldflags=",
        # Processes that compile take turns: one that waits looks again after a second or two, not five or ten, and does
        # not take the turn of one that is slow.
        "compile.wait=1",
        "compile.timeout=3600",
        # What a step computes on its way keeps its memory for the next step.
        "allow_gc=False",
    )
)
import theano  # it reads its flags when it is imported

from . import model

# That another process compiles, and this one waits, says nothing of what the user wrote.
logging.getLogger("theano.gof.compilelock").setLevel(logging.WARNING)

lasagne = model.lasagne

LEAVES = {"kernel": "W", "bias": "b"}

SIGMOID = {
    "reason": "Theano's sigmoid is exactly 1 above 19 in float64, where it should still be 6e-9 less.",
    "activation": "sigmoid",
    "batch_norm": False,
    "optimiser": "momentum",
    "dtype": "float64",
    "checks": ["losses", "updates", "test_mode"],
    "max_floors": 1e9,
}
HALF = "rectify is 0.5 * (x + abs(x)), whose derivative at 0 is 0.5 in Theano."

KNOWN_FAILURES = [
    SIGMOID,
    {"reason": HALF, "checks": ["activation_at_zero"], "max_floors": 4e7, "activation": "relu", "dtype": "float32"},
    {"reason": HALF, "checks": ["activation_at_zero"], "max_floors": 2e17, "activation": "relu", "dtype": "float64"},
]


class Backend:
    """The common network in Lasagne: a compiled function, called for each step."""

    conventions = {
        "running_variance": "unbiased",
        "adam": "epsilon-hat",
        "momentum": "sum",
        "rmsprop": "inside",
    }
    variants = ("function",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("Theano computes on the cpu here, got device %r" % device)
        theano.config.floatX = spec.dtype
        self.spec = spec
        self.net = model.network(spec.sizes, spec.activation, spec.batch_norm, spec.bn_epsilon, spec.bn_decay)
        layers = lasagne.layers.get_all_layers(self.net)
        dense = [layer for layer in layers if isinstance(layer, lasagne.layers.DenseLayer)]
        norm = [layer for layer in layers if isinstance(layer, model.BatchNormLayer)]
        self.layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        self.layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})
        self.x = theano.shared(np.zeros((1, spec.sizes[0]), spec.dtype))
        self.y = theano.shared(np.zeros(1, np.int64))

    # To compile takes seconds: each is compiled when it is first called.

    @cached_property
    def trainer(self):
        """The function that trains, and the optimiser's state."""
        s = self.spec
        constants = {"learning_rate": s.learning_rate, "beta1": s.beta1, "beta2": s.beta2, "epsilon": s.epsilon}
        return model.trainer(self.net, self.x, self.y, s.optimiser, **constants)

    @cached_property
    def compute(self):
        """The function of a batch's gradients."""
        return model.gradients(self.net)

    @cached_property
    def probabilities(self):
        """The function of the probabilities of rows."""
        return model.predictor(self.net)

    def variable(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES.get(leaf, leaf))

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
        return model.train(self.trainer[0], order)

    def wait(self):
        """Theano's functions return when they have computed."""

    def gradients(self, x, y):
        found = dict(zip(lasagne.layers.get_all_params(self.net, trainable=True), self.compute(x, y)))
        return {name: np.array(found[self.variable(name)]) for name in self.names if "running" not in name}

    def predict(self, x):
        return self.probabilities(x)

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, self.spec, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.trainer[1], folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.trainer[1], folder)

    def versions(self):
        return {"lasagne": lasagne.__version__, "theano": theano.__version__, "numpy": np.__version__}
