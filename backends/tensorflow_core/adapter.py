"""TensorFlow's side of the contract: arrays in, arrays out."""

import numpy as np
import tensorflow as tf

from . import model, model_idiomatic


class Backend:
    """The common network in TensorFlow's Core APIs: eager, as a graph, or through XLA."""

    conventions = {}
    variants = ("eager", "function", "xla", "idiomatic")

    def __init__(self, spec, device="cpu", variant=None):
        if device != "cpu":
            raise ValueError("this is TensorFlow's build for the cpu, got device %r" % device)
        s = spec
        self.learning_rate = s.learning_rate
        if variant == "idiomatic":
            self.build_idiomatic(spec)
            return
        self.model = model
        self.net = model.MLP(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, s.dtype)
        self.optimiser = model.optimiser(
            s.optimiser, self.net.trainable_variables, s.learning_rate, s.beta1, s.beta2, s.epsilon
        )
        self.compiled = model.COMPILE[variant or "eager"]
        self.compiled_train = self.compiled(model.train)
        self.compute = self.compiled(model.loss_and_gradients)
        self.probabilities = self.compiled(model.predict)

    def build_idiomatic(self, s):
        self.net = model_idiomatic.MLP(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay, s.dtype)
        self.optimiser = model_idiomatic.optimiser(
            s.optimiser, self.net.trainable_variables, s.learning_rate, s.beta1, s.beta2, s.epsilon
        )
        self.model, self.compiled = model_idiomatic, model.COMPILE["eager"]
        self.compiled_train = model_idiomatic.train
        self.compute = model_idiomatic.loss_and_gradients
        self.probabilities = model_idiomatic.predict

    def variable(self, name):
        layer, leaf = name.split("/")
        kind = layer.rstrip("0123456789")
        number = int(layer[len(kind) :])
        layers = [*self.net.dense, self.net.output] if kind == "dense" else self.net.norm
        return getattr(layers[number], leaf)

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.variable(name).assign(array)
        for variable in self.optimiser.state:
            variable.assign(tf.zeros_like(variable))
        if isinstance(self.optimiser, model_idiomatic.Adam):
            self.optimiser.t = 0
        if self.optimiser.learning_rate != self.learning_rate:
            self.set_learning_rate(self.learning_rate)

    def dump(self):
        return {name: self.variable(name).numpy().copy() for name in self.names}

    def put(self, x, y):
        self.x, self.y = tf.constant(x), tf.constant(y)

    def train(self, order):
        return self.compiled_train(self.net, self.optimiser, self.x, self.y, tf.constant(order))

    def set_learning_rate(self, learning_rate):
        self.optimiser.learning_rate = learning_rate
        self.compiled_train = self.compiled(self.model.train)  # a graph has the rate of its tracing in it

    def wait(self):
        """TensorFlow runs what is on the CPU before the call returns, eagerly and through tf.function alike."""

    def gradients(self, x, y):
        before = {name: self.variable(name).numpy() for name in self.names if "running" in name}
        _, gradients = self.compute(self.net, tf.constant(x), tf.constant(y))
        for name, array in before.items():  # training mode moved the running statistics
            self.variable(name).assign(array)
        found = {
            variable.ref(): gradient.numpy() for variable, gradient in zip(self.net.trainable_variables, gradients)
        }
        return {name: found[self.variable(name).ref()] for name in self.names if "running" not in name}

    def predict(self, x):
        return np.array(self.probabilities(self.net, tf.constant(x)))

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, tf.constant(x), folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.optimiser, folder)

    def versions(self):
        return {"tensorflow": tf.__version__}
