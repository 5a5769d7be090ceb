"""The common network in NumPy as its documentation teaches it: an expression a formula, a new array for each value.

https://numpy.org/doc/stable/user/absolute_beginners.html
https://numpy.org/numpy-tutorials/tutorial-deep-learning-on-mnist/
"""

import numpy as np


class Dense:
    """x @ kernel (+ bias): (batch, fan_in) to (batch, fan_out)."""

    def __init__(self, fan_in, fan_out, bias, dtype):
        self.shapes = {"kernel": (fan_in, fan_out), **({"bias": (fan_out,)} if bias else {})}
        self.kernel = np.zeros((fan_in, fan_out), dtype)
        self.bias = np.zeros(fan_out, dtype)

    def forward(self, x, training):
        self.x = x
        return x @ self.kernel + self.bias if "bias" in self.shapes else x @ self.kernel

    def backward(self, d):
        self.d_kernel = self.x.T @ d
        self.d_bias = d.sum(axis=0)
        return d @ self.kernel.T


class BatchNorm:
    """gamma * (z - mean) / sqrt(var + epsilon) + beta, by the batch in training and by its averages in test."""

    def __init__(self, width, epsilon, decay, dtype):
        self.shapes = {"gamma": (width,), "beta": (width,)}
        self.gamma, self.beta = np.ones(width, dtype), np.zeros(width, dtype)
        self.running_mean, self.running_var = np.zeros(width, dtype), np.ones(width, dtype)
        self.epsilon, self.decay = epsilon, decay

    def forward(self, z, training):
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = z.mean(axis=0), z.var(axis=0)
            self.running_mean = self.decay * self.running_mean + (1 - self.decay) * mean
            self.running_var = self.decay * self.running_var + (1 - self.decay) * var
        self.deviation = np.sqrt(var + self.epsilon)
        self.z_hat = (z - mean) / self.deviation
        return self.gamma * self.z_hat + self.beta

    def backward(self, d):
        self.d_gamma = (d * self.z_hat).sum(axis=0)
        self.d_beta = d.sum(axis=0)
        # Through z, through the mean and through the variance (Ioffe & Szegedy 2015).
        return self.gamma / self.deviation * (d - d.mean(axis=0) - self.z_hat * (d * self.z_hat).mean(axis=0))


class Activation:
    """relu, tanh or sigmoid."""

    def __init__(self, name):
        self.name = name
        self.shapes = {}

    def forward(self, h, training):
        if self.name == "relu":
            self.a = np.maximum(h, 0)
        elif self.name == "tanh":
            self.a = np.tanh(h)
        else:
            with np.errstate(over="ignore"):  # exp overflows to inf, and 1 / inf is the 0 that is meant
                self.a = 1 / (1 + np.exp(-h))
        return self.a

    def backward(self, d):
        if self.name == "relu":
            return d * (self.a > 0)
        if self.name == "tanh":
            return d * (1 - self.a**2)
        return d * self.a * (1 - self.a)


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, dtype):
    """Return the layers, from inputs to logits."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(Dense(fan_in, fan_out, bias=not batch_norm, dtype=dtype))
        if batch_norm:
            layers.append(BatchNorm(fan_out, bn_epsilon, bn_decay, dtype))
        layers.append(Activation(activation))
    return [*layers, Dense(sizes[-2], sizes[-1], bias=True, dtype=dtype)]


def forward(layers, x, training):
    """Return the logits (batch, classes)."""
    for layer in layers:
        x = layer.forward(x, training)
    return x


def softmax(logits):
    """Return the probabilities; the largest logit is taken off first, so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def loss_and_gradients(layers, x, y):
    """Return the mean cross-entropy; leave its gradients in the layers."""
    logits = forward(layers, x, training=True)
    rows = np.arange(len(y))
    shifted = logits - logits.max(axis=1, keepdims=True)
    loss = (np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, y]).mean()
    d = softmax(logits)
    d[rows, y] -= 1
    d = d / len(y)
    for layer in reversed(layers):
        d = layer.backward(d)
    return loss


class Optimiser:
    """sgd, momentum, rmsprop or adam (Kingma & Ba 2015, Algorithm 1), parameter by parameter."""

    def __init__(self, name, layers, learning_rate, beta1, beta2, epsilon):
        self.name, self.learning_rate = name, learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.places = [(layer, attribute) for layer in layers for attribute in layer.shapes]
        self.v = [np.zeros_like(getattr(*place)) for place in self.places]
        self.s = [np.zeros_like(getattr(*place)) for place in self.places]
        self.t = 0

    def step(self):
        self.t += 1
        for i, (layer, attribute) in enumerate(self.places):
            p, g = getattr(layer, attribute), getattr(layer, "d_" + attribute)
            self.v[i] = self.beta1 * self.v[i] + (1 - self.beta1) * g
            self.s[i] = self.beta2 * self.s[i] + (1 - self.beta2) * g**2
            setattr(layer, attribute, p - self.learning_rate * self.direction(g, self.v[i], self.s[i]))

    def direction(self, g, v, s):
        """Return what the parameter moves along, from the gradient and the averages of it and of its square."""
        if self.name == "sgd":
            return g
        if self.name == "momentum":
            return v
        if self.name == "rmsprop":
            return g / (np.sqrt(s) + self.epsilon)
        v_hat = v / (1 - self.beta1**self.t)
        s_hat = s / (1 - self.beta2**self.t)
        return v_hat / (np.sqrt(s_hat) + self.epsilon)


def train(layers, optimiser, x, y, order):
    """Take one step for each line of order (steps, batch); return the losses (steps,)."""
    losses = []
    for rows in order:
        losses.append(loss_and_gradients(layers, x[rows], y[rows]))
        optimiser.step()
    return np.array(losses, x.dtype)
