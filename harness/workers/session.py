"""A live worker, seen from the harness: start it, ask it, check its answers, stop it."""

import contextlib
import math
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import threadpoolctl

from ..common.arrays import Array, Arrays
from ..portable import spec as portable
from ..portable import wire, worker
from .answers import FORMS, Answer, read_answer, verify_arrays, verify_seconds
from .failures import WorkerFailed
from .known_failures import read_known_failures
from .pipe import AnswerReader, RequestWriter
from .place import Place
from .process import start_worker

__all__ = ["Session", "Threads", "Trained", "WorkerFailed", "verify_arrays"]

LEAST_LIMIT_S = 60.0
"""Of a call that was answered before: another shape can be another program to compile."""
SLOWER = 50
"""So many times as long as its slowest answer so far may a call take, before it counts as hung."""
SPARE_BYTES = 64 << 20
"""Of an answer, beyond twice the arrays that a call can give."""


class Trained(NamedTuple):
    """The result of one `train`: the losses (steps,), the time that it took, and the work that `wait` left undone."""

    losses: Array
    wall_s: float
    cpu_s: float
    left_s: float | None
    """Seconds; None where the caller did not ask for it."""


class Threads(NamedTuple):
    """How many threads are in force in a worker. Each is empty where it is not available."""

    told: dict[str, int]
    """As the framework reports them."""
    pools: dict[str, int]
    """In the libraries below the framework, as threadpoolctl finds them."""
    system: dict[str, int]
    """The threads that the process has, by name, busy or not."""
    kernels: list[dict[str, str]]
    """Of each of those libraries, and of the framework's own: prefix, internal_api, version, and the architecture that
    its kernels are for."""


