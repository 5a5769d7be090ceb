"""The file of a search: what all trials share, the space of hyperparameters, pruning, and a learning-rate rule."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError

from ..common.errors import InputError
from ..common.toml import nearest, read_model, without_subject
from ..workload.spec import Section, Spec, read_text
from .scales import Dimension
from .schedule import Schedule

FIELDS = tuple(
    f"{table}.{key}"
    for table, field in Spec.model_fields.items()
    if table != "sweep"
    for key in type(field.default).model_fields
)
"""The fields of a spec that can be searched."""

Point = dict[str, Any]
"""A setting: the value of each searched field, by its name `table.key`."""


def _flatten(value: Any) -> Any:
    """Return the dimensions by `table.key`: TOML reads `space.optimiser.beta1 = {...}` as nested tables."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and "scale" not in inner and name in Spec.model_fields:
            flat |= {f"{name}.{key}": each for key, each in inner.items()}
        else:
            flat[name] = inner
    return flat


class Pruning(Section):
    """The median rule: stop a trial that is worse at an epoch than half of the earlier trials were at that epoch."""

    after_trials: Annotated[int, Field(ge=1)] = 5
    """Prune only when this many trials are complete."""
    after_epochs: Annotated[int, Field(ge=1)] = 3
    """Prune no trial before the end of this epoch."""


class SearchFile(Section):
    """A whole search file. `docs/reference/search.md` explains each key."""

    spec: Spec = Spec()
    """What all trials share: keys as in a spec file."""
    space: Annotated[dict[str, Dimension], BeforeValidator(_flatten)] = Field(default_factory=dict)
    """The searched fields, each with its scale. Without any, the one trial is the spec itself."""
    pruning: Pruning | None = None
    schedule: Schedule | None = None

    def spec_at(self, point: Mapping[str, Any]) -> Spec:
        """Return the spec of a trial. Raises ValidationError for a value that the field does not accept."""
        values = self.spec.model_dump(mode="json")
        for name, value in point.items():
            table, key = name.split(".")
            values[table][key] = value
        return Spec.model_validate(values)

    def random_point(self, seed: int, number: int) -> Point:
        """Return the random setting of a trial. It depends on the seed and the number of the trial alone."""
        positions = np.random.default_rng([seed, number]).random(len(self.space))
        return {
            name: dimension.value_at(float(position))
            for (name, dimension), position in zip(self.space.items(), positions, strict=True)
        }

    def grid_points(self) -> list[Point]:
        """Return every combination of the grid values of all dimensions; the last dimension varies fastest."""
        values = [dimension.grid() for dimension in self.space.values()]
        return [dict(zip(self.space, point, strict=True)) for point in product(*values)]


def read_search_file(path: Path) -> SearchFile:
    """Read a search file. Raises InputError with the file, the key and what was expected."""
    return parse(read_text(path, "search"), str(path))


def parse(text: str, name: str) -> SearchFile:
    """Return the search file in `text`; errors call the file `name`. Raises InputError."""
    found = read_model(SearchFile, text, name)
    check_fields(found, name)
    return found


def explain(error: ValidationError) -> str:
    """Return in words what the first value that a spec does not accept should be."""
    first = error.errors()[0]
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    return f"expected {without_subject(first['msg'])}"


def check_fields(found: SearchFile, name: str) -> None:
    """Raise InputError for a field that a spec does not have, or whose values it does not accept."""
    for field, dimension in found.space.items():
        place = f"{name}: `space.{field}`"
        if field not in FIELDS:
            raise InputError(f"{place} is no field of a spec. {nearest(field, FIELDS)}")
        for value in dimension.extremes():
            try:
                spec = found.spec_at({field: value})
            except ValidationError as error:
                raise InputError(f"{place}: a spec does not accept {value!r}: {explain(error)}.") from None
            if field.partition(".")[2] in spec.framework_defaults:
                raise InputError(f"{place}: a search needs explicit values, and {value!r} leaves it to the framework.")
    if found.spec.framework_defaults:
        fields = ", ".join(found.spec.framework_defaults)
        raise InputError(f"{name}: a search needs explicit values, and the spec leaves {fields} to the framework.")
