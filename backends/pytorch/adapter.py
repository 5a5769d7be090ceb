"""PyTorch's side of the contract: arrays in, arrays out."""

import contextlib
import getpass
import inspect
import os
import tempfile

import torch

from . import model, model_idiomatic

LEAVES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
}


OPTIMISERS = {
    "sgd": (torch.optim.SGD, {"learning_rate": "lr"}),
    "momentum": (torch.optim.SGD, {"learning_rate": "lr", "beta1": "momentum"}),
    "rmsprop": (torch.optim.RMSprop, {"learning_rate": "lr", "beta2": "alpha", "epsilon": "eps"}),
    "adam": (torch.optim.Adam, {"learning_rate": "lr", "beta1": "betas", "beta2": "betas", "epsilon": "eps"}),
}
"""What PyTorch calls the fields of the spec that it has a default for."""
NORM = {"bn_epsilon": "eps", "bn_decay": "momentum"}


def default_of(function, argument):
    return inspect.signature(function).parameters[argument].default


def own_defaults(name):
    """Return {field: PyTorch's default} for the fields of the spec that the optimiser of that name has."""
    function, arguments = OPTIMISERS[name]
    values = {field: default_of(function, argument) for field, argument in arguments.items()}
    if "beta2" in values and "beta1" in values:
        values["beta1"], values["beta2"] = values["beta1"]
    return values


def keep_precompiled_headers():
    """Let the compiler find its precompiled C++ headers again, which take it about 10 s to make.

    It keeps them below the folder for temporary files, whatever TORCHINDUCTOR_CACHE_DIR says, and that of a worker is
    removed with it. So that place becomes a link to the folder that stays.
    """
    kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    link = os.path.join(tempfile.gettempdir(), "torchinductor_" + getpass.getuser())
    if kept and not os.path.lexists(link):
        with contextlib.suppress(OSError):  # a cache that can only be read: torch.compile says so itself
            os.makedirs(kept, exist_ok=True)
            os.symlink(kept, link)


class OnTheDevice:
    """A tensor that becomes a NumPy array when it is asked to: after the clock has stopped."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __array__(self, dtype=None, copy=None):
        return self.tensor.cpu().numpy()


class Backend:
    """The common network in PyTorch, eager or through torch.compile."""

    conventions = {"running_variance": "unbiased", "momentum": "sum"}
    variants = ("eager", "compiled", "idiomatic")
    defaults = ("learning_rate", "beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        torch.set_float32_matmul_precision("highest")  # no TF32: PyTorch's default, and the spec's float32
        own = own_defaults(spec.optimiser) if None in spec else {}
        self.spec = spec._replace(**{field: value for field, value in own.items() if getattr(spec, field) is None})
        self.device = torch.device(device)
        self.dtype = getattr(torch, spec.dtype)
        self.model = model_idiomatic if variant == "idiomatic" else model
        self.net = self.network()
        if variant == "compiled":
            keep_precompiled_headers()
            torch.compiler.reset()  # or this network would share, and be limited by, what was compiled before it
            self.loss_of = torch.compile(model.loss_of)
        else:
            self.loss_of = model.loss_of
        if variant == "idiomatic":
            self.loss_of, self.train, self.predict = (
                model_idiomatic.loss_of,
                self.train_idiomatic,
                self.predict_idiomatic,
            )
        self.layers = self.named(self.net)

    def named(self, net):
        dense = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
        norm = [layer for layer in net if isinstance(layer, torch.nn.BatchNorm1d)]
        layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})
        return layers

    def leaves(self, name):
        """Return what the layer of that name has: a Linear before batch norm has no bias."""
        if name.startswith("norm"):
            return ("gamma", "beta", "running_mean", "running_var")
        return ("kernel",) if self.layers[name].bias is None else ("kernel", "bias")

    def network(self):
        """Build the network; what the spec leaves open is what nn.BatchNorm1d takes when it is not told."""
        s = self.spec
        told = [0.5 if value is None else value for value in (s.bn_epsilon, s.bn_decay)]
        net = self.model.network(s.sizes, s.activation, s.batch_norm, *told)
        for layer in net:
            for field, argument in NORM.items():
                if isinstance(layer, torch.nn.BatchNorm1d) and getattr(s, field) is None:
                    setattr(layer, argument, default_of(torch.nn.BatchNorm1d, argument))
        return net.to(self.device, self.dtype)

    def settings(self):
        norm = next((layer for name, layer in self.layers.items() if name.startswith("norm")), None)
        _, arguments = OPTIMISERS[self.spec.optimiser]
        settings = {field: "%s=%g" % (argument, getattr(self.spec, field)) for field, argument in arguments.items()}
        if norm is not None:
            settings.update({field: "%s=%g" % (argument, getattr(norm, argument)) for field, argument in NORM.items()})
        return settings

    def initial(self, seed):
        torch.manual_seed(seed)
        used, self.layers = self.layers, self.named(self.network())
        self.names = ["%s/%s" % (layer, leaf) for layer in self.layers for leaf in self.leaves(layer)]
        arrays = self.dump()
        self.layers = used
        return arrays

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
        self.optimiser = self.model.optimiser(
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

    def set_learning_rate(self, learning_rate):
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate

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

    def threads(self):
        return {"intra-op": torch.get_num_threads()}

    def kernels(self):
        return {"ATen": torch.backends.cpu.get_cpu_capability()}

    def device_peak_bytes(self):
        device = next(self.net.parameters()).device
        return None if device.type == "cpu" else torch.accelerator.max_memory_allocated(device)

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        keep_precompiled_headers()  # AOTInductor's
        getattr(export, path)(self.net, torch.from_numpy(x).to(self.device), folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, self.optimiser, folder)

    def restore(self, folder):
        from . import checkpoint

        checkpoint.restore(self.net, self.optimiser, folder)

    def versions(self):
        return {"torch": torch.__version__, "float32 matrix products": torch.get_float32_matmul_precision()}

    def train_idiomatic(self, order):
        rows = torch.from_numpy(order).to(self.device)
        return OnTheDevice(model_idiomatic.train(self.net, self.optimiser, self.x, self.y, rows))

    def predict_idiomatic(self, x):
        return model_idiomatic.predict(self.net, torch.from_numpy(x).to(self.device)).cpu().numpy()
