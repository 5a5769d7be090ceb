"""Deploying the trained network with NumPy alone: the floor for comparison with every other way.

https://numpy.org/doc/stable/reference/generated/numpy.savez.html
"""

import os

import numpy as np

from . import model


def npz(layers, folder):
    """Save the arrays; batch norm in test mode is a scale and a shift."""
    arrays = {}
    for number, layer in enumerate(layers):
        if isinstance(layer, model.Dense):
            arrays["kernel%d" % number] = layer.kernel
            if "bias" in layer.shapes:
                arrays["bias%d" % number] = layer.bias
        elif isinstance(layer, model.BatchNorm):
            scale = layer.gamma / np.sqrt(layer.running_var + layer.epsilon)
            arrays["scale%d" % number] = scale
            arrays["shift%d" % number] = layer.beta - layer.running_mean * scale
        else:
            arrays["%s%d" % (layer.name, number)] = np.zeros(0)
    np.savez(os.path.join(folder, "model.npz"), **arrays)
