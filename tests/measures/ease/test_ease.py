"""Ease counts what must be written and known, and nothing that helps a reader."""

import ast
import builtins
import io
import json
import random
import re
import sys
import textwrap
import tokenize
from pathlib import Path

import pytest
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.measures import ease
from bakeoff.measures.ease import FIGURES, framework_names
from bakeoff.measures.ease.concepts import ARGUMENTS, RULES, SHAPES
from bakeoff.measures.ease.explained import explain
from bakeoff.registry import entries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.paths import ROOT

BARE = """\
import torch
from torch import nn


def network(sizes, epsilon):
    layers = [nn.Linear(sizes[0], sizes[1], bias=False), nn.ReLU()]
    return nn.Sequential(*layers)


class Trainer:
    def step(self, x):
        return torch.relu(x) + 1e-5
"""


@pytest.fixture
def tokens(tmp_path):
    """Return a way to count the tokens of a source text."""

    def count(source, name="model.py"):
        (tmp_path / name).write_text(source, encoding="utf-8")
        return ease.measure(tmp_path / name, ("torch",)).tokens

    return count


# Tokens


def test_tokens_are_counted(tokens):
    assert tokens("x = f(1)\n") == 6


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("comments", "def step(self, x):\n", "def step(self, x):  # one step\n        # and what it does\n"),
        ("a docstring", "epsilon):\n", 'epsilon):\n    """Return the network: (batch, features) to logits."""\n'),
        (
            "a docstring of several lines",
            "class Trainer:\n",
            'class Trainer:\n    """Steps.\n\n    And steps.\n    """\n\n',
        ),
        ("a docstring in single quotes", "epsilon):\n", "epsilon):\n    'Return the network.'\n"),
        ("a docstring in double quotes", "epsilon):\n", 'epsilon):\n    "Return the network."\n'),
        ("a raw docstring", "epsilon):\n", 'epsilon):\n    r"""Return \\phi."""\n'),
        ("a docstring beyond ASCII", "epsilon):\n", 'epsilon):\n    """Größe ε."""\n'),
        ("a docstring of the module", "import torch\n", '"""A model, cité."""\n\nimport torch\n'),
        ("blank lines", "\n\n\nclass", "\n\n\n\n\n\n\nclass"),
        ("line breaks in brackets", "sizes[1], bias=False)", "sizes[1],\n        bias=False\n    )"),
        ("a continued line", "torch.relu(x) + 1e-5", "torch.relu(x) + \\\n            1e-5"),
        ("deeper indentation", "        return torch", "                return torch"),
        ("spaces", "*layers", " * layers "),
        ("longer names", "epsilon", "the_epsilon_of_batch_norm"),
    ],
)
def test_tokens_do_not_change_with(tokens, what, old, new):
    assert old in BARE, what
    assert tokens(BARE.replace(old, new)) == tokens(BARE)


def test_a_docstring_on_the_line_of_its_function_is_free(tokens):
    assert tokens('def f(): "Do."; return 1\n') == tokens("def f(): x; return 1\n") - 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nn.ReLU()", "nn.ReLU(True)"),
        ("    return nn.Sequential(*layers)\n", "    layers.append(nn.Tanh())\n    return nn.Sequential(*layers)\n"),
        ("1e-5", "2 * 1e-5"),
        ("def step(self, x)", "def step(self, x, y)"),
    ],
)
def test_tokens_change_with_what_is_computed(tokens, old, new):
    assert tokens(BARE.replace(old, new)) > tokens(BARE)


@pytest.mark.parametrize(
    "text", ["'text'", '"text"', '"""text"""', "'te' 'xt'", "f'te{x}t'", "f'te{x + 1:{y}}t' 'a'", "b''"]
)
def test_a_string_that_is_no_docstring_is_one_token(tokens, text):
    assert tokens(f"x = {text}\n") == tokens("x = 3\n")


