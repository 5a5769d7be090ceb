"""The text of a model: Python written again in one form, and cut into tokens; other languages cut by lizard.

A token is a name, a number, a string whatever its length, an operator or a bracket. Comments and docstrings are free;
so are parentheses that only group, for the syntax tree says already what belongs together.
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
"""From Python 3.12 on a formatted string is many tokens: here it is one, as before."""

Place = tuple[int, int]
"""Line from 1, column from 0 in characters."""


class Token(NamedTuple):
    """A token and where it stands; `text` is spelt in one way: a string or a number by its value."""

    text: str
    start: Place
    end: Place
    counts: bool = True


class Formatted(NamedTuple):
    """A Python file, and the one form of it in which it is counted."""

    source: str
    tree: ast.Module
    """Of the source: the nodes know its lines."""
    text: str
    """Written again, without comments and docstrings."""
    tokens: list[Token]
    """Of `text`, those that count."""

    @property
    def lines(self) -> int:
        """Logical lines: statements, and the lines `else:`, `try:`, `finally:` and `@decorator`."""
        return sum(each.type == tokenize.NEWLINE for each in tokenize.generate_tokens(io.StringIO(self.text).readline))

    @property
    def nodes(self) -> int:
        """Nodes of the syntax tree, without those that only say whether a name is read or written."""
        tree = ast.parse(self.text)
        return sum(not isinstance(node, ast.expr_context) for node in ast.walk(tree))


def read(model: Path) -> str:
    """Return the text of a file. Raises InputError where it is no UTF-8 text."""
    try:
        return model.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{model}: cannot be read as UTF-8 text: {error}") from None


def formatted(source: str, name: str) -> Formatted:
    """Return Python source in the one form; `name` is how an error calls the file. Raises InputError."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise InputError(f"{name}:{line}: expected Python, as the file's name says: {error}") from None
    bare = ast.parse(source)
    for node in ast.walk(bare):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body.append(ast.Pass())
    text = ast.unparse(bare) + "\n"
    return Formatted(source, tree, text, [token for token in python_tokens(text) if token.counts])


def python_tokens(source: str) -> list[Token]:
    """Return the tokens of Python source; those that only group or separate do not count."""
    tokens: list[Token] = []
    opened: list[int | None] = []  # for each open parenthesis: its number where it only groups
    for kind, text, start, end in _merged(source):
        before = tokens[-1] if tokens and kind != tokenize.NEWLINE else None
        if kind == tokenize.NEWLINE or text == ";":
            tokens.append(Token("", start, end, counts=False))
        elif kind == tokenize.STRING and before and before.text.startswith('"'):
            tokens[-1] = Token(before.text + _value(text), before.start, end)  # what stands side by side is one string
        elif text == "(":
            groups = not _calls(before)
            opened.append(len(tokens) if groups else None)
            tokens.append(Token(text, start, end, counts=not groups))
        elif text == ")":
            number = opened.pop()
            empty = number == len(tokens) - 1  # () is a value, and groups nothing
            if empty:
                tokens[-1] = tokens[-1]._replace(counts=True)
            tokens.append(Token(text, start, end, counts=number is None or empty))
        else:
            spelt = _value(text) if kind in (tokenize.STRING, tokenize.NUMBER) else text
            tokens.append(Token(spelt, start, end))
    return [token for token in tokens if token.text]


def _merged(source: str) -> Iterator[tuple[int, str, Place, Place]]:
    """Yield (kind, text, start, end) of what is not layout, a formatted string as one."""
    depth, begun = 0, (1, 0)
    lines = source.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in OPENS_STRING:
            begun = begun if depth else token.start
            depth += 1
        elif token.type in CLOSES_STRING:
            depth -= 1
            if not depth:
                yield tokenize.STRING, _between(lines, begun, token.end), begun, token.end
        elif not depth and token.type not in LAYOUT:
            yield token.type, token.string, token.start, token.end


def _between(lines: list[str], start: Place, end: Place) -> str:
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "\n".join((lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]))


def _calls(before: Token | None) -> bool:
    """Whether a parenthesis after this token is that of a call, a function or a class."""
    if before is None or not before.text:
        return False
    return before.text in (")", "]", "}") or (before.text.isidentifier() and not keyword.iskeyword(before.text))


def _value(text: str) -> str:
    """Return a string or a number as its value is written; a string begins with a quotation mark."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return f'"{text}'
    return f'"{value!r}' if isinstance(value, str | bytes) else repr(value)


def foreign_tokens(source: str, name: str) -> list[Token] | None:
    """Return the tokens of a file by lizard's reader for its name; None where there is none. Comments do not count."""
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
