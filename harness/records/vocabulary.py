"""The declaration of a figure: its name, its unit, its meaning, and the keys that a record of it has.

A measure declares its figures once, in its `figures.py`. The code that writes a record and the code that reads one both
refer to the declaration, so no other module spells the name of a figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

TEXT, NUMBER, COUNT, FLAG, LIST = (str,), (float, int), (int,), (bool,), (list, tuple)
NONE = type(None)

KEYS: dict[str, tuple[type, ...]] = {
    # Of every record
    "task": TEXT, "attempt": COUNT, "time": NUMBER, "measure": TEXT, "figure": TEXT, "unit": TEXT,
    # What a record speaks of
    "backend": TEXT, "variant": TEXT, "version": TEXT, "api": TEXT, "of": TEXT, "source": TEXT, "asof": TEXT,
    "round": COUNT, "block": COUNT, "position": COUNT, "self_test": FLAG, "epoch": COUNT, "rows": COUNT, "dtype": TEXT,
    "workload": TEXT, "axis": TEXT, "point": (str, int), "operations": COUNT,
    "batch_size": COUNT, "worker": TEXT, "rebuilt": FLAG,
    "check": TEXT, "case": TEXT, "phase": TEXT, "array": TEXT, "step": COUNT, "required": FLAG, "checked_at": TEXT,
    "convention": TEXT, "chosen": TEXT, "field": TEXT, "own": FLAG, "other": TEXT,
    "path": TEXT, "served_with": TEXT, "clients": COUNT, "from_exporter": NUMBER, "claimed": TEXT,
    "change": TEXT, "mistake": TEXT, "how": TEXT, "when": TEXT, "network": TEXT,
    # What stands beside a value
    "steps": COUNT, "cpu_s": NUMBER, "calls": LIST, "slices": COUNT, "since": (int, NONE), "block_s": NUMBER,
    "budget_s": NUMBER, "installed": (dict,),
    "failed": FLAG, "reason": TEXT, "traceback": TEXT, "error": NUMBER, "floor": NUMBER,
    "largest": NUMBER, "mean": NUMBER, "changed_predictions": NUMBER, "accuracy": NUMBER, "common_accuracy": NUMBER,
    "names": LIST, "found": LIST, "answer": TEXT, "what": TEXT, "documentation": TEXT, "caller": (int, NONE),
    "exception": TEXT, "message": TEXT, "printed": TEXT, "seconds": NUMBER, "named": LIST, "user_lines": COUNT,
    "by": TEXT, "framework_lines": COUNT, "probabilities_off": NUMBER, "not_a_number": NUMBER, "loss": NUMBER,
    "address": TEXT, "machine": (dict,), "variables": (dict,),
    "floors": (float, int, NONE), "right_loss": NUMBER, "right_accuracy": NUMBER,
}  # fmt: skip
"""The types of every key but `value`, whose types are the figure's own. One name means one thing in all measures."""

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

        Raises TypeError where a key is missing or unknown, or of another type, as the value may be: a mistake of the
        caller's.
        """
        problem = self.problem(value, keys)
        if problem:
            raise TypeError(f"{self.measure}/{self.name}: {problem}")
        return {"measure": self.measure, "figure": self.name, "value": value, "unit": self.unit, **keys}

    def problem(self, value: Any, keys: Mapping[str, Any]) -> str:
        """Return what is wrong with a value and the keys beside it; "" where nothing is."""
        missing = [key for key in self.keys if key not in keys]
        unknown = sorted(set(keys) - set(self.keys) - set(self.optional))
        if missing:
            return f"expected the keys {', '.join(self.keys)}; {', '.join(missing)} is missing"
        if unknown:
            return f"expected no key but {', '.join((*self.keys, *self.optional))}; got {', '.join(unknown)}"
        return type_problem("value", value, self.values) or next(
            (problem for key in keys if (problem := type_problem(key, keys[key], KEYS[key]))), ""
        )

    def with_keys(self, *keys: str, measure: str | None = None) -> "Figure":
        """Return the same figure with more keys, under another measure where one is named."""
        return replace(self, measure=measure or self.measure, keys=(*self.keys, *keys))


def type_problem(key: str, value: Any, types: tuple[type, ...]) -> str:
    """Return what is wrong with the type of a value; "" where nothing is. True and false are no numbers."""
    if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
        return ""
    names = " or ".join(TYPE_NAMES[each] for each in types if each is not tuple)
    return f"expected {names} as {key}, got {value!r:.60}"


TYPE_NAMES = {
    str: "text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    NONE: "null",
}


class Vocabulary:
    """All figures that a file of records can have: what reading one is checked against."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self.figures = {(figure.measure, figure.name): figure for figure in (*FIGURES, *figures)}
        self._correct: set[tuple[object, ...]] = set()

    def problem(self, record: Any) -> str:
        """Return what is wrong with a record as it was read; "" where nothing is."""
        if not isinstance(record, dict):
            return f"expected a record, which is a JSON object, got {record!r:.60}"
        # Whether a record is correct depends on its figure, its keys and their types, and on no value. So each such
        # form is examined once: a run has thousands of records and some dozens of forms.
        form = (record.get("measure"), record.get("figure"), record.get("unit"), *record, *map(type, record.values()))
        try:
            if form in self._correct:
                return ""
        except TypeError:  # a list or an object where a name should be
            return self._examine(record)
        problem = self._examine(record)
        if not problem:
            self._correct.add(form)
        return problem

    def _examine(self, record: dict[str, Any]) -> str:
        missing = [key for key in HEAD if key not in record]
        if missing:
            return f"expected the keys {', '.join(HEAD)}; {', '.join(missing)} is missing"
        for key in HEAD:
            problem = "" if key == "value" else type_problem(key, record[key], KEYS[key])
            if problem:
                return problem
        name = f"{record['measure']}/{record['figure']}"
        figure = self.figures.get((record["measure"], record["figure"]))
        if figure is None:
            mine = [known for measure, known in self.figures if measure == record["measure"]]
            known = f"a figure of {record['measure']}: {', '.join(mine)}" if mine else f"a measure: {self._measures()}"
            return f"expected {known}; got {name}"
        if record["unit"] != figure.unit:
            return f"{name}: expected the unit {figure.unit!r}, got {record['unit']!r}"
        problem = figure.problem(record["value"], {key: record[key] for key in record if key not in HEAD})
        return problem and f"{name}: {problem}"

    def _measures(self) -> str:
        return ", ".join(dict.fromkeys(measure for measure, _ in self.figures))


FINISHED = Figure("task", "finished", "s", "The task came to its end; the value is how long the attempt took.")
"""The last record of every task."""
FIGURES = (FINISHED,)
