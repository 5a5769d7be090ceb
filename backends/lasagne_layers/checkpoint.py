"""A checkpoint in the middle of training, as Lasagne's users write it: every shared variable that training updates.

https://github.com/Lasagne/Lasagne/blob/master/examples/mnist.py
"""

import os

import lasagne
import numpy as np


def save(net, state, folder):
    variables = [*lasagne.layers.get_all_params(net), *state]
    np.savez(os.path.join(folder, "checkpoint.npz"), *[variable.get_value() for variable in variables])


def restore(net, state, folder):
    with np.load(os.path.join(folder, "checkpoint.npz")) as file:
        for i, variable in enumerate([*lasagne.layers.get_all_params(net), *state]):
            variable.set_value(file["arr_%d" % i])
