"""A checkpoint in the middle of training, as Keras's users write it: the whole model, with its optimiser.

https://keras.io/guides/serialization_and_saving/
"""

import os

import keras


def save(net, folder):
    net.save(os.path.join(folder, "checkpoint.keras"))


def restore(folder):
    return keras.saving.load_model(os.path.join(folder, "checkpoint.keras"))
