"""The rules of the source tree, a function each: given the root folder, it returns a sentence for each breach.

A sentence begins with the file and the line. The import contracts of the harness stand in pyproject.toml. import-linter
cannot see the backends, because their folders are not packages until a worker makes them so.
"""
# Lists of words would take a line a word.
# ruff: noqa: SIM905

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

FRAMEWORKS = frozenset(
    "autograd caffe caffe2 chainer cntk cupy deeplearning4j dl4j flax jax jaxlib jittor keras lasagne mindspore mxnet "
    "nd4j nnabla oneflow optax paddle paddlepaddle pytensor pytorch tensorflow theano tinygrad torch".split()
)
"""Names of frameworks, and of the modules that they are imported by, whether there is a backend of them or not."""

LIBRARIES = frozenset({"numpy"})
"""What the harness computes with, although there is a backend of it."""
SHARED = {"sklearn", "scikit-learn"}
"""A framework of which the harness uses another part, its data sets: its name alone says nothing."""

HEAVY = frozenset({"pandas", "pyarrow", "scipy", "sklearn"})
"""What takes a second to import: `bakeoff --help` does without."""

MATHEMATICS = frozenset(
    "abs absolute add average batch_norm batch_normalization bmm clip cross_entropy cumsum div divide dot einsum erf "
    "exp exp2 expm1 expit linear log log10 log1p log2 log_softmax logaddexp logsumexp matmul maximum mean minimum mm "
    "moments mul multiply negative nll_loss norm outer pow power prod reciprocal reduce_mean reduce_sum relu rsqrt "
    "sigmoid softmax sparse_softmax_cross_entropy_with_logits sqrt square std sub subtract sum tanh tensordot "
    "true_divide var vdot".split()
)
"""Functions that compute, by the names that frameworks give them. In place (`add_`) they are the same."""

HARMLESS = frozenset({"abs", "pow", "sum"})
"""Of those, Python's own: of integers, where they stand alone."""

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)

SINCE_3_7 = frozenset(
    "contextvars dataclasses graphlib importlib.metadata importlib.resources tomllib zoneinfo".split()
)
"""Modules of the standard library that Python 3.6 lacks."""

TYPING_OF_3_6 = frozenset(
    "Any Callable Dict Iterable Iterator List NamedTuple Optional Sequence Set Tuple Union".split()
)


class Import(NamedTuple):
    """One module imported; a relative one begins with its dots."""

    line: int
    module: str
    names: tuple[str, ...]

    @property
    def top(self) -> str:
        """The package that it is in; "" for a relative import."""
        return self.module.split(".")[0]


class Backend(NamedTuple):
    """What the rules need of a backend.toml."""

    folder: Path
    title: str
    modules: frozenset[str]


def backends(root: Path) -> list[Backend]:
    found = []
    for path in sorted((root / "backends").glob("*/backend.toml")):
        description = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(Backend(path.parent, description["title"], frozenset(description["import_name"])))
    return found


