"""The one interface between the harness and a backend, in prose and signatures.

A backend is a class `Backend` in the `adapter.py` of its folder. It meets this contract; it does not inherit from it.
x is (rows, features) in the run's dtype, y is int64 (rows,), `order` is int64 (steps, batch): row numbers.
Arrays are named and shaped as spec.py's `shapes(spec)` says.
"""

from typing import Dict


class Backend:
    """The common network in one framework, run one way."""

    conventions: Dict[str, str] = {}
    """Each choice that departs from the common spec's own: {convention: value}, out of spec.CONVENTIONS."""

    variants = ("eager",)
    """The ways to run the same model.py."""

    defaults = ()
    """Fields of Spec that may be None, for the framework's own default; and initial_weights, for its own."""

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
        """Bring the training rows to the device; return when they are there. Not on the clock of `train`."""
        raise NotImplementedError

    def train(self, order):
        """Take one step for each line of `order` (steps, batch); return the losses (steps,). On the clock.

        May return before the device has finished; the losses are turned into a NumPy array after the clock stops.
        """
        raise NotImplementedError

    def wait(self):
        """Return when the device has finished everything that `train` began. On the clock."""
        raise NotImplementedError

    def gradients(self, x, y):
        """Return the gradients {parameter: array} of the loss on (x, y), training mode; changes nothing."""
        raise NotImplementedError

    def predict(self, x):
        """Return the probabilities (rows, classes) by the running statistics; changes nothing."""
        raise NotImplementedError

    def settings(self):
        """Return {field: text} for the `defaults` that are in force: "lr=0.001", as the framework calls them."""
        raise NotImplementedError

    def initial(self, seed):
        """Return every array as the framework starts it, drawn from `seed`. Asked only with initial_weights above."""
        raise NotImplementedError

    def threads(self):
        """Return {what: threads} in force, as the framework itself says. May be left out."""
        raise NotImplementedError

    def device_peak_bytes(self):
        """Return the most bytes that the framework has held on the device; None on the cpu. May be left out."""
        raise NotImplementedError

    def versions(self):
        """Return {name: version} of the framework and of what it computes with."""
        raise NotImplementedError
