"""Loading what export.py has saved: each function returns the network, a function of rows on the host."""

import json
from pathlib import Path

import torch


def state_dict(folder):
    from . import model

    settings = json.loads(Path(folder, "settings.json").read_text())
    saved = torch.load(Path(folder, "model.pt"))
    net = model.network(bn_decay=0.0, **settings).to(saved["0.weight"].dtype)
    net.load_state_dict(saved)
    return lambda x: model.predict(net, torch.from_numpy(x)).numpy()


def exported_program(folder):
    net = torch.export.load(Path(folder, "model.pt2")).module()

    def predict(x):
        with torch.no_grad():
            return net(torch.from_numpy(x)).numpy()

    return predict


def aot_inductor(folder):
    net = torch._inductor.aoti_load_package(str(Path(folder, "model.pt2")))

    def predict(x):
        with torch.no_grad():
            return net(torch.from_numpy(x)).numpy()

    return predict
