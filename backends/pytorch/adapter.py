"""PyTorch's side of the contract: arrays in, arrays out."""

import torch

from . import model

LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
}


class OnTheDevice:
    """A tensor that becomes a NumPy array when it is asked to: after the clock has stopped."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __array__(self, dtype=None, copy=None):
        return self.tensor.cpu().numpy()


class Backend:
    """The common network in PyTorch, eager or through torch.compile."""

    conventions = {"running_variance": "unbiased", "momentum": "sum"}
    variants = ("eager", "compiled")

    def __init__(self, spec, device="cpu", variant=None):
        self.spec = spec
        self.device = torch.device(device)
        self.dtype = getattr(torch, spec.dtype)
        self.net = model.network(spec.sizes, spec.activation, spec.batch_norm, spec.bn_epsilon, spec.bn_decay)
        self.net.to(self.device, self.dtype)
        if variant == "compiled":
            torch.compiler.reset()  # or this network would share, and be limited by, what was compiled before it
            self.loss_of = torch.compile(model.loss_of)
        else:
            self.loss_of = model.loss_of
        dense = [layer for layer in self.net if isinstance(layer, torch.nn.Linear)]
        norm = [layer for layer in self.net if isinstance(layer, torch.nn.BatchNorm1d)]
        self.layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        self.layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})

    def tensor(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        with torch.no_grad():
            for name, array in arrays.items():
                value = torch.from_numpy(array)
                self.tensor(name).copy_(value.T if name.endswith("kernel") else value)
        s = self.spec
        self.optimiser = model.optimiser(
            s.optimiser, self.net.parameters(), s.learning_rate, s.beta1, s.beta2, s.epsilon
        )

    def dump(self):
        return {name: self.host(name, self.tensor(name)) for name in self.names}

    def host(self, name, tensor):
        array = tensor.detach().cpu().numpy()
        return (array.T if name.endswith("kernel") else array).copy()

    def put(self, x, y):
        self.x = torch.from_numpy(x).to(self.device)
        self.y = torch.from_numpy(y).to(self.device)

    def train(self, order):
        rows = torch.from_numpy(order).to(self.device)
        return OnTheDevice(model.train(self.net, self.optimiser, self.x, self.y, rows, self.loss_of))

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def gradients(self, x, y):
        before = {name: array.clone() for name, array in self.net.named_buffers()}
        self.net.train()
        self.net.zero_grad()
        loss = self.loss_of(self.net, torch.from_numpy(x).to(self.device), torch.from_numpy(y).to(self.device))
        loss.backward()
        for name, buffer in self.net.named_buffers():  # training mode moved the running statistics
            buffer.copy_(before[name])
        return {name: self.host(name, self.tensor(name).grad) for name in self.names if "running" not in name}

    def predict(self, x):
        return model.predict(self.net, torch.from_numpy(x).to(self.device)).cpu().numpy()

    def versions(self):
        return {"torch": torch.__version__}
