"""The common network in CNTK's layers, as its users write it.

https://docs.microsoft.com/en-us/cognitive-toolkit/layers-library-reference
https://cntk.ai/pythondocs/CNTK_102_FeedForward.html
https://cntk.ai/pythondocs/cntk.learners.html
"""

import math

import cntk as C

ACTIVATIONS = {"relu": C.relu, "tanh": C.tanh, "sigmoid": C.sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, batch_size, dtype):
    """Return the layers, the variable of the rows, and the logits of the rows."""
    layers = []
    # Of the running statistics, exp(-batch_size / time constant) is kept at each step.
    time_constant = -batch_size / math.log(bn_decay) if bn_decay else 0
    with C.default_options(dtype=dtype):
        for width in sizes[1:-1]:
            layers.append(C.layers.Dense(width, bias=not batch_norm))
            if batch_norm:
                layers.append(
                    C.layers.BatchNormalization(
                        normalization_time_constant=time_constant, epsilon=bn_epsilon, use_cntk_engine=True
                    )
                )
            layers.append(C.layers.Activation(ACTIVATIONS[activation]))
        layers.append(C.layers.Dense(sizes[-1]))
        x = C.input_variable(sizes[0], dtype=dtype)
        return layers, x, C.layers.Sequential(layers)(x)


def loss_of(logits, dtype):
    """Return the variable of the labels, and the cross-entropy of each row."""
    y = C.input_variable((), dtype=dtype)
    return y, C.cross_entropy_with_softmax(logits, C.one_hot(y, logits.shape[0]))


def optimiser(name, parameters, learning_rate, beta1, beta2, epsilon):
    """Return CNTK's own learner of that name."""
    rate = C.learning_parameter_schedule(learning_rate)
    if name == "sgd":
        return C.sgd(parameters, rate, use_mean_gradient=True)
    if name == "momentum":
        return C.momentum_sgd(parameters, rate, C.momentum_schedule(beta1), unit_gain=True, use_mean_gradient=True)
    return C.adam(
        parameters,
        rate,
        C.momentum_schedule(beta1),
        unit_gain=True,
        variance_momentum=C.momentum_schedule(beta2),
        epsilon=epsilon,
        use_mean_gradient=True,
    )


def train(trainer, inputs, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the loss of each step."""
    losses = []
    for rows in order:
        trainer.train_minibatch(dict(zip(inputs, (x[rows], y[rows]))))
        losses.append(trainer.previous_minibatch_loss_average)
    return losses


def mean_of(loss):
    """Return the mean of the losses of a batch's rows."""
    return C.reduce_mean(loss, axis=C.Axis.default_batch_axis())


def probabilities_of(logits):
    """Return the probabilities of rows, by the running statistics when they are evaluated."""
    return C.softmax(logits)
