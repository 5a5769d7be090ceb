"""The figures of one model's file. Python is parsed and written again in one form before it is counted.

So two files with the same syntax tree have the same figures. Names, comments and layout do not matter.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...records.vocabulary import Figure
from . import complexity, java
from .concepts import RULES, Found, Rule, find_concepts, find_overriding_arguments
from .figures import (
    API_NAMES,
    ATTRIBUTES,
    COGNITIVE_COMPLEXITY,
    CONCEPTS,
    CYCLOMATIC_COMPLEXITY,
    LOGICAL_LINES,
    NODES,
    OVERRIDING_ARGUMENTS,
    TOKENS,
)
from .names import Names
from .text import format_python, read_text, tokenize_foreign

LISTS = {
    ".py": (API_NAMES, ATTRIBUTES, OVERRIDING_ARGUMENTS, CONCEPTS),
    java.SUFFIX: (API_NAMES, CONCEPTS),
}
"""By suffix, the figures that are the length of a list; those of another language are not counted."""


class Ease(NamedTuple):
    """The counts of a model's file. A number is None, and a list is empty, where the language cannot be counted so."""

    suffix: str
    """The suffix of the file, such as `.py`."""
    tokens: int | None
    """Tokens, without comments and docstrings."""
    api_names: tuple[str, ...] = ()
    """Distinct dotted names of the framework's API, sorted."""
    lines: int | None = None
    """Logical lines."""
    nodes: int | None = None
    """Nodes of the syntax tree."""
    cyclomatic: int | None = None
    """McCabe's cyclomatic complexity, summed over the functions."""
    cognitive: int | None = None
    """Campbell's cognitive complexity of the file."""
    attributes: tuple[str, ...] = ()
    """Distinct names after a dot on a value that neither Python nor the file defines, sorted."""
    overriding_arguments: tuple[Found, ...] = ()
    """Keyword arguments that set a constant of the spec in a call of the framework, in the order of the lines."""
    concepts: tuple[Found, ...] = ()
    """Every place where a concept was found, in the order of the lines."""

    @property
    def distinct_concepts(self) -> tuple[str, ...]:
        """The concepts found, each once, in alphabetical order."""
        return tuple(sorted({found.what for found in self.concepts}))

    def figures(self) -> dict[Figure, int | None]:
        """Return the value of every figure of a file, in the order of the tables; None where it was not counted."""

        def length(figure: Figure, found: tuple[Any, ...]) -> int | None:
            return len(found) if figure in LISTS.get(self.suffix, ()) else None

        return {
            LOGICAL_LINES: self.lines,
            TOKENS: self.tokens,
            NODES: self.nodes,
            CYCLOMATIC_COMPLEXITY: self.cyclomatic,
            COGNITIVE_COMPLEXITY: self.cognitive,
            API_NAMES: length(API_NAMES, self.api_names),
            ATTRIBUTES: length(ATTRIBUTES, self.attributes),
            OVERRIDING_ARGUMENTS: length(OVERRIDING_ARGUMENTS, self.overriding_arguments),
            CONCEPTS: length(CONCEPTS, self.distinct_concepts),
        }

    def measured(self) -> Iterator[tuple[Figure, int, dict[str, Any]]]:
        """Yield (figure, value, keys) for every figure that was counted; `backend` is not among the keys."""
        keys: dict[Figure, dict[str, Any]] = {
            API_NAMES: {"names": list(self.api_names)},
            ATTRIBUTES: {"names": list(self.attributes)},
            OVERRIDING_ARGUMENTS: {"found": [[each.text, each.line] for each in self.overriding_arguments]},
            CONCEPTS: {"found": [[each.what, each.line] for each in self.concepts]},
        }
        for figure, value in self.figures().items():
            if value is not None:
                yield figure, value, keys.get(figure, {})


def count_file(model: Path, import_names: tuple[str, ...], rules: Sequence[Rule] = RULES) -> Ease:
    """Count the file of a model; `import_names` are the top-level modules that are the framework.

    `rules` find the concepts.

    Raises InputError where the file cannot be read, or has the name of a Python file and is not Python.
    """
    source = read_text(model)
    if model.suffix != ".py":
        tokens = tokenize_foreign(source, model.name)
        counted = None if tokens is None else sum(token.counts for token in tokens)
        ease = Ease(model.suffix, counted, cyclomatic=complexity.count_cyclomatic(source, model.name))
        if tokens is None or model.suffix != java.SUFFIX:
            return ease
        return ease._replace(
            lines=java.count_lines(tokens),
            api_names=java.find_api_names(tokens, import_names),
            concepts=java.find_concepts(tokens, import_names, rules),
        )
    text = format_python(source, str(model))
    names = Names(text.tree, import_names)
    return Ease(
        suffix=model.suffix,
        tokens=len(text.tokens),
        api_names=names.framework_names(),
        lines=text.lines,
        nodes=text.nodes,
        cyclomatic=complexity.count_cyclomatic(text.text, model.name),
        cognitive=complexity.count_cognitive(text.text),
        attributes=names.attributes(),
        overriding_arguments=find_overriding_arguments(names),
        concepts=find_concepts(names, rules),
    )