def test_an_empty_tuple_is_a_value_and_grouping_is_none(tokens):
    assert tokens("x = ()\n") == 4
    assert tokens("x = (a + b) * c\n") == tokens("x = a + b * c\n")
    assert tokens("x = (a)(b)\n") == tokens("x = a(b)\n") == 6
    assert tokens("x = (a,)\n") == tokens("x = a,\n") == 4


def test_a_file_that_is_no_python_is_refused_with_its_line(tmp_path):
    (tmp_path / "model.py").write_text("x = 1\nx = = 2\n")
    with pytest.raises(InputError, match=r"model\.py:2: expected Python"):
        ease.measure(tmp_path / "model.py", ("torch",))


def test_a_model_in_another_language_is_counted_by_its_own_lexer(tokens, tmp_path):
    bare = "class Model { int size = 3; }\n"
    assert tokens(bare, "Model.java") == 9
    assert tokens("/** The model. */\n" + bare.replace("{ int", "{ // so many\n    int"), "Model.java") == 9
    assert ease.measure(tmp_path / "Model.java", ("org",)).names == ()


# Names


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch\ntorch.relu(x)", ["torch.relu"]),
        ("import torch as t\nt.relu(x)", ["torch.relu"]),
        ("import torch.nn.functional as F\nF.relu(x)", ["torch.nn.functional.relu"]),
        ("import torch.nn.functional\ntorch.nn.functional.relu(x)", ["torch.nn.functional.relu"]),
        ("from torch import nn\nnn.Linear(1, 2)", ["torch.nn.Linear"]),
        ("from torch.nn import functional as F\nF.relu(x)", ["torch.nn.functional.relu"]),
        ("from torch.nn import Linear as L\nclass Mine(L): pass", ["torch.nn.Linear"]),
        ("from torch import nn\nnn.functional.relu(nn.Linear(1, 2))", ["torch.nn.Linear", "torch.nn.functional.relu"]),
        ("import torch\ntorch.relu(x)\ntorch.relu(y)", ["torch.relu"]),
        ("import torch\nfrom torch import relu\ntorch.relu(relu(x))", ["torch.relu"]),
        ("import torch\n@torch.no_grad()\ndef f(): pass", ["torch.no_grad"]),
        ("import torch\ndef f(x: torch.Tensor): pass", ["torch.Tensor"]),
        ("import torch\ntorch.zeros(3).sum().item()", ["torch.zeros"]),
        ("def f():\n    import torch\n    return torch.ones", ["torch.ones"]),
        ("import torch\nfrom torch import nn", []),
    ],
)
def test_names_are_those_of_the_framework_in_full_and_once(source, names):
    assert framework_names(source, ("torch",)) == tuple(names)


@pytest.mark.parametrize(
    "source",
    [
        "relu = max\nrelu(1)",
        "def f(net, x):\n    y = net.train(x)\n    return y.relu()",
        "self.torch.relu(x)",
        "import numpy as np\nnp.zeros(3)",
        "import torchvision\ntorchvision.models",
        "from . import torch\ntorch.relu(x)",
        "from .torch import nn\nnn.Linear(1, 2)",
    ],
)
def test_names_of_the_author_s_own_and_of_other_libraries_are_not_counted(source):
    assert framework_names(source, ("torch",)) == ()


def test_a_framework_may_be_several_modules():
    source = "import jax\nimport jax.numpy as jnp\nimport optax\njnp.dot(x)\njax.grad(f)\noptax.adam(1e-3)"
    assert framework_names(source, ("jax", "optax")) == ("jax.grad", "jax.numpy.dot", "optax.adam")
    assert framework_names(source, ("optax",)) == ("optax.adam",)


