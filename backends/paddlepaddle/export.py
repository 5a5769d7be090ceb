"""The ways to deploy the trained network, as Paddle's users write them.

https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/jit/save_en.html
https://www.paddlepaddle.org.cn/inference/master/guides/introduction/index_intro.html
https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/onnx/export_en.html
"""

import os

import paddle
from paddle import nn
from paddle.static import InputSpec


def jit_save(net, x, folder):
    """Save the program and the arrays."""
    served = nn.Sequential(net, nn.Softmax(axis=1))
    served.eval()
    paddle.jit.save(served, os.path.join(folder, "model"), input_spec=[InputSpec([None, x.shape[1]], x.dtype, "x")])


def inference(net, x, folder):
    """Save the program and the arrays; Paddle Inference reads the same files."""
    jit_save(net, x, folder)


def onnx(net, x, folder):
    """Save an ONNX file."""
    served = nn.Sequential(net, nn.Softmax(axis=1))
    served.eval()
    paddle.onnx.export(served, os.path.join(folder, "model"), input_spec=[InputSpec([None, x.shape[1]], x.dtype, "x")])
