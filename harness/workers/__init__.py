"""The harness's side of a worker, the process that runs one backend in the backend's own environment.

It starts the process with a clean environment, on reserved cores, talks to it through a pipe, and stops it. A worker
that fails raises WorkerFailed with a sentence that says how.
"""

from .cores import reserve_cores
from .launch import interpreters_of, place_of
from .place import Place
from .session import Session, WorkerFailed

__all__ = ["Place", "Session", "WorkerFailed", "interpreters_of", "place_of", "reserve_cores"]
