"""Other ways to write the steps of jax_pure's model.py.

https://docs.jax.dev/en/latest/buffer_donation.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.fori_loop.html
https://docs.jax.dev/en/latest/_autosummary/jax.nn.one_hot.html
https://docs.jax.dev/en/latest/working-with-pytrees.html
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

    def adam(p, g, state, learning_rate, beta1, beta2, epsilon):
        m, v, t = state
        t = t + 1
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        m_share, v_share = (-jnp.expm1(t * math.log(beta)) for beta in (beta1, beta2))
        return p - learning_rate * (m / m_share) / (jnp.sqrt(v / v_share) + epsilon), (m, v, t)

    model.OPTIMISERS["adam"] = adam
    return bare.prepare(model, *given)


def leaf_by_leaf(bare, model, *given):
    """Adam over the tree of parameters, as the guide to pytrees has its updates."""
    adam = model.adam
    of_a_leaf = jax.tree.structure((0, (0, 0, 0)))

    def over_the_tree(params, grads, state, **constants):
        m, v, t = state
        each = jax.tree.map(lambda p, g, m, v: adam(p, g, (m, v, t), **constants), params, grads, m, v)
        params, (m, v, _) = jax.tree.transpose(jax.tree.structure(params), of_a_leaf, each)
        return params, (m, v, t + 1)

    def begin(params, averages):
        m, v = (jax.tree.map(jnp.zeros_like, params) for _ in range(2))
        return params, averages, (m, v, jnp.zeros((), params[-1]["dense"]["kernel"].dtype))

    model.OPTIMISERS["adam"], model.begin = over_the_tree, begin
    model.ravel_pytree = lambda tree: (tree, lambda same: same)
    return bare.prepare(model, *given)


def all_flat(bare, model, *given):
    """The parameters on one flat array between steps, too; the network takes its leaves out of it."""
    unravels = []
    loss_of = model.loss_of

    def begin(params, averages):
        flat, unravel = ravel_pytree(params)
        unravels.append(unravel)
        return flat, averages, (jnp.zeros_like(flat), jnp.zeros_like(flat), jnp.zeros((), flat.dtype))

    def of_flat(flat, averages, x, y, **network):
        return loss_of(unravels[0](flat), averages, x, y, **network)

    model.begin, model.loss_of = begin, of_flat
    return bare.prepare(model, *given)


IDIOMS = {
    "step": {
        "rows normalised, then scaled": normalised_then_scaled,
        "rows scaled, then shifted": scaled_and_shifted,
        "the loss by one_hot": by_one_hot,
        "Adam with both averages divided": averages_divided,
        "Adam leaf by leaf": leaf_by_leaf,
        "the parameters flat, too": all_flat,
        "buffers not donated": not_donated,
        "the order put on the device first": rows_on_the_device,
    },
    "scan": {
        "rows normalised, then scaled": normalised_then_scaled,
        "rows scaled, then shifted": scaled_and_shifted,
        "the loss by one_hot": by_one_hot,
        "Adam with both averages divided": averages_divided,
        "Adam leaf by leaf": leaf_by_leaf,
        "the parameters flat, too": all_flat,
        "buffers not donated": not_donated,
        "two steps unrolled": unrolled(2),
        "eight steps unrolled": unrolled(8),
        "fori_loop": by_fori_loop,
    },
}