def sources(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[Import]:
    """Yield every import in the file, wherever it stands, by statement or by call."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield Import(node.lineno, module, tuple(alias.name for alias in node.names))
        elif isinstance(node, ast.Call) and chain(node.func)[-1:] in (["import_module"], ["__import__"]):
            spelt_out = (name.value for name in node.args[:1] if isinstance(name, ast.Constant))
            yield from (Import(node.lineno, str(name), ()) for name in spelt_out)


def chain(node: ast.expr) -> list[str]:
    """Return the names in `a.b.c`; [] for what does not begin with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else ["", *names] if names else []


def sentence(root: Path, path: Path, line: int, text: str) -> str:
    return f"{path.relative_to(root)}:{line}: {text}"


# What backends may never do


def find_imports_between_backends(root: Path) -> list[str]:
    """Duplication between backends is the subject: each is read, and copied out, alone."""
    names = {backend.folder.name for backend in backends(root)} | {"backends"}
    return [
        sentence(root, path, each.line, f"imports another backend: {each.module or each.names}")
        for path in sources(root / "backends")
        for each in imports(path)
        if each.top in names or each.module.startswith("..")
    ]


def find_harness_imports_in_backends(root: Path) -> list[str]:
    """The spec is handed in; the contract is met, not inherited."""
    return [
        sentence(root, path, each.line, f"imports the harness: {each.module}")
        for path in sources(root / "backends")
        for each in imports(path)
        if each.top in ("harness", "bakeoff", "bakeoff_portable")
    ]


def find_foreign_imports_in_models(root: Path) -> list[str]:
    """A model can be copied out and run: what it imports is the framework, NumPy and the standard library."""
    return [
        sentence(root, path, each.line, f"imports {each.module}: a model imports its framework and NumPy alone")
        for backend in backends(root)
        for path in sources(backend.folder)
        if path.name != "adapter.py"
        for each in imports(path)
        if each.top not in backend.modules | LIBRARIES | sys.stdlib_module_names | allowed_in_exports(path)
    ]


def allowed_in_exports(path: Path) -> frozenset[str]:
    """Return what export.py and serve.py may import beside a model's imports: the model, and declared converters.

    What starts a server may import the modules of it that backend.toml declares, and what it serves as `served`.
    """
    if path.name.startswith("server_"):
        servers = tomllib.loads((path.parent / "backend.toml").read_text(encoding="utf-8")).get("server", ())
        own = [each for each in servers if path.stem == f"server_{each['name']}"]
        return frozenset({"served", *(name for each in own for name in each["imports"])})
    if path.name not in ("export.py", "serve.py", "checkpoint.py"):
        return frozenset()
    description = tomllib.loads((path.parent / "backend.toml").read_text(encoding="utf-8"))
    converters = {name for export in description.get("export", ()) for name in export.get("converters", ())}
    return frozenset({"", *converters})


def find_foreign_imports_in_adapters(root: Path) -> list[str]:
    """What an adapter imports is its models, the framework, NumPy and the standard library."""
    return [
        sentence(root, path, each.line, f"imports {each.module}: an adapter imports its framework, NumPy and its model")
        for backend in backends(root)
        for path in [backend.folder / "adapter.py"]
        for each in imports(path)
        if each.top not in backend.modules | LIBRARIES | sys.stdlib_module_names
        and not (each.module == "." and set(each.names) <= {"model", "model_idiomatic", "export", "checkpoint"})
    ]


def find_folders_named_like_frameworks(root: Path) -> list[str]:
    """It would stand in the framework's place wherever `backends` is on the path."""
    # `pytorch`, `paddlepaddle` and their like are what a framework is called, and no module of anyone's.
    taken = {module: backend.title for backend in backends(root) for module in backend.modules}
    no_modules = {"pytorch", "paddlepaddle", "deeplearning4j", "dl4j"}
    taken.update(dict.fromkeys(LIBRARIES | FRAMEWORKS - no_modules, "a library"))
    return [
        sentence(root, path, 1, f"a folder of the name by which {taken[path.name]} is imported")
        for path in sorted((root / "backends").iterdir())
        if path.is_dir() and path.name in taken
    ]


def find_computations_in_adapters(root: Path) -> list[str]:
    """Arrays in, arrays out: mathematics in an adapter would be hidden from what is measured as ease."""
    return [
        sentence(root, path, line, text)
        for path in sorted((root / "backends").glob("*/adapter.py"))
        for line, text in sorted(computations(parsed(path)))
    ]


def computations(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line and a sentence for each arithmetic operation but those on text, lists and integers."""
    counted, modules = integers(tree), imported_names(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if is_arithmetic(node, counted):
            yield node.lineno, f"computes `{ast.unparse(node)}`: that belongs to the model"
        elif isinstance(node, ast.Attribute | ast.Name) and is_mathematics(node, modules, id(node) in called):
            yield node.lineno, f"uses `{ast.unparse(node)}`: that belongs to the model"


def is_arithmetic(node: ast.AST, counted: set[int]) -> bool:
    """Whether it may be an operation on arrays; `counted` are the nodes where only integers can stand."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ARITHMETIC):
        return not (is_text(node) or is_sequence(node) or (id(node) in counted and is_count(node)))
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ARITHMETIC):
        counter = isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.target, ast.Name)
        return not (counter and is_step(node.value))
    return (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant)
    )


