"""A checkpoint in the middle of training, as Paddle's users write it.

https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/save_en.html
"""

import os

import paddle


def save(net, optimiser, folder):
    paddle.save(net.state_dict(), os.path.join(folder, "net.pdparams"))
    paddle.save(optimiser.state_dict(), os.path.join(folder, "optimiser.pdopt"))


def restore(net, optimiser, folder):
    net.set_state_dict(paddle.load(os.path.join(folder, "net.pdparams")))
    optimiser.set_state_dict(paddle.load(os.path.join(folder, "optimiser.pdopt")))
