"""The common network in Apache MXNet's Gluon, as its users write it.

https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/getting-started/crash-course/2-nn.html
https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/getting-started/crash-course/3-autograd.html
https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/packages/gluon/blocks/hybridize.html
"""

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    net = nn.HybridSequential()
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        net.add(nn.Dense(fan_out, in_units=fan_in, use_bias=not batch_norm))
        if batch_norm:
            net.add(nn.BatchNorm(epsilon=bn_epsilon, momentum=bn_decay, in_channels=fan_out))
        net.add(nn.Activation(activation))
    net.add(nn.Dense(sizes[-1], in_units=sizes[-2]))
    return net


def optimiser(name, parameters, learning_rate, beta1, beta2, epsilon):
    """Return a Trainer with MXNet's own optimiser of that name."""
    options = {
        "sgd": ("sgd", {}),
        "momentum": ("sgd", {"momentum": beta1}),
        "rmsprop": ("rmsprop", {"gamma1": beta2, "epsilon": epsilon}),
        "adam": ("adam", {"beta1": beta1, "beta2": beta2, "epsilon": epsilon}),
    }
    kind, constants = options[name]
    return gluon.Trainer(parameters, kind, {"learning_rate": learning_rate, **constants})


loss_of = gluon.loss.SoftmaxCrossEntropyLoss()


def train(net, trainer, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the mean loss of each step."""
    losses = []
    for rows in order:
        with autograd.record():
            loss = loss_of(net(x.take(rows)), y.take(rows))
        loss.backward()
        trainer.step(len(rows))
        losses.append(loss.mean())
    return losses


def gradients(net, x, y):
    """Compute the gradients of the mean loss of a batch; they are left in the parameters."""
    with autograd.record():
        loss = loss_of(net(x), y).mean()
    loss.backward()


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    return mx.nd.softmax(net(x))
