"""Other ways to write the steps of numpy_plain's model.py.

https://numpy.org/doc/stable/user/basics.indexing.html
https://numpy.org/doc/stable/reference/generated/numpy.matmul.html
"""

import numpy as np


def new_arrays(bare, model, *given):
    def work(self, name, shape, dtype):
        setattr(self, name, np.empty(shape, dtype))
        return getattr(self, name)

    model.Layer.work = work
    return bare.prepare(model, *given)


def rows_by_index(bare, model, *given):
    def train(layers, optimiser, x, y, order):
        losses = np.empty(len(order), x.dtype)
        for step, rows in enumerate(order):
            losses[step] = model.loss_and_gradients(layers, x[rows], y[rows])
            optimiser.step()
        return losses

    model.train = train
    return bare.prepare(model, *given)


def squares_by_multiply(bare, model, *given):
    einsum = np.einsum

    class Numpy:
        def __getattr__(self, name):
            return getattr(np, name)

        def einsum(self, terms, a, b, out=None):
            return np.add.reduce(a * b, axis=0, out=out) if terms == "ij,ij->j" else einsum(terms, a, b, out=out)

    model.np = Numpy()
    return bare.prepare(model, *given)


IDIOMS = {
    "plain": {
        "new arrays at each step": new_arrays,
        "rows by index": rows_by_index,
        "squares multiplied and summed": squares_by_multiply,
    },
}
