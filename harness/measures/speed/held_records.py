"""Records of a worker that begins on another thread, held until it is taken: one thread alone writes a run."""

from collections.abc import Callable
from typing import Any

from ...records.vocabulary import Figure

Write = Callable[..., None]
"""Takes a figure, its value, and its keys: records.store.Task.add."""


class HeldRecords:
    """A writer that holds what it is given until `pass_on`, and from then on passes it on at once."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._held: list[tuple[Figure, Any, dict[str, Any]]] | None = []

    def __call__(self, figure: Figure, value: Any, **keys: Any) -> None:
        """Take one record."""
        if self._held is None:
            self._write(figure, value, **keys)
        else:
            self._held.append((figure, value, keys))

    def pass_on(self) -> None:
        """Write what was held, in its order."""
        held, self._held = self._held or [], None
        for figure, value, keys in held:
            self._write(figure, value, **keys)
