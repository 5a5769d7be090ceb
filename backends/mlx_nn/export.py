"""The ways to deploy the trained network, as MLX's users write them.

https://ml-explore.github.io/mlx/build/html/usage/export.html
https://ml-explore.github.io/mlx/build/html/python/nn/module.html
"""

import json
from pathlib import Path

import mlx.core as mx


def mlxfn(net, x, spec, folder):
    """Export the function from a row to its probabilities, with the arrays.

    For one row at a time: with shapeless=True nn.Linear's bias is read past its end for more rows than the example has.
    """
    net.eval()

    def probabilities(x):
        return mx.softmax(net(x), axis=-1)

    mx.eval(net.parameters())  # or the file would compute them again
    mx.export_function(str(Path(folder, "model.mlxfn")), probabilities, x[:1])


def weights(net, x, spec, folder):
    """Save the arrays, and what the network must be built with again."""
    net.save_weights(str(Path(folder, "model.npz")))
    fields = ("sizes", "activation", "batch_norm", "bn_epsilon", "bn_decay", "dtype")
    Path(folder, "settings.json").write_text(json.dumps({field: getattr(spec, field) for field in fields}))
