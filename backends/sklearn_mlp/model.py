"""The common network as scikit-learn's MLPClassifier, as its users write it. It has no batch norm and no RMSProp.

https://scikit-learn.org/stable/modules/neural_networks_supervised.html
https://scikit-learn.org/stable/computing/scaling_strategies.html
"""

import numpy as np
from sklearn.neural_network import MLPClassifier

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def solver(optimiser, beta1, beta2, epsilon):
    """Return the arguments that choose the optimiser."""
    if optimiser == "adam":
        return {"solver": "adam", "beta_1": beta1, "beta_2": beta2, "epsilon": epsilon}
    momentum = {"sgd": 0.0, "momentum": beta1}[optimiser]
    return {"solver": "sgd", "momentum": momentum, "nesterovs_momentum": False}


def network(sizes, activation, batch_size, learning_rate, **optimiser):
    """Return the classifier of `sizes` (features, hidden widths ..., classes), its arrays allocated."""
    features, *hidden, classes = sizes
    net = MLPClassifier(
        hidden,
        activation=ACTIVATIONS[activation],
        alpha=0.0,
        batch_size=batch_size,
        learning_rate_init=learning_rate,
        shuffle=False,
        **solver(**optimiser),
    )
    # It allocates its arrays when it first sees data.
    return net.partial_fit(np.zeros((batch_size, features)), np.zeros(batch_size, int), classes=range(classes))


def start(net, kernels, biases):
    """Put in the arrays that training starts from, in whose dtype it goes on; the optimiser starts anew."""
    net.coefs_, net.intercepts_ = kernels, biases
    del net._optimizer  # partial_fit makes one where there is none


def train(net, x, y, order):
    """Take a step for each line of `order` (steps, batch), row numbers; return the losses (steps,)."""
    return np.array([net.partial_fit(x[rows], y[rows]).loss_ for rows in order], x.dtype)


def gradients(net, x, y):
    """Return the gradients of the kernels and of the biases on a batch: by private methods: it has no public one."""
    deltas, kernels, biases = ([None] * (net.n_layers_ - 1) for _ in range(3))
    activations = [x, *deltas]
    targets = net._label_binarizer.transform(y).astype(bool)
    _, kernels, biases = net._backprop(x, targets, None, activations, deltas, kernels, biases)
    return kernels, biases


def predict(net, x):
    """Return the probabilities (rows, classes) of x (rows, features)."""
    return net.predict_proba(x)