def test_the_model_shown_in_the_guide_is_measured_whole(tmp_path):
    source = textwrap.dedent(
        '''
        """The common network."""
        import torch
        from torch import nn
        from torch.nn import functional as F


        def train(net, optimiser, x, y, order):
            """Train on the rows that `order` names."""
            for rows in order:
                loss = F.cross_entropy(net(x[rows]), y[rows])
                loss.backward()
            return torch.stack([loss])
        '''
    )
    model = Path(tmp_path / "model.py")
    model.write_text(source)
    assert ease.measure(model, ("torch",)).names == ("torch.nn.functional.cross_entropy", "torch.stack")


# All figures: what they follow, and what leaves them as they are

MODELS = {
    name: (entry.folder / entry.description.model, entry.description.import_name)
    for name, entry in entries.read_all().items()
    if entry.description.model.endswith(".py")
}
each_model = pytest.mark.parametrize("name", MODELS)
some = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def counted(tmp_path):
    """Return a way to measure a changed text of a backend's model: figures, names and where concepts were found."""

    def count(name, source):
        (tmp_path / "model.py").write_text(source, encoding="utf-8")
        found = ease.measure(tmp_path / "model.py", MODELS[name][1])
        given = [each.text.partition("=")[0] for each in found.arguments]
        lists = {"all names": found.names, "all attributes": found.attributes, "all concepts": found.distinct_concepts}
        return {**found.figures(), **lists, "all arguments": sorted(given)}

    return count


