"""PaddlePaddle's side of the contract: arrays in, arrays out."""

import inspect

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
LEAVES_OF = {"dense": ("kernel", "bias"), "norm": ("gamma", "beta", "running_mean", "running_var")}


OPTIMISERS = {
    "sgd": (paddle.optimizer.SGD, {}),
    "momentum": (paddle.optimizer.Momentum, {"beta1": "momentum"}),
    "rmsprop": (paddle.optimizer.RMSProp, {"beta2": "rho", "epsilon": "epsilon"}),
    "adam": (paddle.optimizer.Adam, {"beta1": "beta1", "beta2": "beta2", "epsilon": "epsilon"}),
}
"""What Paddle calls the fields of the spec that it has a default for; not all of these have one for a learning rate."""
NORM = {"bn_epsilon": "epsilon", "bn_decay": "momentum"}


def own_defaults(function, arguments):
    """Return {field: Paddle's default}."""
    parameters = inspect.signature(function.__init__).parameters
    return {field: parameters[argument].default for field, argument in arguments.items()}


SOFTMAX = (
    "Paddle's softmax on the CPU raises every logit to 64 below the largest: F.cross_entropy, and F.log_softmax too, "
    "give a loss of 64 where it is 1000."
)
KNOWN_FAILURES = [
    {"reason": SOFTMAX, "checks": ["large_logits"], "max_floors": 4e7, "dtype": "float32"},
    {"reason": SOFTMAX, "checks": ["large_logits"], "max_floors": 2e16, "dtype": "float64"},
]


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
    defaults = ("beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        paddle.set_device(device)
        paddle.set_default_dtype(spec.dtype)
        own = {}
        if None in spec:
            own = own_defaults(*OPTIMISERS[spec.optimiser])
            own.update(own_defaults(paddle.nn.BatchNorm1D, NORM))
        self.spec = spec._replace(**{field: value for field, value in own.items() if getattr(spec, field) is None})
        self.net = self.network()
        self.loss_of = model.loss_of
        if variant == "static":
            self.loss_of = paddle.jit.to_static(model.loss_of, full_graph=True)
        self.layers = self.named(self.net)

    def network(self):
        s = self.spec
        return model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay)

    def named(self, net):
        dense = [layer for layer in net if isinstance(layer, paddle.nn.Linear)]
        norm = [layer for layer in net if isinstance(layer, paddle.nn.BatchNorm1D)]
        layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})
        return layers

    def settings(self):
        arguments = dict(OPTIMISERS[self.spec.optimiser][1], **(NORM if self.spec.batch_norm else {}))
        return {field: "%s=%g" % (argument, getattr(self.spec, field)) for field, argument in arguments.items()}

    def initial(self, seed):
        paddle.seed(seed)
        arrays = {}
        for layer, home in self.named(self.network()).items():
            for leaf in LEAVES_OF[layer.rstrip("0123456789")]:
                tensor = getattr(home, LEAVES[leaf])
                if tensor is not None:
                    arrays["%s/%s" % (layer, leaf)] = tensor.numpy().copy()
        return arrays

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

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, paddle.to_tensor(x), folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.optimiser, folder)

    def versions(self):
        return {"paddlepaddle": paddle.__version__}
