"""The loop of numpy_plain's model.py with nothing around it."""


def prepare(model, spec, arrays, x, y, order, variant):
    layers, parameters, gradients = model.network(
        spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"], spec["dtype"]
    )
    for layer in layers:
        for name in layer.shapes:
            getattr(layer, name)[:] = 1 if name == "gamma" else 0
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    for layer, kernel in zip([layer for layer in layers if "kernel" in layer.shapes], kernels):
        layer.kernel[:] = kernel
        if hasattr(layer, "bias"):
            layer.bias[:] = 0
    for layer in layers:
        if isinstance(layer, model.BatchNorm):
            layer.running_mean, layer.running_var = (
                average.astype(spec["dtype"]) for average in (layer.running_mean, layer.running_var)
            )
    optimiser = model.Optimiser(
        spec["optimiser"], parameters, gradients, spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"]
    )
    return lambda: model.train(layers, optimiser, x, y, order)
