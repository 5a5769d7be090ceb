"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import json
from pathlib import Path

import mlx.core as mx
import numpy as np


def array(x):
    """Return the rows in their own precision: MLX takes float64 for float32 unless it is told."""
    return mx.array(x, getattr(mx, str(x.dtype)))


def mlxfn(folder):
    mx.set_default_device(mx.cpu)
    function = mx.import_function(str(Path(folder, "model.mlxfn")))
    return lambda x: np.array(function(array(x))[0])


def weights(folder):
    from . import model

    mx.set_default_device(mx.cpu)
    settings = json.loads(Path(folder, "settings.json").read_text())
    dtype = getattr(mx, settings.pop("dtype"))
    net = model.network(dtype=dtype, **settings)
    net.load_weights(str(Path(folder, "model.npz")))
    return lambda x: np.array(model.predict(net, array(x)))