class Session:
    """A live worker. It meets the contract of harness/portable/contract.py through a pipe.

    Every method raises WorkerFailed where the worker does not answer as the contract says.
    """

    forms: Mapping[str, type[Answer]] = FORMS
    """The fields that an answer has, by call."""

    def __init__(self, place: Place) -> None:
        first = self._start(place, worker.__file__, "import")
        self.import_s: float = first["import_s"]
        self.conventions: dict[str, str] = first["conventions"]
        self.variants: tuple[str, ...] = tuple(first["variants"])
        self.defaults: tuple[str, ...] = tuple(first["defaults"])
        self.python_version: str = first["python"]
        try:
            portable.full_conventions(self.conventions)
            self.known_failures = read_known_failures(first["known_failures"])
        except ValueError as error:
            self.close()
            raise WorkerFailed("broke the contract", str(error)) from None

    def _start(self, place: Place, program: str, call: str) -> dict[str, Any]:
        """Start the process, and return the header of its first answer."""
        self.place = place
        self.spec: portable.Spec | None = None
        self._paused = False
        self._closed = False
        self._slowest: dict[str, float] = {}
        """The seconds of the slowest answer so far by call; those of `train` are for one step."""
        self._started = start_worker(place, program)
        self.process = self._started.process
        self._requests = RequestWriter(self._started.requests)
        self._answers = AnswerReader(self._started.answers, self._watch)
        try:
            return self._receive(call, time.monotonic() + place.timeout_s)[0]
        except BaseException:
            self.close()
            raise

    # The contract

    def build(self, spec: portable.Spec, device: str, variant: str) -> float:
        """Build the backend of `spec`; return the seconds it took."""
        self.spec = spec
        header, _ = self._ask("build", spec=spec._asdict(), device=device, variant=variant)
        return float(header["build_s"])

    def load(self, arrays: Arrays) -> None:
        """Send every array of shapes(spec)."""
        self._ask("load", arrays)

    def dump(self) -> Arrays:
        """Return every array of shapes(spec), its name, shape, dtype and values checked."""
        spec = self._built()
        return self._verify("dump", self._ask("dump")[1], portable.shapes(spec))

    def put(self, x: Array, y: Array) -> float:
        """Send the training rows; return the seconds that their transfer to the device took."""
        return float(self._ask("put", {"x": x, "y": y})[0]["put_s"])

    def train(self, order: Array) -> Array:
        """Take one step for each line of order (steps, batch); return the losses (steps,)."""
        return self.train_timed(order).losses

    def train_timed(self, order: Array, drain: bool = False, warm_up_slice: bool = False) -> Trained:
        """Train as `train` does, and return the times as well; with `drain`, `left_s` is among them.

        With `warm_up_slice` the worker takes the same steps once before the clock starts.
        """
        started = time.monotonic()
        header, arrays = self._ask("train", {"order": order}, drain=drain, warm_up_slice=warm_up_slice)
        elapsed_s = time.monotonic() - started
        if header["wall_s"] > 1.01 * elapsed_s + 0.01:
            reported = f"train: it reports {header['wall_s']:.3g} s of training, and answered after {elapsed_s:.3g} s"
            raise WorkerFailed("broke the contract", reported)
        losses = self._verify("train", arrays, {"losses": (len(order),)})["losses"]
        return Trained(losses, float(header["wall_s"]), float(header["cpu_s"]), header["left_s"])

    def gradients(self, x: Array, y: Array) -> Arrays:
        """Return the gradient of every parameter on (x, y), checked as by `dump`."""
        spec = self._built()
        shapes = portable.shapes(spec)
        expected = {name: shapes[name] for name in portable.parameters(spec)}
        return self._verify("gradients", self._ask("gradients", {"x": x, "y": y})[1], expected)

    def predict(self, x: Array) -> Array:
        """Return the probabilities (rows, classes) of x, checked as by `dump`."""
        expected = {"probabilities": (len(x), self._built().sizes[-1])}
        return self._verify("predict", self._ask("predict", {"x": x})[1], expected)["probabilities"]

    def latency(self, x: Array, calls: int, limit_s: float) -> Array:
        """Return the seconds of each call of `predict` on x: of `calls` calls, or of as many as fit into `limit_s`."""
        answer = self._ask("latency", {"x": x}, calls=calls, limit_s=limit_s)[1]
        return verify_seconds("latency", answer.get("seconds"))

    def threads(self) -> Threads:
        """Return how many threads are in force, as the worker's process reports them."""
        header, _ = self._ask("threads", threadpoolctl=threadpoolctl.__file__)
        return Threads(header["framework"], header["libraries"], header["system"], header["kernels"])

    def aliases(self, arrays: Arrays, x: Array, y: Array, order: Array) -> tuple[list[str], list[str]]:
        """Return the names of the arrays sent to `load`, and of those got from `dump`, that training changed."""
        header, _ = self._ask("aliases", {**arrays, "x": x, "y": y, "order": order})
        return header["loaded"], header["dumped"]

    def set_learning_rate(self, learning_rate: float) -> None:
        """Take every later step at this rate; WorkerFailed where the backend has no such call."""
        self._ask("learning_rate", learning_rate=learning_rate)

    def settings(self) -> dict[str, str]:
        """Return the values in force, as the framework writes them, of the fields that it has a default for."""
        settings: dict[str, str] = self._ask("settings")[0]["settings"]
        return settings

    def initial(self, seed: int) -> Arrays:
        """Return every array as the framework initialises it from `seed`, checked as by `dump`."""
        return self._verify("initial", self._ask("initial", seed=seed)[1], portable.shapes(self._built()))

    def export(self, path: str, x: Array, folder: Path) -> float:
        """Write the network into the empty folder, by the path of that name; return the seconds it took."""
        return float(self._ask("export", {"x": x}, path=path, folder=str(folder))[0]["export_s"])

    def versions(self) -> dict[str, str]:
        """Return the versions of the framework and of the libraries that it computes with."""
        versions: dict[str, str] = self._ask("versions")[0]["versions"]
        return versions

    def peak_bytes(self) -> int:
        """Return the largest resident size of the worker so far."""
        return int(self._ask("memory")[0]["peak_bytes"])

    def device_peak_bytes(self) -> int | None:
        """Return the most that the framework has held on its device; None where it has none, or does not report it."""
        told = self._ask("memory")[0]["device_peak_bytes"]
        return None if told is None else int(told)

    # The process

    def pause(self) -> None:
        """Stop the worker's process (SIGSTOP), so that its idle threads do not slow its rivals down."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a paused worker continue."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def alive(self) -> bool:
        """Return whether the worker's process is there to answer."""
        return self.process.poll() is None

    def require_alive(self) -> None:
        """Raise WorkerFailed, with how it died, for a worker that is dead and was not closed."""
        if not self._closed and not self.alive():
            raise self._death("")

    @property
    def closed(self) -> bool:
        """Whether the worker was ended by the harness: because it failed, or because it is no longer needed."""
        return self._closed

    def close(self) -> None:
        """End the worker's process group, whatever state it is in; closing it twice is harmless."""
        if self._closed:
            return
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._closed = True
        self._requests.close()
        self._answers.close()
        self._started.log.trim()
        self._started.remove_scratch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._closed:  # by now the process number may belong to another process
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _built(self) -> portable.Spec:
        if self.spec is None:
            raise RuntimeError("build() comes first")
        return self.spec

    def ask(self, call: str, arrays: Arrays | None = None, **header: Any) -> Arrays:
        """Make one call of the worker's protocol; return the arrays of its answer without checking them."""
        return self._ask(call, arrays, **header)[1]

    def _ask(self, call: str, arrays: Arrays | None = None, **header: Any) -> tuple[dict[str, Any], Arrays]:
        if self._closed:
            raise WorkerFailed("died", f"the worker was gone before {call}")
        if self._paused:
            self.resume()
        arrays = arrays or {}
        # A deliberate mistake can send an order that is none.
        started, steps = time.monotonic(), _count_rows(arrays["order"]) if call == "train" and "order" in arrays else 1
        deadline = started + self._limit_s(call, steps)
        try:
            wire.send(self._requests.set_deadline(deadline), {"call": call, **header}, arrays)
        except BrokenPipeError:
            raise self._death(call) from None
        except TimeoutError:
            raise self._hang(call, deadline - started) from None
        answer = self._receive(call, deadline, arrays)
        taken_s = (time.monotonic() - started) / max(1, steps)
        self._slowest[call] = max(taken_s, self._slowest.get(call, 0.0))
        return answer

    def _limit_s(self, call: str, steps: int) -> float:
        """Return the seconds that an answer may take: by those before of the same call, where there are some."""
        if call not in self._slowest:
            return self.place.timeout_s
        by_earlier = SLOWER * self._slowest[call] * steps
        return max(by_earlier if call == "train" else 0.0, min(self.place.timeout_s, max(LEAST_LIMIT_S, by_earlier)))

    def _receive(self, call: str, deadline: float, sent: Arrays | None = None) -> tuple[dict[str, Any], Arrays]:
        limit_s = deadline - time.monotonic()
        try:
            answer = read_answer(self._answers.set_deadline(deadline), call, self.forms, self._most_bytes(sent or {}))
        except EOFError:
            answer = None
        except TimeoutError:
            raise self._hang(call, limit_s) from None
        except ValueError as error:
            self.close()
            raise WorkerFailed("broke the contract", f"the answer to {call} cannot be read: {error}") from None
        if answer is None:
            raise self._death(call)
        return answer

    def _most_bytes(self, sent: Arrays) -> int:
        """Return the bytes that the arrays of an answer can have: twice those of the network, and of what was sent."""
        classes = self.spec.sizes[-1] if self.spec else 1
        network = sum(math.prod(shape) for shape in portable.shapes(self.spec).values()) if self.spec else 0
        given = sum(np.size(each) + _count_rows(each) * classes for each in sent.values())
        return SPARE_BYTES + 16 * (network + given)

    def _watch(self) -> bool:
        """Return whether the worker lives, while the harness waits for it; keep its log small."""
        self._started.log.trim()
        return self.alive()

    def _hang(self, call: str, limit_s: float) -> WorkerFailed:
        """Close the worker, and return that it gave no answer."""
        self.close()
        return WorkerFailed("hung", f"{call} gave no answer within {round(limit_s, 2):g} s")

    def _death(self, call: str) -> WorkerFailed:
        """Close the worker, and return how it died: during a call, or between two where `call` is empty."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        code = self.process.poll()
        printed = self._started.log.read_last_lines()
        self.close()
        if code is None:
            how = "closed its pipe"
        elif code < 0:
            how = f"was ended by {describe_signal(-code)}"
        else:
            how = f"ended itself with exit code {code}"
        return WorkerFailed("died", f"the worker {how} {f'during {call}' if call else 'between two calls'}", printed)

    def _verify(self, call: str, arrays: Arrays, expected: Mapping[str, tuple[int, ...]]) -> Arrays:
        return verify_arrays(call, arrays, expected, self._built().dtype)


def _count_rows(array: Array) -> int:
    shape = np.shape(array)
    return shape[0] if shape else 1


def describe_signal(number: int) -> str:
    """Return the name of a signal, or its number where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
