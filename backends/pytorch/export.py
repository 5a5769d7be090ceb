"""The ways to deploy the trained network, as PyTorch's users write them.

https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/export.html
https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_aot_inductor.html
https://docs.pytorch.org/docs/stable/onnx_export.html
https://docs.openvino.ai/2026/openvino-workflow/model-preparation/convert-model-pytorch.html
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.export import Dim


def state_dict(net, x, folder):
    """Save the arrays, and what the class must be built with again."""
    torch.save(net.state_dict(), Path(folder, "model.pt"))
    dense = [layer for layer in net if isinstance(layer, nn.Linear)]
    norm = [layer for layer in net if isinstance(layer, nn.BatchNorm1d)]
    settings = {
        "sizes": [dense[0].in_features, *(layer.out_features for layer in dense)],
        "activation": type(net[-2]).__name__.lower(),
        "batch_norm": bool(norm),
        "bn_epsilon": norm[0].eps if norm else None,
    }
    Path(folder, "settings.json").write_text(json.dumps(settings))


def exported_program(net, x, folder):
    """Save the graph that torch.export traces."""
    served = nn.Sequential(net, nn.Softmax(dim=1)).eval()
    program = torch.export.export(served, (x,), dynamic_shapes=({0: Dim("batch", min=1)},))
    torch.export.save(program, Path(folder, "model.pt2"))


def aot_inductor(net, x, folder):
    """Save the graph compiled to machine code."""
    served = nn.Sequential(net, nn.Softmax(dim=1)).eval()
    program = torch.export.export(served, (x,), dynamic_shapes=({0: Dim("batch", min=1)},))
    torch._inductor.aoti_compile_and_package(program, package_path=str(Path(folder, "model.pt2")))


def onnx(net, x, folder):
    """Save an ONNX file."""
    served = nn.Sequential(net, nn.Softmax(dim=1)).eval()
    shapes = ({0: Dim("batch", min=1)},)
    torch.onnx.export(served, (x,), Path(folder, "model.onnx"), dynamo=True, dynamic_shapes=shapes, external_data=False)


def openvino(net, x, folder):
    """Save an OpenVINO model."""
    import openvino

    served = nn.Sequential(net, nn.Softmax(dim=1)).eval()
    converted = openvino.convert_model(served, example_input=x, input=[-1, x.shape[1]])
    # By default the arrays are saved in half precision.
    openvino.save_model(converted, Path(folder, "model.xml"), compress_to_fp16=False)
