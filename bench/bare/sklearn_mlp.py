"""The loop of sklearn_mlp's model.py with nothing around it."""

import numpy as np


def prepare(model, spec, arrays, x, y, order, variant):
    optimiser = {key: spec[key] for key in ("optimiser", "beta1", "beta2", "epsilon")}
    net = model.network(spec["sizes"], spec["activation"], spec["batch_size"], spec["learning_rate"], **optimiser)
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    model.start(net, kernels, [np.zeros(width, spec["dtype"]) for width in spec["sizes"][1:]])
    return lambda: model.train(net, x, y, order)
