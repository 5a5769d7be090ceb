"""`bakeoff openness`."""

import datetime

from .options import AllBackends, Json, Python, out, print_json, select_entries


def show_openness(backends: AllBackends = None, python: Python = None, as_json: Json = False) -> None:
    """Show licence, governance and activity of each framework, with sources.

    A fact whose source is over a year old is marked as stale. Where an environment is built, the metadata and the
    licence files of its packages are read too. A contradiction with backend.toml or the pins is shown as a finding;
    the exit code stays 0 (docs/explanation/openness.md).
    """
    from ..measures.openness import facts
    from ..report.terminal.console import convert_to_json
    from ..report.terminal.openness import print_openness

    today = datetime.datetime.now(datetime.UTC).date()
    views = [facts.read_openness(entry, today, tuple(python or ())) for entry in select_entries(backends).values()]
    if as_json:
        print_json({view.backend: convert_to_json(view) for view in views})
    else:
        print_openness(out, views)
