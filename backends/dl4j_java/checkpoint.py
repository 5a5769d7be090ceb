"""A checkpoint in the middle of training, as Deeplearning4j's users write it: the network with its updater's state.

https://deeplearning4j.konduit.ai/en-1.0.0-beta7/models/model-persistence
"""

import os

import jpype


def save(net, folder):
    net.save(jpype.JClass("java.io.File")(os.path.join(folder, "checkpoint.zip")), True)


def restore(net, folder):
    network = jpype.JClass("org.deeplearning4j.nn.multilayer.MultiLayerNetwork")
    saved = network.load(jpype.JClass("java.io.File")(os.path.join(folder, "checkpoint.zip")), True)
    # A user goes on with the loaded network; here the class that trains keeps its own.
    net.setParams(saved.params())
    net.getUpdater().setStateViewArray(net, saved.getUpdater().getStateViewArray(), False)
    net.getLayerWiseConfigurations().setIterationCount(saved.getLayerWiseConfigurations().getIterationCount())
