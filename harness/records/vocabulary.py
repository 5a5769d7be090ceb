"""The declaration of a figure: its name, its unit, its meaning, and the keys that a record of it has.

A measure declares its figures once, in its `figures.py`. The code that writes a record and the code that reads one both
refer to the declaration, so no other module spells the name of a figure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

HEAD = ("task", "attempt", "time", "measure", "figure", "value", "unit")
"""The keys of every record: the task and the attempt that measured it, the time (seconds since 1970), and the value."""


@dataclass(frozen=True)
class Figure:
    """A figure that a measure records."""

    measure: str
    name: str
    unit: str
    """Of the value; "" where it has none."""
    meaning: str
    """A sentence, for the reference page of all figures."""
    values: tuple[type, ...] = (float, int)
    """The types that a value can have; `type(None)` among them where it can be unknown."""
    keys: tuple[str, ...] = ()
    """The keys that every record of it has, beside those of HEAD."""
    optional: tuple[str, ...] = ()
    """The keys that a record of it can have."""

    def record(self, value: Any, **keys: Any) -> dict[str, Any]:
        """Return what a record says of the figure: `measure`, `figure`, `value`, `unit`, and these keys.

        Raises TypeError where a key is missing, unknown, or the value is of another type: an error of the caller's.
        """
        problem = self.problem(value, keys)
        if problem:
            raise TypeError(f"{self.measure}/{self.name}: {problem}")
        return {"measure": self.measure, "figure": self.name, "value": value, "unit": self.unit, **keys}

    def problem(self, value: Any, keys: Iterable[str]) -> str:
        """Return what is wrong with a value and the keys beside it; "" where nothing is."""
        found = set(keys)
        missing = [key for key in self.keys if key not in found]
        unknown = sorted(found - set(self.keys) - set(self.optional))
        if missing:
            return f"expected the keys {', '.join(self.keys)}; {', '.join(missing)} is missing"
        if unknown:
            return f"expected no key but {', '.join((*self.keys, *self.optional))}, got {', '.join(unknown)}"
        if not isinstance(value, self.values) or (isinstance(value, bool) and bool not in self.values):
            return f"expected a value of type {' or '.join(each.__name__ for each in self.values)}, got {value!r}"
        return ""

    def with_keys(self, *keys: str, measure: str | None = None) -> "Figure":
        """Return the same figure with more keys, under another measure where one is named."""
        return replace(self, measure=measure or self.measure, keys=(*self.keys, *keys))


FINISHED = Figure("task", "finished", "s", "The task came to its end; the value is how long the attempt took.")
"""The last record of every task."""
FIGURES = (FINISHED,)
