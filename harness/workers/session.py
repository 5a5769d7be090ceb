"""The far end of a worker: start, ask, time out, bury."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import threadpoolctl

from ..common.arrays import Array, Arrays
from ..portable import spec as portable
from ..portable import wire, worker
from .known_failures import _known
from .place import THREAD_VARIABLES, Place, worker_environment


class WorkerFailed(Exception):
    """A worker that raised, died, hung or answered what the contract forbids.

    `kind` is one of raised, died, hung, "broke the contract", "not finite"; `traceback` is the worker's own, or "".
    `exception` and `said` are the type and the message of what the worker raised, or "".
    """

    def __init__(self, kind: str, message: str, traceback: str = "", exception: str = "", said: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.traceback = traceback
        self.exception = exception
        self.said = said


class Trained(NamedTuple):
    """What one `train` gave: losses (steps,), seconds on the clock, and the work that wait() left undone."""

    losses: Array
    wall_s: float
    cpu_s: float
    left_s: float | None
    """Seconds; None where it was not asked for."""


class Threads(NamedTuple):
    """How many threads are in force in a worker. Each is empty where it is not to be had."""

    told: dict[str, int]
    """By the framework's own word."""
    pools: dict[str, int]
    """Of the libraries below it, as threadpoolctl finds them."""
    system: dict[str, int]
    """Threads that the process has, by their name: busy or not."""


