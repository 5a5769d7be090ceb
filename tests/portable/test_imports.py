"""portable/ runs in every backend's interpreter: Python 3.6 syntax; the standard library, NumPy and itself."""

import ast
import pathlib
import sys

import bakeoff.portable
import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="sys.stdlib_module_names came with Python 3.10")

MODULES = sorted(pathlib.Path(bakeoff.portable.__file__).parent.glob("*.py"))


def foreign(text):
    """Return the imports of a module of portable/ that it must not make."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level > 1:
            found.append("." * node.level + (node.module or ""))
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [name.name for name in node.names]
    allowed = {"numpy", *getattr(sys, "stdlib_module_names", ())}
    return [name for name in found if name.split(".")[0] not in allowed]


def test_there_are_modules_to_look_at():
    there = {path.stem for path in MODULES}
    assert {"contract", "host", "reference", "spec", "wire", "worker"} <= there


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_portable_imports_the_standard_library_numpy_and_itself(path):
    assert foreign(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_portable_is_python_3_6(path):
    assert ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6)).body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import scipy.linalg", ["scipy.linalg"]),
        ("def f():\n    from harness import errors", ["harness"]),
        ("from .. import errors", [".."]),
        ("from ..session import Session", ["..session"]),
        ("import os.path, numpy.linalg\nfrom . import spec\nfrom .spec import Spec\nimport json, torch", ["torch"]),
    ],
)
def test_a_foreign_import_is_found(text, found):
    assert foreign(text) == found


def test_later_syntax_is_found():
    with pytest.raises(SyntaxError):
        ast.parse("if (n := 3):\n    pass", feature_version=(3, 6))
