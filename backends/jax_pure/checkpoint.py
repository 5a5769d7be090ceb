"""A checkpoint in the middle of training, with JAX and NumPy alone: the leaves of the state in their order.

https://docs.jax.dev/en/latest/working-with-pytrees.html
"""

import os

import jax
import numpy as np


def save(state, folder):
    np.savez(os.path.join(folder, "checkpoint.npz"), *jax.tree.leaves(state))


def restore(state, folder):
    with np.load(os.path.join(folder, "checkpoint.npz")) as saved:
        leaves = [saved[name] for name in saved.files]
    return jax.tree.unflatten(jax.tree.structure(state), leaves)
