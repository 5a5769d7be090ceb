"""The ways to deploy the trained network, as JAX's users write them.

https://docs.jax.dev/en/latest/export/export.html
https://docs.jax.dev/en/latest/export/shape_poly.html
https://pypi.org/project/jax2onnx/
"""

import functools
import os

import jax
from jax import export

from . import model


def jax_export(params, averages, network, x, folder):
    """Save the compiled function's StableHLO, for any number of rows."""
    served = jax.jit(functools.partial(model.predict, params, averages, **network))
    (batch,) = export.symbolic_shape("batch")
    program = export.export(served)(jax.ShapeDtypeStruct((batch, x.shape[1]), x.dtype))
    with open(os.path.join(folder, "model.jax"), "wb") as file:
        file.write(program.serialize())


def onnx(params, averages, network, x, folder):
    """Save an ONNX file."""
    from jax2onnx import to_onnx

    served = functools.partial(model.predict, params, averages, **network)
    to_onnx(
        served,
        [("batch", x.shape[1])],
        model_name="network",
        enable_double_precision=x.dtype == "float64",
        return_mode="file",
        output_path=os.path.join(folder, "model.onnx"),
    )


def onnx_openvino(params, averages, network, x, folder):
    """Save an ONNX file: OpenVINO reads it as it is."""
    onnx(params, averages, network, x, folder)
