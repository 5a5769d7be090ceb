"""Loading what export.py has saved: the function returns the network, a function of rows on the host."""

import json
from pathlib import Path

from tinygrad import Tensor
from tinygrad.helpers import DEFAULT_FLOAT
from tinygrad.nn.state import load_state_dict, safe_load


def safetensors(folder):
    from . import model

    settings = json.loads(Path(folder, "settings.json").read_text())
    DEFAULT_FLOAT.value = settings.pop("dtype")
    net = model.Network(**settings)
    load_state_dict(net, safe_load(str(Path(folder, "model.safetensors"))), verbose=False)
    return lambda x: model.predict(net, Tensor(x)).numpy()
