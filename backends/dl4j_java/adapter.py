"""Deeplearning4j's side of the contract: arrays in, arrays out, by way of a Java virtual machine in this process."""

import itertools
import os
import subprocess
import sys
import tempfile

import jpype
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
BUILT = os.path.join(sys.prefix, "maven")
LIBRARIES = os.path.join(BUILT, "lib", "*")


def read(path):
    with open(path) as file:
        return file.read()


def classes():
    """Return the folder of the compiled model; compile it now where Model.java differs from that of the set-up."""
    source = os.path.join(HERE, "Model.java")
    if read(source) == read(os.path.join(BUILT, "Model.java")):
        return os.path.join(BUILT, "target", "classes")
    folder = tempfile.mkdtemp(prefix="dl4j-")
    subprocess.run(["javac", "-d", folder, "-cp", LIBRARIES, source], check=True)
    return folder


jpype.startJVM(
    # What it unpacks from its libraries stays with the environment, not in the user's home.
    "-Dorg.bytedeco.javacpp.cachedir=" + os.path.join(BUILT, "javacpp"),
    classpath=[classes(), LIBRARIES],
)

Model = jpype.JClass("Model")
Nd4j = jpype.JClass("org.nd4j.linalg.factory.Nd4j")

LEAVES = {"kernel": "W", "bias": "b", "gamma": "gamma", "beta": "beta", "running_mean": "mean", "running_var": "var"}

MCXENT = "MCXENT raises every probability of a softmax to 1e-10: a loss is at most 23."
KNOWN_FAILURES = [
    {"reason": MCXENT, "checks": ["large_logits"], "max_floors": 4e7, "dtype": "float32"},
    {"reason": MCXENT, "checks": ["large_logits"], "max_floors": 2e16, "dtype": "float64"},
]


class Backend:
    """The common network in Deeplearning4j: a MultiLayerNetwork in Java, fitted to one batch after the other."""

    conventions = {"adam": "epsilon-hat", "momentum": "nesterov-sum", "rmsprop": "outside-from-epsilon"}
    variants = ("fit",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("these libraries of Deeplearning4j compute on the cpu, got device %r" % device)
        self.spec = spec
        self.double = spec.dtype == "float64"

    def ndarray(self, array):
        flat = np.ascontiguousarray(array).ravel()
        data = jpype.JArray(jpype.JDouble if self.double else jpype.JFloat)(flat)
        return Nd4j.create(data, jpype.JArray(jpype.JInt)(list(array.shape)))

    def host(self, ndarray, shape):
        data = ndarray.dup("c").data()
        return np.array(data.asDouble() if self.double else data.asFloat(), self.spec.dtype).reshape(shape)

    def key(self, name):
        """Return Deeplearning4j's name of an array: the number of the layer, and the parameter's."""
        layer, leaf = name.split("/")
        return "%d_%s" % (self.numbers[layer], LEAVES[leaf])

    def load(self, arrays):
        s = self.spec
        self.shapes = {name: array.shape for name, array in arrays.items()}
        updater = Model.updater(s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        sizes = jpype.JArray(jpype.JInt)(list(s.sizes))
        self.model = Model(sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, updater, s.dtype)
        self.numbers = {}
        dense, norm = ("dense%d" % i for i in itertools.count()), ("norm%d" % i for i in itertools.count())
        for number, layer in enumerate(self.model.net.getLayers()):
            for first, names in (("W", dense), ("gamma", norm)):
                if layer.paramTable().containsKey(first):
                    self.numbers[next(names)] = number
        if hasattr(self, "rows"):
            self.model.put(*self.rows)
        for name, array in arrays.items():
            value = array if array.ndim == 2 else array[None]
            self.model.net.setParam(self.key(name), self.ndarray(value))

    def dump(self):
        return {name: self.host(self.model.net.getParam(self.key(name)), shape) for name, shape in self.shapes.items()}

    def labels(self, y):
        # Java wants int; what is no integer is JPype's to judge.
        ints = y.astype(np.int32) if y.dtype == np.int64 else y
        return Model.oneHot(jpype.JArray(jpype.JInt)(ints), self.spec.sizes[-1], self.spec.dtype)

    def put(self, x, y):
        self.rows = self.ndarray(x), self.labels(y)
        if hasattr(self, "model"):
            self.model.put(*self.rows)

    def train(self, order):
        losses = self.model.train(jpype.JArray.of(order.astype(np.int32)))
        return np.array(losses, self.spec.dtype)

    def wait(self):
        """Deeplearning4j has finished when a call returns."""

    def gradients(self, x, y):
        found = self.model.gradients(self.ndarray(x), self.labels(y))
        names = [name for name in self.shapes if "running" not in name]
        return {name: self.host(found.get(self.key(name)), self.shapes[name]) for name in names}

    def predict(self, x):
        return self.host(self.model.predict(self.ndarray(x)), (len(x), self.spec.sizes[-1]))

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.model.net, x, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.model.net, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.model.net, folder)

    def versions(self):
        libraries = os.listdir(os.path.dirname(LIBRARIES))
        (version,) = [name[17:-4] for name in libraries if name.startswith("deeplearning4j-nn-")]
        java = jpype.JClass("java.lang.System").getProperty("java.version")
        return {"deeplearning4j": version.lstrip("-"), "java": str(java), "jpype": jpype.__version__}
