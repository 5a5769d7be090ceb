"""The way to deploy the trained network, as Lasagne's users write it: its arrays in a file, and the code again.

https://github.com/Lasagne/Lasagne/blob/master/examples/mnist.py
"""

import json
import os

import lasagne
import numpy as np


def npz(net, spec, folder):
    """Save the arrays, and what the network is built with again."""
    np.savez(os.path.join(folder, "model.npz"), *lasagne.layers.get_all_param_values(net))
    fields = ("sizes", "activation", "batch_norm", "bn_epsilon", "bn_decay", "dtype")
    with open(os.path.join(folder, "settings.json"), "w") as file:
        json.dump({field: getattr(spec, field) for field in fields}, file)
