"""The loop of pytorch's model.py with nothing around it."""

import torch


def prepare(model, spec, arrays, x, y, order, variant):
    net = model.network(spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"]).to(
        getattr(torch, spec["dtype"])
    )
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    with torch.no_grad():
        for layer, kernel in zip([layer for layer in net if isinstance(layer, torch.nn.Linear)], kernels):
            layer.weight.copy_(torch.from_numpy(kernel).T)
    optimiser = model.optimiser(
        spec["optimiser"], net.parameters(), spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"]
    )
    loss_of = torch.compile(model.loss_of) if variant == "compiled" else model.loss_of
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    return lambda: model.train(net, optimiser, x, y, torch.from_numpy(order), loss_of)
