"""The common network in Caffe, by NetSpec, as its users write it.

https://caffe.berkeleyvision.org/tutorial/solver.html
https://caffe.berkeleyvision.org/tutorial/layers.html
https://nbviewer.org/github/BVLC/caffe/blob/master/examples/01-learning-lenet.ipynb
"""

import os
import tempfile

import caffe
import numpy as np
from caffe import layers as L
from caffe.proto import caffe_pb2

ACTIVATIONS = {"relu": L.ReLU, "tanh": L.TanH, "sigmoid": L.Sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, batch_size):
    """Return the description of the network, with its loss and its probabilities."""
    net = caffe.NetSpec()
    net.data = L.Input(shape={"dim": [batch_size, sizes[0]]})
    net.label = L.Input(shape={"dim": [batch_size]})
    top = net.data
    for i, width in enumerate(sizes[1:-1]):
        net["dense%d" % i] = top = L.InnerProduct(top, num_output=width, bias_term=not batch_norm)
        if batch_norm:
            net["norm%d" % i] = top = L.BatchNorm(top, moving_average_fraction=bn_decay, eps=bn_epsilon)
            net["scale%d" % i] = top = L.Scale(top, bias_term=True)
        net["activation%d" % i] = top = ACTIVATIONS[activation](top, in_place=True)
    net["dense%d" % (len(sizes) - 2)] = top = L.InnerProduct(top, num_output=sizes[-1])
    net.loss = L.SoftmaxWithLoss(top, net.label)
    net.probabilities = L.Softmax(top)
    return net.to_proto()


def solver(net, name, learning_rate, beta1, beta2, epsilon):
    """Return Caffe's own solver of that name, with the network in it."""
    description = caffe_pb2.SolverParameter(base_lr=learning_rate, lr_policy="fixed", snapshot_prefix="snapshot")
    description.net_param.CopyFrom(net)
    if name == "momentum":
        description.momentum = beta1
    elif name == "rmsprop":
        description.type, description.rms_decay, description.delta = "RMSProp", beta2, epsilon
    elif name == "adam":
        description.type, description.delta = "Adam", epsilon
        description.momentum, description.momentum2 = beta1, beta2
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "solver.prototxt")
        with open(path, "w") as file:
            file.write(str(description))
        return caffe.get_solver(path)


def tester(net, solver):
    """Return the network that shares the solver's parameters and uses the running statistics."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.prototxt")
        with open(path, "w") as file:
            file.write(str(net))
        test = caffe.Net(path, caffe.TEST)
    test.share_with(solver.net)
    return test


def train(solver, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    data, label, loss = (solver.net.blobs[name].data for name in ("data", "label", "loss"))
    losses = np.empty(len(order), np.float32)
    for step, rows in enumerate(order):
        np.take(x, rows, axis=0, out=data)
        np.take(y, rows, out=label)
        solver.step(1)
        losses[step] = loss
    return losses


def resize(net, rows):
    """Make room for a batch of so many rows."""
    for name in ("data", "label"):
        _, *columns = net.blobs[name].data.shape
        net.blobs[name].reshape(rows, *columns)
    net.reshape()


def feed(net, x, y):
    """Put a batch of any size into the network."""
    resize(net, len(x))
    net.blobs["data"].data[...] = x
    net.blobs["label"].data[...] = y


def gradients(net, x, y):
    """Compute the gradients of the mean loss of a batch; they are left in the parameters."""
    feed(net, x, y)
    net.clear_param_diffs()
    net.forward()
    net.backward()


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    feed(net, x, np.zeros(len(x), np.float32))
    return net.forward()["probabilities"]


# Caffe's batch norm keeps the sums of the statistics of all batches, each weighted, and the sum of the weights.


def set_statistics(net, layer, mean, var, bn_decay):
    """Set the running statistics, with the weight that a long training has."""
    weight = np.float32(1 / (1 - bn_decay))
    for blob, value in zip(net.params[layer], (mean * weight, var * weight, weight)):
        blob.data[...] = value


def get_statistics(net, layer):
    """Return the running mean and variance."""
    mean, var, weight = (blob.data for blob in net.params[layer])
    return mean / weight, var / weight
