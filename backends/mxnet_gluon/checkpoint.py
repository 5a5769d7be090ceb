"""A checkpoint in the middle of training, as Gluon's users write it.

https://mxnet.apache.org/versions/1.9.1/api/python/docs/tutorials/packages/gluon/blocks/save_load_params.html
https://mxnet.apache.org/versions/1.9.1/api/python/docs/api/gluon/trainer.html
"""

import os


def save(net, trainer, folder):
    net.save_parameters(os.path.join(folder, "net.params"))
    trainer.save_states(os.path.join(folder, "trainer.states"))


def restore(net, trainer, folder):
    net.load_parameters(os.path.join(folder, "net.params"))
    trainer.load_states(os.path.join(folder, "trainer.states"))
