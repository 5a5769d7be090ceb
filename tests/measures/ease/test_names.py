"""The names of a framework's API that a file uses, and the attributes of values."""

import ast
import textwrap
from pathlib import Path

import pytest
from bakeoff.measures.ease.count import count_file
from bakeoff.measures.ease.names import Names


def framework_names(source, import_names):
    return Names(ast.parse(source), import_names).framework_names()


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
    assert count_file(model, ("torch",)).api_names == ("torch.nn.functional.cross_entropy", "torch.stack")
