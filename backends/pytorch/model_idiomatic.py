"""The common network in PyTorch as its tutorials teach it: no option that is only there for speed.

https://docs.pytorch.org/tutorials/beginner/basics/buildmodel_tutorial.html
https://docs.pytorch.org/tutorials/beginner/basics/optimization_tutorial.html
"""

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(nn.Linear(fan_in, fan_out, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm1d(fan_out, eps=bn_epsilon, momentum=1 - bn_decay))
        layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def optimiser(name, parameters, learning_rate, beta1, beta2, epsilon):
    """Return PyTorch's own optimiser of that name."""
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=learning_rate)
    if name == "momentum":
        return torch.optim.SGD(parameters, lr=learning_rate, momentum=beta1)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=learning_rate, alpha=beta2, eps=epsilon)
    return torch.optim.Adam(parameters, lr=learning_rate, betas=(beta1, beta2), eps=epsilon)


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    return F.cross_entropy(net(x), y)


def train(net, optimiser, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    net.train()
    losses = []
    for rows in order:
        loss = loss_of(net, x[rows], y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    net.eval()
    with torch.no_grad():
        return F.softmax(net(x), dim=1)
