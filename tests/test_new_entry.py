"""A change to a backend touches one folder: one entry more, which nothing else mentions, leaves every test green.

The tests of the copy run in a process of their own, with the copy's harness: those that read the folder of the entries.
"""

import re
import subprocess
import sys

import pytest

from tests.new_entry import NAME, add_entry, copy_repository, environment_for
from tests.other_backends import listed_backends, other_backends
from tests.paths import ROOT

READ_ENTRIES = re.compile(
    r"read_all\(\)|backends_folder\(\)|measures\.ease\.models|changed_backends|rules\.RULES|ROOT / \"backends\""
)
"""How a test file reads the entries of the repository."""
TAKE_MINUTES = {
    "tests/test_testing.py": "runs pytest on a copy of numpy_plain, by name",
    "tests/runner/test_comparison.py": "copies numpy_plain, by name",
    "tests/measures/agreement/test_convention_effects.py": "copies numpy_plain, by name",
    "tests/measures/agreement/test_precision.py": "copies numpy_plain, by name",
    "tests/measures/agreement/test_determinism.py": "reads numpy_plain alone",
    "tests/measures/agreement/test_run_checks.py": "reads numpy_plain and jax_pure alone",
    "tests/measures/agreement/test_cached_results.py": "reads numpy_plain and sklearn_mlp alone",
    "tests/measures/speed/test_rounds.py": "reads numpy_plain alone",
    "tests/studies/test_studies.py": "reads numpy_plain and sklearn_mlp alone",
    "tests/runner/test_spread.py": "reads numpy_plain alone",
    "tests/workers/test_session.py": "starts the workers of tests/misbehaving",
    "tests/cli/test_search.py": "searches with numpy_plain",
    "tests/runner/test_unavailable.py": "copies numpy_plain, by name",
}
"""Files that read entries by name: another one changes nothing for them, and each takes a minute or more."""


def files_to_run():
    """Return the test files that read the entries, but for TAKE_MINUTES and this one."""
    found = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.name != "test_new_entry.py"]
    names = {str(path.relative_to(ROOT)) for path in found if READ_ENTRIES.search(path.read_text(encoding="utf-8"))}
    return sorted(names - TAKE_MINUTES.keys())


def test_the_files_left_out_exist():
    assert [name for name in TAKE_MINUTES if not (ROOT / name).is_file()] == []
    assert {"tests/test_docs.py", "tests/registry/test_entries.py", "tests/conformance/test_wrong_copies.py"} <= {
        *files_to_run()
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Return the root of a copy with the made-up entry, and the variables that make Python use it."""
    parent = tmp_path_factory.mktemp("copy")
    root = copy_repository(parent)
    add_entry(root)
    return root, environment_for(root, parent)


def test_the_entry_is_one_that_tox_does_not_name(copy):
    root, _ = copy
    assert set(other_backends(root)) - set(other_backends()) == {NAME}
    assert NAME not in listed_backends(root)


def run(copy, *arguments):
    root, variables = copy
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True, check=False)


def test_every_test_is_green_with_one_entry_more(copy):
    options = ["-q", "-p", "no:cacheprovider", "-m", "not conformance and not environments", "--no-header", "-rf"]
    code = "import bakeoff; from bakeoff.registry import entries; print(*entries.read_all())"
    names = run(copy, "-c", code)
    assert NAME in names.stdout.split(), names.stderr
    done = run(copy, "-m", "pytest", *options, *files_to_run())
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    assert re.search(r"\d{3} passed", done.stdout), done.stdout[-500:]
