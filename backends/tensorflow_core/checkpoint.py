"""A checkpoint in the middle of training, as TensorFlow's users write it.

https://www.tensorflow.org/guide/checkpoint
"""

import os

import tensorflow as tf


def save(net, optimiser, folder):
    tf.train.Checkpoint(net=net, state=optimiser.state).write(os.path.join(folder, "checkpoint"))


def restore(net, optimiser, folder):
    status = tf.train.Checkpoint(net=net, state=optimiser.state).read(os.path.join(folder, "checkpoint"))
    status.assert_consumed()
