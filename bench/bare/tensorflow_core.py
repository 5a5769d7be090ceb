"""The loop of tensorflow_core's model.py with nothing around it."""

import tensorflow as tf


def prepare(model, spec, arrays, x, y, order, variant):
    net = model.MLP(
        spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"], spec["dtype"]
    )
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    for layer, kernel in zip([*net.dense, net.output], kernels):
        layer.kernel.assign(kernel)
    optimiser = model.optimiser(
        spec["optimiser"],
        net.trainable_variables,
        spec["learning_rate"],
        spec["beta1"],
        spec["beta2"],
        spec["epsilon"],
    )
    train = model.COMPILE[variant](model.train)
    x, y = tf.constant(x), tf.constant(y)
    return lambda: train(net, optimiser, x, y, tf.constant(order))
