"""The loop of pytensor_plain's model.py with nothing around it."""

import os
import sys

# As the adapter has them: PyTensor reads its flags when it is imported.
os.environ["PYTENSOR_FLAGS"] = ",".join(
    (
        "base_compiledir=" + os.path.join(sys.prefix, "pytensor"),
        "blas__ldflags=",
        "numba__fastmath=False",
        "allow_gc=False",
    )
)


def prepare(model, spec, arrays, x, y, order, variant):
    pytensor = model.pytensor
    pytensor.config.floatX = spec["dtype"]
    pytensor.config.mode = "CVM" if variant == "c" else "NUMBA"
    layers = model.network(spec["sizes"], spec["batch_norm"])
    for name, array in arrays.items():
        layer, leaf = name.split("/")
        layers[int(layer.lstrip("densorm"))][leaf].set_value(array)
    network = {key: spec[key] for key in ("activation", "bn_epsilon", "bn_decay")}
    constants = {key: spec[key] for key in ("learning_rate", "beta1", "beta2", "epsilon")}
    data, labels = pytensor.shared(x), pytensor.shared(y)
    compiled = model.by_scan if variant == "numba_scan" else model.by_step
    train, _ = model.trainer(layers, data, labels, spec["optimiser"], constants, compiled, **network)
    return lambda: train(order)
