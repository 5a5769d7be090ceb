"""The way to deploy the trained network, as Caffe's users write it: a description without loss, and the arrays.

https://caffe.berkeleyvision.org/tutorial/interfaces.html
https://github.com/BVLC/caffe/blob/master/examples/00-classification.ipynb
"""

import os

from caffe.proto import caffe_pb2


def caffemodel(description, net, x, folder):
    """Save deploy.prototxt, which is the description without labels and loss, and the arrays."""
    served = caffe_pb2.NetParameter()
    served.CopyFrom(description)
    del served.layer[:]
    served.layer.extend(layer for layer in description.layer if layer.name not in ("label", "loss"))
    with open(os.path.join(folder, "deploy.prototxt"), "w") as file:
        file.write(str(served))
    net.save(os.path.join(folder, "model.caffemodel"))
