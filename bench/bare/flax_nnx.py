"""The loop of flax_nnx's model.py with nothing around it."""

import jax
import jax.numpy as jnp
from flax import nnx


def prepare(model, spec, arrays, x, y, order, variant):
    jax.config.update("jax_enable_x64", spec["dtype"] == "float64")
    net = model.network(
        spec["sizes"], spec["activation"], spec["batch_norm"], spec["bn_epsilon"], spec["bn_decay"], spec["dtype"]
    )
    kernels = [array for name, array in arrays.items() if name.endswith("kernel")]
    for layer, kernel in zip([layer for layer in net.layers if isinstance(layer, nnx.Linear)], kernels):
        layer.kernel[...] = jnp.array(kernel)
    optimiser = model.optimiser(
        net, spec["optimiser"], spec["learning_rate"], spec["beta1"], spec["beta2"], spec["epsilon"]
    )
    train = model.TRAIN[variant]
    x, y = jnp.array(x), jnp.array(y)

    def run():
        train(net, optimiser, x, y, order)
        jax.block_until_ready(nnx.state((net, optimiser)))

    return run
