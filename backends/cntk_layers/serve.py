"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of this Linux distribution, and that there are no libraries of a GPU
    import cntk as C


def model_file(folder):
    C.try_set_default_device(C.cpu())
    net = C.Function.load(os.path.join(folder, "model.dnn"))
    lock = threading.Lock()  # a function serves one thread at a time

    def predict(x):
        with lock:
            return net.eval({net.arguments[0]: x})

    return predict
