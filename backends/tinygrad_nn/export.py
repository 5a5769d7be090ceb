"""The way to deploy the trained network, as tinygrad's users write it.

https://docs.tinygrad.org/nn/
"""

import json
from pathlib import Path

from tinygrad.nn.state import get_state_dict, safe_save


def safetensors(net, spec, folder):
    """Save the arrays, and what the network must be built with again."""
    safe_save(get_state_dict(net), str(Path(folder, "model.safetensors")))
    fields = ("sizes", "activation", "batch_norm", "bn_epsilon", "bn_decay", "dtype")
    Path(folder, "settings.json").write_text(json.dumps({field: getattr(spec, field) for field in fields}))
