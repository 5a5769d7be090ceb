"""Other ways to write the steps of tensorflow_core's model.py.

https://www.tensorflow.org/guide/function
https://www.tensorflow.org/xla
https://www.tensorflow.org/guide/core/optimizers_core
"""

import math

import tensorflow as tf


def stepped(compiled):
    """Return a way that calls a compiled step from a Python loop."""

    def prepare(bare, model, *given):
        def train(net, optimiser, x, y, order):
            if not hasattr(train, "step"):

                @compiled
                def step(rows):
                    loss, gradients = model.loss_and_gradients(net, tf.gather(x, rows), tf.gather(y, rows))
                    optimiser.apply_gradients(gradients)
                    return loss

                train.step = step
            return tf.stack([train.step(rows) for rows in order])

        model.train = train
        model.COMPILE = dict.fromkeys(model.COMPILE, lambda function: function)
        return bare.prepare(model, *given)

    return prepare


def all_rows_at_once(bare, model, *given):
    def train(net, optimiser, x, y, order):
        xs, ys = tf.gather(x, order), tf.gather(y, order)
        losses = tf.TensorArray(x.dtype, size=order.shape[0])
        for step in tf.range(order.shape[0]):
            loss, gradients = model.loss_and_gradients(net, xs[step], ys[step])
            optimiser.apply_gradients(gradients)
            losses = losses.write(step, loss)
        return losses.stack()

    model.train = train
    return bare.prepare(model, *given)


def adam_written_out(bare, model, *given):
    """As the guide to the Core APIs writes it, an operation for each of its operations."""

    def apply_gradients(self, gradients):
        t = self.t.assign_add(1.0)
        v_share, s_share = (-tf.math.expm1(t * math.log(beta)) for beta in (self.beta1, self.beta2))
        for p, g, v, s in zip(self.variables, gradients, self.v, self.s):
            v.assign(self.beta1 * v + (1 - self.beta1) * g)
            s.assign(self.beta2 * s + (1 - self.beta2) * tf.square(g))
            p.assign_sub(self.learning_rate * (v / v_share) / (tf.sqrt(s / s_share) + self.epsilon))

    model.Adam.apply_gradients = apply_gradients
    return bare.prepare(model, *given)


IDIOMS = {
    "eager": {
        "Adam written out": adam_written_out,
    },
    "function": {
        "a compiled step called from a Python loop": stepped(tf.function),
        "the rows of all steps taken at once": all_rows_at_once,
        "Adam written out": adam_written_out,
    },
    "xla": {
        "a compiled step called from a Python loop": stepped(tf.function(jit_compile=True)),
        "the rows of all steps taken at once": all_rows_at_once,
        "Adam written out": adam_written_out,
    },
}
