"""TODO: common.arrays."""

from typing import Any

import numpy.typing as npt

pass
pass


Array = npt.NDArray[Any]


Arrays = dict[str, Array]
