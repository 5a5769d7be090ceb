"""NumPy's side of the contract: arrays in, arrays out."""

import numpy as np

from . import model, model_idiomatic


class Backend:
    """The common network in plain NumPy."""

    conventions = {}
    variants = ("plain", "idiomatic")

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("NumPy runs on the cpu, got device %r" % device)
        self.spec = spec
        self.model = model_idiomatic if variant == "idiomatic" else model
        built = self.model.network(
            spec.sizes, spec.activation, spec.batch_norm, spec.bn_epsilon, spec.bn_decay, spec.dtype
        )
        # The tuned model also returns the flat arrays that its optimiser works on.
        self.layers, *self.trained = (built, built) if variant == "idiomatic" else built
        self.names = {}
        dense = norm = 0
        for layer in self.layers:
            if isinstance(layer, self.model.Dense):
                self.names["dense%d" % dense] = layer
                dense += 1
            elif isinstance(layer, self.model.BatchNorm):
                self.names["norm%d" % norm] = layer
                norm += 1

    def load(self, arrays):
        for name, array in arrays.items():
            layer, attribute = name.split("/")
            if attribute.startswith("running"):
                setattr(self.names[layer], attribute, array.copy())
            else:
                getattr(self.names[layer], attribute)[:] = array
        s = self.spec
        self.optimiser = self.model.Optimiser(s.optimiser, *self.trained, s.learning_rate, s.beta1, s.beta2, s.epsilon)

    def dump(self):
        arrays = {}
        for name, layer in self.names.items():
            running = ("running_mean", "running_var") if isinstance(layer, self.model.BatchNorm) else ()
            for attribute in (*layer.shapes, *running):
                arrays["%s/%s" % (name, attribute)] = getattr(layer, attribute).copy()
        return arrays

    def put(self, x, y):
        self.x, self.y = x, y

    def train(self, order):
        return self.model.train(self.layers, self.optimiser, self.x, self.y, order)

    def set_learning_rate(self, learning_rate):
        self.optimiser.learning_rate = learning_rate

    def wait(self):
        """NumPy has finished when a call returns."""

    def gradients(self, x, y):
        before = self.dump()
        self.model.loss_and_gradients(self.layers, x, y)
        gradients = {
            "%s/%s" % (name, attribute): getattr(layer, "d_" + attribute).copy()
            for name, layer in self.names.items()
            for attribute in layer.shapes
        }
        for name, array in before.items():  # training mode moved the running statistics
            layer, attribute = name.split("/")
            getattr(self.names[layer], attribute)[:] = array
        return gradients

    def predict(self, x):
        return self.model.softmax(self.model.forward(self.layers, x, training=False))

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.layers, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.layers, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.layers, self.optimiser, folder)

    def kernels(self):
        found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
        return {"NumPy": " ".join(found)} if found else {}

    def versions(self):
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"numpy": np.__version__, "blas": "%s %s" % (blas["name"], blas["version"])}
