"""A checkpoint in the middle of training, as tinygrad's users write it.

https://docs.tinygrad.org/nn/
"""

from pathlib import Path

from tinygrad.nn.state import get_state_dict, load_state_dict, safe_load, safe_save


def save(net, optimiser, folder):
    safe_save(get_state_dict({"net": net, "optimiser": optimiser}), str(Path(folder, "training.safetensors")))


def restore(net, optimiser, folder):
    saved = safe_load(str(Path(folder, "training.safetensors")))
    load_state_dict({"net": net, "optimiser": optimiser}, saved, verbose=False)
