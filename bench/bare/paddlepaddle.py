"""The loop of paddlepaddle's model.py with nothing around it."""

import paddle


def prepare(model, spec, arrays, x, y, order, variant):
    paddle.set_device("cpu")
    paddle.set_default_dtype(spec["dtype"])
    net = model.network(spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"])
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    for layer, kernel in zip([layer for layer in net if isinstance(layer, paddle.nn.Linear)], kernels):
        layer.weight.set_value(kernel)
    optimiser = model.optimiser(
        spec["optimiser"], net.parameters(), spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"]
    )
    static = variant == "static"
    loss_of = paddle.jit.to_static(model.loss_of, full_graph=True) if static else model.loss_of
    x, y = paddle.to_tensor(x), paddle.to_tensor(y)
    return lambda: model.train(net, optimiser, x, y, paddle.to_tensor(order), loss_of)
