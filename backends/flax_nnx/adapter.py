"""Flax NNX's side of the contract: arrays in, arrays out."""

import inspect

import flax
import jax
import jaxlib
import numpy as np
import optax
from flax import nnx

from . import model

LEAVES = {
    "kernel": "kernel",
    "bias": "bias",
    "gamma": "scale",
    "beta": "bias",
    "running_mean": "mean",
    "running_var": "var",
}
LEAVES_OF = {"dense": ("kernel", "bias"), "norm": ("gamma", "beta", "running_mean", "running_var")}


OPTIMISERS = {
    "sgd": (optax.sgd, {}),
    "momentum": (optax.sgd, {"beta1": "momentum"}),
    "rmsprop": (optax.rmsprop, {"beta2": "decay", "epsilon": "eps"}),
    "adam": (optax.adam, {"beta1": "b1", "beta2": "b2", "epsilon": "eps"}),
}
"""What Optax calls the fields of the spec that it has a default for: it has none for a learning rate."""
NORM = {"bn_epsilon": "epsilon", "bn_decay": "momentum"}


def own_defaults(function, arguments):
    """Return {field: the default of Optax, or of Flax}."""
    parameters = inspect.signature(function).parameters
    return {field: parameters[argument].default for field, argument in arguments.items()}


def places(layers):
    """Return {dense0: 0, norm0: 1, ...}: where the layers that have arrays stand among the layers of a network."""
    dense = [i for i, layer in enumerate(layers) if isinstance(layer, nnx.Linear)]
    norm = [i for i, layer in enumerate(layers) if isinstance(layer, nnx.BatchNorm)]
    kinds = (("dense", dense), ("norm", norm))
    return {"%s%d" % (kind, number): place for kind, found in kinds for number, place in enumerate(found)}


class Backend:
    """The common network in Flax NNX: a compiled call a step, the same with its graph cached, or one scan."""

    conventions = {"momentum": "sum"}
    variants = ("step", "cached", "scan")
    defaults = ("beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        jax.config.update("jax_enable_x64", spec.dtype == "float64")
        self.device = jax.devices(device)[0]
        own = {}
        if None in spec:
            own = own_defaults(*OPTIMISERS[spec.optimiser])
            own.update(own_defaults(nnx.BatchNorm.__init__, NORM))
        s = spec._replace(**{field: value for field, value in own.items() if getattr(spec, field) is None})
        self.spec = s
        self.net = self.network()
        self.places = places(self.net.layers)
        self.optimiser = model.optimiser(self.net, s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        # Committed to the device, as what a compiled call returns is: or the second call would compile once more.
        self.untrained = jax.device_put(nnx.state(self.optimiser), self.device)
        self.train_on = model.TRAIN[variant or "step"]

    def network(self, seed=0):
        s = self.spec
        return model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, s.dtype, seed)

    def settings(self):
        arguments = dict(OPTIMISERS[self.spec.optimiser][1], **(NORM if self.spec.batch_norm else {}))
        return {field: "%s=%s" % (argument, getattr(self.spec, field)) for field, argument in arguments.items()}

    def initial(self, seed):
        net, arrays = self.network(seed), {}
        for layer, place in self.places.items():
            for leaf in LEAVES_OF[layer.rstrip("0123456789")]:
                value = getattr(net.layers[place], LEAVES[leaf])
                if value is not None:
                    arrays["%s/%s" % (layer, leaf)] = np.array(value[...])
        return arrays

    def device_array(self, array):
        return jax.device_put(np.array(array), self.device)

    def variable(self, name):
        layer, leaf = name.split("/")
        return getattr(self.net.layers[self.places[layer]], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.variable(name)[...] = self.device_array(array)
        nnx.update(self.optimiser, self.untrained)

    def dump(self):
        return {name: np.array(self.variable(name)[...]) for name in self.names}

    def put(self, x, y):
        self.x, self.y = self.device_array(x), self.device_array(y)
        jax.block_until_ready((self.x, self.y))

    def train(self, order):
        return self.train_on(self.net, self.optimiser, self.x, self.y, order)

    def wait(self):
        jax.block_until_ready(nnx.state((self.net, self.optimiser)))

    def gradients(self, x, y):
        copy = nnx.clone(self.net)  # training mode moves the running statistics
        copy.train()
        grads = model.gradients_of(copy, self.device_array(x), self.device_array(y))
        return {name: self.gradient(grads, name) for name in self.names if "running" not in name}

    def gradient(self, grads, name):
        layer, leaf = name.split("/")
        return np.array(grads["layers"][self.places[layer]][LEAVES[leaf]][...])

    def predict(self, x):
        return np.array(model.predict(self.net, self.device_array(x)))

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, self.spec, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.optimiser, folder)

    def versions(self):
        return {
            "flax": flax.__version__,
            "optax": optax.__version__,
            "jax": jax.__version__,
            "jaxlib": jaxlib.__version__,
        }
