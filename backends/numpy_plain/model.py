"""The common network in NumPy and nothing else: forward, backward and update by hand, in place.

https://numpy.org/doc/stable/user/absolute_beginners.html
https://numpy.org/doc/stable/user/basics.broadcasting.html
"""

import numpy as np


class Layer:
    """What is trained of it is in `shapes`; what it works in is kept from one batch to the next."""

    shapes = {}

    def work(self, name, shape, dtype):
        """Return the array of this name, made anew only where the batch has another size."""
        array = vars(self).get(name)
        if array is None or array.shape != shape:
            array = np.empty(shape, dtype)
            setattr(self, name, array)
        return array


class Dense(Layer):
    """x @ kernel (+ bias): (batch, fan_in) to (batch, fan_out)."""

    def __init__(self, fan_in, fan_out, bias):
        self.shapes = {"kernel": (fan_in, fan_out)}
        if bias:
            self.shapes["bias"] = (fan_out,)

    def forward(self, x, training):
        self.x = x
        z = np.matmul(x, self.kernel, out=self.work("z", (len(x), self.kernel.shape[1]), x.dtype))
        if "bias" in self.shapes:
            z += self.bias
        return z

    def gradients(self, d):
        np.matmul(self.x.T, d, out=self.d_kernel)
        if "bias" in self.shapes:
            np.add.reduce(d, axis=0, out=self.d_bias)

    def backward(self, d):
        self.gradients(d)
        return np.matmul(d, self.kernel.T, out=self.work("d_x", self.x.shape, d.dtype))


class BatchNorm(Layer):
    """gamma * (z - mean) / sqrt(var + epsilon) + beta, by the batch in training and by its averages in test."""

    def __init__(self, width, epsilon, decay):
        self.shapes = {"gamma": (width,), "beta": (width,)}
        self.epsilon, self.decay = epsilon, decay
        self.running_mean, self.running_var = np.zeros(width), np.ones(width)

    def forward(self, z, training):
        if training:
            mean = np.add.reduce(z, axis=0) / len(z)
            z_hat = np.subtract(z, mean, out=self.work("z_hat", z.shape, z.dtype))
            var = np.einsum("ij,ij->j", z_hat, z_hat) / len(z)
            for average, value in ((self.running_mean, mean), (self.running_var, var)):
                average *= self.decay
                average += (1 - self.decay) * value
            self.deviation = np.sqrt(var + self.epsilon)
            z_hat /= self.deviation
            np.multiply(z_hat, self.gamma, out=z)
        else:
            z -= self.running_mean
            z *= self.gamma / np.sqrt(self.running_var + self.epsilon)
        z += self.beta
        return z

    def backward(self, d):
        np.add.reduce(d, axis=0, out=self.d_beta)
        np.einsum("ij,ij->j", d, self.z_hat, out=self.d_gamma)
        # Through z, through the mean and through the variance (Ioffe & Szegedy 2015).
        self.z_hat *= self.d_gamma / len(d)
        d -= self.d_beta / len(d)
        d -= self.z_hat
        d *= self.gamma / self.deviation
        return d


