"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import json
import os

import jax
import numpy as np
import orbax.checkpoint as ocp
from flax import nnx, serialization

from . import model


def build(folder):
    with open(os.path.join(folder, "settings.json")) as file:
        settings = json.load(file)
    jax.config.update("jax_enable_x64", settings["dtype"] == "float64")
    return model.network(**settings)


def served(net, pure):
    state = nnx.state(net)
    nnx.replace_by_pure_dict(state, pure)
    nnx.update(net, state)
    return lambda x: np.asarray(model.predict(net, x))


def msgpack(folder):
    net = build(folder)
    with open(os.path.join(folder, "model.msgpack"), "rb") as file:
        return served(net, serialization.from_bytes(nnx.to_pure_dict(nnx.state(net)), file.read()))


def orbax(folder):
    net = build(folder)
    with ocp.StandardCheckpointer() as checkpointer:
        path = os.path.join(os.path.abspath(folder), "state")
        return served(net, checkpointer.restore(path, nnx.to_pure_dict(nnx.state(net))))
