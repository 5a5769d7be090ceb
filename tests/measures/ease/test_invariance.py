"""No figure changes when a file is reformatted, documented or renamed; every figure falls when code is removed."""

import ast
import builtins
import io
import random
import re
import tokenize

import pytest
from bakeoff.measures.ease.count import count_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.measures.ease.models import MODELS, each_model, text_of

some = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def counted(tmp_path):
    """Return a function that counts a changed text of a backend's model: figures, names, concepts and arguments."""

    def count(name, source):
        (tmp_path / "model.py").write_text(source, encoding="utf-8")
        found = count_file(tmp_path / "model.py", MODELS[name][1])
        arguments = [each.text.partition("=")[0] for each in found.overriding_arguments]
        values = {figure.name: value for figure, value in found.figures().items()}
        lists = {
            "all names": found.api_names,
            "all attributes": found.attributes,
            "all concepts": found.distinct_concepts,
        }
        return {**values, **lists, "all arguments": sorted(arguments)}

    return count


def parenthesised(source, chance):
    """Put some expressions in parentheses of their own, each on lines of its own."""
    tree = ast.parse(source)
    within = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for inner in ast.walk(node)}
    within |= {id(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
    offsets = [0]
    for line in source.split("\n"):
        offsets.append(offsets[-1] + len(line.encode()) + 1)
    inserts = []
    for node in ast.walk(tree):
        loads = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        plain = isinstance(node, ast.expr) and not isinstance(node, ast.Starred | ast.Slice) and id(node) not in within
        if plain and loads and chance.random() < 0.2:
            inserts.append((offsets[node.lineno - 1] + node.col_offset, 1, node.end_col_offset, b"(\n"))
            inserts.append((offsets[node.end_lineno - 1] + node.end_col_offset, 0, 0, b"\n)"))
    raw = source.encode()
    for place, _, _, text in sorted(inserts, reverse=True):
        raw = raw[:place] + text + raw[place:]
    return raw.decode()


def respaced(source, chance):
    """Write strings with other quotes, comments at the ends of lines, and commas at the ends of calls."""
    spelt, before = [], None
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        text = token.string
        if token.type == tokenize.STRING and text.startswith('"') and not text.startswith('"""') and "'" not in text:
            text = f"'{text[1:-1]}'"
        if token.type in (tokenize.NEWLINE, tokenize.NL) and chance.random() < 0.3:
            spelt.append((tokenize.COMMENT, "# as was said"))
        if text == ")" and before.type == tokenize.NAME and chance.random() < 0.5 and commas_allowed(spelt):
            spelt.append((tokenize.OP, ","))
        if token.type != tokenize.COMMENT:
            spelt.append((token.type, text))
        before = token
    return tokenize.untokenize(spelt)


def commas_allowed(spelt):
    """Whether the parenthesis that closes now is a call's that has arguments, or a function's."""
    depth = 0
    for number in range(len(spelt) - 1, 0, -1):
        text = spelt[number][1]
        depth += (text == ")") - (text == "(")
        if depth < 0:
            words = {each[1] for each in spelt[number:]} & {"for", "lambda", "*", "**"}
            return spelt[number - 1][0] == tokenize.NAME and spelt[number - 1][1] not in ("in", "return") and not words
    return False


@each_model
@some
@given(seed=st.integers(0, 10_000))
def test_no_figure_moves_when_a_file_is_reformat_python(counted, name, seed):
    source, chance = text_of(name), random.Random(seed)
    other = respaced(parenthesised(source, chance), chance)
    assert ast.dump(ast.parse(other)) == ast.dump(ast.parse(source))
    assert len(other.splitlines()) > 1.2 * len(source.splitlines())
    assert counted(name, other) == counted(name, source)


@each_model
def test_no_figure_moves_when_a_file_is_written_as_the_parser_would(counted, name):
    assert counted(name, ast.unparse(ast.parse(text_of(name)))) == counted(name, text_of(name))


@each_model
def test_no_figure_moves_when_comments_and_docstrings_are_rewritten(counted, name):
    source = text_of(name)
    lines = [re.sub(r"\s*# .*$", "", line) for line in source.splitlines()]
    tree = ast.parse("\n".join(lines))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            told = ast.get_docstring(node) is not None
            other = (
                [ast.Expr(ast.Constant("Other words: " + "torch.nn " * 20))] if random.Random(3).random() < 0.9 else []
            )
            node.body = other + (node.body[1:] if told else node.body)
    other = ast.unparse(ast.fix_missing_locations(tree))
    assert other.count("Other words") > 2
    assert counted(name, other) == counted(name, source)


class Renamer(ast.NodeTransformer):
    """Gives every name that is the file's own another one: variables, parameters, functions, classes, attributes."""

    def __init__(self, tree):
        walked = list(ast.walk(tree))
        self.imported = imported = {
            (alias.asname or alias.name).split(".")[0]
            for node in walked
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        bound = {node.id for node in walked if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        self.parameters = {
            part.arg
            for node in walked
            if isinstance(node, ast.FunctionDef | ast.Lambda)
            for part in (*node.args.args, *node.args.kwonlyargs, *filter(None, (node.args.vararg, node.args.kwarg)))
        }
        defined = {node.name for node in walked if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        self.names = bound | self.parameters | {name for name in defined if not name.startswith("__")}
        self.names -= imported | set(dir(builtins))
        self.attributes = {
            part.name
            for node in walked
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, ast.FunctionDef) and not part.name.startswith("__")
        } | {
            node.attr
            for node in walked
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)  # what is only read is inherited
            if isinstance(node.value, ast.Name) and node.value.id == "self"
        }

    def other(self, name, known):
        return f"own_{name}_" if name in known else name

    def visit_Name(self, node):
        node.id = self.other(node.id, self.names)
        return node

    def visit_arg(self, node):
        node.arg = self.other(node.arg, self.names)
        return node

    def visit_Attribute(self, node):
        self.generic_visit(node)
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if not (isinstance(root, ast.Name) and root.id in self.imported):  # `lasagne.updates` beside `self.updates`
            node.attr = self.other(node.attr, self.attributes)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.name = self.other(node.name, self.names | self.attributes)
        return node

    def visit_ClassDef(self, node):
        self.generic_visit(node)
        node.name = self.other(node.name, self.names)
        return node

    def visit_Call(self, node):
        own = isinstance(node.func, ast.Name) and node.func.id in self.names
        own = own or (isinstance(node.func, ast.Attribute) and node.func.attr in self.attributes)
        self.generic_visit(node)
        for keyword in node.keywords:
            if own and keyword.arg:
                keyword.arg = self.other(keyword.arg, self.parameters)
        return node


@each_model
def test_no_figure_moves_when_what_is_the_files_own_is_renamed(counted, name):
    source = text_of(name)
    tree = ast.parse(source)
    other = ast.unparse(Renamer(tree).visit(tree))
    assert other.count("own_") > 50
    assert counted(name, other) == counted(name, source)


def test_no_figure_moves_with_the_name_that_an_import_is_given(counted):
    source = text_of("pytorch")
    other = source.replace("functional as F", "functional as theirs").replace("F.", "theirs.")
    assert counted("pytorch", other) == counted("pytorch", source)


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("        optimiser.zero_grad()\n", {"attributes": 1, "concepts": 1}),
        ("        loss.backward()\n", {"attributes": 1, "concepts": 1}),
        ("        optimiser.step()\n", {"attributes": 1, "concepts": 1}),
        ("    net.eval()\n", {"attributes": 1, "concepts": 0}),
        ("        losses.append(loss.detach())\n", {"attributes": 1, "concepts": 0}),
        ("        layers.append(ACTIVATIONS[activation]())\n", {"attributes": 0, "concepts": 0}),
    ],
)
def test_the_figures_fall_when_a_real_step_is_taken_out(counted, line, moved):
    source = text_of("pytorch")
    assert source.count(line) == 1
    before, after = counted("pytorch", source), counted("pytorch", source.replace(line, ""))
    assert before["logical_lines"] - after["logical_lines"] == 1
    assert before["tokens"] - after["tokens"] >= 5
    assert before["nodes"] - after["nodes"] >= 4
    assert {key: before[key] - after[key] for key in moved} == moved


def test_every_statement_counts(counted):
    """Whichever simple statement becomes `pass`, tokens and nodes fall."""
    source = text_of("pytorch")
    before = counted("pytorch", source)
    statements = [
        number
        for number, node in enumerate(ast.walk(ast.parse(source)))
        if isinstance(node, ast.Assign | ast.Return | ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    ]
    assert len(statements) > 15
    for number in statements:
        tree = ast.parse(source)
        chosen = list(ast.walk(tree))[number]
        parent = next(node for node in ast.walk(tree) if chosen in getattr(node, "body", []))
        parent.body[parent.body.index(chosen)] = ast.Pass()
        after = counted("pytorch", ast.unparse(tree))
        assert after["tokens"] < before["tokens"]
        assert after["nodes"] < before["nodes"]