class Activation(Layer):
    """relu, tanh or sigmoid."""

    def __init__(self, name):
        self.name = name

    def forward(self, h, training):
        if self.name == "relu":
            self.a = np.maximum(h, 0, out=h)
        elif self.name == "tanh":
            self.a = np.tanh(h, out=h)
        else:
            with np.errstate(over="ignore"):  # exp overflows to inf, and 1 / inf is the 0 that is meant
                self.a = 1 / (1 + np.exp(-h))
        return self.a

    def backward(self, d):
        if self.name == "relu":
            d *= np.greater(self.a, 0, out=self.work("positive", d.shape, bool))
        elif self.name == "tanh":
            d *= 1 - self.a * self.a
        else:
            d *= self.a * (1 - self.a)
        return d


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, dtype):
    """Return the layers, their parameters and their gradients: views of two flat arrays, updated in one go."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(Dense(fan_in, fan_out, bias=not batch_norm))
        if batch_norm:
            layers.append(BatchNorm(fan_out, bn_epsilon, bn_decay))
        layers.append(Activation(activation))
    layers.append(Dense(sizes[-2], sizes[-1], bias=True))
    total = sum(int(np.prod(shape)) for layer in layers for shape in layer.shapes.values())
    parameters, gradients = np.zeros(total, dtype), np.zeros(total, dtype)
    start = 0
    for layer in layers:
        for name, shape in layer.shapes.items():
            stop = start + int(np.prod(shape))
            setattr(layer, name, parameters[start:stop].reshape(shape))
            setattr(layer, "d_" + name, gradients[start:stop].reshape(shape))
            start = stop
    return layers, parameters, gradients


def forward(layers, x, training):
    """Return the logits (batch, classes)."""
    for layer in layers:
        x = layer.forward(x, training)
    return x


def softmax(logits):
    """Return the probabilities; the largest logit is taken off first, so that nothing overflows."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def loss_and_gradients(layers, x, y):
    """Return the mean cross-entropy; leave its gradients in the layers."""
    logits = forward(layers, x, training=True)
    rows = np.arange(len(y))
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    sums = powers.sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - logits[rows, y]).mean()
    d = np.divide(powers, sums, out=powers)
    d[rows, y] -= 1
    d /= len(y)
    first, *others = layers
    for layer in reversed(others):
        d = layer.backward(d)
    first.gradients(d)  # nothing comes before it that wants d with respect to x
    return loss


class Optimiser:
    """sgd, momentum, rmsprop or adam (Kingma & Ba 2015, Algorithm 1), on the flat parameters."""

    def __init__(self, name, parameters, gradients, learning_rate, beta1, beta2, epsilon):
        self.step = getattr(self, name)
        self.p, self.g = parameters, gradients
        self.v, self.s = np.zeros_like(parameters), np.zeros_like(parameters)
        self.update, self.scratch = np.empty_like(parameters), np.empty_like(parameters)
        self.learning_rate, self.beta1, self.beta2, self.epsilon = learning_rate, beta1, beta2, epsilon
        self.t = 0

    def sgd(self):
        self.p -= np.multiply(self.g, self.learning_rate, out=self.update)

    def momentum(self):
        self.v *= self.beta1
        self.v += np.multiply(self.g, 1 - self.beta1, out=self.update)
        self.p -= np.multiply(self.v, self.learning_rate, out=self.update)

    def average_square(self):
        np.multiply(self.g, self.g, out=self.scratch)
        self.s *= self.beta2
        self.s += np.multiply(self.scratch, 1 - self.beta2, out=self.scratch)

    def rmsprop(self):
        self.average_square()
        np.sqrt(self.s, out=self.scratch)
        self.scratch += self.epsilon
        np.multiply(self.g, self.learning_rate, out=self.update)
        self.p -= np.divide(self.update, self.scratch, out=self.update)

    def adam(self):
        self.t += 1
        self.v *= self.beta1
        self.v += np.multiply(self.g, 1 - self.beta1, out=self.update)
        self.average_square()
        # 1 - beta**t in Python's float64: in float32 it would be a cancellation.
        np.divide(self.s, 1 - self.beta2**self.t, out=self.scratch)
        np.sqrt(self.scratch, out=self.scratch)
        self.scratch += self.epsilon
        np.multiply(self.v, self.learning_rate / (1 - self.beta1**self.t), out=self.update)
        self.p -= np.divide(self.update, self.scratch, out=self.update)


def train(layers, optimiser, x, y, order):
    """Take one step for each line of order (steps, batch); return the losses (steps,)."""
    losses = np.empty(len(order), x.dtype)
    batch = np.empty((order.shape[1], x.shape[1]), x.dtype)
    for step, rows in enumerate(order):
        np.take(x, rows, axis=0, out=batch, mode="clip")  # any other mode would copy twice
        losses[step] = loss_and_gradients(layers, batch, y[rows])
        optimiser.step()
    return losses
