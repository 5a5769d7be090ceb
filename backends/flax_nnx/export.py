"""The ways to deploy the trained network, as Flax's users write them: its state in a file, and the code again.

https://flax.readthedocs.io/en/stable/api_reference/flax.serialization.html
https://flax.readthedocs.io/en/stable/guides/checkpointing.html
"""

import json
import os

import orbax.checkpoint as ocp
from flax import nnx, serialization


def settings(spec, folder):
    """Save what the network is built with again."""
    fields = ("sizes", "activation", "batch_norm", "bn_epsilon", "bn_decay", "dtype")
    with open(os.path.join(folder, "settings.json"), "w") as file:
        json.dump({field: getattr(spec, field) for field in fields}, file)


def msgpack(net, spec, folder):
    """Save the state as msgpack."""
    settings(spec, folder)
    with open(os.path.join(folder, "model.msgpack"), "wb") as file:
        file.write(serialization.to_bytes(nnx.to_pure_dict(nnx.state(net))))


def orbax(net, spec, folder):
    """Save the state as an Orbax checkpoint."""
    settings(spec, folder)
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(os.path.join(os.path.abspath(folder), "state"), nnx.to_pure_dict(nnx.state(net)))
