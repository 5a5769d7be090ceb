"""scikit-learn's side of the contract: arrays in, arrays out."""

import numpy as np
import sklearn

from . import model


class Backend:
    """The common network, less batch norm, as an MLPClassifier that is given one batch after the other."""

    conventions = {"adam": "epsilon-hat", "momentum": "sum", "loss": "clipped"}
    variants = ("partial_fit",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("scikit-learn's MLPClassifier computes with NumPy, on the cpu, got device %r" % device)
        if spec.batch_norm:
            raise ValueError("MLPClassifier has no batch norm, got batch_norm = True")
        if spec.optimiser == "rmsprop":
            raise ValueError("MLPClassifier has the solvers sgd, adam and lbfgs, got optimiser = 'rmsprop'")
        if spec.sizes[-1] == 2:
            raise ValueError("MLPClassifier has one output for two classes, and a logistic loss, got 2 classes")
        self.spec = spec

    def load(self, arrays):
        s = self.spec
        optimiser = {"optimiser": s.optimiser, "beta1": s.beta1, "beta2": s.beta2, "epsilon": s.epsilon}
        self.net = model.network(s.sizes, s.activation, s.batch_size, s.learning_rate, **optimiser)
        model.start(self.net, *([array.copy() for array in some] for some in self.leaves(arrays)))

    def leaves(self, arrays):
        """Return the kernels and the biases among named arrays, layer by layer."""
        layers = range(len(self.spec.sizes[1:]))
        return [[arrays["dense%d/%s" % (layer, leaf)] for layer in layers] for leaf in ("kernel", "bias")]

    def named(self, kernels, biases):
        """Return kernels and biases by the contract's names."""
        leaves = {"kernel": kernels, "bias": biases}
        return {
            "dense%d/%s" % (layer, leaf): array for leaf, some in leaves.items() for layer, array in enumerate(some)
        }

    def dump(self):
        return {name: array.copy() for name, array in self.named(self.net.coefs_, self.net.intercepts_).items()}

    def put(self, x, y):
        self.x, self.y = x, y

    def train(self, order):
        return model.train(self.net, self.x, self.y, order)

    def wait(self):
        """NumPy has finished when a call returns."""

    def gradients(self, x, y):
        return self.named(*model.gradients(self.net, x, y))

    def predict(self, x):
        return model.predict(self.net, x)

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, x, folder)

    def versions(self):
        return {"scikit-learn": sklearn.__version__, "numpy": np.__version__}
