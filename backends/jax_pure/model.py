"""The common network in JAX and nothing else, as its users write it.

https://docs.jax.dev/en/latest/notebooks/neural_network_with_tfds_data.html
https://docs.jax.dev/en/latest/working-with-pytrees.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
https://docs.jax.dev/en/latest/_autosummary/jax.flatten_util.ravel_pytree.html
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}


def batch_norm(z, norm, mean, var, epsilon):
    """Normalise z (batch, width), scale by gamma and shift by beta."""
    return (z - mean) * (norm["gamma"] / jnp.sqrt(var + epsilon)) + norm["beta"]


def dense(layer, a):
    """Return a @ kernel, with the bias where the layer has one."""
    z = a @ layer["kernel"]
    return z + layer["bias"] if "bias" in layer else z


def logits(params, averages, x, training, activation, bn_epsilon, bn_decay):
    """Return the logits (batch, classes) and the moved running statistics."""
    *hidden, last = params
    moved = []
    for layer, average in zip(hidden, averages):
        x = dense(layer["dense"], x)
        if "norm" in layer:
            if training:
                mean, var = x.mean(axis=0), x.var(axis=0)
                batch = {"mean": mean, "var": var}
                average = jax.tree.map(lambda old, new: bn_decay * old + (1 - bn_decay) * new, average, batch)
            else:
                mean, var = average["mean"], average["var"]
            x = batch_norm(x, layer["norm"], mean, var, bn_epsilon)
        x = ACTIVATIONS[activation](x)
        moved.append(average)
    return dense(last["dense"], x), moved


def loss_of(params, averages, x, y, **network):
    """Return the mean cross-entropy of a batch, and the moved running statistics."""
    scores, averages = logits(params, averages, x, training=True, **network)
    log_probabilities = jax.nn.log_softmax(scores)
    return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean(), averages


@functools.partial(jax.jit, static_argnames=("activation", "bn_epsilon", "bn_decay"))
def predict(params, averages, x, **network):
    """Return the probabilities (batch, classes), by the running statistics."""
    return jax.nn.softmax(logits(params, averages, x, training=False, **network)[0])


# The optimisers: parameters and gradients are one flat array each, and so are the moments m and v.


def sgd(p, g, state, learning_rate, **_):
    """Plain stochastic gradient descent."""
    return p - learning_rate * g, state


def momentum(p, g, state, learning_rate, beta1, **_):
    """Gradient descent along the exponentially weighted average of the gradients."""
    m, v, t = state
    m = beta1 * m + (1 - beta1) * g
    return p - learning_rate * m, (m, v, t)


def rmsprop(p, g, state, learning_rate, beta2, epsilon, **_):
    """Each gradient over the root of the average of its squares (Hinton 2012)."""
    m, v, t = state
    v = beta2 * v + (1 - beta2) * g * g
    return p - learning_rate * g / (jnp.sqrt(v) + epsilon), (m, v, t)


def adam(p, g, state, learning_rate, beta1, beta2, epsilon):
    """Kingma & Ba 2015, Algorithm 1, in the order of section 2: what all elements share is computed once.

    1 - beta**t is by expm1 and a logarithm taken in float64: exact in float32 too.
    """
    m, v, t = state
    t = t + 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_share, v_share = (-jnp.expm1(t * math.log(beta)) if beta else 1.0 for beta in (beta1, beta2))
    root = jnp.sqrt(v_share)
    rate, small = learning_rate * root / m_share, epsilon * root
    return p - rate * m / (jnp.sqrt(v) + small), (m, v, t)


OPTIMISERS = {"sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "adam": adam}


def begin(params, averages):
    """Return the state of a training that has not begun: parameters, running statistics, the optimiser's state."""
    flat, _ = ravel_pytree(params)
    return params, averages, (jnp.zeros_like(flat), jnp.zeros_like(flat), jnp.zeros((), flat.dtype))


def trainer(network, optimiser, constants):
    """Return two ways to train: one compiled program called for each step, and one for all the steps."""
    update = functools.partial(OPTIMISERS[optimiser], **constants)
    loss_and_grads = jax.value_and_grad(functools.partial(loss_of, **network), has_aux=True)

    def step(state, x, y, rows):
        params, averages, moments = state
        (loss, averages), grads = loss_and_grads(params, averages, x[rows], y[rows])
        flat, unravel = ravel_pytree(params)
        flat, moments = update(flat, ravel_pytree(grads)[0], moments)
        return (unravel(flat), averages, moments), loss

    compiled_step = jax.jit(step, donate_argnums=0)

    def by_step(state, x, y, order):
        losses = []
        for rows in order:
            state, loss = compiled_step(state, x, y, rows)
            losses.append(loss)
        return state, losses

    @functools.partial(jax.jit, donate_argnums=0)
    def by_scan(state, x, y, order):
        return jax.lax.scan(lambda state, rows: step(state, x, y, rows), state, order)

    return {"step": by_step, "scan": by_scan}
