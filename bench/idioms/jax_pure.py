"""Other ways to write the steps of jax_pure's model.py.

https://docs.jax.dev/en/latest/buffer_donation.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.fori_loop.html
https://docs.jax.dev/en/latest/_autosummary/jax.nn.one_hot.html
https://docs.jax.dev/en/latest/_autosummary/jax.flatten_util.ravel_pytree.html
"""

import math

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree


def not_donated(bare, model, *given):
    jit = jax.jit
    model.jax.jit = lambda function, donate_argnums=(), **more: jit(function, **more)
    return bare.prepare(model, *given)


def rows_on_the_device(bare, model, spec, arrays, x, y, order, variant):
    return bare.prepare(model, spec, arrays, x, y, jnp.array(order), variant)


def unrolled(steps):
    def prepare(bare, model, *given):
        scan = jax.lax.scan
        model.jax.lax.scan = lambda *arguments: scan(*arguments, unroll=steps)
        return bare.prepare(model, *given)

    return prepare


def by_fori_loop(bare, model, *given):
    def scan(step, state, order):
        def body(number, both):
            state, losses = both
            state, loss = step(state, order[number])
            return state, losses.at[number].set(loss)

        return jax.lax.fori_loop(0, len(order), body, (state, jnp.zeros(len(order), jnp.float32)))

    model.jax.lax.scan = scan
    return bare.prepare(model, *given)


def normalised_then_scaled(bare, model, *given):
    def batch_norm(z, norm, mean, var, epsilon):
        return norm["gamma"] * (z - mean) / jnp.sqrt(var + epsilon) + norm["beta"]

    model.batch_norm = batch_norm
    return bare.prepare(model, *given)


def scaled_and_shifted(bare, model, *given):
    """In one pass over the rows, as Keras does it."""

    def batch_norm(z, norm, mean, var, epsilon):
        scale = norm["gamma"] / jnp.sqrt(var + epsilon)
        return z * scale + (norm["beta"] - mean * scale)

    model.batch_norm = batch_norm
    return bare.prepare(model, *given)


def by_one_hot(bare, model, *given):
    def loss_of(params, averages, x, y, **network):
        scores, averages = model.logits(params, averages, x, training=True, **network)
        chosen = jax.nn.one_hot(y, scores.shape[1], dtype=scores.dtype)
        return -(jax.nn.log_softmax(scores) * chosen).sum(axis=1).mean(), averages

    model.loss_of = loss_of
    return bare.prepare(model, *given)


def averages_divided(bare, model, *given):
    """Adam as Algorithm 1 reads, and as jax.example_libraries has it."""

    def adam(params, grads, state, learning_rate, beta1, beta2, epsilon):
        m, v, t = state
        t = t + 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grads)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, grads)
        m_share, v_share = (-jnp.expm1(t * math.log(beta)) for beta in (beta1, beta2))

        def step(p, m, v):
            return p - learning_rate * (m / m_share) / (jnp.sqrt(v / v_share) + epsilon)

        return jax.tree.map(step, params, m, v), (m, v, t)

    model.OPTIMISERS["adam"] = adam
    return bare.prepare(model, *given)


def flat_moments(bare, model, *given):
    """Adam on one flat array, as ravel_pytree makes of the parameters and of the gradients."""
    adam, begin = model.adam, model.begin

    def on_flat(params, grads, state, **constants):
        flat, whole = ravel_pytree(params)
        moved, state = adam(flat, ravel_pytree(grads)[0], state, **constants)
        return whole(moved), state

    def flat_begin(params, averages):
        params, averages, (first, second, t) = begin(params, averages)
        return params, averages, (ravel_pytree(first)[0], ravel_pytree(second)[0], t)

    model.OPTIMISERS["adam"], model.begin = on_flat, flat_begin
    return bare.prepare(model, *given)


IDIOMS = {
    "step": {
        "rows normalised, then scaled": normalised_then_scaled,
        "rows scaled, then shifted": scaled_and_shifted,
        "the loss by one_hot": by_one_hot,
        "Adam with both averages divided": averages_divided,
        "Adam on one flat array": flat_moments,
        "buffers not donated": not_donated,
        "the order put on the device first": rows_on_the_device,
    },
    "scan": {
        "rows normalised, then scaled": normalised_then_scaled,
        "rows scaled, then shifted": scaled_and_shifted,
        "the loss by one_hot": by_one_hot,
        "Adam with both averages divided": averages_divided,
        "Adam on one flat array": flat_moments,
        "buffers not donated": not_donated,
        "two steps unrolled": unrolled(2),
        "eight steps unrolled": unrolled(8),
        "fori_loop": by_fori_loop,
    },
}
