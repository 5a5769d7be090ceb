"""The common network in Lasagne, as its users write it.

https://lasagne.readthedocs.io/en/latest/user/tutorial.html
https://lasagne.readthedocs.io/en/latest/user/custom_layers.html
https://lasagne.readthedocs.io/en/latest/modules/updates.html
"""

import sys
import types

import numpy as np
import theano
import theano.tensor as T
from theano.tensor.nnet import bn
from theano.tensor.signal import pool

# Lasagne 0.1 imports a module that Theano has since renamed.
downsample = types.ModuleType("theano.tensor.signal.downsample")
downsample.max_pool_2d = pool.pool_2d
sys.modules["theano.tensor.signal.downsample"] = downsample

import lasagne  # noqa: E402  # needs the module above
from lasagne.layers import DenseLayer, InputLayer, Layer, NonlinearityLayer  # noqa: E402  # as above

ACTIVATIONS = {
    "relu": lasagne.nonlinearities.rectify,
    "tanh": lasagne.nonlinearities.tanh,
    "sigmoid": lasagne.nonlinearities.sigmoid,
}


class BatchNormLayer(Layer):
    """Batch norm, which Lasagne 0.1 lacks: by the batch in training, by the running statistics when deterministic."""

    def __init__(self, incoming, epsilon, decay, **kwargs):
        super().__init__(incoming, **kwargs)
        # Theano finds the float32 of 1e-5 below the least that it allows: it gets the next number up.
        if theano.config.floatX == "float32" and np.float32(epsilon) < 1e-5 <= epsilon:
            epsilon = float(np.nextafter(np.float32(epsilon), np.float32(1)))
        self.epsilon, self.decay, self.updates = epsilon, decay, []
        shape = (self.input_shape[1],)
        self.gamma = self.add_param(lasagne.init.Constant(1), shape, "gamma")
        self.beta = self.add_param(lasagne.init.Constant(0), shape, "beta")
        self.running_mean = self.add_param(lasagne.init.Constant(0), shape, "running_mean", trainable=False)
        self.running_var = self.add_param(lasagne.init.Constant(1), shape, "running_var", trainable=False)

    def get_output_for(self, input, deterministic=False, **kwargs):
        scale, mean, var = (self.gamma, self.beta), self.running_mean, self.running_var
        if deterministic:
            return bn.batch_normalization_test(input, *scale, mean, var, axes=(0,), epsilon=self.epsilon)
        output, _, _, next_mean, next_var = bn.batch_normalization_train(
            input,
            *scale,
            axes=(0,),
            epsilon=self.epsilon,
            running_average_factor=1 - self.decay,
            running_mean=mean,
            running_var=var,
        )
        self.updates = [(mean, next_mean), (var, next_var)]
        return output


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay):
    """Return the layer of the logits: (batch, sizes[0]) to (batch, sizes[-1])."""
    net = InputLayer((None, sizes[0]))
    for width in sizes[1:-1]:
        if batch_norm:
            net = DenseLayer(net, width, b=None, nonlinearity=None)
            net = BatchNormLayer(net, bn_epsilon, bn_decay)
            net = NonlinearityLayer(net, ACTIVATIONS[activation])
        else:
            net = DenseLayer(net, width, nonlinearity=ACTIVATIONS[activation])
    return DenseLayer(net, sizes[-1], nonlinearity=None)


def updates_of(name, loss, params, learning_rate, beta1, beta2, epsilon):
    """Return the updates of Lasagne's own optimiser of that name."""
    if name == "sgd":
        return lasagne.updates.sgd(loss, params, learning_rate)
    if name == "momentum":
        return lasagne.updates.momentum(loss, params, learning_rate, momentum=beta1)
    if name == "rmsprop":
        return lasagne.updates.rmsprop(loss, params, learning_rate, rho=beta2, epsilon=epsilon)
    return lasagne.updates.adam(loss, params, learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    probabilities = T.nnet.softmax(lasagne.layers.get_output(net, x))
    return lasagne.objectives.categorical_crossentropy(probabilities, y).mean()


def trainer(net, data, labels, optimiser, **constants):
    """Return a compiled function of the rows of a step, and the optimiser's state."""
    rows = T.lvector("rows")
    loss = loss_of(net, data[rows], labels[rows])
    params = lasagne.layers.get_all_params(net, trainable=True)
    updates = updates_of(optimiser, loss, params, **constants)
    state = [variable for variable in updates if variable not in params]
    for layer in lasagne.layers.get_all_layers(net):
        updates.update(getattr(layer, "updates", []))
    step = theano.function([rows], loss, updates=updates)
    step.trust_input = True
    return step, state


def train(step, order):
    """Take one step for each line of order (steps, batch); return the losses (steps,)."""
    return np.array([step(rows) for rows in order])


def gradients(net):
    """Return a function of a batch that returns the gradient of its loss for each trained variable."""
    x, y = T.matrix("x"), T.lvector("y")
    params = lasagne.layers.get_all_params(net, trainable=True)
    return theano.function([x, y], T.grad(loss_of(net, x, y), params))


def predictor(net):
    """Return a function of rows that returns their probabilities, by the running statistics."""
    x = T.matrix("x")
    return theano.function([x], T.nnet.softmax(lasagne.layers.get_output(net, x, deterministic=True)))
