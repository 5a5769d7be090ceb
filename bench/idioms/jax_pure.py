"""Other ways to write the steps of jax_pure's model.py.

https://docs.jax.dev/en/latest/buffer_donation.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
https://docs.jax.dev/en/latest/_autosummary/jax.lax.fori_loop.html
"""

import jax
import jax.numpy as jnp


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


IDIOMS = {
    "step": {
        "buffers not donated": not_donated,
        "the order put on the device first": rows_on_the_device,
    },
    "scan": {
        "buffers not donated": not_donated,
        "two steps unrolled": unrolled(2),
        "eight steps unrolled": unrolled(8),
        "fori_loop": by_fori_loop,
    },
}
