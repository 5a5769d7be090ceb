"""The common network in MLX, as its users write it.

https://ml-explore.github.io/mlx/build/html/examples/mlp.html
https://ml-explore.github.io/mlx/build/html/usage/compile.html
https://ml-explore.github.io/mlx/build/html/usage/lazy_evaluation.html
https://ml-explore.github.io/mlx/build/html/python/optimizers.html
"""

from functools import partial

import mlx.core as mx
import mlx.optimizers as optim
from mlx import nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, dtype):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(nn.Linear(fan_in, fan_out, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm(fan_out, eps=bn_epsilon, momentum=1 - bn_decay))
        layers.append(ACTIVATIONS[activation]())
    net = nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))
    net.set_dtype(dtype)
    return net


def optimiser(net, name, learning_rate, beta1, beta2, epsilon, dtype):
    """Return MLX's own optimiser of that name, for the parameters of the network."""
    if name == "sgd":
        rule = optim.SGD(learning_rate)
    elif name == "momentum":
        rule = optim.SGD(learning_rate, momentum=beta1, dampening=beta1)
    elif name == "rmsprop":
        rule = optim.RMSprop(learning_rate, alpha=beta2, eps=epsilon)
    else:
        rule = optim.Adam(learning_rate, betas=[beta1, beta2], eps=epsilon, bias_correction=True)
    rule.learning_rate = mx.array(learning_rate, dtype)  # A number becomes an array of float32.
    rule.init(net.trainable_parameters())
    return rule


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    return nn.losses.cross_entropy(net(x), y, reduction="mean")


def eager_step(net, optimiser):
    """Return the function that trains on a batch, in place, and returns its loss."""
    loss_and_grad = nn.value_and_grad(net, loss_of)

    def step(x, y):
        loss, grads = loss_and_grad(net, x, y)
        optimiser.update(net, grads)
        return loss

    return step


def compiled_step(net, optimiser):
    """Return the same function, compiled; what it changes in place is named."""
    state = [net.state, optimiser.state]
    return partial(mx.compile, inputs=state, outputs=state)(eager_step(net, optimiser))


STEPS = {"eager": eager_step, "compiled": compiled_step}


def train(net, optimiser, step, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    net.train()
    losses = []
    for rows in order:
        loss = step(x[rows], y[rows])
        mx.eval(loss, net.state, optimiser.state)
        losses.append(loss)
    return mx.stack(losses)


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    net.eval()
    return mx.softmax(net(x), axis=-1)
