"""Ease: what a model costs to write and to read, counted in its source.

Tokens, not lines: a line can be made longer. Comments, docstrings and blanks are free. The distinct names that a model
takes from its framework are what its author had to know of it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, String, Text, _TokenType, is_token_subtype

FREE: tuple[_TokenType, ...] = (Comment, String.Doc, Text)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Ease(NamedTuple):
    """What was counted in a model's source."""

    tokens: int
    names: tuple[str, ...]
    """Distinct dotted names out of the framework, sorted; () where the source is not Python."""


def measure(model: Path, import_names: tuple[str, ...]) -> Ease:
    """Count the file of a model; `import_names` are the top-level modules that are the framework."""
    source = model.read_text(encoding="utf-8")
    lexer = get_lexer_for_filename(model.name)
    counted = _without_docstrings(source) if model.suffix == ".py" else source
    tokens = [text for kind, text in lexer.get_tokens(counted) if text.strip() and not _free(kind)]
    names = framework_names(source, import_names) if model.suffix == ".py" else ()
    return Ease(len(tokens), names)


def _without_docstrings(source: str) -> str:
    """Return Python source less its docstrings, whatever their quotes: the lexer knows plain triple quotes only."""
    lines = [line.encode() for line in source.split("\n")]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            text = node.body[0]
            first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
            rest = lines[first][: text.col_offset] + lines[last][text.end_col_offset :]
            lines[first : last + 1] = [rest, *[b""] * (last - first)]
    return b"\n".join(lines).decode()


def _free(kind: _TokenType) -> bool:
    return any(is_token_subtype(kind, free) for free in FREE)


def framework_names(source: str, import_names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the distinct names of the framework that the source uses, in full: `numpy.linalg.norm`."""
    tree = ast.parse(source)
    aliases = {
        local: name for node in ast.walk(tree) for local, name in _imported(node) if name.split(".")[0] in import_names
    }
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            root, *attributes = _dotted(node)
            if root in aliases:
                used.add(".".join((aliases[root], *attributes)))
    return tuple(sorted(used))


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name in this file, full name) of what an import statement brings in."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr) -> list[str]:
    """Return the parts of a dotted name; [""] for an attribute of anything else than a name."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [""]