class Session:
    """A live worker. Meets the contract of harness/portable/contract.py on the far side of a pipe.

    Every method raises WorkerFailed when the worker does not answer as the contract says.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.spec: portable.Spec | None = None
        self._paused = False
        self._buried = False
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        config = {
            "folder": str(place.folder),
            "read": request_read,
            "write": answer_write,
            "cores": place.cores,
            "threads": place.threads,
            "thread_variables": [*THREAD_VARIABLES, *place.thread_variables],
        }
        place.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with place.log.open("ab") as log:
                self.process = subprocess.Popen(
                    [str(place.python), "-s", worker.__file__, json.dumps(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(request_read, answer_write),
                    env=worker_environment(place.variables, place.python.parent.parent),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(request_write)
            os.close(answer_read)
            raise WorkerFailed("died", f"{place.python} could not be started: {error}") from None
        finally:
            os.close(request_read)
            os.close(answer_write)
        self._requests = os.fdopen(request_write, "wb")
        self._answers = Answers(answer_read)
        try:
            first, _ = self._receive("import")
        except BaseException:
            self.close()
            raise
        self.import_s: float = first["import_s"]
        self.conventions: dict[str, str] = first["conventions"]
        self.variants: tuple[str, ...] = tuple(first["variants"])
        self.defaults: tuple[str, ...] = tuple(first["defaults"])
        self.python_version: str = first["python"]
        try:
            portable.full_conventions(self.conventions)
            self.known_failures = {check: _known(check, value) for check, value in first["known_failures"].items()}
        except ValueError as error:
            self.close()
            raise WorkerFailed("broke the contract", str(error)) from None

    # The contract

    def build(self, spec: portable.Spec, device: str, variant: str) -> float:
        """Build the backend of `spec`; return the seconds it took."""
        self.spec = spec
        header, _ = self._ask("build", spec=spec._asdict(), device=device, variant=variant)
        return float(header["build_s"])

    def load(self, arrays: Arrays) -> None:
        """Hand over every array of shapes(spec)."""
        self._ask("load", arrays)

    def dump(self) -> Arrays:
        """Return every array of shapes(spec), verified: names, shapes, dtype, finite."""
        spec = self._built()
        return self._verified("dump", self._ask("dump")[1], portable.shapes(spec))

    def put(self, x: Array, y: Array) -> float:
        """Hand over the training rows; return the seconds their way to the device took."""
        return float(self._ask("put", {"x": x, "y": y})[0]["put_s"])

    def train(self, order: Array) -> Array:
        """Take one step for each line of order (steps, batch); return the losses (steps,)."""
        return self.train_by_the_clock(order).losses

    def train_by_the_clock(self, order: Array, drain: bool = False, lead_in: bool = False) -> Trained:
        """As `train`, with what the clock said; `drain` asks for `left_s` too.

        With `lead_in` the same steps are taken once before, off the clock.
        """
        header, arrays = self._ask("train", {"order": order}, drain=drain, lead_in=lead_in)
        losses = self._verified("train", arrays, {"losses": (len(order),)})["losses"]
        return Trained(losses, float(header["wall_s"]), float(header["cpu_s"]), header["left_s"])

    def gradients(self, x: Array, y: Array) -> Arrays:
        """Return the gradient of every parameter on (x, y), verified."""
        spec = self._built()
        shapes = portable.shapes(spec)
        expected = {name: shapes[name] for name in portable.parameters(spec)}
        return self._verified("gradients", self._ask("gradients", {"x": x, "y": y})[1], expected)

    def predict(self, x: Array) -> Array:
        """Return the probabilities (rows, classes) of x, verified."""
        expected = {"probabilities": (len(x), self._built().sizes[-1])}
        return self._verified("predict", self._ask("predict", {"x": x})[1], expected)["probabilities"]

    def latency(self, x: Array, calls: int, limit_s: float) -> Array:
        """Return the seconds of each of so many calls of `predict` on x, of fewer where they take over `limit_s`."""
        seconds = self._ask("latency", {"x": x}, calls=calls, limit_s=limit_s)[1].get("seconds")
        if seconds is None or seconds.ndim != 1 or not len(seconds):
            raise WorkerFailed("broke the contract", "latency: expected the seconds of each call, got none")
        return seconds

    def threads(self) -> Threads:
        """Return how many threads are in force, by what the worker's process says of itself."""
        header, _ = self._ask("threads", pools=threadpoolctl.__file__)
        return Threads(header["told"], header["pools"], header["system"])

    def aliases(self, arrays: Arrays, x: Array, y: Array, order: Array) -> tuple[list[str], list[str]]:
        """Return the names of arrays given to `load`, and of arrays got from `dump`, that training changed."""
        header, _ = self._ask("aliases", {**arrays, "x": x, "y": y, "order": order})
        return header["given"], header["dumped"]

    def settings(self) -> dict[str, str]:
        """Return the values in force of the fields that the framework has a default for, in its own words."""
        settings: dict[str, str] = self._ask("settings")[0]["settings"]
        return settings

    def initial(self, seed: int) -> Arrays:
        """Return every array as the framework starts it, drawn from `seed`; verified."""
        return self._verified("initial", self._ask("initial", seed=seed)[1], portable.shapes(self._built()))

    def versions(self) -> dict[str, str]:
        """Return the versions of the framework and of what it computes with."""
        versions: dict[str, str] = self._ask("versions")[0]["versions"]
        return versions

    def peak_bytes(self) -> int:
        """Return the largest resident size of the worker so far."""
        return int(self._ask("memory")[0]["peak_bytes"])

    def device_peak_bytes(self) -> int | None:
        """Return the most that the framework has held on its device; None where it has none, or does not tell."""
        told = self._ask("memory")[0]["device_peak_bytes"]
        return None if told is None else int(told)

    # The process

    def pause(self) -> None:
        """Stop the worker's process (SIGSTOP), so that its idle threads cost its rivals nothing."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let a paused worker go on."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def alive(self) -> bool:
        """Return whether the worker can be asked again."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the worker's process group, whatever state it is in; closing twice is harmless."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._buried = True
        with contextlib.suppress(OSError):
            self._requests.close()
        self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._buried:  # its number may be another's by now
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _built(self) -> portable.Spec:
        if self.spec is None:
            raise RuntimeError("build() comes first")
        return self.spec

    def ask(self, call: str, arrays: Arrays | None = None, **header: Any) -> Arrays:
        """Make one call of the worker's protocol; return the arrays of its answer as they came, not verified."""
        return self._ask(call, arrays, **header)[1]

    def _ask(self, call: str, arrays: Arrays | None = None, **header: Any) -> tuple[dict[str, Any], Arrays]:
        if self._buried:
            raise WorkerFailed("died", f"the worker was gone before {call}")
        if self._paused:
            self.resume()
        try:
            wire.send(self._requests, {"call": call, **header}, arrays or {})
        except BrokenPipeError:
            raise self._death(call) from None
        return self._receive(call)

    def _receive(self, call: str) -> tuple[dict[str, Any], Arrays]:
        try:
            message = wire.receive(self._answers.until(time.monotonic() + self.place.timeout_s))
        except EOFError:
            message = None
        except TimeoutError:
            if not self.alive():  # a child of its own holds the pipe open
                raise self._death(call) from None
            self.close()
            raise WorkerFailed("hung", f"{call} gave no answer within {self.place.timeout_s:g} s") from None
        except ValueError as error:
            self.close()
            raise WorkerFailed("broke the contract", f"the answer to {call} cannot be read: {error}") from None
        if message is None:
            raise self._death(call)
        header, arrays = message
        failure = header["failure"]
        if failure:
            text = f"{call} raised {failure['type']}: {failure['message']}".rstrip(": ")
            raise WorkerFailed("raised", text, failure["traceback"], failure["type"], failure["message"])
        return header, arrays

    def _death(self, call: str) -> WorkerFailed:
        """Bury the worker, and say how it died."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        code = self.process.poll()
        self.close()
        if code is None:
            return WorkerFailed("died", f"the worker closed its pipe during {call}")
        if code < 0:
            return WorkerFailed("died", f"the worker was ended by {signal.Signals(-code).name} during {call}")
        return WorkerFailed("died", f"the worker ended itself with exit code {code} during {call}")

    def _verified(self, call: str, arrays: Arrays, expected: Mapping[str, tuple[int, ...]]) -> Arrays:
        """Return `arrays` in the order expected; raise WorkerFailed for what the contract forbids."""
        if set(arrays) != set(expected):
            missing, extra = sorted(set(expected) - set(arrays)), sorted(set(arrays) - set(expected))
            message = f"{call}: missing {missing or 'nothing'}, extra {extra or 'nothing'}"
            raise WorkerFailed("broke the contract", message)
        for name, shape in expected.items():
            array, dtype = arrays[name], self._built().dtype
            if array.shape != shape:
                raise WorkerFailed("broke the contract", f"{call}: {name} has shape {array.shape}, expected {shape}")
            if array.dtype != dtype:
                raise WorkerFailed("broke the contract", f"{call}: {name} has dtype {array.dtype}, expected {dtype}")
            if not np.isfinite(array).all():
                where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                raise WorkerFailed("not finite", f"{call}: {name}{list(where)} is {array[where]}")
        return {name: arrays[name] for name in expected}


class Answers:
    """The reading end of a pipe, with a deadline."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._deadline = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def until(self, deadline: float) -> "Answers":
        """Set the moment (time.monotonic) after which `read` raises TimeoutError."""
        self._deadline = deadline
        return self

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer at the end of the stream."""
        parts, missing = [], size
        while missing:
            if not self._selector.select(max(0.0, self._deadline - time.monotonic())):
                raise TimeoutError
            part = os.read(self._descriptor, min(missing, 1 << 20))
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """Close the pipe; closing twice is harmless."""
        if self._descriptor >= 0:
            self._selector.close()
            os.close(self._descriptor)
            self._descriptor = -1
