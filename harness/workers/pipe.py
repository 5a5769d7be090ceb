"""The reading end of the pipe from a worker."""

import os
import selectors
import time


class AnswerReader:
    """Reads from a pipe until a deadline."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._deadline = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(descriptor, selectors.EVENT_READ)

    def set_deadline(self, deadline: float) -> "AnswerReader":
        """Set the moment (time.monotonic) after which `read` raises TimeoutError; return this reader."""
        self._deadline = deadline
        return self

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end of the stream."""
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
        """Close the pipe; closing it twice is harmless."""
        if self._descriptor >= 0:
            self._selector.close()
            os.close(self._descriptor)
            self._descriptor = -1
