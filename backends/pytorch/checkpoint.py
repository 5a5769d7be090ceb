"""A checkpoint in the middle of training, as PyTorch's users write it.

https://docs.pytorch.org/tutorials/recipes/recipes/saving_and_loading_a_general_checkpoint.html
"""

from pathlib import Path

import torch


def save(net, optimiser, folder):
    torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict()}, Path(folder, "checkpoint.pt"))


def restore(net, optimiser, folder):
    saved = torch.load(Path(folder, "checkpoint.pt"))
    net.load_state_dict(saved["net"])
    optimiser.load_state_dict(saved["optimiser"])
