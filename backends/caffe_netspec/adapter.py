"""Caffe's side of the contract: arrays in, arrays out."""

import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of names that NumPy and SciPy have since deprecated
    import caffe

from . import model

KNOWN_FAILURES = [
    {
        "reason": "SoftmaxWithLoss raises every probability to the smallest normal number: a loss is at most 87.",
        "checks": ["large_logits"],
        "max_floors": 4e7,
    },
    {
        "reason": "Caffe keeps weighted sums of the statistics, not averages: an average that is loaded is rounded.",
        "checks": ["arrays_survive"],
        "batch_norm": True,
    },
]


class Backend:
    """The common network in Caffe: a solver's step for each batch."""

    conventions = {
        "running_variance": "unbiased",
        "adam": "epsilon-hat",
        "momentum": "sum",
        "rmsprop_constants": "float32",
    }
    variants = ("solver",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("this build of Caffe computes on the cpu, got device %r" % device)
        if spec.dtype != "float32":
            raise ValueError("Caffe's Python interface is built for float32, got dtype = %r" % spec.dtype)
        self.spec = s = spec
        caffe.set_mode_cpu()
        self.net = model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, s.batch_size)

    def leaf(self, name):
        """Return the layer and the number of the blob that hold an array; those of the statistics are sums."""
        layer, leaf = name.split("/")
        if leaf in ("gamma", "beta"):
            layer = layer.replace("norm", "scale")
        return layer, {"kernel": 0, "bias": 1, "gamma": 0, "beta": 1}[leaf]

    def blob(self, name):
        layer, number = self.leaf(name)
        return self.solver.net.params[layer][number]

    def load(self, arrays):
        self.names, s = list(arrays), self.spec
        self.solver = model.solver(self.net, s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        self.test = model.tester(self.net, self.solver)
        self.put_arrays(arrays)

    def put_arrays(self, arrays):
        for name, array in arrays.items():
            if "running" not in name:
                self.blob(name).data[...] = array.T
            elif name.endswith("running_mean"):
                layer = name.split("/")[0]
                var = arrays["%s/running_var" % layer]
                model.set_statistics(self.solver.net, layer, array, var, self.spec.bn_decay)

    def dump(self):
        return {name: self.host(name) for name in self.names}

    def host(self, name):
        if "running" in name:
            mean, var = model.get_statistics(self.solver.net, name.split("/")[0])
            return mean if name.endswith("mean") else var
        return self.blob(name).data.T.copy()

    def put(self, x, y):
        self.x, self.y = x, y.astype(np.float32)

    def train(self, order):
        model.resize(self.solver.net, order.shape[1])
        return model.train(self.solver, self.x, self.y, order)

    def wait(self):
        """Caffe has finished when a call returns."""

    def gradients(self, x, y):
        net = self.solver.net
        statistics = [(blob, blob.data.copy()) for name in net.params if "norm" in name for blob in net.params[name]]
        model.gradients(net, x, y)
        found = {name: self.blob(name).diff.T.copy() for name in self.names if "running" not in name}
        for blob, before in statistics:  # training mode moved the running statistics
            blob.data[...] = before
        return found

    def predict(self, x):
        return model.predict(self.test, x).copy()

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, self.solver.net, x, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.solver, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.solver, folder)

    def versions(self):
        return {"caffe": caffe.__version__, "numpy": np.__version__}
