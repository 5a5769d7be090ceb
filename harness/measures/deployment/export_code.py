"""The size of an export's code: the tokens and logical lines of its function in export.py."""

import ast
import io
import tokenize
from pathlib import Path

from ...common.errors import InputError

UNCOUNTED = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


def count_code(file: Path, function: str) -> tuple[int, int]:
    """Return the logical lines and the tokens of a function, with those of the functions and classes that it uses.

    Its `def` line and the docstrings do not count. Raises InputError where the file has no such function.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    if function not in functions:
        raise InputError(f"{file}: expected a function `{function}`, found {', '.join(functions) or 'none'}.")
    wanted, bodies = [function], []
    for name in wanted:
        node = functions[name]
        bodies += _without_docstring(node.body)
        named = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
        wanted += sorted(named & functions.keys() - set(wanted))
    lines = sum(isinstance(node, ast.stmt) for body in bodies for node in ast.walk(body))
    source = io.StringIO("\n".join(map(ast.unparse, bodies)) + "\n")
    tokens = sum(token.type not in UNCOUNTED for token in tokenize.generate_tokens(source.readline))
    return lines, tokens


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if documented and isinstance(first.value.value, str) else body  # type: ignore[attr-defined]
