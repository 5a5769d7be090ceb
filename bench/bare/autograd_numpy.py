"""The loop of autograd_numpy's model.py with nothing around it."""


def prepare(model, spec, arrays, x, y, order, variant):
    net = model.Network(spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"])
    net.arrays = arrays
    optimiser = model.Optimiser(spec["optimiser"], spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"])
    return lambda: net.train(optimiser, x, y, order)
