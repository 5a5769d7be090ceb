"""Data sets, their normalised splits and the order of their batches: the same arrays for every backend.

Data that a network cannot be trained on raise an `InputError` that names the option that would accept them. Every
conversion, such as true/false to 1/0, and every doubt is a sentence in the data set's `notes`. Messages count data
rows from 1, without the header.
"""

from .dataset import Column, Dataset, check_dataset
from .describe import Description, describe_data
from .sources import load
from .splits import Splits, arrange, batch_orders, check_batch, split

__all__ = [
    "Column",
    "Dataset",
    "Description",
    "Splits",
    "arrange",
    "batch_orders",
    "check_batch",
    "check_dataset",
    "describe_data",
    "load",
    "split",
]
