"""The ways to deploy the trained network, as Keras's users write them: one file of Keras's own, and ONNX.

https://keras.io/guides/serialization_and_saving/
https://keras.io/api/models/model_saving_apis/export/
"""

import os

import keras


def with_probabilities(net):
    """Return the network with a softmax at its end: it was trained on logits."""
    return keras.Sequential([keras.Input(net.input_shape[1:]), net, keras.layers.Softmax()])


def save(net, folder):
    """Save a .keras file: the architecture and the arrays."""
    with_probabilities(net).save(os.path.join(folder, "model.keras"))


def export_onnx(net, folder):
    """Save an ONNX file."""
    served = with_probabilities(net)
    served(keras.ops.zeros((1, *net.input_shape[1:])))  # a network that was never called is refused
    served.export(os.path.join(folder, "model.onnx"), format="onnx", verbose=False)


def export_openvino(net, folder):
    """Save an OpenVINO model."""
    served = with_probabilities(net)
    served(keras.ops.zeros((1, *net.input_shape[1:])))
    served.export(os.path.join(folder, "model.xml"), format="openvino", verbose=False)


# The same on every engine: each is a path of its own.


def tensorflow_keras(net, folder):
    save(net, folder)


def jax_keras(net, folder):
    save(net, folder)


def torch_keras(net, folder):
    save(net, folder)


def tensorflow_onnx(net, folder):
    export_onnx(net, folder)


def jax_onnx(net, folder):
    export_onnx(net, folder)


def torch_onnx(net, folder):
    export_onnx(net, folder)


def tensorflow_openvino(net, folder):
    export_openvino(net, folder)