def is_mathematics(node: ast.Attribute | ast.Name, modules: set[str], called: bool) -> bool:
    """Whether it is a function that computes: called, or taken out of a module. What the model offers is not."""
    names = chain(node)
    offered = names[:1] in ([], ["model"]) or names[:2] == ["self", "model"]
    if not isinstance(node.ctx, ast.Load) or offered or names[-1].rstrip("_") not in MATHEMATICS:
        return False
    if names[0] in modules:
        return True
    # A set has `add` too, and Python `sum`.
    return called and names[-1] != "add" and names[0] not in HARMLESS


def imported_names(tree: ast.Module) -> set[str]:
    """Return the names that imports bind."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def integers(tree: ast.Module) -> set[int]:
    """Return the ids of the nodes where only integers can stand: in an index, in range(), in text, beside len()."""
    places: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            places.append(node.slice)
        elif isinstance(node, ast.Call) and chain(node.func) in (["range"], ["int"]):
            places += node.args
        elif isinstance(node, ast.BinOp) and is_text(node):
            places.append(node.right)
        elif isinstance(node, ast.BinOp) and any(map(is_length, (node.left, node.right))):
            places.append(node)
    return {id(inner) for place in places for inner in ast.walk(place)}


def is_count(node: ast.BinOp) -> bool:
    """Whether it adds a whole number to something, or takes one off."""
    return isinstance(node.op, ast.Add | ast.Sub) and (is_step(node.left) or is_step(node.right))


def is_step(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and type(node.value) is int) or is_length(node)


def is_length(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and chain(node.func) == ["len"]


def is_text(node: ast.expr) -> bool:
    """Whether it is text, formatted or joined."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod) and (is_text(node.left) or is_text(node.right))
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def is_sequence(node: ast.BinOp) -> bool:
    """Whether it joins or repeats a tuple or a list that stands there."""
    displays = (ast.Tuple, ast.List)
    return isinstance(node.op, ast.Add | ast.Mult) and isinstance(node.left, displays) | isinstance(
        node.right, displays
    )


# What the harness may never do


def find_framework_names_in_harness(root: Path) -> list[str]:
    """It does not care what it measures. A comment may say what was seen in a framework; code and messages may not."""
    words = set(FRAMEWORKS)
    for backend in backends(root):
        words |= {backend.folder.name.lower(), backend.title.lower(), *map(str.lower, backend.modules)}
    longest_first = sorted(words - LIBRARIES - SHARED, key=len, reverse=True)
    pattern = re.compile(rf"(?<![a-z0-9])({'|'.join(map(re.escape, longest_first))})(?![a-z0-9])", re.IGNORECASE)
    return [
        sentence(root, path, line, f"names {word}: the harness knows no framework and no backend")
        for path in sources(root / "harness")
        for line, word in words_outside_comments(path, pattern)
    ]


