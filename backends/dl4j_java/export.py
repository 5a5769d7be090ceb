"""The way to deploy the trained network, as Deeplearning4j's users write it, by way of JPype.

https://deeplearning4j.konduit.ai/en-1.0.0-beta7/models/model-persistence
"""

import os

import jpype


def model_serializer(net, x, folder):
    """Save a ZIP file: the configuration and the arrays."""
    net.save(jpype.JClass("java.io.File")(os.path.join(folder, "model.zip")), False)
