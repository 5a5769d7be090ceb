"""Serving an OpenVINO model, or an ONNX file, by OpenVINO, as its users write it.

https://docs.openvino.ai/2026/openvino-workflow/running-inference.html
https://docs.openvino.ai/2026/openvino-workflow/running-inference/optimize-inference/precision-control.html
"""

import os

import openvino


def load(folder):
    names = [os.path.join(folder, name) for name in ("model.xml", "model.onnx")]
    path = next(name for name in names if os.path.exists(name))
    threads = int(os.environ["OMP_NUM_THREADS"])
    # By default, OpenVINO computes in bfloat16 on a processor that has it.
    settings = {"INFERENCE_NUM_THREADS": threads, "EXECUTION_MODE_HINT": "ACCURACY"}
    model = openvino.Core().compile_model(path, "CPU", settings)
    return lambda x: model([x])[model.output(0)]
