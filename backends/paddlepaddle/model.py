"""The common network in PaddlePaddle, as its users write it.

https://paddlepaddle.org.cn/documentation/docs/zh/2.6/guides/advanced/layer_and_model_cn.html
https://paddlepaddle.org.cn/documentation/guides/jit/basic_usage_cn.html
https://paddlepaddle.org.cn/documentation/docs/en/api/paddle/jit/to_static_en.html
"""

import paddle
from paddle import nn
from paddle.nn import functional as F

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(nn.Linear(fan_in, fan_out, bias_attr=False if batch_norm else None))
        if batch_norm:
            layers.append(nn.BatchNorm1D(fan_out, momentum=bn_decay, epsilon=bn_epsilon))
        layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def optimiser(name, parameters, learning_rate, beta1, beta2, epsilon):
    """Return Paddle's own optimiser of that name."""
    if name == "sgd":
        return paddle.optimizer.SGD(learning_rate, parameters=parameters)
    if name == "momentum":
        return paddle.optimizer.Momentum(learning_rate, momentum=beta1, parameters=parameters)
    if name == "rmsprop":
        return paddle.optimizer.RMSProp(learning_rate, rho=beta2, epsilon=epsilon, parameters=parameters)
    return paddle.optimizer.Adam(learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon, parameters=parameters)


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    return F.cross_entropy(net(x), y)


def train(net, optimiser, x, y, order, loss_of=loss_of):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    net.train()
    losses = []
    for rows in order:
        loss = loss_of(net, x[rows], y[rows])
        loss.backward()
        optimiser.step()
        optimiser.clear_grad()
        losses.append(loss.detach())
    return paddle.stack(losses)


@paddle.no_grad()
def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    net.eval()
    return F.softmax(net(x), axis=1)
