"""Reads a TOML file into a pydantic model, and explains every error in a sentence."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .errors import InputError
from .foreign import make_line

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]

MOST_ERRORS = 20
"""Lines of errors in one file."""
IN_TOML = {"model_type": "a table", "dict_type": "a table", "tuple_type": "an array"}
"""The words of TOML for the types that pydantic names by their Python classes."""


def read_model(model: type[Model], text: str, name: str) -> Model:
    """Return the `model` that the TOML in `text` describes; `name` is how errors call the file.

    Raises InputError with a line for each error: the file, the key, the expected and the actual value, the nearest key.
    """
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise InputError(f"{name}: not valid TOML: it is nested too deep") from None
    except ValueError as error:  # TOMLDecodeError, and that of a number with thousands of digits
        raise InputError(f"{name}: not valid TOML: {make_line(str(error), 300)}") from None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors()
        lines = [f"{name}: {make_line(_explain(model, detail), 600)}" for detail in details[:MOST_ERRORS]]
        more = len(details) - MOST_ERRORS
        raise InputError("\n".join([*lines, *([f"{name}: {more} more errors"] if more > 0 else [])])) from None
    except (RecursionError, OverflowError) as error:
        raise InputError(f"{name}: a value is out of range or nested too deep: {make_line(str(error), 300)}") from None


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """Return a sentence that names the valid word most similar to `wrong`, or all words where none is similar."""
    words = list(valid)
    close = difflib.get_close_matches(wrong, words, n=1, cutoff=0.5)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Valid here: {', '.join(f'`{word}`' for word in words)}."


def _explain(model: type[BaseModel], error: ErrorDetails) -> str:
    key = dotted(error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"unknown key `{key}`. {_nearest_key(model, error['loc'])}"
    if error["type"] == "missing":
        return f"`{key}` is missing: {_purpose(model, error['loc'])}"
    if error["type"] == "value_error":
        return f"`{key}`: {message}" if key else message
    expected = IN_TOML.get(error["type"]) or without_subject(message)
    if _may_be_default(model, error["loc"]):
        expected += ' or "default"'
    return f"`{key}`: expected {expected}, got {_show(error['input'])}"


def _show(value: object) -> str:
    """Return a value as an error shows it."""
    try:
        return f"{value!r:.200}"
    except (RecursionError, ValueError):  # nested, or a number with thousands of digits
        return f"a very large {type(value).__name__}"


def dotted(location: Location) -> str:
    """Return `location` as a key is written in TOML, with the index of a list item in brackets."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def without_subject(message: str) -> str:
    """Turn pydantic's "Input should be a valid string" into words that can follow "expected"."""
    return re.sub(r"^\w+ should (be |have )?", "", message)


def _purpose(model: type[BaseModel], location: Location) -> str:
    """Return the description of a missing key."""
    *table, key = _names(location)
    owner = _table_at(model, table)
    field = owner.model_fields.get(key) if owner else None
    return field.description if field and field.description else "it has no default."


def _may_be_default(model: type[BaseModel], location: Location) -> bool:
    *table, key = _names(location)
    owner = _table_at(model, table)
    field = owner.model_fields.get(key) if owner else None
    return field is not None and type(None) in get_args(field.annotation) and field.default is not None


def _nearest_key(model: type[BaseModel], location: Location) -> str:
    """Suggest a key: the same key of another table, else the most similar one of its table, else of any table."""
    *table, wrong = _names(location)
    tables = dict(_tables(model))
    own = _table_at(model, table)
    if own is not None:  # also a table whose name the writer of the file chooses
        tables[tuple(table)] = own
    here = [tuple(table)] if tuple(table) in tables else [()]
    for paths, likeness in ((tables, 1.0), (here, 0.5), (tables, 0.7)):
        # In reverse order, so that the first of two tables with the same key is named.
        keys = {key: dotted((*path, key)) for path in reversed(list(paths)) for key in _fields(tables[path])}
        close = difflib.get_close_matches(wrong, keys, n=1, cutoff=likeness)
        if close:
            return f"Did you mean `{keys[close[0]]}`?"
    return nearest(wrong, (dotted((*path, key)) for path in here for key in _fields(tables[path])))


def _names(location: Location) -> list[str]:
    """Return the keys in `location` without the indices of list items: all tables of a list have one description."""
    return [part for part in location if isinstance(part, str)]


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the declared keys of a table: none where the writer of the file chooses them."""
    return {} if issubclass(model, RootModel) else model.model_fields


def _tables(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Yield every table of the file with its path, the file itself first."""
    yield path, model
    for key, field in _fields(model).items():
        for inner in _models(field.annotation):
            yield from _tables(inner, (*path, key))


def _table_at(model: type[BaseModel], path: Sequence[str]) -> type[BaseModel] | None:
    """Return the table with this path; None where there is none. In a dictionary of tables every name has one."""
    found: list[object] = [model]
    for key in path:
        found = [inner for each in found for inner in _step_into(each, key)]
    return next((each for owner in found for each in _models(owner)), None)


def _step_into(annotation: object, key: str) -> Iterator[object]:
    """Yield the annotations of what `key` names in a value of this annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if issubclass(annotation, RootModel):  # the file is a dictionary of tables, and has no key `root`
            yield from _step_into(annotation.model_fields["root"].annotation, key)
        elif key in annotation.model_fields:
            yield annotation.model_fields[key].annotation
    elif get_origin(annotation) is dict:
        yield get_args(annotation)[1]
    else:
        for argument in get_args(annotation):
            yield from _step_into(argument, key)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the models in `annotation`: itself, or the members of its union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
