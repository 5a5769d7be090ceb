"""Ease: what a model costs to write and to read, counted in the text of its file. docs/ease.md defines each figure.

The framework need not be installed: nothing is imported. Python is parsed and written again in one form before anything
is counted, so two files with the same syntax tree have the same figures.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...records.vocabulary import Figure
from . import complexity, figures
from .concepts import Found, arguments, concepts
from .names import Names, framework_names
from .text import Formatted, foreign_tokens, formatted, read

__all__ = ["FIGURES", "Ease", "Found", "framework_names", "measure"]

FIGURES = {
    "logical lines": "lines",
    "tokens": "tokens",
    "nodes": "nodes",
    "cyclomatic complexity": "paths",
    "cognitive complexity": "points",
    "names": "names",
    "attributes": "attributes",
    "arguments": "arguments",
    "concepts": "concepts",
}
"""The figures and their units, in the order in which they are shown."""


class Ease(NamedTuple):
    """What was counted in a model's source. A number is None, and a list empty, where `suffix` cannot be counted so."""

    suffix: str
    """Of the file: `.py`."""
    tokens: int | None
    names: tuple[str, ...] = ()
    """Distinct dotted names out of the framework, sorted."""
    lines: int | None = None
    """Logical lines."""
    nodes: int | None = None
    """Nodes of the syntax tree."""
    cyclomatic: int | None = None
    """McCabe's number, summed over the functions."""
    cognitive: int | None = None
    """Campbell's cognitive complexity of the file."""
    attributes: tuple[str, ...] = ()
    """Distinct names after a dot on a value that are neither Python's own nor the file's, sorted."""
    arguments: tuple[Found, ...] = ()
    """Constants of the spec that are handed to the framework by keyword, in the order of the lines."""
    concepts: tuple[Found, ...] = ()
    """Every place at which a concept was found, in the order of the lines."""

    @property
    def distinct_concepts(self) -> tuple[str, ...]:
        """The concepts found, each once, in alphabetical order."""
        return tuple(sorted({found.what for found in self.concepts}))

    def figures(self) -> dict[str, int | None]:
        """Return every figure of FIGURES; None is one that is not counted for this kind of file."""
        known = self.suffix == ".py"
        lists = (self.names, self.attributes, self.arguments, self.distinct_concepts)
        counted = (self.lines, self.tokens, self.nodes, self.cyclomatic, self.cognitive)
        return dict(zip(FIGURES, (*counted, *(len(each) if known else None for each in lists)), strict=True))

    def records(self) -> Iterator[tuple[Figure, int, dict[str, Any]]]:
        """Yield (figure, value, keys) for every figure that was counted."""
        keys: dict[Figure, dict[str, Any]] = {
            figures.API_NAMES: {"names": self.names},
            figures.ATTRIBUTES: {"names": self.attributes},
            figures.OVERRIDING_ARGUMENTS: {"found": [[each.text, each.line] for each in self.arguments]},
            figures.CONCEPTS: {"found": [[each.what, each.line] for each in self.concepts]},
        }
        for figure, value in zip(figures.COUNTED, self.figures().values(), strict=True):
            if value is not None:
                yield figure, value, keys.get(figure, {})


def measure(model: Path, import_names: tuple[str, ...]) -> Ease:
    """Count the file of a model; `import_names` are the top-level modules that are the framework.

    Raises InputError where the file cannot be read, or is said to be Python and is not.
    """
    source = read(model)
    if model.suffix != ".py":
        tokens = foreign_tokens(source, model.name)
        counted = None if tokens is None else sum(token.counts for token in tokens)
        return Ease(model.suffix, counted, cyclomatic=complexity.cyclomatic(source, model.name))
    text: Formatted = formatted(source, str(model))
    names = Names(text.tree, import_names)
    return Ease(
        suffix=model.suffix,
        tokens=len(text.tokens),
        names=names.framework_names(),
        lines=text.lines,
        nodes=text.nodes,
        cyclomatic=complexity.cyclomatic(text.text, model.name),
        cognitive=complexity.cognitive(text.text),
        attributes=names.attributes(),
        arguments=arguments(names),
        concepts=concepts(names),
    )
