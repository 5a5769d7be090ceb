"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import os
import threading

import mxnet as mx


def symbol_block(folder):
    graph, arrays = (os.path.join(folder, name) for name in ("model-symbol.json", "model-0000.params"))
    net = mx.gluon.SymbolBlock.imports(graph, ["data"], arrays, ctx=mx.cpu())
    lock = threading.Lock()  # a block serves one thread at a time

    def predict(x):
        with lock:
            return net(mx.nd.array(x, dtype=x.dtype)).asnumpy()

    return predict
