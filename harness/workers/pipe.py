"""The harness's ends of the pipes to and from a worker."""

import os
import selectors
import time
from collections.abc import Callable
from typing import Self

WATCH_S = 0.5
"""The longest wait without a look at the worker: a child of a dead one can hold its pipe open."""


class AnswerReader:
    """Reads from a pipe until a deadline, or until the process that writes to it is gone."""

    def __init__(self, descriptor: int, watch: Callable[[], bool] = lambda: True) -> None:
        self._descriptor = descriptor
        self._deadline = 0.0
        self._watch = watch
        """Returns whether the writing process lives; called about every WATCH_S seconds of waiting."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def set_deadline(self, deadline: float) -> Self:
        """Set the moment (time.monotonic) after which `read` raises TimeoutError; return this reader."""
        self._deadline = deadline
        return self

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end of the stream, or where the writing process is gone."""
        parts, missing = [], size
        while missing:
            if not self._wait():
                break
            part = os.read(self._descriptor, min(missing, 1 << 20))
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _wait(self) -> bool:
        """Wait for bytes; return whether there are some. Raises TimeoutError after the deadline."""
        while True:
            left_s = self._deadline - time.monotonic()
            if self._selector.select(max(0.0, min(left_s, WATCH_S))):
                # A worker that answers without end makes no deadline pass by itself.
                if left_s < -WATCH_S:
                    raise TimeoutError
                return True
            if not self._watch():
                return bool(self._selector.select(0))  # what it wrote before it ended
            if left_s <= 0:
                raise TimeoutError

    def close(self) -> None:
        """Close the pipe; closing it twice is harmless."""
        if self._descriptor >= 0:
            self._selector.close()
            os.close(self._descriptor)
            self._descriptor = -1


class RequestWriter:
    """Writes to a pipe until a deadline: a stopped process does not read, and the pipe is soon full."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._deadline = 0.0
        os.set_blocking(descriptor, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_WRITE)

    def set_deadline(self, deadline: float) -> Self:
        """Set the moment (time.monotonic) after which `write` raises TimeoutError; return this writer."""
        self._deadline = deadline
        return self

    def write(self, data: bytes) -> None:
        """Write all bytes. Raises TimeoutError after the deadline, and BrokenPipeError where nobody can read them."""
        rest = memoryview(data)
        while rest:
            if not self._selector.select(max(0.0, self._deadline - time.monotonic())):
                raise TimeoutError
            rest = rest[os.write(self._descriptor, rest[: 1 << 20]) :]

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Close the pipe; closing it twice is harmless."""
        if self._descriptor >= 0:
            self._selector.close()
            os.close(self._descriptor)
            self._descriptor = -1
