"""PaddlePaddle's side of the contract: arrays in, arrays out."""

import paddle

from . import model

LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "_mean",
    "running_var": "_variance",
}


KNOWN_FAILURES = {
    "large_logits": "Paddle's softmax on the CPU raises every logit to 64 below the largest: F.cross_entropy, and "
    "F.log_softmax too, give a loss of 64 where it is 1000."
}


class Backend:
    """The common network in PaddlePaddle: eager, or its loss as a static graph."""

    conventions = {
        "momentum": "sum",
        "rmsprop": "inside",
        # Attributes of Paddle's operators are single-precision numbers; those of its Adam are not.
        "batch_norm_constants": "float32",
        "momentum_constants": "float32",
        "rmsprop_constants": "float32",
    }
    variants = ("eager", "static")

    def __init__(self, spec, device="cpu", variant=None):
        paddle.set_device(device)
        paddle.set_default_dtype(spec.dtype)
        s = self.spec = spec
        self.net = model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay)
        self.loss_of = model.loss_of
        if variant == "static":
            self.loss_of = paddle.jit.to_static(model.loss_of, full_graph=True)
        dense = [layer for layer in self.net if isinstance(layer, paddle.nn.Linear)]
        norm = [layer for layer in self.net if isinstance(layer, paddle.nn.BatchNorm1D)]
        self.layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        self.layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})

    def tensor(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.tensor(name).set_value(array)
        s = self.spec
        self.optimiser = model.optimiser(
            s.optimiser, self.net.parameters(), s.learning_rate, s.beta1, s.beta2, s.epsilon
        )

    def dump(self):
        return {name: self.tensor(name).numpy().copy() for name in self.names}

    def put(self, x, y):
        self.x, self.y = paddle.to_tensor(x), paddle.to_tensor(y)

    def train(self, order):
        return model.train(self.net, self.optimiser, self.x, self.y, paddle.to_tensor(order), self.loss_of)

    def wait(self):
        """Paddle runs what is on the CPU before the call returns, eagerly and as a static graph alike."""

    def gradients(self, x, y):
        before = {name: self.tensor(name).numpy().copy() for name in self.names if "running" in name}
        self.net.train()
        self.loss_of(self.net, paddle.to_tensor(x), paddle.to_tensor(y)).backward()
        found = {name: self.tensor(name).grad.numpy().copy() for name in self.names if "running" not in name}
        self.net.clear_gradients()
        for name, array in before.items():  # training mode moved the running statistics
            self.tensor(name).set_value(array)
        return found

    def predict(self, x):
        return model.predict(self.net, paddle.to_tensor(x)).numpy()

    def versions(self):
        return {"paddlepaddle": paddle.__version__}
