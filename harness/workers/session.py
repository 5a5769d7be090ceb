"""A live worker, seen from the harness: start it, ask it, check its answers, stop it."""

import contextlib
import json
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
from .known_failures import read_known_failures
from .pipe import AnswerReader
from .place import THREAD_VARIABLES, Place, home_folder, worker_environment

LAST_LINES = 20
"""How many of the lines that a worker printed last are kept where it died, as on a failed assertion."""


class WorkerFailed(Exception):
    """A worker raised an exception, died, hung, or gave an answer that the contract forbids.

    `kind` is one of raised, died, hung, "broke the contract", "not finite"; `traceback` is the worker's own; of
    one that died, what it printed last; or "".
    `exception` and `said` are the type and the message of the exception that the worker raised, or "".
    """

    def __init__(self, kind: str, message: str, traceback: str = "", exception: str = "", said: str = "") -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.traceback = traceback
        self.exception = exception
        self.said = said


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

    def __init__(self, place: Place) -> None:
        self.place = place
        self.spec: portable.Spec | None = None
        self._paused = False
        self._closed = False
        self._printed_before = place.log.stat().st_size if place.log.is_file() else 0
        self.process, requests, answers = start_worker(place)
        self._requests = os.fdopen(requests, "wb")
        self._answers = AnswerReader(answers)
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
            self.known_failures = read_known_failures(first["known_failures"])
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
        header, arrays = self._ask("train", {"order": order}, drain=drain, warm_up_slice=warm_up_slice)
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
        seconds = self._ask("latency", {"x": x}, calls=calls, limit_s=limit_s)[1].get("seconds")
        if seconds is None or seconds.ndim != 1 or not len(seconds):
            raise WorkerFailed("broke the contract", "latency: expected the seconds of each call, got none")
        return seconds

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

    def close(self) -> None:
        """End the worker's process group, whatever state it is in; closing it twice is harmless."""
        self._signal(signal.SIGKILL)
        self.process.wait()
        self._closed = True
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
        try:
            wire.send(self._requests, {"call": call, **header}, arrays or {})
        except BrokenPipeError:
            raise self._death(call) from None
        return self._receive(call)

    def _receive(self, call: str) -> tuple[dict[str, Any], Arrays]:
        try:
            message = wire.receive(self._answers.set_deadline(time.monotonic() + self.place.timeout_s))
        except EOFError:
            message = None
        except TimeoutError:
            if not self.alive():  # a child of the worker holds the pipe open
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
        """Close the worker, and return how it died."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)
        code = self.process.poll()
        self.close()
        if code is None:
            how = "closed its pipe"
        elif code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"ended itself with exit code {code}"
        printed = read_last_lines(self.place.log, self._printed_before)
        return WorkerFailed("died", f"the worker {how} during {call}", printed)

    def _verify(self, call: str, arrays: Arrays, expected: Mapping[str, tuple[int, ...]]) -> Arrays:
        return verify_arrays(call, arrays, expected, self._built().dtype)


def read_last_lines(log: Path, start: int) -> str:
    """Return the last lines of `log`, at most LAST_LINES, of what was written after its first `start` bytes."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - LAST_LINES * 400))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LAST_LINES:])


def verify_arrays(call: str, arrays: Arrays, expected: Mapping[str, tuple[int, ...]], dtype: str) -> Arrays:
    """Return the arrays of an answer in the order of `expected`, {name: shape}.

    Raises WorkerFailed for a name, a shape, a dtype or a value that the contract forbids.
    """
    if set(arrays) != set(expected):
        missing, extra = sorted(set(expected) - set(arrays)), sorted(set(arrays) - set(expected))
        message = f"{call}: missing {missing or 'nothing'}, extra {extra or 'nothing'}"
        raise WorkerFailed("broke the contract", message)
    for name, shape in expected.items():
        array = arrays[name]
        if array.shape != shape:
            raise WorkerFailed("broke the contract", f"{call}: {name} has shape {array.shape}, expected {shape}")
        if array.dtype != dtype:
            raise WorkerFailed("broke the contract", f"{call}: {name} has dtype {array.dtype}, expected {dtype}")
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise WorkerFailed("not finite", f"{call}: {name}{list(where)} is {array[where]}")
    return {name: arrays[name] for name in expected}


def start_worker(place: Place, program: str = worker.__file__) -> tuple["subprocess.Popen[bytes]", int, int]:
    """Start a worker, or another program of its kind.

    Returns its process, and the descriptors that requests are written to and answers come from.
    """
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
    # Where the cache can only be read, a framework that wants to write below HOME finds another folder or says so.
    with contextlib.suppress(OSError):
        home_folder().mkdir(parents=True, exist_ok=True)
    try:
        with place.log.open("ab") as log:
            process = subprocess.Popen(
                [str(place.python), "-s", program, json.dumps(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(request_read, answer_write),
                env=worker_environment(place),
                start_new_session=True,
            )
    except OSError as error:
        os.close(request_write)
        os.close(answer_read)
        raise WorkerFailed("died", f"{place.python} could not be started: {error}") from None
    finally:
        os.close(request_read)
        os.close(answer_write)
    return process, request_write, answer_read
