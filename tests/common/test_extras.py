"""Every module that only an extra installs is known as such, so that a command without it ends with a sentence."""

import ast
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from bakeoff.common.extras import MODULES, describe_install, find_extra
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.paths import ROOT

OURS = {"bakeoff", "backends", "pytest"}  # bakeoff.testing says itself how to install pytest
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def installed_by(lines):
    """Return the names of the distributions that come with these requirements."""
    found, left = set(), [Requirement(line) for line in lines]
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        applies = one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *one.extras))
        if applies and name not in found:
            found.add(name)
            try:
                left += [Requirement(line) for line in requires(name) or () if "extra ==" not in line]
            except PackageNotFoundError:  # of another platform
                continue
    return found


def imported_modules():
    """Return by top-level module a file of the harness that imports it."""
    found = {}
    for path in sorted((ROOT / "harness").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [each.name for each in node.names]
            else:
                names = [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {name.partition(".")[0]: path for name in names}
    return {name: path for name, path in found.items() if name not in sys.stdlib_module_names | OURS}


def find_unknown(modules):
    """Return the modules that neither a dependency of the checks nor a known extra installs."""
    distributions, core = packages_distributions(), installed_by(PROJECT["dependencies"])
    return {
        module
        for module in modules
        if find_extra(module) is None and not {canonicalize_name(each) for each in distributions[module]} & core
    }


def test_every_import_of_the_harness_is_a_dependency_or_of_a_known_extra():
    modules = imported_modules()
    assert {"numpy", "pandas", "lizard_languages", "optuna"} <= set(modules)
    assert find_unknown(modules) == set()


def test_an_import_of_neither_is_found():
    assert find_unknown(["numpy", "pandas", "hypothesis"]) == {"hypothesis"}


@pytest.mark.parametrize("extra", MODULES)
def test_every_module_comes_with_its_extra(extra):
    lines = PROJECT["optional-dependencies"][extra]
    distributions, declared = packages_distributions(), installed_by(lines)
    for module in MODULES[extra]:
        assert {canonicalize_name(each) for each in distributions[module]} <= declared, module


def test_the_distributions_of_the_extra_run_are_all_known():
    names = packages_distributions()
    known = {canonicalize_name(each) for module in MODULES["run"] for each in names[module]}
    assert {canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"]["run"]} <= known


def test_a_module_inside_a_package_has_the_extra_of_the_package():
    assert find_extra("pandas.core.frame") == "run"
    assert find_extra("no_such_module") is None
    assert find_extra(None) is None


def test_the_way_to_install_needs_no_index():
    assert describe_install("search") == "In a clone of Bakeoff: pip install '.[search]'"
