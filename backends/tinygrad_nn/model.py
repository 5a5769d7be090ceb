"""The common network in tinygrad, as its users write it.

https://docs.tinygrad.org/mnist/
https://docs.tinygrad.org/nn/
https://github.com/tinygrad/tinygrad/blob/master/examples/beautiful_mnist.py
"""

from tinygrad import Context, Tensor, TinyJit, nn

ACTIVATIONS = {"relu": Tensor.relu, "tanh": Tensor.tanh, "sigmoid": Tensor.sigmoid}


class Network:
    """Dense layers; after each but the last, batch norm and an activation."""

    def __init__(self, sizes, activation, batch_norm, bn_epsilon, bn_decay):
        self.layers = []
        for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1]):
            self.layers.append(nn.Linear(fan_in, fan_out, bias=not batch_norm))
            if batch_norm:
                self.layers.append(nn.BatchNorm(fan_out, eps=bn_epsilon, momentum=1 - bn_decay))
            self.layers.append(ACTIVATIONS[activation])
        self.layers.append(nn.Linear(sizes[-2], sizes[-1]))

    def __call__(self, x):
        """Return the logits (batch, sizes[-1]) of x (batch, sizes[0])."""
        return x.sequential(self.layers)


class RMSprop(nn.optim.Optimizer):
    """RMSprop (Hinton 2012), written as tinygrad's own optimisers are: it has none of that name."""

    def __init__(self, params, lr, alpha, eps):
        super().__init__(params, lr)
        self.alpha, self.eps = alpha, eps
        self.v = self._new_optim_param()

    def _step(self, params, grads):
        updates = []
        for v, g in zip(self.v, grads):
            v.assign(self.alpha * v + (1 - self.alpha) * g * g)
            updates.append(self.lr * g / (v.sqrt() + self.eps))
        return updates, self.v


def optimiser(net, name, learning_rate, beta1, beta2, epsilon):
    """Return the optimiser of that name for the parameters of the network."""
    params = nn.state.get_parameters(net)
    if name == "sgd":
        return nn.optim.SGD(params, lr=learning_rate)
    if name == "momentum":
        return nn.optim.SGD(params, lr=learning_rate, momentum=beta1)
    if name == "rmsprop":
        return RMSprop(params, learning_rate, beta2, epsilon)
    return nn.optim.Adam(params, lr=learning_rate, b1=beta1, b2=beta2, eps=epsilon)


def loss_of(net, x, y):
    """Return the mean cross-entropy of a batch."""
    return net(x).sparse_categorical_crossentropy(y)


def step_on(net, optimiser):
    """Return the function that trains on some rows of x and y, in place, and returns the loss."""

    def step(x, y, rows):
        optimiser.zero_grad()
        loss = loss_of(net, x[rows], y[rows]).backward()
        return loss.realize(*optimiser.schedule_step())

    return step


def jitted_step_on(net, optimiser):
    """Return the same function; from the third call on, the captured kernels are replayed."""
    return TinyJit(step_on(net, optimiser))


STEPS = {"jit": jitted_step_on, "eager": step_on}


def train(step, x, y, order):
    """Train on the rows of those numbers, a tensor for each step; return the losses."""
    with Context(TRAINING=1):
        return [step(x, y, rows).clone().realize() for rows in order]


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    with Context(TRAINING=0):
        return net(x).softmax()
