"""`bakeoff study`."""

from pathlib import Path
from typing import Annotated

import typer

from .options import FAILED, PythonOfFolders, err, exit_at_interrupt, out, print_note
from .run import BackendList
from .search import first_variants


def complete_study(incomplete: str) -> list[str]:
    """Complete the name of a study."""
    from ..studies.catalogue import STUDIES

    return [name for name in STUDIES if name.startswith(incomplete)]


Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Study to run. Default: list the studies.", autocompletion=complete_study),
]
Short = Annotated[bool, typer.Option("--short", help="Run the short form: fewer seeds and settings.")]
Output = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the page, its pictures and its records.")]
Resume = Annotated[bool, typer.Option("--resume", help="Keep the frameworks that an interrupted study has measured.")]
Redraw = Annotated[bool, typer.Option("--redraw", help="Write the page again from its records; measure nothing.")]


def run_study(
    name: Name = None,
    backends: BackendList = None,
    short: Short = False,
    output: Output = Path("studies"),
    redraw: Redraw = False,
    resume: Resume = False,
    python: PythonOfFolders = None,
) -> None:
    """Run a study in several frameworks, and write a page of what it found.

    Each backend runs by its first variant, unless you name another. Exit code 1 if a backend fails. Needs pip install
    '.[figures]'.

    \b
    bakeoff study                       list the studies
    bakeoff study softmax --short       a study in its short form, in the default backends
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..search.figures import import_altair
    from ..studies import catalogue, page

    if name is None:
        for study in catalogue.STUDIES.values():
            out.print(f"{study.name}: {study.title}", highlight=False, soft_wrap=True)
        return
    study = catalogue.find(name)
    import_altair()
    failures = {} if redraw else _measure(name, backends, short, output, tuple(python or ()), resume)
    print_note(f"Page: {page.write(study, output)}")
    for contestant, reason in failures.items():
        print_note(f"{contestant} failed: {reason}")
    if failures:
        raise typer.Exit(FAILED)


def _measure(
    name: str, backends: str | None, short: bool, output: Path, pythons: tuple[Path, ...], resume: bool
) -> dict[str, str]:
    from ..common.progress import Board
    from ..environments import interpreters
    from ..studies import catalogue, run

    interpreters.require_interpreters(pythons)
    chosen = first_variants(backends)
    path = output / name / "records.jsonl"
    with exit_at_interrupt("Continue with --resume."), Board(err) as board:
        return run.measure(catalogue.find(name), chosen, path, short, pythons, board, resume)