def words_outside_comments(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Yield line and word for each match in the file's code and text."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            for match in pattern.finditer(token.string):
                yield token.start[0] + token.string[: match.start()].count("\n"), match[1]


def find_portable_code_beyond_python36(root: Path) -> list[str]:
    """It runs in every backend's interpreter: syntax and library of Python 3.6, NumPy, and nothing above it."""
    breaches = []
    for path in sources(root / "harness" / "portable"):
        say = partial(sentence, root, path)
        try:
            ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
        except SyntaxError as error:
            breaches.append(say(error.lineno or 0, f"no syntax of Python 3.6: {error.msg}"))
            continue
        for each in imports(path):
            if each.module.startswith(".."):
                breaches.append(say(each.line, f"imports {each.module}: what is above the portable core"))
            elif each.top and each.top not in sys.stdlib_module_names | LIBRARIES:
                breaches.append(say(each.line, f"imports {each.module}: the portable core needs NumPy alone"))
            elif newer := newer_than_3_6(each):
                breaches.append(say(each.line, f"imports {newer}: Python 3.6 has none"))
    return breaches


def newer_than_3_6(each: Import) -> str:
    """Return what it imports that Python 3.6 lacks, or ""."""
    modules = {each.module, *(f"{each.module}.{name}" for name in each.names)}
    if each.module == "typing":
        return ", ".join(sorted(set(each.names) - TYPING_OF_3_6))
    return ", ".join(sorted((modules & SINCE_3_7) | {name for name in each.names if name == "annotations"}))


IMPORT_FROM_HERE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("bakeoff", "harness/__init__.py", submodule_search_locations=["harness"])
sys.modules["bakeoff"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bakeoff"])
"""
"""Makes the folder harness/ of the current folder the package `bakeoff`, whatever is installed."""


def find_frameworks_imported_by_harness(root: Path) -> list[str]:
    """Import every module of the harness in a fresh process, and look which frameworks came with them."""
    code = (
        "import importlib, pkgutil, bakeoff\n"
        "for each in pkgutil.walk_packages(bakeoff.__path__, 'bakeoff.'):\n"
        "    if not each.name.endswith('__main__'):\n"
        "        importlib.import_module(each.name)\n"
    )
    modules = {module for backend in backends(root) for module in backend.modules}
    return loaded(root, code, (FRAMEWORKS | modules) - LIBRARIES, "harness/__init__.py")


def find_heavy_imports_for_help(root: Path) -> list[str]:
    """`bakeoff --help` answers at once: pandas and its like are imported where they are used."""
    code = (
        "sys.argv = ['bakeoff', '--help']\n"
        "from bakeoff.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
    )
    return loaded(root, code, FRAMEWORKS | HEAVY, "harness/cli")


def loaded(root: Path, code: str, unwanted: frozenset[str], file: str) -> list[str]:
    """Run the code with `root` as the current folder; return which of the unwanted modules it imported."""
    ending = f"\nimport sys\nprint('\\nLOADED', *sorted({set(unwanted)!r} & set(sys.modules)))"
    command = [sys.executable, "-c", IMPORT_FROM_HERE + code + ending]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"{file}:1: cannot be imported: {done.stderr.strip().splitlines()[-1]}"]
    found = done.stdout.rpartition("LOADED")[2].split()
    return [f"{file}:1: imports {module}" for module in found]


def find_broken_import_contracts(root: Path) -> list[str]:
    """Run import-linter on the contracts in pyproject.toml; its report stands in place of a sentence each."""
    code = f"{IMPORT_FROM_HERE}from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return [done.stdout + done.stderr] if done.returncode else []


# Size

LINES_OF_A_CLASS, LINES_OF_A_FUNCTION, LINES_OF_A_MODULE = 300, 50, 400
LONG_WITH_REASON: dict[str, str] = {}
"""Modules, and functions as `file:name`, that are over the limit, each with its reason."""


def find_oversized_code(root: Path) -> list[str]:
    """A class has one job, a function fits a screen, a module has one reason to change."""
    breaches = []
    for path in sources(root / "harness"):
        name, tree = str(path.relative_to(root)), parsed(path)
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > LINES_OF_A_MODULE and name not in LONG_WITH_REASON:
            breaches.append(sentence(root, path, 1, f"{lines} lines; a module has {LINES_OF_A_MODULE} at most"))
        for node in ast.walk(tree):
            limit = {
                ast.ClassDef: LINES_OF_A_CLASS,
                ast.FunctionDef: LINES_OF_A_FUNCTION,
                ast.AsyncFunctionDef: LINES_OF_A_FUNCTION,
            }.get(type(node))
            if limit is None or f"{name}:{node.name}" in LONG_WITH_REASON:
                continue
            length = node.end_lineno - node.lineno + 1
            if length > limit:
                breaches.append(sentence(root, path, node.lineno, f"{node.name} has {length} lines; at most {limit}"))
    return breaches


def find_packages_without_purpose(root: Path) -> list[str]:
    """The docstring of a package says what it is for."""
    return [
        sentence(root, path, 1, "a package whose __init__.py does not say what it is for")
        for path in sources(root / "harness")
        if path.name == "__init__.py" and len((ast.get_docstring(parsed(path)) or "").split()) < 5
    ]


# Words

OLD_WORDS = {
    r"untold": "framework default",
    r"(hold|held|holds) (apart|against)|_hold_apart": "compare",
    r"told apart": "distinguishable",
    r"depart(s|ed|ing|ure|ures)?": "difference from the common spec, effect of a convention",
    r"refusals?": "unsupported",
    r"\[\[cannot\]\]|cannot = ": "[[unsupported]]",
    r"usual = (true|false)|the usual (ones|backends|four)": "default backends",
    r"lead[-_ ]ins?": "warm-up slice",
    r"--turns|(a|each|every|per|many|of) turns?|turns (a|of|in|per) ": "block",
    r"1 is (inside|outside)": "passed its self-test",
    r"never steady": "did not reach steady state",
    r"(un)?bur(y|ied|ying)": "closed, stopped",
    r"busy day|weather": "background load",
    r"likest": "most similar",
    r"to fastest": "times the fastest",
    r"kept awake|keep awake": "spinning",
    r"spoils?|spoilt|spoiled": "corrupt",
    r"commit(s|ted)? mistakes|mistakes? committed": "common mistakes, tried deliberately",
}
"""Words of before the glossary, as regular expressions, and the standard word in place of each: docs/glossary.md."""
PLACES_OF_WORDS = ("harness", "backends", "bench", "docs", "tests", "README.md", "CONTRIBUTING.md", "tox.ini")
WITH_OLD_WORDS = ("docs/adr/", "docs/glossary.md", "tests/rules.py", "tests/test_rules.py")
"""Decisions of the past, and the lists of old words themselves."""


def find_old_words(root: Path) -> list[str]:
    """One word has one meaning, and it is the field's own: docs/glossary.md."""
    pattern = re.compile("|".join(rf"(?P<w{n}>\b(?:{word})(?!\w))" for n, word in enumerate(OLD_WORDS)), re.IGNORECASE)
    standard = list(OLD_WORDS.values())
    breaches = []
    for path in text_files(root):
        if str(path.relative_to(root)).startswith(WITH_OLD_WORDS):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for match in pattern.finditer(line):
                word = standard[int((match.lastgroup or "w0")[1:])]
                breaches.append(sentence(root, path, number, f"`{match[0]}`: the glossary has `{word}`"))
    return breaches


def text_files(root: Path) -> Iterator[Path]:
    for place in PLACES_OF_WORDS:
        found = [root / place] if (root / place).is_file() else sorted((root / place).rglob("*"))
        yield from (
            path
            for path in found
            if path.suffix in {".py", ".md", ".toml", ".ini", ".txt", ".template"}
            and not {"__pycache__", "_build"} & set(path.parts)
        )


RULES = (
    find_imports_between_backends,
    find_harness_imports_in_backends,
    find_foreign_imports_in_models,
    find_foreign_imports_in_adapters,
    find_folders_named_like_frameworks,
    find_computations_in_adapters,
    find_framework_names_in_harness,
    find_portable_code_beyond_python36,
    find_frameworks_imported_by_harness,
    find_heavy_imports_for_help,
    find_broken_import_contracts,
    find_oversized_code,
    find_packages_without_purpose,
    find_old_words,
)
