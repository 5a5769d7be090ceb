"""`bakeoff openness`."""

import datetime
from typing import Annotated

import typer

from .options import AllBackends, Json, Python, out, print_json, select_entries

Full = Annotated[bool, typer.Option("--full", help="Show every fact with its source. Default: a comparison.")]


def show_openness(
    backends: AllBackends = None, full: Full = False, python: Python = None, as_json: Json = False
) -> None:
    """Show licence, governance and activity of each framework, with sources.

    Several backends are compared in one table; --full, or a single backend, shows every fact with its source.
    A fact whose source is over a year old is marked as stale. Where an environment is built, the metadata and the
    licence files of its packages are read too. A contradiction with backend.toml or the pins is shown as a finding;
    the exit code stays 0 (docs/explanation/openness.md).
    """
    from ..measures.openness import facts
    from ..report.terminal.console import convert_to_json
    from ..report.terminal.openness import print_openness, print_openness_comparison

    today = datetime.datetime.now(datetime.UTC).date()
    views = [facts.read_openness(entry, today, tuple(python or ())) for entry in select_entries(backends).values()]
    if as_json:
        print_json({view.backend: convert_to_json(view) for view in views})
    elif full or len(views) == 1:
        print_openness(out, views)
    else:
        print_openness_comparison(out, views)
