"""The common network in Keras 3, for whichever engine computes: TensorFlow, JAX or PyTorch.

https://keras.io/guides/sequential_model/
https://keras.io/guides/training_with_built_in_methods/
https://keras.io/guides/writing_your_own_callbacks/

Down to `predict` it is one for all engines. A step of one's own is not, nor is its gradient; there is a guide for each:

https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/
https://keras.io/guides/writing_a_custom_training_loop_in_jax/
https://keras.io/guides/writing_a_custom_training_loop_in_torch/
"""

import keras

ENGINE = keras.config.backend()
if ENGINE == "tensorflow":
    import tensorflow as tf
elif ENGINE == "jax":
    import jax
else:
    import torch


def network(sizes, activation, batch_norm, bn_epsilon, bn_decay):
    """Return the network: (batch, sizes[0]) to logits (batch, sizes[-1])."""
    net = keras.Sequential([keras.Input((sizes[0],))])
    for width in sizes[1:-1]:
        net.add(keras.layers.Dense(width, use_bias=not batch_norm))
        if batch_norm:
            net.add(keras.layers.BatchNormalization(momentum=bn_decay, epsilon=bn_epsilon))
        net.add(keras.layers.Activation(activation))
    net.add(keras.layers.Dense(sizes[-1]))
    return net


def optimiser(name, learning_rate, beta1, beta2, epsilon):
    """Return Keras's own optimiser of that name."""
    if name == "sgd":
        return keras.optimizers.SGD(learning_rate)
    if name == "momentum":
        return keras.optimizers.SGD(learning_rate, momentum=beta1)
    if name == "rmsprop":
        return keras.optimizers.RMSprop(learning_rate, rho=beta2, epsilon=epsilon)
    return keras.optimizers.Adam(learning_rate, beta_1=beta1, beta_2=beta2, epsilon=epsilon)


def cross_entropy():
    """Return the loss: the mean cross-entropy of labels (batch,) and logits (batch, classes)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class Losses(keras.callbacks.Callback):
    """The loss of each step; `fit` by itself tells the average since the epoch began."""

    def on_train_begin(self, logs=None):
        self.told = []

    def on_train_batch_begin(self, batch, logs=None):
        self.model.reset_metrics()

    def on_train_batch_end(self, batch, logs=None):
        self.told.append(logs["loss"])


def fit(net, x, y, order):
    """Train on the rows that `order` (steps, batch) names; return the losses, (steps,)."""
    losses, rows = Losses(), order.reshape(-1)
    net.fit(x[rows], y[rows], batch_size=order.shape[1], shuffle=False, verbose=0, callbacks=[losses])
    return losses.told


def predict(net, x):
    """Return the probabilities (batch, classes), by the running statistics."""
    return keras.ops.softmax(net.predict_on_batch(x))


class TensorFlowStep:
    """A step under TensorFlow: a tape, in a graph that XLA compiles with the loop around it."""

    def __init__(self, net, optimiser, loss_of):
        self.net, self.optimiser, self.loss_of = net, optimiser, loss_of
        self.train = tf.function(self.steps, jit_compile=True)

    def loss_and_gradients(self, x, y):
        with tf.GradientTape() as tape:
            loss = self.loss_of(y, self.net(x, training=True))
        return loss, tape.gradient(loss, self.net.trainable_weights)

    def steps(self, x, y, order):
        losses = tf.TensorArray(x.dtype, size=order.shape[0])
        for step in tf.range(order.shape[0]):
            loss, gradients = self.loss_and_gradients(tf.gather(x, order[step]), tf.gather(y, order[step]))
            self.optimiser.apply(gradients, self.net.trainable_weights)
            losses = losses.write(step, loss)
        return losses.stack()


class JaxStep:
    """A step under JAX: a function of all state, compiled with the scan over the steps."""

    def __init__(self, net, optimiser, loss_of):
        self.net, self.optimiser, self.loss_of = net, optimiser, loss_of
        self.compute = jax.value_and_grad(self.loss_and_updates, has_aux=True)
        self.compiled = jax.jit(self.steps, donate_argnums=0)

    def loss_and_updates(self, trainable, non_trainable, x, y):
        logits, non_trainable = self.net.stateless_call(trainable, non_trainable, x, training=True)
        return self.loss_of(y, logits), non_trainable

    def loss_and_gradients(self, x, y):
        trainable, non_trainable, _ = self.state()
        (loss, _), gradients = self.compute(trainable, non_trainable, x, y)
        return loss, gradients

    def variables(self):
        return self.net.trainable_variables, self.net.non_trainable_variables, self.optimiser.variables

    def state(self):
        return [[variable.value for variable in part] for part in self.variables()]

    def steps(self, state, x, y, order):
        def step(state, rows):
            trainable, non_trainable, moments = state
            (loss, non_trainable), gradients = self.compute(trainable, non_trainable, x[rows], y[rows])
            trainable, moments = self.optimiser.stateless_apply(moments, gradients, trainable)
            return [trainable, non_trainable, moments], loss

        return jax.lax.scan(step, state, order)

    def train(self, x, y, order):
        state, losses = self.compiled(self.state(), x, y, order)
        for part, values in zip(self.variables(), state):
            for variable, value in zip(part, values):
                variable.assign(value)
        return losses


class TorchStep:
    """A step under PyTorch: eager, by what autograd left in the variables."""

    def __init__(self, net, optimiser, loss_of):
        self.net, self.optimiser, self.loss_of = net, optimiser, loss_of

    def loss_and_gradients(self, x, y):
        self.net.zero_grad()
        loss = self.loss_of(y, self.net(x, training=True))
        loss.backward()
        return loss.detach(), [weight.value.grad for weight in self.net.trainable_weights]

    def train(self, x, y, order):
        losses = []
        for rows in order:
            loss, gradients = self.loss_and_gradients(x[rows], y[rows])
            with torch.no_grad():
                self.optimiser.apply(gradients, self.net.trainable_weights)
            losses.append(loss)
        return torch.stack(losses)


STEP = {"tensorflow": TensorFlowStep, "jax": JaxStep, "torch": TorchStep}[ENGINE]
