"""The common network in PyTensor, as its users write it.

https://pytensor.readthedocs.io/en/latest/tutorial/examples.html
https://pytensor.readthedocs.io/en/latest/tutorial/gradients.html
https://pytensor.readthedocs.io/en/latest/tutorial/modes.html
https://pytensor.readthedocs.io/en/latest/faq.html
https://pytensor.readthedocs.io/en/latest/library/scan.html
"""

import math

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.replace import clone_replace
from pytensor.tensor.special import log_softmax, softmax

ACTIVATIONS = {"relu": lambda z: pt.switch(z > 0, z, 0), "tanh": pt.tanh, "sigmoid": pt.sigmoid}


def shared(*shape):
    """Return a shared variable of zeros, in floatX."""
    return pytensor.shared(np.zeros(shape, pytensor.config.floatX))


def network(sizes, batch_norm):
    """Return the layers, a dictionary of shared variables each."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layer = {"kernel": shared(fan_in, fan_out)}
        if batch_norm:
            layer.update({name: shared(fan_out) for name in ("gamma", "beta", "running_mean", "running_var")})
        else:
            layer["bias"] = shared(fan_out)
        layers.append(layer)
    return [*layers, {"kernel": shared(sizes[-2], sizes[-1]), "bias": shared(sizes[-1])}]


def trained(layers):
    """Return the shared variables that have a gradient."""
    return [variable for layer in layers for name, variable in layer.items() if not name.startswith("running")]


def logits(layers, x, training, activation, bn_epsilon, bn_decay):
    """Return the logits (batch, classes), and in training the updates of the running statistics."""
    *hidden, last = layers
    updates = []
    for layer in hidden:
        z = x @ layer["kernel"]
        if "gamma" in layer:
            mean, var = layer["running_mean"], layer["running_var"]
            if training:
                batch_mean, batch_var = z.mean(axis=0), z.var(axis=0)
                updates.append((mean, bn_decay * mean + (1 - bn_decay) * batch_mean))
                updates.append((var, bn_decay * var + (1 - bn_decay) * batch_var))
                mean, var = batch_mean, batch_var
            z = layer["gamma"] * (z - mean) / pt.sqrt(var + bn_epsilon) + layer["beta"]
        else:
            z = z + layer["bias"]
        x = ACTIVATIONS[activation](z)
    return x @ last["kernel"] + last["bias"], updates


def sgd(params, grads, learning_rate, **_):
    """Plain stochastic gradient descent."""
    return [(p, p - learning_rate * g) for p, g in zip(params, grads)]


def momentum(params, grads, learning_rate, beta1, **_):
    """Gradient descent along the exponentially weighted average of the gradients."""
    updates = []
    for p, g in zip(params, grads):
        m = shared(*p.get_value(borrow=True).shape)
        m_next = beta1 * m + (1 - beta1) * g
        updates += [(m, m_next), (p, p - learning_rate * m_next)]
    return updates


def rmsprop(params, grads, learning_rate, beta2, epsilon, **_):
    """Each gradient over the root of the average of its squares (Hinton 2012)."""
    updates = []
    for p, g in zip(params, grads):
        v = shared(*p.get_value(borrow=True).shape)
        v_next = beta2 * v + (1 - beta2) * g**2
        updates += [(v, v_next), (p, p - learning_rate * g / (pt.sqrt(v_next) + epsilon))]
    return updates


def adam(params, grads, learning_rate, beta1, beta2, epsilon):
    """Kingma & Ba 2015, Algorithm 1; 1 - beta**t by expm1 and a logarithm taken in float64: exact in float32 too."""
    t = shared()
    t_next = t + 1
    m_share, v_share = (-pt.expm1(t_next * math.log(beta)) if beta else 1.0 for beta in (beta1, beta2))
    updates = [(t, t_next)]
    for p, g in zip(params, grads):
        m, v = (shared(*p.get_value(borrow=True).shape) for _ in range(2))
        m_next = beta1 * m + (1 - beta1) * g
        v_next = beta2 * v + (1 - beta2) * g**2
        step = learning_rate * (m_next / m_share) / (pt.sqrt(v_next / v_share) + epsilon)
        updates += [(m, m_next), (v, v_next), (p, p - step)]
    return updates


OPTIMISERS = {"sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "adam": adam}


def loss_of(layers, x, y, **hyper):
    """Return the mean cross-entropy of a batch, and the updates of the running statistics."""
    scores, updates = logits(layers, x, training=True, **hyper)
    return -log_softmax(scores, axis=1)[pt.arange(y.shape[0]), y].mean(), updates


def by_step(rows, loss, updates):
    """Return a way to train: a compiled function of the rows of a step, called for each."""
    step = pytensor.function([rows], loss, updates=updates, trust_input=True)
    return lambda order: np.array([step(rows) for rows in order])


def by_scan(rows, loss, updates):
    """Return a way to train: a compiled function of the rows of all the steps."""
    variables, following = zip(*updates)

    def step(rows_of_step, *values):
        return clone_replace([loss, *following], {rows: rows_of_step, **dict(zip(variables, values))})

    order = pt.lmatrix("order")
    losses, *after = pytensor.scan(step, sequences=[order], outputs_info=[None, *variables], return_updates=False)
    last = [(variable, values[-1]) for variable, values in zip(variables, after)]
    return pytensor.function([order], losses, updates=last, trust_input=True)


def trainer(layers, data, labels, optimiser, constants, compiled, **hyper):
    """Return a function of row numbers (steps, batch) that trains and returns the losses, and the optimiser's state."""
    rows = pt.lvector("rows")
    loss, averages = loss_of(layers, data[rows], labels[rows], **hyper)
    params = trained(layers)
    updates = OPTIMISERS[optimiser](params, pt.grad(loss, params), **constants)
    state = [variable for variable, _ in updates if variable not in params]
    return compiled(rows, loss, averages + updates), state


def gradients(layers, **hyper):
    """Return a function of a batch that returns the gradient of its loss for each trained variable."""
    x, y = pt.matrix("x"), pt.lvector("y")
    loss, _ = loss_of(layers, x, y, **hyper)
    return pytensor.function([x, y], pt.grad(loss, trained(layers)))


def predictor(layers, **hyper):
    """Return a function of rows that returns their probabilities, by the running statistics."""
    x = pt.matrix("x")
    scores, _ = logits(layers, x, training=False, **hyper)
    return pytensor.function([x], softmax(scores, axis=1))
