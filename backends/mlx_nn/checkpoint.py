"""A checkpoint in the middle of training, as MLX's users write it.

https://ml-explore.github.io/mlx/build/html/python/nn/module.html
https://ml-explore.github.io/mlx/build/html/python/optimizers.html
"""

from pathlib import Path

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten


def save(net, optimiser, folder):
    net.save_weights(str(Path(folder, "model.npz")))
    mx.savez(str(Path(folder, "optimiser.npz")), **dict(tree_flatten(optimiser.state)))


def restore(net, optimiser, folder):
    net.load_weights(str(Path(folder, "model.npz")))
    saved = mx.load(str(Path(folder, "optimiser.npz")))
    optimiser.state.update(tree_unflatten(list(saved.items())))  # in place: a compiled step has captured it
