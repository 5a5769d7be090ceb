"""The oracle: the common network in plain NumPy, following a backend's declared conventions; slow and plain.

Built with a float64 spec it is the reference that backends are compared with. `Plain`, in the dtype of the run, gives
the rounding floors. Both meet the contract of contract.py like any backend.
"""

import math
from typing import Dict

import numpy as np

from . import spec as specs


class Reference:
    """The network of network-spec, one method a paragraph of it."""

    conventions: Dict[str, str] = {}
    variants = ("plain",)

    def __init__(self, spec, device="cpu", variant=None, conventions=None):
        declared = self.conventions if conventions is None else conventions
        self.convention = specs.full_conventions(declared)
        self.spec = specs.rounded(spec, self.convention)
        self.run_dtype = self.spec.dtype  # The dtype of the compared backend; floors.py sets it where it differs.
        self.layers = range(len(spec.sizes) - 2)
        self.output = len(spec.sizes) - 2

    # The contract

    def load(self, arrays):
        """Take every array of shapes(spec); forget all training so far."""
        self.arrays = {name: np.array(arrays[name], dtype=self.spec.dtype) for name in specs.shapes(self.spec)}
        self.steps, self.learning_rate = 0, self.spec.learning_rate
        names = specs.parameters(self.spec)
        start = self.spec.epsilon if self.convention["rmsprop"] == "outside-from-epsilon" else 0.0
        first = start if self.spec.optimiser == "rmsprop" else 0.0
        self.moment = {name: np.zeros_like(self.arrays[name]) for name in names}
        self.square = {name: np.full_like(self.arrays[name], first) for name in names}

    def dump(self):
        """Return a copy of every array of shapes(spec)."""
        return {name: array.copy() for name, array in self.arrays.items()}

    def put(self, x, y):
        """Take the training rows: x (rows, features), y (rows,)."""
        self.x, self.y = np.array(x, dtype=self.spec.dtype), np.array(y)

    def train(self, order):
        """Take one step for each line of `order` (steps, batch); return the losses (steps,)."""
        losses = []
        for rows in order:
            x, y = self.x[rows], self.y[rows]
            logits, tape = self.forward(x)
            losses.append(self.loss(logits, y))
            gradients = self.backward(logits, y, tape)
            self.average_statistics(tape)
            self.steps += 1
            for name in specs.parameters(self.spec):
                self.arrays[name] = self.arrays[name] - self.update(name, gradients[name])
        return np.array(losses, dtype=self.spec.dtype)

    def set_learning_rate(self, learning_rate):
        """Take every later step at this rate; keep all arrays and the state of the optimiser."""
        self.learning_rate = learning_rate

    def wait(self):
        """Return at once: NumPy has finished when `train` returns."""

    def gradients(self, x, y):
        """Return the gradient of the loss on (x, y) for every parameter; changes nothing."""
        logits, tape = self.forward(np.asarray(x, dtype=self.spec.dtype))
        return self.backward(logits, y, tape)

    def predict(self, x):
        """Return the probabilities (rows, classes) by the running statistics; changes nothing."""
        return self.softmax(self.test_logits(np.asarray(x, dtype=self.spec.dtype)))

    def versions(self):
        """Return the version of NumPy."""
        return {"numpy": np.__version__}

    # The network

    def forward(self, x):
        """Return the logits (batch, classes) of training mode, and per layer what its gradient needs."""
        a, tape = x, []
        for layer in self.layers:
            z = a @ self.arrays["dense%d/kernel" % layer]
            if self.spec.batch_norm:
                mu, var = self.batch_statistics(z)
                z_hat = (z - mu) / np.sqrt(var + self.spec.bn_epsilon)
                h = self.arrays["norm%d/gamma" % layer] * z_hat + self.arrays["norm%d/beta" % layer]
            else:
                mu = var = z_hat = None
                h = z + self.arrays["dense%d/bias" % layer]
            tape.append((a, h, mu, var, z_hat))
            a = self.activation(h)
        tape.append((a, None, None, None, None))
        return self.dense(a), tape

    def test_logits(self, x):
        """Return the logits (rows, classes) of test mode."""
        a = x
        for layer in self.layers:
            z = a @ self.arrays["dense%d/kernel" % layer]
            if self.spec.batch_norm:
                z_hat = (z - self.arrays["norm%d/running_mean" % layer]) * self.inverse_deviation(layer)
                h = self.arrays["norm%d/gamma" % layer] * z_hat + self.arrays["norm%d/beta" % layer]
            else:
                h = z + self.arrays["dense%d/bias" % layer]
            a = self.activation(h)
        return self.dense(a)

    def dense(self, a):
        """Return the output layer of activations (rows, width): logits (rows, classes)."""
        return a @ self.arrays["dense%d/kernel" % self.output] + self.arrays["dense%d/bias" % self.output]

    def batch_statistics(self, z):
        """Return the mean and the biased variance (out,) of z (batch, out)."""
        mu = z.mean(axis=0)
        return mu, ((z - mu) ** 2).mean(axis=0)

    def inverse_deviation(self, layer):
        """Return what test mode multiplies by, (out,)."""
        running = self.arrays["norm%d/running_var" % layer]
        if self.convention["running_variance"] == "inverse_std":
            return running
        return 1 / np.sqrt(running + self.spec.bn_epsilon)

    def average_statistics(self, tape):
        """Move the running statistics towards those of the batch, by the running_variance convention."""
        if not self.spec.batch_norm:
            return
        decay, convention = self.spec.bn_decay, self.convention["running_variance"]
        for layer in self.layers:
            a, _, mu, var, _ = tape[layer]
            if convention == "unbiased":
                var = var * (len(a) / (len(a) - 1))
            elif convention == "inverse_std":
                var = 1 / np.sqrt(var + self.spec.bn_epsilon)
            for name, value in (("running_mean", mu), ("running_var", var)):
                key = "norm%d/%s" % (layer, name)
                self.arrays[key] = decay * self.arrays[key] + (1 - decay) * value

    def activation(self, h):
        """Return relu, tanh or sigmoid of h."""
        if self.spec.activation == "relu":
            return np.maximum(h, 0)
        if self.spec.activation == "tanh":
            return np.tanh(h)
        with np.errstate(over="ignore"):  # exp(-h) = inf gives 0, which is right
            return 1 / (1 + np.exp(-h))

    def activation_gradient(self, h, a):
        """Return the derivative of the activation at h, where a = activation(h)."""
        if self.spec.activation == "relu":
            return (h > 0).astype(h.dtype)
        if self.spec.activation == "tanh":
            return 1 - a**2
        return a * (1 - a)

    def softmax(self, logits):
        """Return the probabilities of logits, rows apart, shifted so that nothing overflows."""
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def loss(self, logits, y):
        """Return the mean cross-entropy of logits (batch, classes) against labels y (batch,), by its convention."""
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1))
        losses = log_sum - shifted[np.arange(len(y)), y]
        if self.convention["loss"] == "clipped":
            epsilon = float(np.finfo(self.run_dtype).eps)
            losses = np.clip(losses, -math.log1p(-epsilon), -math.log(epsilon))
        return losses.mean()

    def logits_gradient(self, logits, y):
        """Return the gradient of the loss for the logits (batch, classes)."""
        d_logits = self.softmax(logits)
        d_logits[np.arange(len(y)), y] -= 1
        return d_logits / len(y)

    def backward(self, logits, y, tape):
        """Return the gradient of the loss for every parameter, through the batch statistics."""
        a = tape[-1][0]
        gradients, d_a = self.dense_gradient(a, self.logits_gradient(logits, y))
        for layer in reversed(self.layers):
            below, h, _, var, z_hat = tape[layer]
            d_h = d_a * self.activation_gradient(h, a)
            if self.spec.batch_norm:
                gradients["norm%d/gamma" % layer] = (d_h * z_hat).sum(axis=0)
                gradients["norm%d/beta" % layer] = d_h.sum(axis=0)
                d_z = self.batch_norm_gradient(d_h * self.arrays["norm%d/gamma" % layer], var, z_hat)
            else:
                gradients["dense%d/bias" % layer] = d_h.sum(axis=0)
                d_z = d_h
            gradients["dense%d/kernel" % layer] = below.T @ d_z
            d_a = d_z @ self.arrays["dense%d/kernel" % layer].T
            a = below
        return {name: gradients[name] for name in specs.parameters(self.spec)}

    def dense_gradient(self, a, d_logits):
        """Return the gradients of the output layer's parameters, and that for its activations a (batch, width)."""
        kernel = "dense%d/kernel" % self.output
        gradients = {kernel: a.T @ d_logits, "dense%d/bias" % self.output: d_logits.sum(axis=0)}
        return gradients, d_logits @ self.arrays[kernel].T

    def batch_norm_gradient(self, d_z_hat, var, z_hat):
        """Return the gradient for z (batch, out): Ioffe & Szegedy 2015, section 3, with mu and var eliminated."""
        through_mean = d_z_hat.mean(axis=0)
        through_variance = z_hat * (d_z_hat * z_hat).mean(axis=0)
        return (d_z_hat - through_mean - through_variance) / np.sqrt(var + self.spec.bn_epsilon)

    # The optimisers

    def update(self, name, g):
        """Return what is taken from the parameter `name` whose gradient is g; moves the optimiser's state."""
        return getattr(self, self.spec.optimiser)(name, g)

    def sgd(self, name, g):
        """Plain stochastic gradient descent."""
        return self.learning_rate * g

    def momentum(self, name, g):
        """Gradient descent with momentum, by the momentum convention."""
        beta1, rate, convention = self.spec.beta1, self.learning_rate, self.convention["momentum"]
        fresh = (1 - beta1) * g if convention == "average" else g
        v = self.moment[name] = beta1 * self.moment[name] + fresh
        if convention == "nesterov-sum":
            return rate * (g + beta1 * v)
        return rate * v

    def rmsprop(self, name, g):
        """RMSprop (Hinton 2012), by the rmsprop convention."""
        beta2, rate, epsilon = self.spec.beta2, self.learning_rate, self.spec.epsilon
        s = self.square[name] = beta2 * self.square[name] + (1 - beta2) * g**2
        if self.convention["rmsprop"] == "inside":
            return rate * g / np.sqrt(s + epsilon)
        return rate * g / (np.sqrt(s) + epsilon)

    def adam(self, name, g):
        """Adam (Kingma & Ba 2015), by the adam convention."""
        beta1, beta2, rate, epsilon = self.spec.beta1, self.spec.beta2, self.learning_rate, self.spec.epsilon
        v = self.moment[name] = beta1 * self.moment[name] + (1 - beta1) * g
        s = self.square[name] = beta2 * self.square[name] + (1 - beta2) * g**2
        v_share, s_share = self.share(beta1), self.share(beta2)
        if self.bias_correction() == "float32":
            # The root, too, is taken in single precision.
            s_share = float(np.float32(1) / np.sqrt(np.float32(s_share))) ** -2
        if self.convention["adam"] == "epsilon-hat":
            return rate * (s_share**0.5 / v_share) * v / (np.sqrt(s) + epsilon)
        return rate * (v / v_share) / (np.sqrt(s / s_share) + epsilon)

    def bias_correction(self):
        """Return the convention; exact in a run in float32, where single precision is rounding, as of any backend."""
        return self.convention["adam_bias_correction"] if self.run_dtype == "float64" else "exact"

    def share(self, beta):
        """Return 1 - beta**t in float64, by the adam_bias_correction convention."""
        convention, single = self.bias_correction(), np.float32(beta)
        if convention == "float32":
            return float(np.float32(1) - np.float32(float(single) ** self.steps))
        if convention == "float32-product":
            power = np.float32(1)
            for _ in range(self.steps):
                power = power * single
            return float(np.float32(1) - power)
        return self.exact_share(beta)

    def exact_share(self, beta):
        """Return 1 - beta**t without cancellation: a backend can be as precise, so the oracle must be."""
        return -math.expm1(self.steps * math.log(beta)) if beta else 1.0


class Plain(Reference):
    """The network spec as it is written, in plain NumPy: the source of the rounding floors."""

    def exact_share(self, beta):
        """Return 1 - beta**t, on the host in float64."""
        return 1 - beta**self.steps