def text_of(name):
    return MODELS[name][0].read_text(encoding="utf-8")


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
def test_no_figure_moves_when_a_file_is_reformatted(counted, name, seed):
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
        imported = {
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
    assert before["logical lines"] - after["logical lines"] == 1
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


# The numbers themselves, counted by hand

PLAIN = """
def f(x):
    if x and x > 1:
        return [y for y in x if y]
    for y in x:
        while y:
            y -= 1
    else:
        pass
    return x
"""


def figures(tmp_path, source, name="model.py", framework=("torch",)):
    (tmp_path / name).write_text(source, encoding="utf-8")
    return ease.measure(tmp_path / name, framework).figures()


def test_complexity_is_what_mccabe_and_campbell_count(tmp_path):
    found = figures(tmp_path, PLAIN)
    # One, and a path each for: if, and, the comprehension's for and if, for, while.
    assert found["cyclomatic complexity"] == 7
    # if 1, and 1, the comprehension's for 2 as it is nested, its if 1, for 1, while 2. A loop's else is free.
    assert found["cognitive complexity"] == 8


def test_logical_lines_are_statements_and_the_lines_that_open_a_block(tmp_path):
    assert figures(tmp_path, PLAIN)["logical lines"] == 9
    assert figures(tmp_path, "x = 1; y = 2\n")["logical lines"] == 2
    assert figures(tmp_path, '"""Words."""\n\n\n@f\ndef g():\n    """Words."""\n')["logical lines"] == 3


def test_nodes_are_those_of_the_tree_without_reading_and_writing(tmp_path):
    # Module, Assign, Name, BinOp, Name, Add, Constant.
    assert figures(tmp_path, "x = y + 1\n")["nodes"] == 7


def test_attributes_are_those_of_values_that_are_neither_pythons_nor_the_files(tmp_path):
    source = """
        import math
        import torch
        from torch import nn

        class Net(nn.Module):
            depth = 3

            def __init__(self):
                self.kernel = torch.zeros(3).to("cpu").T

            def forward(self, x):
                return x.mean() + self.kernel + self.depth + self.device

        class Plain:
            def read(self):
                return self.set_elsewhere

        rows = []
        rows.append(Net().forward(math.pi).item())
        """
    (tmp_path / "model.py").write_text(textwrap.dedent(source))
    assert ease.measure(tmp_path / "model.py", ("torch",)).attributes == ("T", "device", "item", "mean", "to")


# Arguments


def test_arguments_are_keywords_of_the_frameworks_calls_with_their_lines(tmp_path):
    source = """
        import functools
        from torch import nn

        def layer(width, eps, momentum):
            mine(eps=eps, lr=3)
            return nn.BatchNorm1d(
                width,
                eps=eps,
                momentum=1 - momentum,
                affine=True,
            )

        norm = functools.partial(nn.BatchNorm1d, eps=1e-3)
        """
    (tmp_path / "model.py").write_text(textwrap.dedent(source))
    found = ease.measure(tmp_path / "model.py", ("torch",)).arguments
    assert [(each.what, each.line, each.text) for each in found] == [
        ("epsilon", 9, "eps=eps"),
        ("share kept of an average", 10, "momentum=1 - momentum"),
        ("epsilon", 14, "eps=0.001"),
    ]


def test_a_keyword_means_one_thing():
    words = [word for some in ARGUMENTS.values() for word in some]
    assert sorted(words) == sorted(set(words))


# Concepts: for each rule a text in which it holds, and where

EXAMPLES = {
    "session": [("with fw.Session() as session: pass", 2)],
    "graph": [("x = fw.placeholder(fw.float32)", 2), ("import fw.tensor as T\nx = T.matrix('x')", 3)],
    "scope": [("with fw.variable_scope('a'): pass", 2)],
    "tape": [("with fw.GradientTape() as tape: pass", 2), ("with fw.autograd.record(): pass", 2)],
    "gradient by call": [("g = fw.grad(f)", 2), ("loss.backward()", 2), ("g = tape.gradient(loss, x)", 2)],
    "gradient by hand": [("y = fw.exp(x)", None)],
    "gradient switched off": [("with fw.no_grad(): pass", 2), ("y = x.detach()", 2)],
    "gradients set to zero": [("optimiser.zero_grad()", 2), ("for p in net:\n    p.grad = None", 3)],
    "gradient summed": [("trainer.step(64)", 2), ("fw.adam(p, use_mean_gradient=True)", 2)],
    "optimiser stepped": [("optimiser.step()", 2), ("o.apply_gradients(g)", 2)],
    "fitted by the framework": [("net.fit(x, y)", 2), ("net.partial_fit(x, y)", 2)],
    "train or test switch": [
        ("net.eval()", 2),
        ("y = layer(x, training=True)", 2),
        ("def f(x, mine): pass\nf(1, mine=True)\nf(2, mine=False)", 3),
    ],
    "state threaded by hand": [
        ("state, loss = step(state, x)", 2),
        ("(a, b), c = f(b)", 2),
        ("g = fw.grad(f, has_aux=True)", 2),
    ],
    "nested state": [("p = fw.tree.map(f, p)", 2)],
    "variable object": [("v = fw.Variable(0)", 2), ("v.assign(1)", 2)],
    "subclass": [("class Net(fw.Module):\n    pass", 2)],
    "random key": [("k = fw.random.PRNGKey(0)", 2)],
    "compiled function": [("@fw.jit\ndef f(): pass", 2), ("f = fw.function(f)", 2), ("net.hybridize()", 2)],
    "told to the compiler": [("f = fw.jit(f, static_argnums=0)", 2)],
    "loop or branch by call": [("y = fw.lax.scan(f, x, xs)", 2)],
    "function transformed": [("f = fw.vmap(f)", 2)],
    "device placement": [("x = x.to('gpu')", 2), ("x = fw.zeros(3, device='gpu')", 2)],
    "output buffer": [("fw.exp(x, out=y)", 2)],
}


def places_of(tmp_path, concept, source):
    (tmp_path / "model.py").write_text(f"import fw\n{source}\n", encoding="utf-8")
    return [each.line for each in ease.measure(tmp_path / "model.py", ("fw",)).concepts if each.what == concept]


def test_every_concept_has_an_example():
    assert list(EXAMPLES) == [rule.concept for rule in RULES]
    assert {rule.shape for rule in RULES if rule.shape} == set(SHAPES)


@pytest.mark.parametrize(
    ("concept", "source", "line"), [(key, *each) for key, some in EXAMPLES.items() for each in some]
)
def test_a_concept_is_found_on_its_line(tmp_path, concept, source, line):
    assert line in places_of(tmp_path, concept, source)


@pytest.mark.parametrize(
    ("concept", "source"),
    [
        ("session", "class Session: pass\nSession()"),
        ("optimiser stepped", "class Mine:\n    def step(self): pass\nMine().step()"),
        ("optimiser stepped", "class Mine:\n    def __init__(self):\n        self.step = 1\nMine().step"),
        ("gradient summed", "def again(): pass\noptimiser.step(again)"),
        ("gradient by hand", "g = fw.grad(f)(fw.exp(x))"),
        ("gradient by hand", "class Mine: pass"),
        ("gradients set to zero", "class Mine:\n    def __init__(self):\n        self.grad = None"),
        ("train or test switch", "def train(): pass\ntrain()"),
        ("train or test switch", "def f(x, training): pass\nf(1, training=True)"),
        ("train or test switch", "def f(x, mine): pass\nf(1, mine=True)\nf(1, mine=x)"),
        ("state threaded by hand", "x = f(x)"),
        ("state threaded by hand", "a, b = f(c)"),
        ("compiled function", "import re\nre.compile('a')"),
        ("compiled function", "fw.nn.functional.relu(x)"),
        ("device placement", "def f(device): pass\nf(device='cpu')"),
        ("output buffer", "print(3, file=out)"),
        ("subclass", "class Base: pass\nclass Mine(Base): pass"),
    ],
)
def test_the_authors_own_words_show_no_concept(tmp_path, concept, source):
    assert places_of(tmp_path, concept, source) == []


def test_the_four_models_show_what_their_readers_know():
    found = {name: set(ease.measure(*model).distinct_concepts) for name, model in MODELS.items()}
    assert {"gradients set to zero", "train or test switch", "optimiser stepped"} <= found["pytorch"]
    assert {"state threaded by hand", "nested state", "compiled function"} <= found["jax_pure"]
    assert {"tape", "variable object", "compiled function"} <= found["tensorflow_core"]
    assert found["numpy_plain"] == {"gradient by hand", "output buffer"}


# Other languages

JAVA = """
/** A model. */
class Model {
    int size(int x) { // not so large
        if (x > 0 && x < 3) { return 1; }
        return "a string \\n of one token".length();
    }
}
"""


def test_of_another_language_what_can_be_counted_is(tmp_path):
    found = figures(tmp_path, JAVA, "Model.java")
    assert found["cyclomatic complexity"] == 3
    assert found["tokens"] == len(re.findall(r'"[^"]*"|&&|\w+|[^\w\s]', re.sub(r"/\*.*?\*/|//.*", "", JAVA)))
    assert {figure for figure, value in found.items() if value is None} == set(FIGURES) - {
        "tokens",
        "cyclomatic complexity",
    }


def test_of_a_file_that_nobody_knows_nothing_is_counted(tmp_path):
    assert set(figures(tmp_path, "layer { }\n", "model.prototxt").values()) == {None}
    assert list(ease.measure(tmp_path / "model.prototxt", ()).records()) == []


def test_the_records_are_the_figures_that_were_counted():
    counted = ease.measure(*MODELS["pytorch"])
    records = list(counted.records())
    assert {quantity: value for quantity, value, _, _ in records} == counted.figures()
    assert [(quantity, unit) for quantity, _, unit, _ in records] == list(FIGURES.items())
    found = {quantity: more for quantity, _, _, more in records}
    assert found["names"]["names"] == counted.names
    assert ["gradients set to zero", 48] in found["concepts"]["found"]
    json.dumps(records)


# The file explained


@each_model
def test_an_explained_file_is_the_file_with_as_many_tokens_as_were_counted(name):
    lines = explain(*MODELS[name])
    assert "\n".join(line.text for line in lines) + "\n" == text_of(name)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert sum(line.tokens for line in lines) == ease.measure(*MODELS[name]).tokens


def test_an_explained_file_tells_counted_from_free_and_the_frameworks_from_the_authors(tmp_path):
    source = (
        '"""Words, ê."""\nfrom torch import nn\n\n'
        'x = (nn.Linear(1, eps=2,))  # a layer\ny = "é" + x.detach() ; z = """a\nb"""\n'
    )
    (tmp_path / "model.py").write_text(source, encoding="utf-8")
    lines = explain(tmp_path / "model.py", ("torch",))
    kinds = {
        kind: [piece.text for line in lines for piece in line.pieces if piece.kind == kind]
        for kind in ("counted", "name", "attribute", "free")
    }
    assert kinds["name"] == ["nn", ".", "Linear"]
    assert kinds["attribute"] == ["detach"]
    assert "".join(kinds["free"]).split() == ['"""Words,', 'ê."""', "(", ",)", "#", "a", "layer", ";"]
    assert '"é"' in kinds["counted"]
    assert kinds["counted"][-2:] == ['"""a', 'b"""']
    assert [(line.number, line.notes) for line in lines if line.notes] == [
        (1, ("gradient by hand: no gradient is asked for",)),
        (4, ("given: eps=2",)),
        (5, ("gradient switched off: .detach",)),
    ]


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys):
    """Return `bakeoff ease`: bakeoff(*arguments) gives its exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", "ease", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_shows_every_figure_of_every_backend(bakeoff):
    code, out, _ = bakeoff()
    assert code == 0
    for name, model in MODELS.items():
        row, *_ = [line.split()[1:] for line in out.splitlines() if line.split()[:1] == [name]]
        assert [int(cell.replace(",", "")) for cell in row] == list(ease.measure(*model).figures().values())
    assert re.search(r"gradients set to zero +.*pytorch 48 *$", out, re.MULTILINE)


def test_the_command_prints_json(bakeoff):
    code, out, _ = bakeoff("pytorch", "--json")
    (shown,) = json.loads(out).values()
    assert (code, shown["figures"]) == (0, ease.measure(*MODELS["pytorch"]).figures())
    assert {"what": "optimiser stepped", "line": 50, "text": ".step"} in shown["concepts"]
    assert "lines" not in shown


def test_the_command_explains_one_file(bakeoff):
    code, out, _ = bakeoff("pytorch", "--explain")
    assert code == 0
    assert "\x1b" not in out
    assert re.search(r"^  48   5 +optimiser\.zero_grad\(\)  <- gradients set to zero: \.zero_grad$", out, re.MULTILINE)
    _, out, _ = bakeoff("pytorch", "--explain", "--json")
    lines = json.loads(out)["pytorch"]["lines"]
    assert lines[47]["tokens"] == 5
    assert {"text": "zero_grad", "kind": "attribute"} in lines[47]["pieces"]


@pytest.mark.parametrize("names", [(), ("pytorch", "numpy_plain")])
def test_the_command_explains_no_more_than_one(bakeoff, names):
    code, _, err = bakeoff(*names, "--explain")
    assert code == 2
    assert "expected one backend" in err


# The guide


def test_the_guide_shows_every_rule_as_it_is():
    guide = (ROOT / "docs" / "reference" / "ease.md").read_text(encoding="utf-8")
    rows = {row.strip("| ").split(" | ")[0]: row for row in guide.splitlines() if row.startswith("| ")}
    for rule in RULES:
        shown = set(re.findall(r"`([^`]+)`", rows[rule.concept]))
        words = {*rule.names, *(f".{each}" for each in rule.attributes), *(f"{each}=" for each in rule.keywords)}
        assert shown == words, rule.concept
        assert rule.meaning in rows[rule.concept]
    for constant, words in ARGUMENTS.items():
        assert set(re.findall(r"`([^`]+)=`", rows[constant])) == set(words)
    for figure in FIGURES:
        assert figure in rows, figure
