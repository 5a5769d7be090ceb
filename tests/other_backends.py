"""Test the backends that tox.ini does not name, as it tests those that it names: `tox -e backend-others`.

So a new folder in backends/ is tested before any list has its name.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def listed_backends(root: Path = ROOT) -> list[str]:
    """Return the backends that have a tox environment of their own."""
    (names,) = set(
        re.findall(r"^\[testenv:backend-\{([\w,]+)\}\]$", (root / "tox.ini").read_text("utf-8"), re.MULTILINE)
    )
    return names.split(",")


def other_backends(root: Path = ROOT) -> list[str]:
    """Return the backends that have none."""
    described = sorted(path.parent.name for path in (root / "backends").glob("[!_.]*/backend.toml"))
    return [name for name in described if name not in listed_backends(root)]


def main() -> None:
    """Run pytest with these arguments on the other backends, or on those that BAKEOFF_BACKENDS names."""
    wanted = os.environ.get("BAKEOFF_BACKENDS") or ",".join(other_backends())
    if not wanted:
        print("tox.ini names every backend: nothing is left to test.")
        return
    environment = {**os.environ, "BAKEOFF_BACKENDS": wanted}
    os.execvpe(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
