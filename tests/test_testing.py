"""A third party's pytest, in a process of its own: a right backend passes, a wrong one fails with its sentence."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from xml.etree import ElementTree

import pytest
from bakeoff import testing
from bakeoff.common.errors import InputError
from bakeoff.registry import entries
from bakeoff.workload import networks

from tests.paths import ROOT

RIGHT = entries.read_all()["numpy_plain"].folder
CASE = "stress-tanh-adam-float64"


def copied(folder, *slips, file="model.py"):
    """Copy a backend that conforms, with each (text, other text) of its `file` exchanged."""
    shutil.copytree(RIGHT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / file).read_text(encoding="utf-8")
    for old, new in slips:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / file).write_text(text, encoding="utf-8")
    return folder


def run(project, tests, *options):
    """Run pytest elsewhere on project/tests/test_mine.py; return {test: (result, message)} and what it printed."""
    path = project / "tests" / "test_mine.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("import bakeoff.testing\n\n" + textwrap.dedent(tests), encoding="utf-8")
    report = project / "report.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", str(path), "-p", "no:cacheprovider", f"--junitxml={report}", *options],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        result = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        words = "" if result is None else f"{result.get('message', '')}\n{result.text or ''}"
        results[case.get("name")] = ("passed" if result is None else result.tag, words)
    return results, done.stdout + done.stderr


def test_a_right_backend_passes_one_test_for_each_case(tmp_path):
    copied(tmp_path / "mine")
    results, out = run(tmp_path, 'test_mine = bakeoff.testing.conformance("../mine")\n')
    assert set(results) == {f"test_mine[plain-{kind.name}-{kind.dtype}]" for kind in networks.required_networks()}
    assert set(results.values()) == {("passed", "")}, out


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """Return what pytest said of several backends, on one case."""
    project = tmp_path_factory.mktemp("project")
    copied(project / "unbiased", ("(self.running_var, var)", "(self.running_var, var * len(z) / (len(z) - 1))"))
    copied(
        project / "raises", ("return self.model.softmax(", "raise RuntimeError('no softmax') or ("), file="adapter.py"
    )
    copied(
        project / "known",
        ("powers = np.exp(logits - logits.max(axis=1, keepdims=True))", "powers = np.exp(logits)"),
    )
    adapter = project / "known" / "adapter.py"
    declared = '\nKNOWN_FAILURES = [{"reason": "abacus#1234: overflows above 700", "checks": ["large_logits"]}]\n'
    adapter.write_text(adapter.read_text(encoding="utf-8") + declared, encoding="utf-8")
    copied(
        project / "compiled",
        ('["cpu"]\n', '["cpu"]\nenvironment.programs.plain = ["no-such-compiler"]\n'),
        file="backend.toml",
    )
    tests = """
        test_unbiased = bakeoff.testing.conformance("../unbiased")
        test_raises = bakeoff.testing.conformance("../raises")
        test_known = bakeoff.testing.conformance("../known")
        test_compiled = bakeoff.testing.conformance("../compiled")
    """
    results, out = run(project, tests, "-k", CASE)
    assert len(results) == 4, out
    return {name.removeprefix("test_").partition("[")[0]: result for name, result in results.items()}


def test_a_wrong_backend_fails_with_the_first_deviation_and_the_likely_cause(wrong):
    result, message = wrong["unbiased"]
    assert result == "failure"
    assert "unbiased:plain: correct: no; on stress-tanh-adam float64, running statistics" in message
    assert "norm0/running_var after 1 step" in message
    assert "`running_variance: unbiased`" in message
    assert "  running_statistics: norm0/running_var after 1 step" in message
    assert "Traceback" not in message
    assert "harness/testing.py" not in message, "the sentence, and not where it was raised"


def test_an_error_in_the_worker_is_reported_with_its_traceback(wrong):
    result, message = wrong["raises"]
    assert result == "failure"
    assert "raised: predict raised RuntimeError: no softmax" in message
    assert "In the worker:\nTraceback" in message
    assert "raises/adapter.py" in message


def test_a_known_failure_is_an_expected_one_with_its_reason(wrong):
    result, message = wrong["known"]
    assert result == "skipped"  # as the format of the report says it
    assert "large_logits: abacus#1234: overflows above 700 (not finite" in message


def test_a_variant_that_lacks_its_program_is_skipped_with_the_reason(wrong):
    result, message = wrong["compiled"]
    assert result == "skipped"
    assert "no-such-compiler" in message


def test_full_takes_every_case_that_can_fail(tmp_path):
    copied(tmp_path / "mine")
    marks = {mark.args[0]: mark.args[1] for mark in testing.conformance(tmp_path / "mine", full=True).pytestmark}
    assert marks["variant"] == ("plain",)
    assert set(marks["kind"]) == {kind for kind in networks.pairwise_cover() if kind.required}
    assert set(marks["kind"]) > set(networks.required_networks())


def test_one_variant_is_checked_where_it_is_named():
    def variants_of(**more):
        return next(m.args[1] for m in testing.conformance(RIGHT, **more).pytestmark if m.args[0] == "variant")

    assert variants_of() == ("plain",)
    assert variants_of(variant="idiomatic") == ("idiomatic",)
    assert variants_of(variant=["plain", "idiomatic"]) == ("plain", "idiomatic")
    with pytest.raises(InputError, match=r"variant='idiomatc': numpy_plain has no such .* Did you mean `idiomatic`"):
        testing.conformance(RIGHT, variant="idiomatc")


def test_the_lines_of_the_readme_work_as_they_stand(tmp_path):
    lines = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[-1]
    assert "path/to/folder" in lines
    folder = tmp_path / "project" / "tests"
    copied(folder / "path" / "to" / "folder")
    (folder / "test_conformance.py").write_text(lines, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CASE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


WITHOUT_EXTRAS = """
import sys
from importlib.metadata import packages_distributions, requires
from packaging.requirements import Requirement

