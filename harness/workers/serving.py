"""A process that serves an exported network, seen from the harness."""

import numpy as np

from ..common.arrays import Array
from ..portable import serving
from .answers import SERVING_FORMS
from .failures import WorkerFailed
from .place import Place
from .session import Session


class ServingSession(Session):
    """A live server of one exported network: see harness/portable/serving.py. Raises WorkerFailed as Session does."""

    forms = SERVING_FORMS

    def __init__(self, place: Place) -> None:
        self._start(place, serving.__file__, "start")

    def load_network(self, function: str) -> float:
        """Load the exported network by the function of that name in serve.py; return the seconds it took."""
        return float(self._ask("load", function=function)[0]["load_s"])

    def predict(self, x: Array) -> Array:
        """Return the probabilities of x as they are served: in whatever dtype, and unchecked but for their form."""
        answer = self._ask("predict", {"x": x})[1].get("probabilities")
        if answer is None or answer.ndim != 2 or len(answer) != len(x):
            shape = None if answer is None else answer.shape
            raise WorkerFailed("broke the contract", f"predict: expected {len(x)} rows of probabilities, got {shape}")
        if not np.issubdtype(answer.dtype, np.floating):
            raise WorkerFailed("broke the contract", f"predict: expected floating-point numbers, got {answer.dtype}")
        return answer

    def imported(self, names: list[str]) -> list[str]:
        """Return those of the names that are modules of this process."""
        return [str(name) for name in self._ask("modules", names=names)[0]["loaded"]]
