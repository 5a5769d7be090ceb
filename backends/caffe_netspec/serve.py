"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of names that NumPy and SciPy have since deprecated
    import caffe


def caffemodel(folder):
    caffe.set_mode_cpu()
    files = [os.path.join(folder, name) for name in ("deploy.prototxt", "model.caffemodel")]
    net = caffe.Net(*files, caffe.TEST)
    lock = threading.Lock()  # a net serves one thread at a time

    def predict(x):
        with lock:
            net.blobs["data"].reshape(*x.shape)
            return net.forward(data=x)["probabilities"].copy()

    return predict