needed = {Requirement(line).name.lower().replace("_", "-") for line in requires("bakeoff") if "extra ==" in line}
core = {Requirement(line).name.lower().replace("_", "-") for line in requires("bakeoff") if "extra ==" not in line}
for module, distributions in packages_distributions().items():
    if {each.lower().replace("_", "-") for each in distributions} & (needed - core - {"bakeoff"}):
        sys.modules.setdefault(module, None)  # to import it is an error now
"""


def test_the_checks_need_no_extra(tmp_path):
    """`pip install bakeoff` alone: the modules of every extra are blocked."""
    copied(tmp_path / "mine")
    code = f"""{WITHOUT_EXTRAS}
from bakeoff.cli import main
sys.argv[1:] = ["check", "./mine", "--python", sys.executable, "--case", {CASE!r}]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "mine:plain: passes what was selected" in done.stdout


@pytest.mark.parametrize(("command", "module"), [("table", "pandas"), ("ease", "pandas")])
def test_a_command_that_needs_an_extra_says_which(command, module, tmp_path):
    code = f"{WITHOUT_EXTRAS}\nfrom bakeoff.cli import main\nsys.argv[1:] = [{command!r}]\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    sentence = f"needs {module}, which is not installed here. In a clone of Bakeoff: pip install '.[run]'"
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_group_of_the_tests_has_the_extra_run():
    described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = described["project"]["optional-dependencies"]["run"]
    assert described["dependency-groups"]["run"] == extra


def test_the_interpreter_is_the_callers_choice(tmp_path):
    copied(tmp_path / "mine")
    shown = tmp_path / "bin" / "python"
    shown.parent.mkdir()
    shown.write_text(f'#!/bin/sh\ntouch "{tmp_path}/started"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    shown.chmod(0o755)
    tests = 'test_mine = bakeoff.testing.conformance("../mine", python="../bin/python")\n'
    results, out = run(tmp_path, tests, "-k", CASE)
    assert [result for result, _ in results.values()] == ["passed"], out
    assert (tmp_path / "started").exists()


@pytest.mark.parametrize("python", ["no-such-python", "no/such/python"])
def test_a_missing_interpreter_is_an_error(python):
    with pytest.raises(InputError, match="expected a Python interpreter, found none"):
        testing.conformance(RIGHT, python=python)


@pytest.mark.parametrize("folder", ["", "no/such/folder", "numpy_plain"])
def test_a_folder_that_is_no_backend_is_an_error(folder, tmp_path):
    with pytest.raises(InputError, match=r"expected the folder of a backend, with a backend\.toml in it"):
        testing.conformance(tmp_path / folder)


def in_a_process(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_pytest_is_imported_only_when_a_test_is_asked_for():
    assert in_a_process("import sys, bakeoff.testing; print('pytest' in sys.modules)").strip() == "False"


def test_without_pytest_the_error_says_what_to_install():
    code = f"import sys; sys.modules['pytest'] = None; import bakeoff.testing as t; t.conformance({str(RIGHT)!r})"
    last = in_a_process(code).strip().splitlines()[-1]
    assert last.startswith("ImportError: bakeoff.testing makes tests for pytest")
    assert last.endswith("pip install pytest")
