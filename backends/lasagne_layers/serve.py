"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import json
import os
import sys
import threading

import numpy as np

# As in training: compiled code stays with the environment, and NumPy computes the products.
os.environ["THEANO_FLAGS"] = "base_compiledir=%s,blas.ldflags=" % os.path.join(sys.prefix, "theano")
import theano  # it reads its flags when it is imported

from . import model


def npz(folder):
    with open(os.path.join(folder, "settings.json")) as file:
        settings = json.load(file)
    theano.config.floatX = settings.pop("dtype")
    net = model.network(**settings)
    with np.load(os.path.join(folder, "model.npz")) as file:
        model.lasagne.layers.set_all_param_values(net, [file["arr_%d" % i] for i in range(len(file.files))])
    predict = model.predictor(net)
    lock = threading.Lock()  # a function serves one thread at a time

    def serve(x):
        with lock:
            return predict(x)

    return serve
