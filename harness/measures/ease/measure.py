"""The figures of ease of a backend: those of its model's file, and what each change costs."""

from collections.abc import Iterator
from typing import Any

from ...records.vocabulary import Figure
from ...registry.description import FILE
from ...registry.entries import Entry
from .changes import Cost, measure_changes
from .concepts import Rule, rules_with
from .count import count_file
from .figures import CHANGE, STYLE


def measure(entry: Entry) -> Iterator[tuple[Figure, int | str | None, dict[str, Any]]]:
    """Yield (figure, value, keys) for every figure that can be counted in the files of a backend.

    Raises InputError where a file cannot be read, or the backend's folder `changes` is not as it should be.
    """
    description = entry.description
    words, rules = description.import_name, rules_of(entry)
    for figure, value, keys in count_file(entry.folder / description.model, words, rules).measured():
        yield figure, value, {"backend": entry.name, **keys}
    for variant, model in entry.own_models().items():
        for figure, value, keys in count_file(entry.folder / model, words, rules).measured():
            yield figure, value, {"backend": entry.name, "variant": variant, **keys}
    for variant, each in description.variant.items():
        yield STYLE, each.style, {"backend": entry.name, "variant": variant, "by": each.by, "how": each.how}
    for cost in measure_changes(entry.folder, description.model, description.import_name):
        yield CHANGE, cost.tokens, {"backend": entry.name, **_keys_of(cost)}


def rules_of(entry: Entry) -> tuple[Rule, ...]:
    """Return the rules for concepts, with the backend's own words. Raises InputError for an unknown concept."""
    return rules_with(entry.description.concepts, str(entry.folder / FILE))


def _keys_of(cost: Cost) -> dict[str, Any]:
    keys = {
        "change": cost.change,
        "answer": cost.answer,
        "what": cost.what,
        "documentation": cost.documentation,
    }
    return keys if cost.tokens is None else {**keys, "caller": cost.caller, "names": list(cost.api_names)}
