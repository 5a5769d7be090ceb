"""Tokens: what counts in a text, and what does not."""

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures.ease.count import count_file

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
        return count_file(tmp_path / name, ("torch",)).tokens

    return count


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
        count_file(tmp_path / "model.py", ("torch",))


def test_a_model_in_another_language_is_counted_by_its_own_lexer(tokens, tmp_path):
    bare = "class Model { int size = 3; }\n"
    assert tokens(bare, "Model.java") == 9
    assert tokens("/** The model. */\n" + bare.replace("{ int", "{ // so many\n    int"), "Model.java") == 9
    assert count_file(tmp_path / "Model.java", ("org",)).api_names == ()
