"""The source tree keeps the rules of tests/rules.py, and each rule reports a breach with file and line."""

import shutil
from pathlib import Path

import pytest
from bakeoff.registry import entries

from tests import rules
from tests.paths import ROOT

TREE = {
    "backends/abacus_plain/backend.toml": 'title = "Abacus"\nimport_name = ["abacus"]\n',
    "backends/abacus_plain/model.py": "import math\n\nimport abacus.nn as nn\nimport numpy as np\n",
    "backends/abacus_plain/adapter.py": "import functools\n\nimport abacus\nimport numpy\n\nfrom . import model\n",
    "backends/beads/backend.toml": 'title = "Beads 2"\nimport_name = ["beadlib"]\n',
    "backends/beads/model.py": "import beadlib\n",
    "backends/beads/adapter.py": "from . import model\n",
    "harness/__init__.py": '"""A package that compares some frameworks."""\n',
    "harness/cli.py": "def main():\n    raise SystemExit  # as PyTorch does\n",
    "harness/portable/__init__.py": '"""Runs in the interpreter of every backend."""\n',
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


RULES_OF_A_TREE = [rule for rule in rules.RULES if rule is not rules.find_broken_import_contracts]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_source_tree_keeps_the_rule(rule):
    assert rule(ROOT) == []


@pytest.mark.parametrize("rule", RULES_OF_A_TREE, ids=lambda rule: rule.__name__)
def test_a_tree_that_keeps_the_rules_has_no_breach(tmp_path, rule):
    assert rule(grow(tmp_path, {})) == []


def test_every_rule_has_an_example_of_a_breach():
    broken = {rule for rule, *_ in BREACHES} | {rules.find_broken_import_contracts}
    assert broken == set(rules.RULES)


ADAPTER = "backends/abacus_plain/adapter.py"
MODEL = "backends/abacus_plain/model.py"
CORE = "harness/portable/reference.py"

BREACHES = [
    (rules.find_imports_between_backends, {MODEL: "import math\nimport beads\n"}, f"{MODEL}:2:", "beads"),
    (rules.find_imports_between_backends, {MODEL: "from backends import beads\n"}, f"{MODEL}:1:", "backends"),
    (rules.find_imports_between_backends, {ADAPTER: "from ..beads import model\n"}, f"{ADAPTER}:1:", "..beads"),
    (rules.find_imports_between_backends, {ADAPTER: "from .. import beads\n"}, f"{ADAPTER}:1:", ".."),
    (
        rules.find_imports_between_backends,
        {ADAPTER: "import importlib\n\n\ndef f():\n    return importlib.import_module('beads.model')\n"},
        f"{ADAPTER}:5:",
        "beads.model",
    ),
    (rules.find_harness_imports_in_backends, {MODEL: "from bakeoff.portable import spec\n"}, f"{MODEL}:1:", "harness"),
    (
        rules.find_harness_imports_in_backends,
        {ADAPTER: "def f():\n    import bakeoff_portable.spec\n"},
        f"{ADAPTER}:2:",
        "bakeoff_portable.spec",
    ),
    (rules.find_foreign_imports_in_models, {MODEL: "\nimport pandas\n"}, f"{MODEL}:2:", "pandas"),
    (rules.find_foreign_imports_in_models, {MODEL: "import beadlib\n"}, f"{MODEL}:1:", "beadlib"),
    (rules.find_foreign_imports_in_models, {MODEL: "from . import adapter\n"}, f"{MODEL}:1:", "imports ."),
    (
        rules.find_foreign_imports_in_models,
        {"backends/abacus_plain/layers.py": "import torch\n"},
        "backends/abacus_plain/layers.py:1:",
        "torch",
    ),
    (rules.find_foreign_imports_in_adapters, {ADAPTER: "import scipy\n"}, f"{ADAPTER}:1:", "scipy"),
    (rules.find_foreign_imports_in_adapters, {ADAPTER: "from . import layers\n"}, f"{ADAPTER}:1:", "imports ."),
    (rules.find_foreign_imports_in_adapters, {ADAPTER: "from .model import *\n"}, f"{ADAPTER}:1:", ".model"),
    (rules.find_folders_named_like_frameworks, {"backends/torch/x": ""}, "backends/torch:1:", "imported"),
    (rules.find_folders_named_like_frameworks, {"backends/numpy/x": ""}, "backends/numpy:1:", "imported"),
    (rules.find_folders_named_like_frameworks, {"backends/beadlib/x": ""}, "backends/beadlib:1:", "Beads 2"),
    (
        rules.find_framework_names_in_harness,
        {"harness/cli.py": "# torch\nx = 'a'\ny = 'for PyTorch'\n"},
        "harness/cli.py:3:",
        "PyTorch",
    ),
    (rules.find_framework_names_in_harness, {"harness/cli.py": "torch_version = 1\n"}, "harness/cli.py:1:", "torch"),
    (rules.find_framework_names_in_harness, {"harness/a/b.py": '"""A\n\nMXNet."""\n'}, "harness/a/b.py:3:", "MXNet"),
    (rules.find_framework_names_in_harness, {"harness/cli.py": "'''Of beads 2.'''"}, "harness/cli.py:1:", "beads 2"),
    (rules.find_framework_names_in_harness, {CORE: "'abacus_plain'"}, f"{CORE}:1:", "abacus_plain"),
    (rules.find_framework_names_in_harness, {CORE: "import beadlib"}, f"{CORE}:1:", "beadlib"),
    *[
        (rules.find_portable_code_beyond_python36, {CORE: f"\n{code}\n"}, f"{CORE}:2:", words)
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
        rules.find_frameworks_imported_by_harness,
        {"harness/speed.py": "import caffe\n", "caffe.py": ""},
        "harness/__init__.py:1:",
        "caffe",
    ),
    (
        rules.find_frameworks_imported_by_harness,
        {"harness/data/__init__.py": "", "harness/data/files.py": "import beadlib\n", "beadlib.py": ""},
        "harness/__init__.py:1:",
        "beadlib",
    ),
    (
        rules.find_frameworks_imported_by_harness,
        {"harness/speed.py": "import nowhere_to_be_found\n"},
        "harness/__init__.py:1:",
        "No module named 'nowhere_to_be_found'",
    ),
    (
        rules.find_heavy_imports_for_help,
        {"harness/cli.py": "import pandas\ndef main():\n    raise SystemExit\n", "pandas.py": ""},
        "harness/cli:1:",
        "pandas",
    ),
    (
        rules.find_heavy_imports_for_help,
        {"harness/cli.py": "def main():\n    import sklearn\n", "sklearn.py": ""},
        "harness/cli:1:",
        "sklearn",
    ),
    (
        rules.find_oversized_code,
        {"harness/long.py": "def f():\n" + "    pass\n" * 50},
        "harness/long.py:1:",
        "f has 51 lines; at most 50",
    ),
    (
        rules.find_oversized_code,
        {"harness/long.py": "class C:\n" + "    x = 1\n" * 300},
        "harness/long.py:1:",
        "C has 301 lines; at most 300",
    ),
    (rules.find_oversized_code, {"harness/long.py": "x = 1\n" * 401}, "harness/long.py:1:", "401 lines"),
    (
        rules.find_packages_without_purpose,
        {"harness/a/__init__.py": '"""Things."""\n'},
        "harness/a/__init__.py:1:",
        "for",
    ),
    (rules.find_old_words, {"docs/a.md": "\nIt departs from it.\n"}, "docs/a.md:2:", "`departs`"),
    (rules.find_old_words, {"harness/a.py": "x = 'never steady'\n"}, "harness/a.py:1:", "steady state"),
    *[
        (
            rules.find_computations_in_adapters,
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
    (
        rules.find_computations_in_adapters,
        {ADAPTER: "from abacus import sqrt\ny = sqrt(2)\n"},
        f"{ADAPTER}:2:",
        "`sqrt`",
    ),
]


@pytest.mark.parametrize(("rule", "files", "place", "words"), BREACHES)
def test_a_breach_is_reported_with_its_place(tmp_path, rule, files, place, words):
    breaches = rule(grow(tmp_path, files))
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
def test_carrying_arrays_is_not_computing(tmp_path, code):
    assert rules.find_computations_in_adapters(grow(tmp_path, {ADAPTER: f"import abacus as ab\n{code}\n"})) == []


# The contracts of import-linter


@pytest.mark.parametrize(
    ("file", "line", "contract", "words"),
    [
        ("workers/session.py", "from ..report import report", "floors of the house", "bakeoff.workers"),
        ("portable/worker.py", "from ..common import errors", "floors of the house", "bakeoff.portable"),
        ("measures/speed/rounds.py", "import bakeoff.runner.start", "floors of the house", "bakeoff.measures"),
        (
            "measures/ease/names.py",
            "from ..agreement import suite",
            "do not import each other",
            "bakeoff.measures.ease",
        ),
    ],
)
def test_a_broken_contract_is_reported_with_its_place(tmp_path, file, line, contract, words):
    shutil.copytree(ROOT / "harness", tmp_path / "harness", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "harness" / file
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n{line}\n", encoding="utf-8")
    (report,) = rules.find_broken_import_contracts(tmp_path)
    broken = report.partition("Broken contracts")[2]
    assert contract in broken
    assert words in broken
    assert f"(l.{len(text.splitlines()) + 2})" in broken


# Pins

PARTS = [part for entry in entries.read_all().values() for part in entry.parts]


@pytest.mark.parametrize("part", PARTS, ids=[part.label for part in PARTS])
def test_a_backend_of_the_project_pins_its_framework_with_hashes(part):
    package = part.description.package
    assert entries.pinned_version(part) != entries.NOT_PINNED, f"{part.requirements} does not pin {package}, `package`"
    assert "--hash=sha256:" in part.requirements.read_text(encoding="utf-8"), f"tox run -e pins -- {part.name}"
    assert part.requirements.with_suffix(".in").is_file(), "CONTRIBUTING.md#pins says what it holds"
