"""Data sets -> normalised splits and batch orders, the same arrays for every backend.

What a network cannot train on is refused with an `InputError`, never mended in silence: missing or infinite values,
text, dates and complex numbers in a feature; missing, fractional or too many labels. What is mended is named in the
data set's `notes`: true/false is read as 1/0, numbers written as text are read as numbers, a constant column is kept
(its standard deviation, 0, is divided by 1). Messages count data rows from 1, the header not counted.
"""

from .dataset import Dataset
from .sources import load
from .splits import Splits, batch_orders, check_batch, split

__all__ = ["Dataset", "Splits", "batch_orders", "check_batch", "load", "split"]
