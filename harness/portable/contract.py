"""The one interface between the harness and a backend, in prose and signatures.

A backend is a class `Backend` in the `adapter.py` of its folder. It meets this contract; it does not inherit from it.
x is (rows, features) in the run's dtype, y is int64 (rows,), `order` is int64 (steps, batch): row numbers.
Arrays are named and shaped as spec.py's `shapes(spec)` says.
"""

from typing import Dict


class Backend:
    """The common network in one framework, run one way."""

    conventions: Dict[str, str] = {}
    """Each choice that differs from the common spec: {convention: value}, from spec.CONVENTIONS."""

    variants = ("eager",)
    """The ways to run the same model.py."""

    defaults = ()
    """Fields of Spec that can be None, which selects the framework default; also initial_weights."""

    def __init__(self, spec, device="cpu", variant=None):
        """Build the network of `spec` (a spec.Spec) on `device`, to be run as `variant` (None: the first)."""
        raise NotImplementedError

    def load(self, arrays):
        """Take a copy of every array of shapes(spec); forget all training so far, the optimiser's state too."""
        raise NotImplementedError

    def dump(self):
        """Return every array of shapes(spec): copies, on the host, in the run's dtype."""
        raise NotImplementedError

    def put(self, x, y):
        """Copy the training rows to the device; return when they have arrived. Not part of the timed work."""
        raise NotImplementedError

    def train(self, order):
        """Take one step for each line of `order` (steps, batch); return the losses (steps,). Timed.

        May return before the device has finished; the losses are converted to a NumPy array after the timing ends.
        """
        raise NotImplementedError

    def wait(self):
        """Return when the device has finished all work that `train` started. Timed."""
        raise NotImplementedError

    def gradients(self, x, y):
        """Return the gradients {parameter: array} of the loss on (x, y), training mode; changes nothing."""
        raise NotImplementedError

    def predict(self, x):
        """Return the probabilities (rows, classes) by the running statistics; changes nothing."""
        raise NotImplementedError

    def settings(self):
        """Return {field: text} for the framework defaults in force, in the framework's own words: "lr=0.001"."""
        raise NotImplementedError

    def initial(self, seed):
        """Return every array as the framework initialises it, from `seed`. Needs initial_weights in `defaults`."""
        raise NotImplementedError

    def set_learning_rate(self, learning_rate):
        """Take every later step at this rate; keep all arrays and the optimiser's state. `load` goes back. Optional."""
        raise NotImplementedError

    def threads(self):
        """Return {name: threads} in force, as the framework reports them. Optional."""
        raise NotImplementedError

    def kernels(self):
        """Return {library: instruction set} that its own kernels are chosen for: {"ATen": "AVX2"}. Optional."""
        raise NotImplementedError

    def device_peak_bytes(self):
        """Return the peak of the bytes that the framework held on the device; None on the cpu. Optional."""
        raise NotImplementedError

    def export(self, path, x, folder):
        """Write the network as it is into the empty folder: by the function of that name in export.py. Optional.

        `x` is some rows (rows, features) on the host, for exporters that need an example.
        """
        raise NotImplementedError

    def save(self, folder):
        """Write a checkpoint of the whole training into the empty folder. Optional."""
        raise NotImplementedError

    def restore(self, folder):
        """Read the checkpoint of `save`, in a network that was built and loaded like the saved one. Optional."""
        raise NotImplementedError

    def versions(self):
        """Return {name: version} of the framework and of the libraries that it computes with."""
        raise NotImplementedError
