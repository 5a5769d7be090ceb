"""Data sets, their normalised splits and the order of their batches: the same arrays for every backend.

Data that a network cannot be trained on raise an `InputError`. Every conversion, such as true/false to 1/0, is a
sentence in the data set's `notes`. Messages count data rows from 1, without the header.
"""

from .dataset import Dataset
from .sources import load
from .splits import Splits, batch_orders, check_batch, split

__all__ = ["Dataset", "Splits", "batch_orders", "check_batch", "load", "split"]
