"""Caffe2's side of the contract: arrays in, arrays out."""

from importlib.metadata import version

import numpy as np
from caffe2.python import workspace

from . import model

BLOBS = {"kernel": "w", "bias": "b", "gamma": "s", "beta": "b", "running_mean": "rm", "running_var": "riv"}


def int32(labels):
    """Return labels as the int32 that Caffe2 wants; what is no integer is Caffe2's to judge."""
    return labels.astype(np.int32) if labels.dtype == np.int64 else labels


class Backend:
    """The common network in Caffe2: a net that is run for each batch."""

    conventions = {"running_variance": "unbiased", "adam": "epsilon-hat", "momentum": "sum", "rmsprop": "inside"}
    variants = ("nets",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("this build of Caffe2 computes on the cpu, got device %r" % device)
        if spec.dtype != "float32":
            raise ValueError("Caffe2's operators are for float32, got dtype = %r" % spec.dtype)
        s = spec
        self.nets = model.models(
            s.sizes,
            s.optimiser,
            {"learning_rate": s.learning_rate, "beta1": s.beta1, "beta2": s.beta2, "epsilon": s.epsilon},
            activation=s.activation,
            batch_norm=s.batch_norm,
            bn_epsilon=s.bn_epsilon,
            bn_decay=s.bn_decay,
        )

    def blob(self, name):
        layer, leaf = name.split("/")
        return "%s_%s" % (layer, BLOBS[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        model.start(self.nets[0])
        for name, array in arrays.items():
            workspace.FeedBlob(self.blob(name), np.ascontiguousarray(array.T))

    def host(self, blob):
        return workspace.FetchBlob(blob).T.copy()

    def dump(self):
        return {name: self.host(self.blob(name)) for name in self.names}

    def put(self, x, y):
        self.x, self.y = x, int32(y)

    def train(self, order):
        return model.train(self.nets[0], self.x, self.y, order)

    def wait(self):
        """Caffe2 has finished when a call returns."""

    def gradients(self, x, y):
        statistics = {self.blob(name) for name in self.names if "running" in name}
        before = {blob: workspace.FetchBlob(blob) for blob in statistics}
        model.run(self.nets[1], x, int32(y))
        for blob, array in before.items():  # training mode moved the running statistics
            workspace.FeedBlob(blob, array)
        return {name: self.host(self.blob(name) + "_grad") for name in self.names if "running" not in name}

    def predict(self, x):
        model.run(self.nets[2], x, np.zeros(len(x), np.int32))
        return workspace.FetchBlob("probabilities")

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.nets[2], x, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.nets[0], folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.nets[0], folder)

    def versions(self):
        return {"caffe2 (in torch)": version("torch"), "numpy": np.__version__}
