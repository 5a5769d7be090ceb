"""The ways to deploy the trained network, as CNTK's users write them.

https://cntk.ai/pythondocs/CNTK_201B_CIFAR-10_ImageHandsOn.html
https://github.com/onnx/tutorials/blob/main/tutorials/CntkOnnxExport.ipynb
"""

import os

import cntk as C


def model_file(logits, x, folder):
    """Save a file in CNTK's own format."""
    C.softmax(logits).save(os.path.join(folder, "model.dnn"))


def onnx(logits, x, folder):
    """Save an ONNX file."""
    C.softmax(logits).save(os.path.join(folder, "model.onnx"), format=C.ModelFormat.ONNX)
