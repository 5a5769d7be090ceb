"""CNTK's side of the contract: arrays in, arrays out."""

import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of this Linux distribution, and that there are no libraries of a GPU
    import cntk as C

from . import model

LEAVES = {
    "kernel": "W",
    "bias": "b",
    "gamma": "scale",
    "beta": "bias",
    "running_mean": "aggregate_mean",
    "running_var": "aggregate_variance",
}


class Backend:
    """The common network in CNTK's layers, trained batch by batch by a Trainer."""

    conventions = {"running_variance": "unbiased", "adam": "epsilon-hat"}
    variants = ("layers",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("this wheel of CNTK computes on the cpu, got device %r" % device)
        if spec.optimiser == "rmsprop":
            raise ValueError("CNTK's rmsprop is another algorithm, got optimiser = 'rmsprop'")
        C.try_set_default_device(C.cpu())
        self.spec = s = spec
        self.dtype = getattr(np, s.dtype)
        layers, self.x, self.logits = model.network(
            s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, s.batch_size, self.dtype
        )
        self.y, self.loss = model.loss_of(self.logits, self.dtype)
        self.probabilities = model.probabilities_of(self.logits)
        dense = [layer for layer in layers if hasattr(layer, "W")]
        norm = [layer for layer in layers if hasattr(layer, "scale")]
        self.counts = [layer.aggregate_count for layer in norm]
        self.layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        self.layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})

    def variable(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def set(self, variable, value):
        variable.set_value(C.NDArrayView.from_dense(np.array(value, self.dtype)))

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.set(self.variable(name), array)
        for count in self.counts:  # at 0, the first batch would replace the statistics
            self.set(count, 1)
        s = self.spec
        learner = model.optimiser(s.optimiser, self.logits.parameters, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        self.trainer = C.Trainer(self.logits, self.loss, [learner])

    def dump(self):
        return {name: np.array(self.variable(name).value) for name in self.names}

    def put(self, x, y):
        self.rows, self.labels = x, y.astype(self.dtype)

    def train(self, order):
        return np.array(model.train(self.trainer, (self.x, self.y), self.rows, self.labels, order), self.dtype)

    def wait(self):
        """CNTK has finished when a call returns."""

    def gradients(self, x, y):
        before = self.dump()
        names = [name for name in self.names if "running" not in name]
        variables = [self.variable(name) for name in names]
        found = model.mean_of(self.loss).grad({self.x: x, self.y: y.astype(self.dtype)}, wrt=variables, as_numpy=False)
        if len(variables) == 1:
            found = {variables[0]: found}
        for name in self.names:  # computing gradients moves the running statistics
            if "running" in name:
                self.set(self.variable(name), before[name])
        return {name: np.array(found[variable].asarray()) for name, variable in zip(names, variables)}

    def predict(self, x):
        return self.probabilities.eval({self.x: x})

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.logits, x, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.trainer, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.trainer, folder)

    def versions(self):
        return {"cntk": C.__version__, "numpy": np.__version__}
