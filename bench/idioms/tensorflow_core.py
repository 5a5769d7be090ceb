"""Other ways to write the steps of tensorflow_core's model.py.

https://www.tensorflow.org/guide/function
https://www.tensorflow.org/xla
https://www.tensorflow.org/api_docs/python/tf/raw_ops/ResourceApplyAdam
"""

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


def one_kernel_for_adam(bare, model, *given):
    """TensorFlow's own kernel. Its bias correction is computed in float32: other bits, the same work."""

    def apply_gradients(self, gradients):
        t = self.t.assign_add(1.0)
        for p, g, v, s in zip(self.variables, gradients, self.v, self.s):
            tf.raw_ops.ResourceApplyAdam(
                var=p.handle,
                m=v.handle,
                v=s.handle,
                beta1_power=tf.pow(tf.cast(self.beta1, p.dtype), t),
                beta2_power=tf.pow(tf.cast(self.beta2, p.dtype), t),
                lr=tf.cast(self.learning_rate, p.dtype),
                beta1=tf.cast(self.beta1, p.dtype),
                beta2=tf.cast(self.beta2, p.dtype),
                epsilon=tf.cast(self.epsilon, p.dtype),
                grad=g,
            )

    model.Adam.apply_gradients = apply_gradients
    return bare.prepare(model, *given)


IDIOMS = {
    "eager": {
        "one kernel for Adam": one_kernel_for_adam,
    },
    "function": {
        "a compiled step called from a Python loop": stepped(tf.function),
        "the rows of all steps taken at once": all_rows_at_once,
        "one kernel for Adam": one_kernel_for_adam,
    },
    "xla": {
        "a compiled step called from a Python loop": stepped(tf.function(jit_compile=True)),
        "the rows of all steps taken at once": all_rows_at_once,
    },
}
