"""What pyproject.toml cannot say: the packages under harness/, by their installed names, and the commit."""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent
COMMIT = "commit.txt"
"""In the package: the commit that it was built from. harness/common/machine.py reads it."""


def read_commit() -> str:
    """Return the commit of this checkout, or that of the source distribution; "" where neither is known."""
    if (HERE / ".git").exists():
        ask = ["git", "-C", str(HERE), "describe", "--always", "--abbrev=12", "--dirty=+"]
        try:
            return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""
    kept = HERE / "harness" / COMMIT
    return kept.read_text(encoding="utf-8").strip() if kept.exists() else ""


class BuildWithCommit(build_py):
    """Writes the commit into the package that is built; an editable install reads it from the checkout."""

    def run(self) -> None:
        """Build, then write the commit."""
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib) / "bakeoff"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / COMMIT).write_text(read_commit() + "\n", encoding="utf-8")


class SourceWithCommit(sdist):
    """Writes the commit into the source distribution, which has no repository."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, then write the commit."""
        super().make_release_tree(base_dir, files)
        (Path(base_dir) / "harness" / COMMIT).write_text(read_commit() + "\n", encoding="utf-8")


# The template of a new backend is a folder of data without an __init__.py: it is a package to setuptools alone.
inside = [f"bakeoff.{name}" for name in find_namespace_packages("harness", exclude=["*__pycache__*"])]
# setuptools adds whatever an earlier build left in build/: a backend that was removed since would be installed again.
build_base = tempfile.mkdtemp(prefix="bakeoff-build-")
atexit.register(shutil.rmtree, build_base, ignore_errors=True)
setup(
    packages=["bakeoff", "bakeoff.backends", *inside],
    options={"build": {"build_base": build_base}},
    cmdclass={"build_py": BuildWithCommit, "sdist": SourceWithCommit},
)
