"""The ways to deploy the trained network, as Gluon's users write them.

https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/packages/gluon/blocks/save_load_params.html
https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/deploy/export/onnx.html
"""

import os

import mxnet as mx
from mxnet.gluon import nn


def symbol_block(net, x, folder):
    """Save the graph and the arrays."""
    served = nn.HybridSequential()
    served.add(net, nn.HybridLambda("softmax"))
    served.hybridize()
    served(x)  # the graph is the one of the last call
    served.export(os.path.join(folder, "model"))


def onnx(net, x, folder):
    """Save an ONNX file."""
    symbol_block(net, x, folder)
    graph, arrays = (os.path.join(folder, name) for name in ("model-symbol.json", "model-0000.params"))
    rows = (None, x.shape[1])
    mx.onnx.export_model(
        graph,
        arrays,
        [x.shape],
        x.dtype,
        os.path.join(folder, "model.onnx"),
        dynamic=True,
        dynamic_input_shapes=[rows],
    )
    os.remove(graph)
    os.remove(arrays)
