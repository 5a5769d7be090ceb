"""A model's file explained: which tokens count, and which concepts and arguments were found on each line."""

import ast
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal, NamedTuple

from . import java
from .concepts import RULES, Rule, find_concepts, find_overriding_arguments
from .names import Names
from .text import Formatted, Place, Token, format_python, read_text, tokenize_foreign, tokenize_python

Kind = Literal["counted", "name", "attribute", "free"]
"""counted: a token that counts; name and attribute: such a token in a name of the framework, or that is an attribute of
a value; free: text that does not count."""


class Piece(NamedTuple):
    """Part of a line."""

    text: str
    kind: Kind


class Line(NamedTuple):
    """A line of the file."""

    number: int
    pieces: tuple[Piece, ...]
    tokens: int
    """The number of counted tokens that start on this line."""
    notes: tuple[str, ...]
    """A note for each concept found on the line, and one for the arguments that override a default."""

    @property
    def text(self) -> str:
        """The line without its newline."""
        return "".join(piece.text for piece in self.pieces)


class Span(NamedTuple):
    """The position of a counted token in the file."""

    start: Place
    end: Place
    kind: Kind


def explain_file(model: Path, import_names: tuple[str, ...], rules: Sequence[Rule] = RULES) -> list[Line]:
    """Return the lines of a model's file with what was counted on them. Raises InputError as `count_file` does."""
    source = read_text(model)
    notes: dict[int, list[str]] = {}
    overriding: dict[int, list[str]] = {}
    if model.suffix == ".py":
        text = format_python(source, str(model))
        names = Names(text.tree, import_names)
        spans = _find_counted(text, names)
        for found in find_concepts(names, rules):
            notes.setdefault(found.line or 1, []).append(f"{found.what}: {found.text}")
        for found in find_overriding_arguments(names):
            overriding.setdefault(found.line or 1, []).append(found.text)
        for number, texts in overriding.items():
            notes.setdefault(number, []).append(f"overrides a default: {', '.join(texts)}")
    else:
        tokens = tokenize_foreign(source, model.name) or []
        spans = [Span(token.start, token.end, "counted") for token in tokens]
        for found in java.find_concepts(tokens, import_names, rules) if model.suffix == java.SUFFIX else ():
            notes.setdefault(found.line or 1, []).append(f"{found.what}: {found.text}")
    lines = source.removesuffix("\n").split("\n")
    return [
        Line(
            number,
            tuple(_split_line(line, number, spans)),
            sum(span.start[0] == number for span in spans),
            tuple(notes.get(number, ())),
        )
        for number, line in enumerate(lines, start=1)
    ]


def _find_counted(text: Formatted, names: Names) -> list[Span]:
    """Return the tokens of the file that are also in its normalised form, each with its kind."""
    tokens = [token for token in tokenize_python(text.source) if token.counts]
    named = _find_named(text, names)
    return [
        Span(
            token.start,
            token.end,
            next((kind for start, end, kind in named if _lies_between(token, start, end)), "counted"),
        )
        for token in _match_tokens(tokens, text.tokens)
    ]


def _match_tokens(tokens: Sequence[Token], counted: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens that have a counterpart in `counted`."""
    before, after = [token.text for token in tokens], [token.text for token in counted]
    for change, first, last, _, _ in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if change in ("equal", "replace"):
            yield from tokens[first:last]


def _find_named(text: Formatted, names: Names) -> list[Span]:
    """Return the positions of the framework's names and of the attributes of values."""
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


def _lies_between(token: Token, start: Place, end: Place) -> bool:
    return start <= token.start and token.end <= end


def _split_line(line: str, number: int, spans: Sequence[Span]) -> Iterator[Piece]:
    """Yield the parts of a line; the text between the spans is free."""
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
