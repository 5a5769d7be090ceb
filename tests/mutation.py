"""Mutation testing of the statistics and of the verdict by mutmut: `tox -e mutation`, or this file with a selection.

    python tests/mutation.py statistics
    python tests/mutation.py verdict --folder FOLDER   # may be interrupted: the same command goes on

mutmut changes the source, a mutant at a time, and runs the tests on it: a mutant that no test notices survives. It
finds modules by the folder that they are in, and this package lies in a folder of another name: so a copy is made that
has both names alike.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SELECTIONS = {
    "statistics": (
        ["bakeoff/common/statistics.py", "bakeoff/common/bootstrap.py", "bakeoff/common/anytime.py"],
        ["tests/common/test_statistics.py", "tests/common/test_bootstrap.py", "tests/common/test_anytime.py"],
    ),
    "verdict": (["bakeoff/verdict/scores.py", "bakeoff/verdict/weights.py"], ["tests/verdict"]),
}
"""By name, what is mutated and the tests that judge it."""
CONFIGURATION = """
[tool.mutmut]
source_paths = ["bakeoff"]
only_mutate = {mutated}
also_copy = ["bakeoff", "backends", "results", "tests"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "--timeout", "300", "-m", "not conformance and not simulation"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""


def make_copy(folder: Path, selection: str) -> None:
    """Copy what the tests need into `folder`, with the package in a folder of its own name."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "harness", folder / "bakeoff", ignore=ignored)
    for name in ("tests", "backends"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copytree(ROOT / "results" / "reference", folder / "results" / "reference")
    mutated, tests = SELECTIONS[selection]
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    configured = CONFIGURATION.replace("{mutated}", repr(mutated)).replace("{tests}", repr(tests)).replace("'", '"')
    (folder / "pyproject.toml").write_text(text + configured, encoding="utf-8")


def run(selection: str, folder: Path) -> None:
    """Run mutmut on a selection in a folder, which may have what an interrupted run left; print what survived."""
    if not (folder / "pyproject.toml").exists():
        make_copy(folder, selection)
    for command in (["run", "--max-children", "2"], ["results"]):
        subprocess.run([sys.executable, "-m", "mutmut", *command], cwd=folder, check=True)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("selections", nargs="*", metavar="SELECTION", help=f"{', '.join(SELECTIONS)}; default: all")
    parser.add_argument("--folder", type=Path, help="where the copies are kept; default: a temporary one")
    chosen = parser.parse_args()
    if unknown := set(chosen.selections) - set(SELECTIONS):
        parser.error(f"no selection {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        for selection in chosen.selections or SELECTIONS:
            run(selection, (chosen.folder or Path(temporary)) / selection)


if __name__ == "__main__":
    main()
