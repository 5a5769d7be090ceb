"""Keras's side of the contract: arrays in, arrays out."""

import importlib.metadata
import inspect

import keras
import numpy as np

from . import model

if model.ENGINE == "jax":
    import jax
elif model.ENGINE == "torch":
    import torch

LEAVES = {
    "kernel": "kernel",
    "bias": "bias",
    "gamma": "gamma",
    "beta": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


OPTIMISERS = {
    "sgd": (keras.optimizers.SGD, {"learning_rate": "learning_rate"}),
    "momentum": (keras.optimizers.SGD, {"learning_rate": "learning_rate", "beta1": "momentum"}),
    "rmsprop": (keras.optimizers.RMSprop, {"learning_rate": "learning_rate", "beta2": "rho", "epsilon": "epsilon"}),
    "adam": (
        keras.optimizers.Adam,
        {"learning_rate": "learning_rate", "beta1": "beta_1", "beta2": "beta_2", "epsilon": "epsilon"},
    ),
}
"""What Keras calls the fields of the spec that it has a default for."""
NORM = {"bn_epsilon": "epsilon", "bn_decay": "momentum"}


def own_defaults(function, arguments):
    """Return {field: Keras's default}."""
    parameters = inspect.signature(function.__init__).parameters
    return {field: parameters[argument].default for field, argument in arguments.items()}


FORWARD = ("forward", "test_mode_uses_running_statistics", "predict_sizes", "gradients", "gradient_sizes")
TRAINING = ("losses", "updates", "running_statistics", "test_mode", "steps_add_up", "train_sizes")


def known_failures(engine):
    """Return the faults in float64, with the checks that fail by each; float32, which Keras is made for, has none."""
    if engine == "tensorflow":
        reason = "Adam and SGD cast Python's betas by tf.cast, which makes float32 of them before it makes float64."
        betas = {"reason": reason, "dtype": "float64", "max_floors": 1e11}
        return [
            dict(betas, checks=TRAINING, optimiser=["momentum", "adam"]),
            # One step: momentum's beta has nothing to act on.
            dict(betas, checks=["large_logits"], optimiser="adam"),
        ]
    narrow = {"dtype": "float64", "max_floors": 68_719_476_736}  # 128 x 2^29: what float32 may deviate by
    if engine == "jax":
        narrow["either"] = [{"batch_norm": True}, {"activation": "tanh"}]
        narrow["reason"] = (
            "keras.backend.result_type makes float32 of float64 on every engine but TensorFlow "
            "(https://github.com/keras-team/keras/pull/18482): BatchNormalization and tanh are in float32."
        )
    else:
        narrow["reason"] = (
            "keras.backend.result_type makes float32 of float64 on every engine but TensorFlow "
            "(https://github.com/keras-team/keras/issues/23704): matmul, BatchNormalization and the loss are float32's."
        )
    return [
        dict(narrow, checks=[*FORWARD, *TRAINING, "large_logits"]),
        # Where relu is exactly 0, and its slope, all that is in float32 is 0 too.
        dict(narrow, checks=["activation_at_zero"], activation=["tanh", "sigmoid"]),
    ]


KNOWN_FAILURES = known_failures(model.ENGINE)


class OnTheDevice:
    """Losses that become a NumPy array, in the run's dtype, when they are asked to: after the clock has stopped."""

    def __init__(self, losses, dtype):
        self.losses, self.dtype = losses, dtype

    def __array__(self, dtype=None, copy=None):
        return np.array(keras.ops.convert_to_numpy(self.losses), self.dtype)


class Backend:
    """The common network in Keras 3: by `fit`, or by a step of one's own, on the engine of the variant."""

    conventions = {"adam": "epsilon-hat", "momentum": "sum", "rmsprop": "inside"}
    variants = ("tensorflow_fit", "tensorflow_step", "jax_fit", "jax_step", "torch_fit", "torch_step")
    defaults = ("learning_rate", "beta1", "beta2", "epsilon", "bn_decay", "bn_epsilon", "initial_weights")

    def __init__(self, spec, device="cpu", variant=None):
        engine, self.way = (variant or model.ENGINE + "_fit").split("_")
        if engine != model.ENGINE:
            raise ValueError("KERAS_BACKEND=%s: expected %s, for the variant %s" % (model.ENGINE, engine, variant))
        if engine == "jax":
            jax.config.update("jax_enable_x64", spec.dtype == "float64")
        keras.backend.clear_session()
        keras.config.set_floatx(spec.dtype)
        keras.config.set_dtype_policy(spec.dtype)
        own = {}
        if None in spec:
            own = own_defaults(*OPTIMISERS[spec.optimiser])
            own.update(own_defaults(keras.layers.BatchNormalization, NORM))
        self.spec = spec._replace(**{field: value for field, value in own.items() if getattr(spec, field) is None})
        self.net = self.network()
        self.layers = self.named(self.net)
        self.begin()

    def network(self):
        s = self.spec
        return model.network(s.sizes, s.activation, s.batch_norm, s.bn_epsilon, s.bn_decay)

    def settings(self):
        arguments = dict(OPTIMISERS[self.spec.optimiser][1], **(NORM if self.spec.batch_norm else {}))
        return {field: "%s=%g" % (argument, getattr(self.spec, field)) for field, argument in arguments.items()}

    def initial(self, seed):
        keras.utils.set_random_seed(seed)
        arrays = {}
        for layer, home in self.named(self.network()).items():
            for leaf, attribute in LEAVES.items():
                if getattr(home, attribute, None) is not None:
                    arrays["%s/%s" % (layer, leaf)] = self.host(getattr(home, attribute))
        return arrays

    def named(self, net):
        dense = [layer for layer in net.layers if isinstance(layer, keras.layers.Dense)]
        norm = [layer for layer in net.layers if isinstance(layer, keras.layers.BatchNormalization)]
        layers = {"dense%d" % i: layer for i, layer in enumerate(dense)}
        layers.update({"norm%d" % i: layer for i, layer in enumerate(norm)})
        return layers

    def begin(self):
        s = self.spec
        optimiser = model.optimiser(s.optimiser, s.learning_rate, s.beta1, s.beta2, s.epsilon)
        optimiser.build(self.net.trainable_variables)
        loss_of = model.cross_entropy()
        self.net.compile(optimizer=optimiser, loss=loss_of)
        self.step = model.STEP(self.net, optimiser, loss_of)
        self.fresh = [variable.numpy().copy() for variable in optimiser.variables]

    def variable(self, name):
        layer, leaf = name.split("/")
        return getattr(self.layers[layer], LEAVES[leaf])

    def load(self, arrays):
        self.names = list(arrays)
        for name, array in arrays.items():
            self.variable(name).assign(np.array(array))
        for variable, value in zip(self.net.optimizer.variables, self.fresh):
            variable.assign(value)

    def host(self, tensor):
        return np.array(keras.ops.convert_to_numpy(tensor), self.spec.dtype)

    def dump(self):
        return {name: self.host(self.variable(name)) for name in self.names}

    def put(self, x, y):
        self.x, self.y = x, y
        if self.way == "step":
            self.x, self.y = (keras.ops.convert_to_tensor(array) for array in (x, y))

    def train(self, order):
        if self.way == "fit":
            return OnTheDevice(model.fit(self.net, self.x, self.y, order), self.spec.dtype)
        losses = self.step.train(self.x, self.y, keras.ops.convert_to_tensor(order))
        return OnTheDevice(losses, self.spec.dtype)

    def wait(self):
        if model.ENGINE == "jax":
            jax.block_until_ready([variable.value for variable in self.net.variables])

    def gradients(self, x, y):
        before = {name: array for name, array in self.dump().items() if "running" in name}
        _, gradients = self.step.loss_and_gradients(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))
        for name, array in before.items():  # training mode moved the running statistics
            self.variable(name).assign(array)
        found = {id(variable): array for variable, array in zip(self.net.trainable_variables, gradients)}
        return {name: self.host(found[id(self.variable(name))]) for name in self.names if "running" not in name}

    def predict(self, x):
        return self.host(model.predict(self.net, x))

    def threads(self):
        return {"intra-op": torch.get_num_threads()} if model.ENGINE == "torch" else {}

    def kernels(self):
        return {"ATen": torch.backends.cpu.get_cpu_capability()} if model.ENGINE == "torch" else {}

    def export(self, path, x, folder):
        from . import export  # not before it is asked for: what exporting imports is no part of training

        getattr(export, path)(self.net, folder)

    def save(self, folder):
        from . import checkpoint

        checkpoint.save(self.net, folder)

    def restore(self, folder):
        from . import checkpoint

        self.net = checkpoint.restore(folder)
        self.layers = self.named(self.net)
        self.step = model.STEP(self.net, self.net.optimizer, model.cross_entropy())

    def versions(self):
        engine = {"tensorflow": "tensorflow-cpu"}.get(model.ENGINE, model.ENGINE)
        return {"keras": keras.__version__, model.ENGINE: importlib.metadata.version(engine)}
