"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import sys

import jpype
import numpy as np

HOME = os.path.join(sys.prefix, "maven")


def model_serializer(folder):
    jpype.startJVM(
        "-Dorg.bytedeco.javacpp.cachedir=" + os.path.join(HOME, "javacpp"), classpath=[os.path.join(HOME, "lib", "*")]
    )
    nd4j = jpype.JClass("org.nd4j.linalg.factory.Nd4j")
    network = jpype.JClass("org.deeplearning4j.nn.multilayer.MultiLayerNetwork")
    net = network.load(jpype.JClass("java.io.File")(os.path.join(folder, "model.zip")), False)

    def predict(x):
        kind = jpype.JDouble if x.dtype == np.float64 else jpype.JFloat
        rows = nd4j.create(jpype.JArray(kind)(np.ascontiguousarray(x).ravel()), jpype.JArray(jpype.JInt)(x.shape))
        answer = net.output(rows).dup("c").data()
        flat = answer.asDouble() if kind is jpype.JDouble else answer.asFloat()
        return np.array(flat, x.dtype).reshape(len(x), -1)

    return predict
