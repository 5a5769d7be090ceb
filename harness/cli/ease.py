"""`bakeoff ease`."""

from typing import Annotated

import typer

from ..common.errors import InputError
from .options import AllBackends, Json, out, print_json, select_entries

Explain = Annotated[bool, typer.Option("--explain", help="Show one backend's model file, with what is counted.")]


Full = Annotated[bool, typer.Option("--full", help="Show all figures, with places and changes. Default: a comparison.")]


def measure_ease(
    backends: AllBackends = None, full: Full = False, explain: Explain = False, as_json: Json = False
) -> None:
    """Measure the size and complexity of each backend's model code.

    Counts tokens, lines, syntax nodes and complexity; the framework API names used, the arguments that override a
    default and the concepts; and the tokens that five changes cost (docs/reference/ease.md). Runs no framework.
    """
    from ..report.terminal import ease as terminal_ease

    entries = select_entries(backends)
    if explain and (not backends or len(entries) != 1):
        raise InputError("--explain shows one file: expected one backend, as in `bakeoff ease NAME --explain`.")
    results = terminal_ease.measure_backends(entries, explain)
    if as_json:
        print_json(terminal_ease.convert_ease_to_json(results))
    elif explain:
        for name, each in results.items():
            terminal_ease.print_explained(out, name, each.lines, each.ease)
    else:
        terminal_ease.print_ease(out, results, full)
