"""A checkpoint in the middle of training, as Flax's users write it.

https://flax.readthedocs.io/en/stable/guides/checkpointing.html
"""

import os

import orbax.checkpoint as ocp
from flax import nnx


def save(net, optimiser, folder):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(os.path.join(os.path.abspath(folder), "state"), nnx.state((net, optimiser)))


def restore(net, optimiser, folder):
    with ocp.StandardCheckpointer() as checkpointer:
        path = os.path.join(os.path.abspath(folder), "state")
        nnx.update((net, optimiser), checkpointer.restore(path, nnx.state((net, optimiser))))
