"""A checkpoint in the middle of training, with NumPy alone.

https://numpy.org/doc/stable/reference/generated/numpy.savez.html
"""

import os

import numpy as np


def norms(layers):
    return [layer for layer in layers if hasattr(layer, "running_mean")]


def save(layers, optimiser, folder):
    running = {}
    for number, norm in enumerate(norms(layers)):
        running["mean%d" % number], running["var%d" % number] = norm.running_mean, norm.running_var
    moments = {"p": optimiser.p, "v": optimiser.v, "s": optimiser.s, "t": optimiser.t}
    np.savez(os.path.join(folder, "checkpoint.npz"), **moments, **running)


def restore(layers, optimiser, folder):
    with np.load(os.path.join(folder, "checkpoint.npz")) as saved:
        for name in ("p", "v", "s"):
            getattr(optimiser, name)[:] = saved[name]
        optimiser.t = int(saved["t"])
        for number, norm in enumerate(norms(layers)):
            norm.running_mean[:], norm.running_var[:] = saved["mean%d" % number], saved["var%d" % number]
