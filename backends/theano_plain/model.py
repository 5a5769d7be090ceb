"""The common network in Theano, as its users write it.

http://deeplearning.net/software/theano/tutorial/examples.html
http://deeplearning.net/software/theano/tutorial/gradients.html
http://deeplearning.net/software/theano/library/tensor/nnet/bn.html
http://deeplearning.net/software/theano/library/tensor/nnet/nnet.html
"""

import numpy as np
import theano
import theano.tensor as T
from theano.tensor.nnet import bn

ACTIVATIONS = {"relu": T.nnet.relu, "tanh": T.tanh, "sigmoid": T.nnet.sigmoid}


def shared(*shape):
    """Return a shared variable of zeros, in floatX."""
    return theano.shared(np.zeros(shape, theano.config.floatX))


def network(sizes, batch_norm):
    """Return the layers, a dictionary of shared variables each."""
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layer = {"kernel": shared(fan_in, fan_out)}
        if batch_norm:
            layer.update({name: shared(fan_out) for name in ("gamma", "beta", "running_mean", "running_var")})
        else:
            layer["bias"] = shared(fan_out)
        layers.append(layer)
    return [*layers, {"kernel": shared(sizes[-2], sizes[-1]), "bias": shared(sizes[-1])}]


def trained(layers):
    """Return the shared variables that have a gradient."""
    return [variable for layer in layers for name, variable in layer.items() if not name.startswith("running")]


def at_least_smallest(epsilon):
    """Return epsilon, or the next number up in float32 where Theano would find its float32 below the least allowed."""
    if theano.config.floatX == "float32" and np.float32(epsilon) < 1e-5 <= epsilon:
        return float(np.nextafter(np.float32(epsilon), np.float32(1)))
    return epsilon


def logits(layers, x, training, activation, bn_epsilon, bn_decay):
    """Return the logits (batch, classes), and in training the updates of the running statistics."""
    *hidden, last = layers
    epsilon = at_least_smallest(bn_epsilon)
    updates = []
    for layer in hidden:
        z = T.dot(x, layer["kernel"])
        if "gamma" not in layer:
            z = z + layer["bias"]
        else:
            gamma, beta, mean, var = (layer[name] for name in ("gamma", "beta", "running_mean", "running_var"))
            if training:
                z, _, _, next_mean, next_var = bn.batch_normalization_train(
                    z,
                    gamma,
                    beta,
                    axes=(0,),
                    epsilon=epsilon,
                    running_average_factor=1 - bn_decay,
                    running_mean=mean,
                    running_var=var,
                )
                updates += [(mean, next_mean), (var, next_var)]
            else:
                z = bn.batch_normalization_test(z, gamma, beta, mean, var, axes=(0,), epsilon=epsilon)
        x = ACTIVATIONS[activation](z)
    return T.dot(x, last["kernel"]) + last["bias"], updates


def sgd(params, grads, learning_rate, **_):
    """Plain stochastic gradient descent."""
    return [(p, p - learning_rate * g) for p, g in zip(params, grads)]


def momentum(params, grads, learning_rate, beta1, **_):
    """Gradient descent along the exponentially weighted average of the gradients."""
    updates = []
    for p, g in zip(params, grads):
        m = shared(*p.get_value(borrow=True).shape)
        m_next = beta1 * m + (1 - beta1) * g
        updates += [(m, m_next), (p, p - learning_rate * m_next)]
    return updates


def rmsprop(params, grads, learning_rate, beta2, epsilon, **_):
    """Each gradient over the root of the average of its squares (Hinton 2012)."""
    updates = []
    for p, g in zip(params, grads):
        v = shared(*p.get_value(borrow=True).shape)
        v_next = beta2 * v + (1 - beta2) * g**2
        updates += [(v, v_next), (p, p - learning_rate * g / (T.sqrt(v_next) + epsilon))]
    return updates


def adam(params, grads, learning_rate, beta1, beta2, epsilon):
    """Kingma & Ba 2015, Algorithm 1; 1 - beta**t in float64, as in float32 it would be a cancellation."""
    t = theano.shared(np.zeros(()))
    t_next = t + 1
    m_share, v_share = (
        T.cast(1 - T.as_tensor_variable(np.asarray(beta)) ** t_next, theano.config.floatX) for beta in (beta1, beta2)
    )
    updates = [(t, t_next)]
    for p, g in zip(params, grads):
        m, v = (shared(*p.get_value(borrow=True).shape) for _ in range(2))
        m_next = beta1 * m + (1 - beta1) * g
        v_next = beta2 * v + (1 - beta2) * g**2
        step = learning_rate * (m_next / m_share) / (T.sqrt(v_next / v_share) + epsilon)
        updates += [(m, m_next), (v, v_next), (p, p - step)]
    return updates


OPTIMISERS = {"sgd": sgd, "momentum": momentum, "rmsprop": rmsprop, "adam": adam}


def loss_of(layers, x, y, **hyper):
    """Return the mean cross-entropy of a batch, and the updates of the running statistics."""
    scores, updates = logits(layers, x, training=True, **hyper)
    return T.nnet.categorical_crossentropy(T.nnet.softmax(scores), y).mean(), updates


def trainer(layers, data, labels, optimiser, constants, **hyper):
    """Return a compiled function of the rows of a step, and the optimiser's state."""
    rows = T.lvector("rows")
    loss, averages = loss_of(layers, data[rows], labels[rows], **hyper)
    params = trained(layers)
    updates = OPTIMISERS[optimiser](params, T.grad(loss, params), **constants)
    state = [variable for variable, _ in updates if variable not in params]
    step = theano.function([rows], loss, updates=averages + updates)
    step.trust_input = True
    return step, state


def train(step, order):
    """Take one step for each line of order (steps, batch); return the losses (steps,)."""
    return np.array([step(rows) for rows in order])


def gradients(layers, **hyper):
    """Return a function of a batch that returns the gradient of its loss for each trained variable."""
    x, y = T.matrix("x"), T.lvector("y")
    loss, _ = loss_of(layers, x, y, **hyper)
    return theano.function([x, y], T.grad(loss, trained(layers)))


def predictor(layers, **hyper):
    """Return a function of rows that returns their probabilities, by the running statistics."""
    x = T.matrix("x")
    scores, _ = logits(layers, x, training=False, **hyper)
    return theano.function([x], T.nnet.softmax(scores))
