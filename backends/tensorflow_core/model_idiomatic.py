"""The common network in TensorFlow's Core APIs as their guide teaches it: eager, with its optimiser written out.

https://www.tensorflow.org/guide/core/mlp_core
https://www.tensorflow.org/guide/core/optimizers_core
"""

import tensorflow as tf

ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh, "sigmoid": tf.nn.sigmoid}


class Dense(tf.Module):
    """x @ kernel (+ bias): (batch, fan_in) to (batch, fan_out)."""

    def __init__(self, fan_in, fan_out, bias, dtype):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros((fan_in, fan_out), dtype))
        self.bias = tf.Variable(tf.zeros((fan_out,), dtype)) if bias else None

    def __call__(self, x, training):
        z = tf.matmul(x, self.kernel)
        return z if self.bias is None else tf.nn.bias_add(z, self.bias)


class BatchNorm(tf.Module):
    """Normalisation by the batch in training, and by the running averages in test."""

    def __init__(self, width, epsilon, decay, dtype):
        super().__init__()
        self.gamma = tf.Variable(tf.ones((width,), dtype))
        self.beta = tf.Variable(tf.zeros((width,), dtype))
        self.running_mean = tf.Variable(tf.zeros((width,), dtype), trainable=False)
        self.running_var = tf.Variable(tf.ones((width,), dtype), trainable=False)
        self.epsilon, self.decay = epsilon, decay

    def __call__(self, z, training):
        if not training:
            return self.normalise(z, self.running_mean, self.running_var)
        mean, var = tf.nn.moments(z, axes=[0])
        self.running_mean.assign(self.decay * self.running_mean + (1 - self.decay) * mean)
        self.running_var.assign(self.decay * self.running_var + (1 - self.decay) * var)
        return self.normalise(z, mean, var)

    def normalise(self, z, mean, var):
        return tf.nn.batch_normalization(z, mean, var, self.beta, self.gamma, self.epsilon)


class MLP(tf.Module):
    """The network: (batch, sizes[0]) to logits (batch, sizes[-1])."""

    def __init__(self, sizes, activation, batch_norm, bn_epsilon, bn_decay, dtype):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.dense = [
            Dense(fan_in, fan_out, bias=not batch_norm, dtype=dtype) for fan_in, fan_out in zip(sizes[:-2], sizes[1:-1])
        ]
        self.norm = [BatchNorm(width, bn_epsilon, bn_decay, dtype) for width in sizes[1:-1] if batch_norm]
        self.output = Dense(sizes[-2], sizes[-1], bias=True, dtype=dtype)

    def __call__(self, x, training):
        for layer, dense in enumerate(self.dense):
            x = dense(x, training)
            if self.norm:
                x = self.norm[layer](x, training)
            x = self.activation(x)
        return self.output(x, training)


class SGD:
    """Plain stochastic gradient descent."""

    def __init__(self, variables, learning_rate):
        self.variables, self.learning_rate = variables, learning_rate
        self.state = []

    def apply_gradients(self, gradients):
        for p, g in zip(self.variables, gradients):
            p.assign_sub(self.learning_rate * g)


class Momentum:
    """Gradient descent along the exponentially weighted average of the gradients."""

    def __init__(self, variables, learning_rate, beta1):
        self.variables, self.learning_rate, self.beta1 = variables, learning_rate, beta1
        self.state = self.v = [tf.Variable(tf.zeros_like(p)) for p in variables]

    def apply_gradients(self, gradients):
        for p, g, v in zip(self.variables, gradients, self.v):
            v.assign(self.beta1 * v + (1 - self.beta1) * g)
            p.assign_sub(self.learning_rate * v)


class RMSprop:
    """Each gradient over the root of the average of its squares (Hinton 2012)."""

    def __init__(self, variables, learning_rate, beta2, epsilon):
        self.variables, self.learning_rate, self.beta2, self.epsilon = variables, learning_rate, beta2, epsilon
        self.state = self.s = [tf.Variable(tf.zeros_like(p)) for p in variables]

    def apply_gradients(self, gradients):
        for p, g, s in zip(self.variables, gradients, self.s):
            s.assign(self.beta2 * s + (1 - self.beta2) * tf.square(g))
            p.assign_sub(self.learning_rate * g / (tf.sqrt(s) + self.epsilon))


class Adam:
    """Kingma & Ba 2015, Algorithm 1."""

    def __init__(self, variables, learning_rate, beta1, beta2, epsilon):
        self.variables, self.learning_rate = variables, learning_rate
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.t = 0
        self.v = [tf.Variable(tf.zeros_like(p)) for p in variables]
        self.s = [tf.Variable(tf.zeros_like(p)) for p in variables]
        self.state = [*self.v, *self.s]

    def apply_gradients(self, gradients):
        self.t += 1
        for p, g, v, s in zip(self.variables, gradients, self.v, self.s):
            v.assign(self.beta1 * v + (1 - self.beta1) * g)
            s.assign(self.beta2 * s + (1 - self.beta2) * tf.square(g))
            v_hat = v / (1 - self.beta1**self.t)
            s_hat = s / (1 - self.beta2**self.t)
            p.assign_sub(self.learning_rate * v_hat / (tf.sqrt(s_hat) + self.epsilon))


def optimiser(name, variables, learning_rate, beta1, beta2, epsilon):
    """Return the optimiser of that name; the Core APIs have none, so each is written out above."""
    if name == "sgd":
        return SGD(variables, learning_rate)
    if name == "momentum":
        return Momentum(variables, learning_rate, beta1)
    if name == "rmsprop":
        return RMSprop(variables, learning_rate, beta2, epsilon)
    return Adam(variables, learning_rate, beta1, beta2, epsilon)


def loss_and_gradients(net, x, y):
    """Return the mean cross-entropy of a batch, and its gradient for every trainable variable."""
    with tf.GradientTape() as tape:
        logits = net(x, training=True)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    return loss, tape.gradient(loss, net.trainable_variables)


def train(net, optimiser, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    losses = []
    for rows in order:
        loss, gradients = loss_and_gradients(net, tf.gather(x, rows), tf.gather(y, rows))
        optimiser.apply_gradients(gradients)
        losses.append(loss)
    return tf.stack(losses)


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    return tf.nn.softmax(net(x, training=False))
