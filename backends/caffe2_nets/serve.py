"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import threading

import numpy as np
from caffe2.python import workspace
from caffe2.python.predictor import predictor_exporter

LOCK = threading.Lock()  # a workspace serves one thread at a time


def predictor(folder):
    net = predictor_exporter.prepare_prediction_net(os.path.join(folder, "model.minidb"), "minidb")

    def predict(x):
        with LOCK:
            workspace.FeedBlob("data", x)
            workspace.RunNet(net)
            return workspace.FetchBlob("probabilities")

    return predict


def init_net(folder):
    nets = []
    for name in ("init", "predict"):
        with open(os.path.join(folder, name + "_net.pb"), "rb") as file:
            nets.append(file.read())
    net = workspace.Predictor(*nets)

    def predict(x):
        with LOCK:
            return np.asarray(net.run([x])[0])

    return predict
