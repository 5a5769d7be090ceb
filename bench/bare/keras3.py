"""The loops of keras3's model.py with nothing around them."""

import keras


def prepare(model, spec, arrays, x, y, order, variant):
    keras.config.set_floatx(spec["dtype"])
    net = model.network(spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"])
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    for layer, kernel in zip([layer for layer in net.layers if isinstance(layer, keras.layers.Dense)], kernels):
        layer.kernel.assign(kernel)
    optimiser = model.optimiser(spec["optimiser"], spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"])
    optimiser.build(net.trainable_variables)
    loss_of = model.cross_entropy()
    net.compile(optimizer=optimiser, loss=loss_of)

    if variant.endswith("fit"):

        def train():
            return model.fit(net, x, y, order)

    else:
        step = model.STEP(net, optimiser, loss_of)
        tensors = [keras.ops.convert_to_tensor(array) for array in (x, y)]

        def train():
            return step.train(*tensors, keras.ops.convert_to_tensor(order))

    if model.ENGINE != "jax":
        return train

    import jax  # not in the environments of the other engines

    def run():
        train()
        jax.block_until_ready([variable.value for variable in net.variables])

    return run
