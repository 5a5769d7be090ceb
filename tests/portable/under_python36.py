"""Runs the tests of this folder under a real Python 3.6: finds it, makes an environment once, and hands over.

Without a Python 3.6 it says so, loudly, and what to install; the same tests still run under the harness's own Python.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bakeoff.common.cache import cache_folder
from bakeoff.environments.interpreters import Missing, find_interpreter

ROOT = Path(__file__).resolve().parents[2]
PINS = ("numpy==1.19.5", "pytest==7.0.1")


def main() -> int:
    """Return pytest's exit code, or 0 where there is no Python 3.6 to run it under."""
    try:
        interpreter = find_interpreter("==3.6.*")
    except Missing as missing:
        print(f"SKIPPED: the portable core was NOT run under Python 3.6. {missing}", file=sys.stderr)
        return 0
    environment = cache_folder() / "portable-3.6"
    python = environment / "bin" / "python"
    if not (environment / "whole").exists():
        subprocess.run([str(interpreter), "-m", "venv", "--clear", str(environment)], check=True)
        # 3.6's own pip is older than the wheels it needs.
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "pip==21.3.1"], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS], check=True)
        (environment / "whole").touch()
    # The project's own pytest settings are for a newer pytest.
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "tests/portable/pytest36.ini"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        # The folder harness/ by the name that it is installed as: nothing can be installed for 3.6.
        Path(folder, "bakeoff").symlink_to(ROOT / "harness")
        variables = {**os.environ, "PYTHONPATH": folder}
        tests = str(ROOT / "tests" / "portable")
        return subprocess.run([*command, tests], cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
