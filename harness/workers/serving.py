"""A process that serves an exported network, seen from the harness."""

import os

import numpy as np

from ..common.arrays import Array
from ..portable import serving
from .pipe import AnswerReader
from .place import Place
from .session import Session, WorkerFailed, start_worker


class ServingSession(Session):
    """A live server of one exported network: see harness/portable/serving.py. Raises WorkerFailed as Session does."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.spec = None
        self._paused = False
        self._closed = False
        self._printed_before = place.log.stat().st_size if place.log.is_file() else 0
        self.process, requests, answers = start_worker(place, serving.__file__)
        self._requests = os.fdopen(requests, "wb")
        self._answers = AnswerReader(answers)
        try:
            self._receive("start")
        except BaseException:
            self.close()
            raise

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
