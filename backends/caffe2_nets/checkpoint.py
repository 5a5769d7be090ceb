"""A checkpoint in the middle of training, as Caffe2's users write it: every blob of the workspace that training keeps.

https://caffe2.ai/docs/operators-catalogue.html
"""

import os

from caffe2.python import core, workspace


def state(model):
    """Return the names of the blobs that the net reads and a new workspace would start afresh."""
    return sorted({str(name) for op in model.param_init_net.Proto().op for name in op.output})


def save(model, folder):
    net = core.Net("save")
    net.Save(state(model), [], db=os.path.join(folder, "checkpoint.minidb"), db_type="minidb", absolute_path=1)
    workspace.RunNetOnce(net)


def restore(model, folder):
    net = core.Net("restore")
    names = state(model)
    net.Load([], names, db=os.path.join(folder, "checkpoint.minidb"), db_type="minidb", absolute_path=1)
    workspace.RunNetOnce(net)
