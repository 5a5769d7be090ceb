"""The common network in JAX as its documentation teaches it: a compiled update, parameter by parameter.

https://docs.jax.dev/en/latest/notebooks/neural_network_with_tfds_data.html
https://docs.jax.dev/en/latest/working-with-pytrees.html
"""

import functools

import jax
import jax.numpy as jnp

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


# The optimisers: v and s are the averages of the gradient and of its square, trees like the parameters.


def sgd(p, g, v, s, t, learning_rate, **_):
    """Plain stochastic gradient descent."""
    return p - learning_rate * g


def momentum(p, g, v, s, t, learning_rate, **_):
    """Gradient descent along the exponentially weighted average of the gradients."""
    return p - learning_rate * v


def rmsprop(p, g, v, s, t, learning_rate, epsilon, **_):
    """Each gradient over the root of the average of its squares (Hinton 2012)."""
    return p - learning_rate * g / (jnp.sqrt(s) + epsilon)


def adam(p, g, v, s, t, learning_rate, beta1, beta2, epsilon):
    """Kingma & Ba 2015, Algorithm 1."""
    v_hat = v / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    return p - learning_rate * v_hat / (jnp.sqrt(s_hat) + epsilon)


OPTIMISERS = {"sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "adam": adam}


def begin(params, averages):
    """Return the state of a training that has not begun: parameters, running statistics, the optimiser's state."""
    zeros = jax.tree.map(jnp.zeros_like, params)
    return params, averages, (zeros, jax.tree.map(jnp.zeros_like, params), 0)


def trainer(network, optimiser, constants):
    """Return the way to train: a compiled update, called for each step."""
    beta1, beta2 = constants["beta1"], constants["beta2"]

    @jax.jit
    def update(state, x, y):
        params, averages, (v, s, t) = state
        loss_and_grads = jax.value_and_grad(functools.partial(loss_of, **network), has_aux=True)
        (loss, averages), grads = loss_and_grads(params, averages, x, y)
        t = t + 1
        v = jax.tree.map(lambda v, g: beta1 * v + (1 - beta1) * g, v, grads)
        s = jax.tree.map(lambda s, g: beta2 * s + (1 - beta2) * g**2, s, grads)
        move = functools.partial(OPTIMISERS[optimiser], t=t, **constants)
        params = jax.tree.map(move, params, grads, v, s)
        return (params, averages, (v, s, t)), loss

    def train(state, x, y, order):
        losses = []
        for rows in order:
            state, loss = update(state, x[rows], y[rows])
            losses.append(loss)
        return state, losses

    return train
