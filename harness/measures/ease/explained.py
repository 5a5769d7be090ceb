"""A model's file, shown with what counted: token by token, and in the margin what was found on each line."""

import ast
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal, NamedTuple

from .concepts import arguments, concepts
from .names import Names
from .text import Formatted, Place, Token, foreign_tokens, formatted, python_tokens, read

Kind = Literal["counted", "name", "attribute", "free"]
"""A token that counts; one that counts and is of a framework's name, or an attribute of a value; all else."""


class Piece(NamedTuple):
    """Part of a line."""

    text: str
    kind: Kind


class Line(NamedTuple):
    """A line of the file as it stands."""

    number: int
    pieces: tuple[Piece, ...]
    tokens: int
    """Tokens counted that begin on this line."""
    notes: tuple[str, ...]
    """What was found on it: a sentence for each concept, and one for the arguments."""

    @property
    def text(self) -> str:
        """The line without its end."""
        return "".join(piece.text for piece in self.pieces)


class Span(NamedTuple):
    """A token that counts, in the file as it stands."""

    start: Place
    end: Place
    kind: Kind


def explain(model: Path, import_names: tuple[str, ...]) -> list[Line]:
    """Return the lines of a model's file with what counted on them. Raises InputError as `measure` does."""
    source = read(model)
    notes: dict[int, list[str]] = {}
    given: dict[int, list[str]] = {}
    if model.suffix == ".py":
        text = formatted(source, str(model))
        names = Names(text.tree, import_names)
        spans = _python(text, names)
        for found in concepts(names):
            notes.setdefault(found.line or 1, []).append(f"{found.what}: {found.text}")
        for found in arguments(names):
            given.setdefault(found.line or 1, []).append(found.text)
        for number, texts in given.items():
            notes.setdefault(number, []).append(f"given: {', '.join(texts)}")
    else:
        spans = [Span(token.start, token.end, "counted") for token in foreign_tokens(source, model.name) or []]
    lines = source.removesuffix("\n").split("\n")
    return [
        Line(
            number,
            tuple(_pieces(line, number, spans)),
            sum(span.start[0] == number for span in spans),
            tuple(notes.get(number, ())),
        )
        for number, line in enumerate(lines, start=1)
    ]


def _python(text: Formatted, names: Names) -> list[Span]:
    """Return the tokens of the file as it stands that the formatted text has too, each with its kind."""
    tokens = [token for token in python_tokens(text.source) if token.counts]
    named = _named(text, names)
    return [
        Span(
            token.start, token.end, next((kind for start, end, kind in named if _within(token, start, end)), "counted")
        )
        for token in _kept(tokens, text.tokens)
    ]


def _kept(tokens: Sequence[Token], counted: Sequence[Token]) -> Iterator[Token]:
    """Yield those of `tokens` that have a counterpart in `counted`."""
    before, after = [token.text for token in tokens], [token.text for token in counted]
    for change, first, last, _, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change in ("equal", "replace"):
            yield from tokens[first:last]


def _named(text: Formatted, names: Names) -> list[Span]:
    """Return where the framework's names and the attributes of values stand."""
    lines = text.source.split("\n")

    def place(line: int, offset: int) -> Place:
        return line, len(lines[line - 1].encode()[:offset].decode())

    def end(node: ast.expr) -> Place:
        return place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    spans = [Span(place(node.lineno, node.col_offset), end(node), "name") for node, _ in names.uses]
    for node in names.on_values:
        line, column = end(node)
        spans.append(Span((line, column - len(node.attr)), (line, column), "attribute"))
    return spans


def _within(token: Token, start: Place, end: Place) -> bool:
    return start <= token.start and token.end <= end


def _pieces(line: str, number: int, spans: Sequence[Span]) -> Iterator[Piece]:
    """Cut a line at the spans; what is between them is free."""
    done = 0
    for span in spans:
        if span.start[0] <= number <= span.end[0]:
            left = span.start[1] if span.start[0] == number else 0
            right = span.end[1] if span.end[0] == number else len(line)
            if done < left:
                yield Piece(line[done:left], "free")
            if left < right:
                yield Piece(line[left:right], span.kind)
            done = right
    if done < len(line):
        yield Piece(line[done:], "free")
