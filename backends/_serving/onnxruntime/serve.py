"""Serving an ONNX file by ONNX Runtime, as its users write it.

https://onnxruntime.ai/docs/get-started/with-python.html
"""

import os

import onnxruntime


def load(folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(
        os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})[-1]
