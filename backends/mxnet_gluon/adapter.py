"""MXNet's side of the contract: arrays in, arrays out."""

import mxnet as mx
import numpy as np

from . import model

LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "running_mean",
    "running_var": "running_var",
}

SINGLE = (
    "The learning rate and the decays are single-precision attributes of MXNet's operators, whatever the arrays' dtype."
)

KNOWN_FAILURES = [
    {
        "reason": SINGLE,
        "checks": ["updates", "losses", "test_mode", "steps_add_up", "running_statistics", "train_sizes"],
        "max_floors": 1e13,
        "dtype": "float64",
    },
    {"reason": SINGLE, "checks": ["large_logits"], "max_floors": 1e11, "dtype": "float64", "optimiser": "adam"},
]


class OnTheDevice:
    """The losses of some steps, brought to the host when NumPy asks for them."""

    def __init__(self, losses):
        self.losses = losses

    def __array__(self, dtype=None, copy=None):
        return np.concatenate([loss.asnumpy() for loss in self.losses])


class Backend:
    """The common network in Gluon: operation by operation, or hybridized."""

    conventions = {"adam": "epsilon-hat", "momentum": "sum", "rmsprop": "inside"}
    variants = ("imperative", "hybridized")

    def __init__(self, spec, device="cpu", variant=None):
        if spec.optimiser == "rmsprop" and spec.dtype == "float64":
            raise ValueError("MXNet's RMSProp keeps its averages in float32, got float64 arrays")
        self.spec = spec
        self.ctx = mx.gpu() if device == "cuda" else mx.cpu()
        self.net = self.network()
        if variant == "hybridized":
            self.net.hybridize(static_alloc=True, static_shape=True)
        dense = [layer for layer in self.net if isinstance(layer, mx.gluon.nn.Dense)]
        norm = [layer for layer in self.net if isinstance(layer, mx.gluon.nn.BatchNorm)]
        self.layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        self.layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})

    def network(self):
        s = self.spec
        net = model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay)
        net.cast(s.dtype)
        net.initialize(ctx=self.ctx)
        return net

    def array(self, values):
        return mx.nd.array(values, ctx=self.ctx, dtype=values.dtype)

    def parameter(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            value = array.T if name.endswith("kernel") else array
            self.parameter(name).set_data(self.array(value))
        s = self.spec
        self.optimiser = model.optimiser(
            s.optimiser, self.net.collect_params(), s.learning_rate, s.beta1, s.beta2, s.epsilon
        )

    def dump(self):
        return {name: self.host(name, self.parameter(name).data()) for name in self.names}

    def host(self, name, tensor):
        array = tensor.asnumpy()
        return array.T.copy() if name.endswith("kernel") else array

    def put(self, x, y):
        self.x, self.y = self.array(x), self.array(y)
        mx.nd.waitall()

    def train(self, order):
        return OnTheDevice(model.train(self.net, self.optimiser, self.x, self.y, self.array(order)))

    def wait(self):
        mx.nd.waitall()

    def gradients(self, x, y):
        before = self.dump()
        model.gradients(self.net, self.array(x), self.array(y))
        found = {name: self.host(name, self.parameter(name).grad()) for name in self.names if "running" not in name}
        for name in self.names:  # training mode moved the running statistics
            if "running" in name:
                self.parameter(name).set_data(self.array(before[name]))
        return found

    def predict(self, x):
        return model.predict(self.net, self.array(x)).asnumpy()

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, self.array(x), folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.optimiser, folder)

    def versions(self):
        return {"mxnet": mx.__version__, "numpy": np.__version__}
