"""Pages whose Python is executed: the cog block below a block of Python writes what it prints and returns.

    <!-- [[[cog
    import sys
    sys.path.insert(0, "docs")
    import executed

    executed.run(cog)
    ]]] -->

The blocks of a page share their names, as the cells of a notebook do. Paths start at the root of the checkout. A
DataFrame becomes a Markdown table, and text stands as it is printed: so an answer is never typed by hand.
"""

import ast
import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
from bakeoff.report.text import to_markdown

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_names: dict[str, dict[str, Any]] = {}
"""By page, what its blocks have defined so far."""


def run(cog: Any) -> None:
    """Execute the last block of Python above a cog block, and write its output there."""
    above = "".join(Path(cog.inFile).read_text(encoding="utf-8").splitlines(keepends=True)[: cog.firstLineNum - 1])
    blocks = BLOCK.findall(above)
    if not blocks:
        raise ValueError(f"{cog.inFile}: expected a block of Python above line {cog.firstLineNum}.")
    if len(blocks) == 1:  # the page begins: what an earlier reading of it defined is forgotten
        _names[cog.inFile] = {}
    cog.outl(execute(blocks[-1], _names[cog.inFile]))


def execute(source: str, names: dict[str, Any]) -> str:
    """Execute a block, and return what it prints and then its last expression, as Markdown."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "<page>", "exec"), names)
        value = None if last is None else eval(compile(last, "<page>", "eval"), names)
    shown = [printed.getvalue().strip()]
    if value is not None:
        shown.append(to_markdown(value) if isinstance(value, pd.DataFrame) else str(value))
    return "\n\n".join(each for each in shown if each)
