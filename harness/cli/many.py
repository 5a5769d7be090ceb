"""`bakeoff index` and `bakeoff merge`."""

from pathlib import Path
from typing import Annotated

import typer

from . import completion
from .options import Json, Results, find_different_runs, out, print_json, print_note

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of runs. Default: results.", show_default=False)]
Page = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Page to write. Default: index.html.", show_default=False)
]
MergedRuns = Annotated[
    list[Path],
    typer.Argument(metavar="RUN...", help="Two runs or more.", autocompletion=completion.complete_run),
]


def index_runs(folder: Folder = Path("results"), output: Page = Path("index.html")) -> None:
    """Write one page of all runs in a folder, with filters and trends.

    The page needs no network. It filters by machine, framework, version and spec, and shows how the step time of a
    variant changed over versions of its framework.
    """
    from ..report.many.index import write_index

    count, unreadable = write_index(folder, output)
    for reason in unreadable.values():
        print_note(f"Not readable: {reason}")
    print_note(f"Page of {count} runs: {output}")


def merge_runs(runs: MergedRuns, results: Results = Path("results"), as_json: Json = False) -> None:
    """Show where the rankings of several runs disagree.

    The runs are of the same spec and data, for example on different machines. Their step times are not pooled: each
    run's own ratios are compared.
    """
    from ..report.many.merge import Merged
    from ..report.terminal.console import print_line, print_table

    merged = Merged(find_different_runs(runs, results))
    if as_json:
        print_json(merged.as_json())
    else:
        for note in merged.notes():
            print_line(out, note, wrap=True)
        print_table(out, [], merged.ranking())
