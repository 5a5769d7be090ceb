"""Ease counts what must be written and known, and nothing that helps a reader."""

import textwrap
from pathlib import Path

import pytest

from harness import ease
from harness.ease import framework_names

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
        ("1e-5", '"text"'),
    ],
)
def test_tokens_change_with_what_is_computed(tokens, old, new):
    assert tokens(BARE.replace(old, new)) > tokens(BARE)


def test_a_string_that_is_no_docstring_counts(tokens):
    assert tokens('x = "text"\n') > tokens("x = y\n")


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
