"""The common network in Flax NNX with Optax, as its users write it.

https://flax.readthedocs.io/en/stable/mnist_tutorial.html
https://flax.readthedocs.io/en/stable/guides/performance.html
https://flax.readthedocs.io/en/stable/guides/transforms.html
https://optax.readthedocs.io/en/stable/api/optimizers.html
"""

import optax
from flax import nnx

ACTIVATIONS = {"relu": nnx.relu, "tanh": nnx.tanh, "sigmoid": nnx.sigmoid}


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay, dtype, seed=0):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    rngs = nnx.Rngs(seed)
    layers = []
    for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
        layers.append(nnx.Linear(fan_in, fan_out, use_bias=not batch_norm, param_dtype=dtype, rngs=rngs))
        if batch_norm:
            layers.append(batch_norm_layer(fan_out, bn_epsilon, bn_decay, dtype, rngs))
        layers.append(ACTIVATIONS[activation])
    return nnx.Sequential(*layers, nnx.Linear(sizes[-2], sizes[-1], param_dtype=dtype, rngs=rngs))


def batch_norm_layer(width, epsilon, decay, dtype, rngs):
    """Return an nnx.BatchNorm whose averages are of `dtype` too: it makes them in float32, and they would stay so."""
    norm = nnx.BatchNorm(width, momentum=decay, epsilon=epsilon, param_dtype=dtype, rngs=rngs)
    norm.mean.set_value(norm.mean.astype(dtype))
    norm.var.set_value(norm.var.astype(dtype))
    return norm


def optimiser(net, name, learning_rate, beta1, beta2, epsilon):
    """Return Optax's own optimiser of that name, for the parameters of the network."""
    if name == "sgd":
        rule = optax.sgd(learning_rate)
    elif name == "momentum":
        rule = optax.sgd(learning_rate, momentum=beta1)
    elif name == "rmsprop":
        rule = optax.rmsprop(learning_rate, decay=beta2, eps=epsilon, eps_in_sqrt=False)
    else:
        rule = optax.adam(learning_rate, b1=beta1, b2=beta2, eps=epsilon)
    return nnx.Optimizer(net, rule, wrt=nnx.Param)


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    return optax.softmax_cross_entropy_with_integer_labels(net(x), y).mean()


def step(net, optimiser, x, y, rows):
    """Train on the rows of those numbers, in place; return the loss."""
    loss, grads = nnx.value_and_grad(loss_of)(net, x[rows], y[rows])
    optimiser.update(net, grads)
    return loss


compiled_step = nnx.jit(step)


def by_step(net, optimiser, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses."""
    net.train()
    return [compiled_step(net, optimiser, x, y, rows) for rows in order]


def by_cached_step(net, optimiser, x, y, order):
    """The same; the network's graph is traversed once, not at each step."""
    net.train()
    cached_step = nnx.cached_partial(compiled_step, net, optimiser)
    return [cached_step(x, y, rows) for rows in order]


@nnx.jit
def scan(net, optimiser, x, y, order):
    @nnx.scan(in_axes=(nnx.Carry, 0), out_axes=(nnx.Carry, 0))
    def steps(trained, rows):
        return trained, step(*trained, x, y, rows)

    _, losses = steps((net, optimiser), order)
    return losses


def by_scan(net, optimiser, x, y, order):
    """The same, in one compiled program for all the steps."""
    net.train()
    return scan(net, optimiser, x, y, order)


TRAIN = {"step": by_step, "cached": by_cached_step, "scan": by_scan}

gradients_of = nnx.jit(nnx.grad(loss_of))


@nnx.jit
def probabilities(net, x):
    return nnx.softmax(net(x))


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    net.eval()
    return probabilities(net, x)
