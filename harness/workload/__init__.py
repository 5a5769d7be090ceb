"""The experiment that every backend runs: the spec, the data and their batches, and the networks of the checks.

The spec is a TOML file (`docs/spec.md`). The data sets are in the package `data`.
"""

from .data import batch_orders, load, split
from .networks import Network, full_matrix
from .spec import Spec, default_spec, read_spec

__all__ = ["Network", "Spec", "batch_orders", "default_spec", "full_matrix", "load", "read_spec", "split"]
