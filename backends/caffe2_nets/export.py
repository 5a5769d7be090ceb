"""The ways to deploy the trained network, as Caffe2's users write them.

https://caffe2.ai/docs/tutorial-MNIST.html
https://caffe2.ai/docs/mobile-integration.html
https://github.com/onnx/tutorials/blob/main/tutorials/Caffe2OnnxExport.ipynb
"""

import os

from caffe2.python import core, workspace
from caffe2.python.predictor import mobile_exporter, predictor_exporter


def parameters(model):
    """Return the names of the arrays that the net reads."""
    return [name for name in model.net.Proto().external_input if name != "data"]


def predictor(model, x, folder):
    """Save the net and the arrays in one database; the exporter reads the shapes from a run of the net."""
    workspace.FeedBlob("data", x)
    workspace.RunNet(model.net)
    meta = predictor_exporter.PredictorExportMeta(
        predict_net=model.net.Proto(), parameters=parameters(model), inputs=["data"], outputs=["probabilities"]
    )
    predictor_exporter.save_to_db("minidb", os.path.join(folder, "model.minidb"), meta)


def init_net(model, x, folder):
    """Save the net that fills the arrays, and the net that predicts."""
    for name, net in zip(("init", "predict"), mobile_exporter.Export(workspace, model.net, parameters(model))):
        with open(os.path.join(folder, name + "_net.pb"), "wb") as file:
            file.write(net.SerializeToString())


def onnx(model, x, folder):
    """Save an ONNX file."""
    from caffe2.python.onnx import frontend

    fill, net = mobile_exporter.Export(workspace, model.net, parameters(model))
    net.name = "net"
    shapes = {"data": (core.DataType.FLOAT, x.shape)}
    with open(os.path.join(folder, "model.onnx"), "wb") as file:
        file.write(frontend.caffe2_net_to_onnx_model(net, fill, shapes).SerializeToString())
