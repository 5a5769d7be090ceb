"""The common network in Autograd, as its users write it.

https://github.com/HIPS/autograd/blob/master/docs/tutorial.md
https://github.com/HIPS/autograd/blob/master/examples/neural_net.py
"""

import autograd.numpy as np
from autograd import value_and_grad
from autograd.tracer import getval

ACTIVATIONS = {
    "relu": lambda h: np.where(h > 0, h, 0),
    "tanh": np.tanh,
    "sigmoid": lambda h: 1 / (1 + np.exp(-h)),
}


class Network:
    """Dense layers; after each but the last, batch norm and an activation."""

    def __init__(self, sizes, activation, batch_norm, bn_epsilon, bn_decay):
        self.sizes = sizes  # (features, hidden widths ..., classes)
        self.activation = activation  # relu, tanh or sigmoid
        self.batch_norm, self.bn_epsilon, self.bn_decay = batch_norm, bn_epsilon, bn_decay
        self.seen = {}  # mean and variance of the last batch
        self.arrays = {}  # dense0/kernel (in, out), norm0/gamma, norm0/beta (out,), ..., as load() got them

    def predict(self, x):
        """Return the probabilities (rows, classes) of x (rows, features), by the running statistics."""
        logits = self.logits(self.arrays, x, training=False)
        powers = np.exp(logits - np.max(logits, axis=1, keepdims=True))
        return powers / np.sum(powers, axis=1, keepdims=True)

    def logits(self, arrays, a, training):
        """Return the logits (rows, classes) of a (rows, features)."""
        last, activation = len(self.sizes) - 2, ACTIVATIONS[self.activation]
        for layer in range(last):
            z = np.dot(a, arrays["dense%d/kernel" % layer])
            if self.batch_norm:
                if training:
                    mean, var = np.mean(z, axis=0), np.var(z, axis=0)
                    self.seen["norm%d/running_mean" % layer] = getval(mean)
                    self.seen["norm%d/running_var" % layer] = getval(var)
                else:
                    mean, var = arrays["norm%d/running_mean" % layer], arrays["norm%d/running_var" % layer]
                z_hat = (z - mean) / np.sqrt(var + self.bn_epsilon)
                h = arrays["norm%d/gamma" % layer] * z_hat + arrays["norm%d/beta" % layer]
            else:
                h = z + arrays["dense%d/bias" % layer]
            a = activation(h)
        return np.dot(a, arrays["dense%d/kernel" % last]) + arrays["dense%d/bias" % last]

    def loss_and_gradients(self, x, y):
        """Return the loss of a batch, and its gradient for each trained array, {name: array}."""
        parameters = {name: array for name, array in self.arrays.items() if "running" not in name}
        return value_and_grad(self.loss)(parameters, x, y)

    def loss(self, parameters, x, y):
        """Return the mean cross-entropy of a batch."""
        logits = self.logits(parameters, x, training=True)
        logits = logits - np.max(logits, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(logits), axis=1)) - logits[np.arange(len(y)), y])

    def train(self, optimiser, x, y, order):
        """Take one step for each line of order (steps, batch), row numbers; return the losses (steps,)."""
        losses = []
        for rows in order:
            loss, gradients = self.loss_and_gradients(x[rows], y[rows])
            optimiser.step(self.arrays, gradients)
            for name, value in self.seen.items():
                self.arrays[name] = self.bn_decay * self.arrays[name] + (1 - self.bn_decay) * value
            losses.append(loss)
        return np.array(losses, x.dtype)


class Optimiser:
    """sgd, momentum, rmsprop or adam (Kingma & Ba 2015, Algorithm 1), and its state."""

    def __init__(self, name, learning_rate, beta1, beta2, epsilon):
        self.update = getattr(self, name)
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.v, self.s, self.t = {}, {}, 0

    def step(self, arrays, gradients):
        """Move every array that has a gradient by one step."""
        self.t += 1
        for name, g in gradients.items():
            arrays[name] = arrays[name] - self.learning_rate * self.update(name, g)

    def sgd(self, name, g):
        return g

    def momentum(self, name, g):
        self.v[name] = self.beta1 * self.v.get(name, 0) + (1 - self.beta1) * g
        return self.v[name]

    def rmsprop(self, name, g):
        self.s[name] = self.beta2 * self.s.get(name, 0) + (1 - self.beta2) * g**2
        return g / (np.sqrt(self.s[name]) + self.epsilon)

    def adam(self, name, g):
        self.momentum(name, g)
        self.rmsprop(name, g)
        v_hat = self.v[name] / (1 - self.beta1**self.t)
        s_hat = self.s[name] / (1 - self.beta2**self.t)
        return v_hat / (np.sqrt(s_hat) + self.epsilon)
