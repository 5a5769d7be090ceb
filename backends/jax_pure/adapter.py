"""JAX's side of the contract: arrays in, arrays out."""

import functools

import jax
import jaxlib
import numpy as np

from . import model, model_idiomatic


def place(name):
    """Return kind, layer and leaf: norm1/running_mean is ("running", 1, "mean")."""
    layer, leaf = name.split("/")
    kind = layer.rstrip("0123456789")
    number = int(layer[len(kind) :])
    if leaf.startswith("running_"):
        return "running", number, leaf[len("running_") :]
    return kind, number, leaf


def find(params, averages, name):
    kind, number, leaf = place(name)
    return averages[number][leaf] if kind == "running" else params[number][kind][leaf]


class Backend:
    """The common network in JAX: a compiled call a step, or one scan for the whole of `train`."""

    conventions = {}
    variants = ("step", "scan", "idiomatic")

    def __init__(self, spec, device="cpu", variant=None):
        jax.config.update("jax_enable_x64", spec.dtype == "float64")
        self.device = jax.devices(device)[0]
        self.network = {
            "activation": spec.activation,
            "bn_epsilon": spec.bn_epsilon,
            "bn_decay": spec.bn_decay,
        }
        self.spec, self.variant = spec, variant or "step"
        self.model = model_idiomatic if variant == "idiomatic" else model
        self.set_learning_rate(spec.learning_rate)
        self.compute = jax.jit(jax.grad(functools.partial(self.model.loss_of, **self.network), has_aux=True))

    def set_learning_rate(self, learning_rate):
        self.learning_rate = learning_rate
        constants = {
            "learning_rate": learning_rate,
            "beta1": self.spec.beta1,
            "beta2": self.spec.beta2,
            "epsilon": self.spec.epsilon,
        }
        trained = self.model.trainer(self.network, self.spec.optimiser, constants)
        self.train_state = trained if self.variant == "idiomatic" else trained[self.variant]

    def device_array(self, array):
        return jax.device_put(np.array(array), self.device)

    def load(self, arrays):
        self.names = list(arrays)
        places = [place(name) for name in arrays]
        params = [{} for _ in range(1 + max(number for _, number, _ in places))]
        averages = [{} for _ in params[:-1]]
        for (kind, number, leaf), array in zip(places, arrays.values()):
            home = averages[number] if kind == "running" else params[number].setdefault(kind, {})
            home[leaf] = self.device_array(array)
        # Committed to the device, as what a compiled call returns is: or the second call would compile once more.
        self.state = jax.device_put(self.model.begin(params, averages), self.device)
        if self.learning_rate != self.spec.learning_rate:
            self.set_learning_rate(self.spec.learning_rate)

    def dump(self):
        params, averages, _ = self.state
        return {name: np.array(find(params, averages, name)) for name in self.names}

    def put(self, x, y):
        self.x, self.y = self.device_array(x), self.device_array(y)
        jax.block_until_ready((self.x, self.y))

    def train(self, order):
        self.state, losses = self.train_state(self.state, self.x, self.y, order)
        return losses

    def wait(self):
        jax.block_until_ready(self.state)

    def gradients(self, x, y):
        params, averages, _ = self.state
        grads, _ = self.compute(params, averages, self.device_array(x), self.device_array(y))
        return {name: np.array(find(grads, None, name)) for name in self.names if "running" not in name}

    def predict(self, x):
        params, averages, _ = self.state
        return np.array(self.model.predict(params, averages, self.device_array(x), **self.network))

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        params, averages, _ = self.state
        getattr(export, path)(params, averages, self.network, x, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.state, folder)

    def restore(self, folder):
        from . import checkpoint

        self.state = jax.device_put(checkpoint.restore(self.state, folder), self.device)

    def versions(self):
        return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}
