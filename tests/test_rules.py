"""What may never be in the tree is not, and each rule reports what breaks it, with file and line."""

import shutil
import tomllib
from pathlib import Path

import pytest

from tests import rules
from tests.paths import ROOT

TREE = {
    "backends/abacus_plain/backend.toml": 'title = "Abacus"\nimport_name = ["abacus"]\n',
    "backends/abacus_plain/model.py": "import math\n\nimport abacus.nn as nn\nimport numpy as np\n",
    "backends/abacus_plain/adapter.py": "import functools\n\nimport abacus\nimport numpy\n\nfrom . import model\n",
    "backends/beads/backend.toml": 'title = "Beads 2"\nimport_name = ["beadlib"]\n',
    "backends/beads/model.py": "import beadlib\n",
    "backends/beads/adapter.py": "from . import model\n",
    "harness/__init__.py": '"""As was seen."""\n',
    "harness/cli.py": "def main():\n    raise SystemExit  # as PyTorch does\n",
    "harness/portable/__init__.py": "",
    "harness/portable/spec.py": "from typing import Dict\n\nimport numpy as np\n",
    "harness/portable/reference.py": "from . import spec as specs\n",
}
"""The smallest tree that keeps every rule."""


def grow(root: Path, files: dict[str, str]) -> Path:
    for name, text in {**TREE, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


RULES = [rule for rule in rules.NEVERS if rule is not rules.an_arrow_points_the_wrong_way]


@pytest.mark.parametrize("never", rules.NEVERS, ids=lambda never: never.__name__)
def test_never(never):
    assert never(ROOT) == []


@pytest.mark.parametrize("never", RULES, ids=lambda never: never.__name__)
def test_a_tree_that_keeps_the_rules_is_left_alone(tmp_path, never):
    assert never(grow(tmp_path, {})) == []


def test_every_rule_is_broken_below():
    broken = {never for never, *_ in BREACHES} | {rules.an_arrow_points_the_wrong_way}
    assert broken == set(rules.NEVERS)


ADAPTER = "backends/abacus_plain/adapter.py"
MODEL = "backends/abacus_plain/model.py"
CORE = "harness/portable/reference.py"

BREACHES = [
    (rules.a_backend_imports_another, {MODEL: "import math\nimport beads\n"}, f"{MODEL}:2:", "beads"),
    (rules.a_backend_imports_another, {MODEL: "from backends import beads\n"}, f"{MODEL}:1:", "backends"),
    (rules.a_backend_imports_another, {ADAPTER: "from ..beads import model\n"}, f"{ADAPTER}:1:", "..beads"),
    (rules.a_backend_imports_another, {ADAPTER: "from .. import beads\n"}, f"{ADAPTER}:1:", ".."),
    (
        rules.a_backend_imports_another,
        {ADAPTER: "import importlib\n\n\ndef f():\n    return importlib.import_module('beads.model')\n"},
        f"{ADAPTER}:5:",
        "beads.model",
    ),
    (rules.a_backend_imports_the_harness, {MODEL: "from bakeoff.portable import spec\n"}, f"{MODEL}:1:", "harness"),
    (
        rules.a_backend_imports_the_harness,
        {ADAPTER: "def f():\n    import bakeoff_portable.spec\n"},
        f"{ADAPTER}:2:",
        "bakeoff_portable.spec",
    ),
    (rules.a_model_imports_more_than_its_framework, {MODEL: "\nimport pandas\n"}, f"{MODEL}:2:", "pandas"),
    (rules.a_model_imports_more_than_its_framework, {MODEL: "import beadlib\n"}, f"{MODEL}:1:", "beadlib"),
    (rules.a_model_imports_more_than_its_framework, {MODEL: "from . import adapter\n"}, f"{MODEL}:1:", "imports ."),
    (
        rules.a_model_imports_more_than_its_framework,
        {"backends/abacus_plain/layers.py": "import torch\n"},
        "backends/abacus_plain/layers.py:1:",
        "torch",
    ),
    (rules.an_adapter_imports_more_than_its_model, {ADAPTER: "import scipy\n"}, f"{ADAPTER}:1:", "scipy"),
    (rules.an_adapter_imports_more_than_its_model, {ADAPTER: "from . import layers\n"}, f"{ADAPTER}:1:", "imports ."),
    (rules.an_adapter_imports_more_than_its_model, {ADAPTER: "from .model import *\n"}, f"{ADAPTER}:1:", ".model"),
    (rules.a_folder_bears_a_frameworks_name, {"backends/torch/x": ""}, "backends/torch:1:", "imported"),
    (rules.a_folder_bears_a_frameworks_name, {"backends/numpy/x": ""}, "backends/numpy:1:", "imported"),
    (rules.a_folder_bears_a_frameworks_name, {"backends/beadlib/x": ""}, "backends/beadlib:1:", "Beads 2"),
    (
        rules.the_harness_names_a_framework,
        {"harness/cli.py": "# torch\nx = 'a'\ny = 'for PyTorch'\n"},
        "harness/cli.py:3:",
        "PyTorch",
    ),
    (rules.the_harness_names_a_framework, {"harness/cli.py": "torch_version = 1\n"}, "harness/cli.py:1:", "torch"),
    (rules.the_harness_names_a_framework, {"harness/a/b.py": '"""A\n\nMXNet."""\n'}, "harness/a/b.py:3:", "MXNet"),
    (rules.the_harness_names_a_framework, {"harness/cli.py": "'''Of beads 2.'''"}, "harness/cli.py:1:", "beads 2"),
    (rules.the_harness_names_a_framework, {CORE: "'abacus_plain'"}, f"{CORE}:1:", "abacus_plain"),
    (rules.the_harness_names_a_framework, {CORE: "import beadlib"}, f"{CORE}:1:", "beadlib"),
    *[
        (rules.the_portable_core_needs_more_than_python_3_6_and_numpy, {CORE: f"\n{code}\n"}, f"{CORE}:2:", words)
        for code, words in {
            "if (n := 1): pass": "no syntax of Python 3.6",
            "def f(x, /): pass": "no syntax of Python 3.6",
            "with (open('a') as a, open('b') as b): pass": "no syntax of Python 3.6",
            "from __future__ import annotations": "annotations",
            "from dataclasses import dataclass": "dataclasses",
            "import importlib.metadata": "importlib.metadata",
            "from importlib import metadata": "importlib.metadata",
            "from typing import Dict, Protocol": "Protocol",
            "from ..errors import InputError": "above the portable core",
            "import bakeoff.common.errors": "bakeoff.common.errors",
            "import pydantic": "NumPy alone",
        }.items()
    ],
    (
        rules.importing_the_harness_imports_a_framework,
        {"harness/speed.py": "import caffe\n", "caffe.py": ""},
        "harness/__init__.py:1:",
        "caffe",
    ),
    (
        rules.importing_the_harness_imports_a_framework,
        {"harness/data/__init__.py": "", "harness/data/files.py": "import beadlib\n", "beadlib.py": ""},
        "harness/__init__.py:1:",
        "beadlib",
    ),
    (
        rules.importing_the_harness_imports_a_framework,
        {"harness/speed.py": "import nowhere_to_be_found\n"},
        "harness/__init__.py:1:",
        "No module named 'nowhere_to_be_found'",
    ),
    (
        rules.asking_for_help_imports_heavy_libraries,
        {"harness/cli.py": "import pandas\ndef main():\n    raise SystemExit\n", "pandas.py": ""},
        "harness/cli.py:1:",
        "pandas",
    ),
    (
        rules.asking_for_help_imports_heavy_libraries,
        {"harness/cli.py": "def main():\n    import sklearn\n", "sklearn.py": ""},
        "harness/cli.py:1:",
        "sklearn",
    ),
    *[
        (
            rules.an_adapter_computes,
            {ADAPTER: f"import abacus as ab\n{code}\n"},
            f"{ADAPTER}:2:",
            "belongs to the model",
        )
        for code in (
            "momentum = 1 - spec.bn_decay",
            "loss = x - 1",
            "y = a @ b",
            "y = -x",
            "y = x / len(x)",
            "y = x ** 2",
            "rows = order[step * 2]",
            "x *= 2",
            "x += y",
            "self.x += 1",
            "x[0] += 1",
            "y = ab.exp(x)",
            "y = x.mean()",
            "y = x.add_(1)",
            "y = ab.add(x, y)",
            "y = list(map(ab.nn.softmax, x))",
            "y = ab.nn.functional.log_softmax(x)",
        )
    ],
    (rules.an_adapter_computes, {ADAPTER: "from abacus import sqrt\ny = sqrt(2)\n"}, f"{ADAPTER}:2:", "`sqrt`"),
]


@pytest.mark.parametrize(("never", "files", "place", "words"), BREACHES)
def test_a_breach_is_reported_with_its_place(tmp_path, never, files, place, words):
    breaches = never(grow(tmp_path, files))
    assert len(breaches) == 1
    assert breaches[0].startswith(place)
    assert words in breaches[0]


@pytest.mark.parametrize(
    "code",
    [
        "name = 'dense%d' % layer",
        "name = 'dense%d' % (layer + 1)",
        "name = 'd_' + name",
        "name = name + '/' + leaf",
        "name = f'{layer}/' + leaf",
        "last = len(sizes) - 2",
        "layers = [{} for _ in range(1 + max(numbers))]",
        "layer = layers[number - 1]",
        "layer = layers[:-1][len(kind) + 1 :]",
        "count += 1",
        "shape = (rows,) + shape",
        "layers = [None] * count",
        "arrays = first | second",
        "total = sum(numbers)",
        "seen.add(name)",
        "y = model.softmax(x)",
        "y = ab.asarray(layer.mean)",
        "gradient = ab.grad(model.loss_of)",
    ],
)
def test_carrying_arrays_is_no_computing(tmp_path, code):
    assert rules.an_adapter_computes(grow(tmp_path, {ADAPTER: f"import abacus as ab\n{code}\n"})) == []


# The contracts of import-linter


def contracts() -> dict[str, dict]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return {contract["id"]: contract for contract in settings["contracts"]}


def test_the_contract_knows_the_module_of_every_backend():
    modules = {module for backend in rules.backends(ROOT) for module in backend.modules}
    modules -= rules.LIBRARIES | rules.SHARED
    assert modules - set(contracts()["no-framework"]["forbidden_modules"]) == set()


@pytest.mark.parametrize(
    ("file", "line", "kept_no_more", "words"),
    [
        (
            "registry.py",
            "from backends import pytorch",
            "The harness imports no backend",
            "bakeoff.registry.entries -> backends",
        ),
        ("portable/worker.py", "import torch", "The harness imports no framework", "bakeoff.portable.worker -> torch"),
        (
            "speed.py",
            "from harness import agreement",
            "A measure imports no other",
            "bakeoff.measures.speed.rounds -> bakeoff.measures.agreement.floors",
        ),
        (
            "agreement.py",
            "import bakeoff.measures.ease",
            "A measure imports no other",
            "bakeoff.measures.agreement.floors -> bakeoff.measures.ease",
        ),
        (
            "ease/names.py",
            "import bakeoff.measures.agreement.suite",
            "Nor does what runs them",
            "bakeoff.measures.ease.names -> bakeoff.measures.agreement.suite",
        ),
        (
            "checks.py",
            "import bakeoff.measures.speed.rounds",
            "Nor do the checks",
            "bakeoff.measures.agreement.checks -> bakeoff.measures.speed.rounds",
        ),
        (
            "conformance.py",
            "import bakeoff.measures.ease",
            "Nor does what runs them",
            "bakeoff.measures.agreement.suite -> bakeoff.measures.ease",
        ),
        (
            "speed.py",
            "import bakeoff.report.report",
            "A measure imports no other",
            "bakeoff.measures.speed.rounds -> bakeoff.report.report",
        ),
        (
            "openness.py",
            "import bakeoff.measures.speed.rounds",
            "A measure imports no other",
            "bakeoff.measures.openness.facts -> bakeoff.measures.speed.rounds",
        ),
    ],
)
def test_a_broken_contract_is_reported_with_its_place(tmp_path, file, line, kept_no_more, words):
    leave = shutil.ignore_patterns("__pycache__")
    for folder in ("harness", "backends"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "harness" / file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    (report,) = rules.an_arrow_points_the_wrong_way(tmp_path)
    assert f"{kept_no_more}" in report.partition("Broken contracts")[2]
    assert f"{words} (l.{len(text.splitlines()) + 2})" in report
