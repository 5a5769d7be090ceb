"""To whom a name belongs: the framework, the author of the file, or another library. Found without running the file."""

import ast
from collections.abc import Iterator
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

PYTHONS_OWN = frozenset(
    name
    for kind in (str, bytes, int, float, complex, list, tuple, dict, set, frozenset, type, BaseException)
    for name in dir(kind)
)
"""Attributes of Python's own types, such as `append`: they do not belong to a framework."""


class Names:
    """The names in a file; `import_names` are the top-level modules that are the framework."""

    def __init__(self, tree: ast.Module, import_names: tuple[str, ...]) -> None:
        self.nodes = list(ast.walk(tree))
        """Every node of the file's syntax tree."""
        self._imported = {local: full for node in self.nodes for local, full in _find_imported(node)}
        self._framework = {local: full for local, full in self._imported.items() if full.split(".")[0] in import_names}
        self.parameters = {arg.arg for node in self.nodes if isinstance(node, Function) for arg in _arguments(node)}
        """The names of all parameters of the functions in the file."""
        self._defined = {node.name for node in self.nodes if isinstance(node, Definition)}
        self._own = {name for node in self.nodes if isinstance(node, ast.ClassDef) for name in _find_members(node)}

    def resolve(self, node: ast.expr) -> str | None:
        """Return the framework's full name that an expression refers to; None for any other expression."""
        root, *attributes = _split_dotted(node)
        return ".".join((self._framework[root], *attributes)) if root in self._framework else None

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call in the file."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def uses(self) -> list[tuple[ast.Attribute | ast.Name, str]]:
        """Every use of a name of the framework, with the full name, such as `numpy.linalg.norm`."""
        inner = {id(node.value) for node in self.nodes if isinstance(node, ast.Attribute)}
        dotted = [node for node in self.nodes if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner]
        return [(node, full) for node in dotted if (full := self.resolve(node)) is not None]

    @cached_property
    def on_values(self) -> list[ast.Attribute]:
        """Every `.name` after a value that is neither defined by Python's own types nor in this file."""
        return [
            node
            for node in self.nodes
            if isinstance(node, ast.Attribute)
            and node.attr not in PYTHONS_OWN | self._own
            and _split_dotted(node)[0] not in self._imported
        ]

    def framework_names(self) -> tuple[str, ...]:
        """Return the distinct full names of the framework that the file uses, sorted."""
        return tuple(sorted({full for _, full in self.uses}))

    def attributes(self) -> tuple[str, ...]:
        """Return the distinct names after a dot on a value, sorted."""
        return tuple(sorted({node.attr for node in self.on_values}))

    def is_own(self, node: ast.expr) -> bool:
        """Return whether a name or an attribute is one that this file defines."""
        if isinstance(node, ast.Attribute):
            return node.attr in self._own
        return isinstance(node, ast.Name) and node.id in self._defined


def _find_imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name in this file, full name) of everything that an import statement imports."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _split_dotted(node: ast.expr) -> list[str]:
    """Return the parts of a dotted name; the first part is "" for an attribute of any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_split_dotted(node.value), node.attr]
    return [""]


def _arguments(node: Function) -> list[ast.arg]:
    arguments = node.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _find_members(node: ast.ClassDef) -> Iterator[str]:
    """Yield the attributes that a class defines: methods, assigned names, and those that its methods store on `self`.

    A class without a base has no other attributes, so the ones that its methods read on `self` are its own too.
    """
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            yield part.name
            yield from _find_on_self(part, include_reads=not node.bases)
        targets = (
            part.targets if isinstance(part, ast.Assign) else [part.target] if isinstance(part, ast.AnnAssign) else []
        )
        yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _find_on_self(method: ast.FunctionDef | ast.AsyncFunctionDef, include_reads: bool) -> Iterator[str]:
    for first in _arguments(method)[:1]:
        for node in ast.walk(method):
            if isinstance(node, ast.Attribute) and (include_reads or isinstance(node.ctx, ast.Store)):
                yield from [node.attr] if _split_dotted(node.value) == [first.arg] else []
