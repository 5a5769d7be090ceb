"""tinygrad's side of the contract: arrays in, arrays out."""

import inspect
import os
from importlib.metadata import version

import numpy as np
from tinygrad import Context, Device, Tensor, nn
from tinygrad.helpers import DEFAULT_FLOAT

from . import model

LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
}
LEAVES_OF = {"dense": ("kernel", "bias"), "norm": ("gamma", "beta", "running_mean", "running_var")}

NORM = {"bn_epsilon": "eps", "bn_decay": "momentum"}
"""What tinygrad calls the fields of the spec that it has a default for; not the optimisers', as RMSprop is ours."""


class Lazy:
    """Losses that become a NumPy array when they are asked to: after the clock has stopped."""

    def __init__(self, losses):
        self.losses = losses

    def __array__(self, dtype=None, copy=None):
        return Tensor.stack(*self.losses).numpy()


def named(layers):
    """Return {dense0: a Linear, norm0: a BatchNorm, ...} of the layers of a network."""
    kinds = {"dense": nn.Linear, "norm": nn.BatchNorm}
    found = {kind: [layer for layer in layers if isinstance(layer, type)] for kind, type in kinds.items()}
    return {"%s%d" % (kind, i): layer for kind, those in found.items() for i, layer in enumerate(those)}


def write(tensor, array):
    """Copy an array into a tensor, in place: what TinyJit has captured reads it there."""
    tensor.assign(Tensor(np.array(array))).realize()


class Backend:
    """The common network in tinygrad on the CPU, captured by TinyJit or eager."""

    conventions = {"running_variance": "unbiased", "momentum": "sum", "adam_bias_correction": "float32-product"}
    variants = ("jit", "eager")
    defaults = ("bn_decay", "bn_epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        DEFAULT_FLOAT.value = spec.dtype
        os.environ["OPTIM_DTYPE"] = spec.dtype  # the state of tinygrad's optimisers is float32 otherwise
        self.spec = spec
        self.step_on = model.STEPS[variant or "jit"]
        self.net = self.network()
        self.layers = named(self.net.layers)
        s = self.spec
        self.optimiser = model.optimiser(self.net, s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        self.untrained = [(tensor, tensor.numpy().copy()) for tensor in self.state()]
        self.steps = {}

    def state(self):
        """Return the tensors of the optimiser that are not the network's: its averages, and the learning rate."""
        network = {id(tensor) for tensor in nn.state.get_parameters(self.net)}
        return [tensor for tensor in nn.state.get_parameters(self.optimiser) if id(tensor) not in network]

    def network(self):
        """Build the network; what the spec leaves open is what nn.BatchNorm takes when it is not told."""
        s = self.spec
        told = [0.5 if value is None else value for value in (s.bn_epsilon, s.bn_decay)]
        net = model.Network(s.sizes, s.activation, s.batch_norm, *told)
        parameters = inspect.signature(nn.BatchNorm).parameters
        for layer in net.layers:
            for field, argument in NORM.items():
                if isinstance(layer, nn.BatchNorm) and getattr(s, field) is None:
                    setattr(layer, argument, parameters[argument].default)
        return net

    def settings(self):
        if "norm0" not in self.layers:
            return {}
        norm = self.layers["norm0"]
        return {field: "%s=%g" % (argument, getattr(norm, argument)) for field, argument in NORM.items()}

    def initial(self, seed):
        Tensor.manual_seed(seed)
        arrays = {}
        for name, layer in named(self.network().layers).items():
            for leaf in LEAVES_OF[name.rstrip("0123456789")]:
                value = getattr(layer, LEAVES[leaf])
                if value is not None:
                    arrays["%s/%s" % (name, leaf)] = self.host(leaf, value)
        return arrays

    def host(self, leaf, tensor):
        array = tensor.numpy()
        return (array.T if leaf == "kernel" else array).copy()

    def tensor(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            write(self.tensor(name), array.T if name.endswith("kernel") else array)
        for tensor, array in self.untrained:
            write(tensor, array)

    def dump(self):
        return {name: self.host(name.split("/")[1], self.tensor(name)) for name in self.names}

    def put(self, x, y):
        self.x, self.y = Tensor(x).realize(), Tensor(y).realize()
        self.wait()

    def step_of(self, rows):
        """Return the step on batches of so many rows.

        A step that TinyJit has captured holds for one size; of an input with one dimension, such as the numbers of the
        rows, tinygrad 0.14 does not notice another size, and replays the old one.
        """
        if rows not in self.steps:
            self.steps[rows] = self.step_on(self.net, self.optimiser)
        return self.steps[rows]

    def train(self, order):
        step = self.step_of(order.shape[1])
        return Lazy(model.train(step, self.x, self.y, [Tensor(rows).realize() for rows in order]))

    def set_learning_rate(self, learning_rate):
        write(self.optimiser.lr, np.array([learning_rate], self.spec.dtype))

    def wait(self):
        Device[Device.DEFAULT].synchronize()

    def gradients(self, x, y):
        before = {name: self.tensor(name).numpy().copy() for name in self.names if "running" in name}
        parameters = [name for name in self.names if name not in before]
        with Context(TRAINING=1):
            loss = model.loss_of(self.net, Tensor(x), Tensor(y))
            gradients = loss.gradient(*[self.tensor(name) for name in parameters])
        result = {name: self.host(name.split("/")[1], g) for name, g in zip(parameters, gradients)}
        for name, array in before.items():  # training mode moved the running statistics
            write(self.tensor(name), array)
        return result

    def predict(self, x):
        return model.predict(self.net, Tensor(x)).numpy()

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
        return {"tinygrad": version("tinygrad"), "device": Device.DEFAULT}
