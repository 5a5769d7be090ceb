"""Autograd's side of the contract: arrays in, arrays out."""

from importlib.metadata import version

from . import model


class Backend:
    """The common network in Autograd: NumPy's arrays, and the gradient of a function of them."""

    conventions = {}
    variants = ("plain",)

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("Autograd computes with NumPy, on the cpu, got device %r" % device)
        self.spec = spec
        self.network = model.Network(spec.sizes, spec.activation, spec.batch_norm, spec.bn_epsilon, spec.bn_decay)

    def load(self, arrays):
        self.network.arrays = {name: array.copy() for name, array in arrays.items()}
        s = self.spec
        self.optimiser = model.Optimiser(s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)

    def dump(self):
        return {name: array.copy() for name, array in self.network.arrays.items()}

    def put(self, x, y):
        self.x, self.y = x, y

    def train(self, order):
        return self.network.train(self.optimiser, self.x, self.y, order)

    def wait(self):
        """NumPy has finished when a call returns."""

    def gradients(self, x, y):
        _, gradients = self.network.loss_and_gradients(x, y)
        return gradients

    def predict(self, x):
        return self.network.predict(x)

    def versions(self):
        return {"autograd": version("autograd"), "numpy": version("numpy")}
