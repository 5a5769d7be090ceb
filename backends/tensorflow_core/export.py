"""The ways to deploy the trained network, as TensorFlow's users write them.

https://www.tensorflow.org/guide/saved_model
https://ai.google.dev/edge/litert/models/convert_tf
https://onnxruntime.ai/docs/tutorials/tf-get-started.html
https://docs.openvino.ai/2026/openvino-workflow/model-preparation/convert-model-tensorflow.html
"""

import os

import tensorflow as tf


class Served(tf.Module):
    """The network as it serves: rows to probabilities."""

    def __init__(self, net, x):
        super().__init__()
        self.net = net
        rows = tf.TensorSpec([None, x.shape[1]], x.dtype, name="x")
        self.predict = tf.function(self.probabilities, input_signature=[rows])

    def probabilities(self, x):
        return {"probabilities": tf.nn.softmax(self.net(x, training=False))}


def saved_model(net, x, folder):
    """Save the graph and the variables."""
    served = Served(net, x)
    tf.saved_model.save(served, folder, signatures=served.predict)


def litert(net, x, folder):
    """Save a file for LiteRT, formerly TensorFlow Lite."""
    served = Served(net, x)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([served.predict.get_concrete_function()], served)
    with open(os.path.join(folder, "model.tflite"), "wb") as file:
        file.write(converter.convert())


def onnx(net, x, folder):
    """Save an ONNX file."""
    import tf2onnx

    served = Served(net, x)
    tf2onnx.convert.from_function(
        served.predict, served.predict.input_signature, output_path=os.path.join(folder, "model.onnx")
    )


def openvino(net, x, folder):
    """Save an OpenVINO model, by way of a SavedModel."""
    import openvino

    saved = os.path.join(folder, "saved")
    saved_model(net, x, saved)
    # By default the arrays are saved in half precision.
    openvino.save_model(openvino.convert_model(saved), os.path.join(folder, "model.xml"), compress_to_fp16=False)
    tf.io.gfile.rmtree(saved)
