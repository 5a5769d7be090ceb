"""The text of a model as tokens: Python after it is written again in one form, other languages by lizard's lexers.

A token is a name, a number, a string of any length, an operator or a bracket. Comments and docstrings do not count,
nor do parentheses that only group, because the syntax tree has the grouping already.
"""

import ast
import io
import keyword
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lizard_languages import get_reader_for

from ...common.errors import InputError

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

OPENS_STRING = {getattr(tokenize, name, None) for name in ("FSTRING_START", "TSTRING_START")} - {None}
CLOSES_STRING = {getattr(tokenize, name, None) for name in ("FSTRING_END", "TSTRING_END")} - {None}
"""From Python 3.12 on, a formatted string is many tokens. Here it counts as one, as in earlier versions."""

Place = tuple[int, int]
"""(line, column): lines are counted from 1 and columns from 0, in characters."""


class Token(NamedTuple):
    """A token and its position; equal strings and equal numbers have the same `text`, however they are written."""

    text: str
    start: Place
    end: Place
    counts: bool = True


class Formatted(NamedTuple):
    """A Python file, and the normalised form in which it is counted."""

    source: str
    tree: ast.Module
    """The syntax tree of `source`, with its line numbers."""
    text: str
    """The source written again from the tree, without comments and docstrings."""
    tokens: list[Token]
    """The tokens of `text` that count."""

    @property
    def lines(self) -> int:
        """The number of logical lines: statements, and the lines `else:`, `try:`, `finally:` and `@decorator`."""
        return sum(each.type == tokenize.NEWLINE for each in tokenize.generate_tokens(io.StringIO(self.text).readline))

    @property
    def nodes(self) -> int:
        """The number of nodes of the syntax tree, without those that only tell reading a name from writing it."""
        tree = ast.parse(self.text)
        return sum(not isinstance(node, ast.expr_context) for node in ast.walk(tree))


def read_text(model: Path) -> str:
    """Return the text of a file. Raises InputError where it cannot be read as UTF-8."""
    try:
        return model.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{model}: cannot be read as UTF-8 text: {error}") from None


def format_python(source: str, name: str) -> Formatted:
    """Return Python source in normalised form. Raises InputError, with `name` and the line, where it is not Python."""
    try:
        return _format(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        # A very long expression exhausts the stack of Python's own parser.
        line = getattr(error, "lineno", None) or 1
        reason = str(error) or "it is nested too deep"
        raise InputError(f"{name}:{line}: expected Python, because of the file's name: {reason}") from None


def _format(source: str) -> Formatted:
    tree, bare = ast.parse(source), ast.parse(source)
    for node in ast.walk(bare):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass())
    text = ast.unparse(bare) + "\n"
    return Formatted(source, tree, text, [token for token in tokenize_python(text) if token.counts])


def tokenize_python(source: str) -> list[Token]:
    """Return the tokens of Python source. Parentheses that only group, and separators, do not count."""
    tokens: list[Token] = []
    opened: list[int | None] = []  # for each open parenthesis: its token's index where it only groups
    for kind, text, start, end in _merge_strings(source):
        before = tokens[-1] if tokens and kind != tokenize.NEWLINE else None
        if kind == tokenize.NEWLINE or text == ";":
            tokens.append(Token("", start, end, counts=False))
        elif kind == tokenize.STRING and before and before.text.startswith('"'):
            tokens[-1] = Token(before.text + _normalise(text), before.start, end)  # adjacent strings are one string
        elif text == "(":
            groups = not _opens_call(before)
            opened.append(len(tokens) if groups else None)
            tokens.append(Token(text, start, end, counts=not groups))
        elif text == ")":
            number = opened.pop()
            empty = number == len(tokens) - 1  # () is a value and does not group
            if empty:
                tokens[-1] = tokens[-1]._replace(counts=True)
            tokens.append(Token(text, start, end, counts=number is None or empty))
        else:
            spelt = _normalise(text) if kind in (tokenize.STRING, tokenize.NUMBER) else text
            tokens.append(Token(spelt, start, end))
    return [token for token in tokens if token.text]


def _merge_strings(source: str) -> Iterator[tuple[int, str, Place, Place]]:
    """Yield (kind, text, start, end) of every token but layout, with a formatted string as one token."""
    depth, begun = 0, (1, 0)
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in OPENS_STRING:
            begun = begun if depth else token.start
            depth += 1
        elif token.type in CLOSES_STRING:
            depth -= 1
            if not depth:
                yield tokenize.STRING, _text_between(lines, begun, token.end), begun, token.end
        elif not depth and token.type not in LAYOUT:
            yield token.type, token.string, token.start, token.end


def _text_between(lines: list[str], start: Place, end: Place) -> str:
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "\n".join((lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]))


def _opens_call(before: Token | None) -> bool:
    """Return whether a parenthesis after this token belongs to a call, a function or a class."""
    if before is None or not before.text:
        return False
    return before.text in (")", "]", "}") or (before.text.isidentifier() and not keyword.iskeyword(before.text))


def _normalise(text: str) -> str:
    """Return a string or a number in the form of its value's repr; a string then starts with a quotation mark."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return f'"{text}'
    return f'"{value!r}' if isinstance(value, str | bytes) else repr(value)


def tokenize_foreign(source: str, name: str) -> list[Token] | None:
    """Return the tokens of another language by its lexer in lizard; None where there is none. Comments do not count."""
    kind = get_reader_for(name)
    if kind is None:
        return None
    reader = kind(None)
    tokens: list[Token] = []
    line, column = 1, 0
    for text in kind.generate_tokens(source):
        start = (line, column)
        line += text.count("\n")
        column = len(text) - text.rfind("\n") - 1 if "\n" in text else column + len(text)
        if text.strip():
            tokens.append(Token(text, start, (line, column), counts=not reader.get_comment_from_token(text)))
    return tokens
