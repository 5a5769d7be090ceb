"""Publish a run, and make anew everything that the pages take from the published runs.

    python docs/publish.py RUN NAME    # RUN becomes results/NAME; then as below
    python docs/publish.py             # tables, pictures and pages from the records of the published runs

docs/how-to/publish-results.md says when. A run is published as `bakeoff pack` and `bakeoff add` pass it on, so it is
verified as a stranger's is. Nothing that is derived from the records is written by hand.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import generated
from bakeoff.common.errors import InputError
from bakeoff.measures import VOCABULARY
from bakeoff.records.package import add, pack
from bakeoff.report.report import Report

ROOT = Path(__file__).resolve().parent.parent
PAGES = "@docs/pages.txt"
"""The pages with generated parts, as cog takes the name of a list."""


def verify(run: Path, folder: Path) -> Path:
    """Pass a run on as one file, and take it in as another user does; return what came into `folder`."""
    return add(pack(run, folder / "run.bakeoff.zip", VOCABULARY), folder / "results", VOCABULARY)


def take_in(run: Path, name: str) -> None:
    """Replace the raw files of results/NAME by those of a run.

    What another command left beside the old run stays where the new one has none, such as mistakes.jsonl.
    """
    if name not in generated.SECTIONS:
        raise InputError(f"{name}: expected one of {', '.join(generated.SECTIONS)}: docs/generated.py lists them.")
    with tempfile.TemporaryDirectory() as temporary:
        verified = verify(run, Path(temporary))
        shutil.copytree(verified, ROOT / "results" / name, dirs_exist_ok=True)


def write_tables(folder: Path) -> None:
    """Write `tables/` of a run from nothing but its records."""
    shutil.rmtree(folder / "tables", ignore_errors=True)
    Report(folder).write()


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a complete run")
    parser.add_argument("name", nargs="?", choices=list(generated.SECTIONS), help="its place in results/")
    chosen = parser.parse_args()
    if (chosen.run is None) != (chosen.name is None):
        parser.error("expected both RUN and NAME, or neither")
    if chosen.run is not None:
        take_in(chosen.run, chosen.name)
    for folder in generated.published():
        write_tables(folder)
    figures = ([f"docs/figures/{name}.py"] for name in ("step_times", "speed_and_code", "report_pages"))
    for program in (*figures, ["-m", "cogapp", "-r", PAGES]):
        subprocess.run([sys.executable, *program], check=True, cwd=ROOT)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
