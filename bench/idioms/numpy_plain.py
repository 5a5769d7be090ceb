"""Other ways to write the steps of numpy_plain's model.py.

https://numpy.org/doc/stable/reference/generated/numpy.take.html
"""

import numpy as np


def rows_into_buffers(bare, model, *given):
    def train(layers, optimiser, x, y, order):
        losses = np.empty(len(order), x.dtype)
        some, labels = np.empty((order.shape[1], x.shape[1]), x.dtype), np.empty(order.shape[1], y.dtype)
        for step, rows in enumerate(order):
            np.take(x, rows, axis=0, out=some, mode="clip")
            np.take(y, rows, out=labels, mode="clip")
            losses[step] = model.loss_and_gradients(layers, some, labels)
            optimiser.step()
        return losses

    model.train = train
    return bare.prepare(model, *given)


def products_into_buffers(bare, model, *given):
    def forward(self, x, training):
        self.x = x
        if getattr(self, "z", np.empty(0)).shape[:1] != x.shape[:1]:
            self.z = np.empty((len(x), self.kernel.shape[1]), x.dtype)
        np.matmul(x, self.kernel, out=self.z)
        if "bias" in self.shapes:
            self.z += self.bias
        return self.z

    model.Dense.forward = forward
    return bare.prepare(model, *given)


def no_gradient_for_the_rows(bare, model, *given):
    def loss_and_gradients(layers, x, y):
        logits = model.forward(layers, x, training=True)
        rows = np.arange(len(y))
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(axis=1, keepdims=True)
        loss = (np.log(sums[:, 0]) - logits[rows, y]).mean()
        d = np.divide(powers, sums, out=powers)
        d[rows, y] -= 1
        d /= len(y)
        for layer in reversed(layers[1:]):
            d = layer.backward(d)
        np.matmul(layers[0].x.T, d, out=layers[0].d_kernel)
        return loss

    model.loss_and_gradients = loss_and_gradients
    return bare.prepare(model, *given)


IDIOMS = {
    "plain": {
        "rows taken into buffers": rows_into_buffers,
        "products into buffers": products_into_buffers,
        "no gradient with respect to the rows": no_gradient_for_the_rows,
    },
}
