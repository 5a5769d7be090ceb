"""Measures the backends for `bakeoff ease`, and prints what was counted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...measures.ease.changes import CHANGES, Cost, measure_changes
from ...measures.ease.concepts import ARGUMENTS, RULES, Found
from ...measures.ease.count import Ease, count_file
from ...measures.ease.explained import Line, explain_file
from ...measures.ease.figures import (
    API_NAMES,
    ATTRIBUTES,
    COGNITIVE_COMPLEXITY,
    CONCEPTS,
    CYCLOMATIC_COMPLEXITY,
    LOGICAL_LINES,
    NODES,
    OVERRIDING_ARGUMENTS,
    TOKENS,
)
from ...measures.ease.measure import rules_of
from ...registry.entries import Entry
from ..text import format_count, format_or_dash
from .console import PLAIN_TEXT_WIDTH, convert_to_json, print_comparison, print_line, print_table, widen

STYLES = {"counted": "", "name": "bold cyan", "attribute": "cyan", "free": "dim"}
"""The style of each kind of text in a model file."""

HEADINGS = {
    LOGICAL_LINES: "lines",
    TOKENS: "tokens",
    API_NAMES: "API names",
    OVERRIDING_ARGUMENTS: "arguments",
    CONCEPTS: "concepts",
    CYCLOMATIC_COMPLEXITY: "cyclomatic",
    COGNITIVE_COMPLEXITY: "cognitive",
    NODES: "nodes",
    ATTRIBUTES: "attributes",
}
"""Of the figures of ease. A narrow terminal has the first of them."""

LEGEND = {
    "counted": "counted token",
    "name": "framework API name",
    "attribute": "attribute of a value",
    "free": "not counted",
}

PLACES = 4
"""The number of lines that are listed for a concept that is found on more lines."""

LINE_NUMBERS = "Numbers after a backend are line numbers of its model file."
DEFINITIONS = "docs/reference/ease.md defines each figure."
CHANGES_CAPTION = "Cost of a change, in tokens deleted and inserted: in the model + in the adapter that calls it"


class Result(NamedTuple):
    """What was counted in the model file of one backend."""

    file: Path
    ease: Ease
    changes: Sequence[Cost]
    lines: Sequence[Line]
    """The file line by line; empty where it was not asked for."""


def measure_backends(entries: Mapping[str, Entry], with_lines: bool) -> dict[str, Result]:
    """Return by name what is counted in each backend's model file."""
    results = {}
    for name, entry in entries.items():
        model, names, rules = entry.description.model, entry.description.import_name, rules_of(entry)
        file = entry.folder / model
        lines = explain_file(file, names, rules) if with_lines else []
        results[name] = Result(file, count_file(file, names, rules), measure_changes(entry.folder, model, names), lines)
        for variant, own in ({} if with_lines else entry.own_models()).items():
            results[f"{name}:{variant}"] = Result(
                entry.folder / own, count_file(entry.folder / own, names, rules), (), ()
            )
    return results


def convert_ease_to_json(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return what `bakeoff ease --json` prints."""
    lists = ("api_names", "attributes", "overriding_arguments", "concepts")
    return {
        name: {
            "file": str(each.file),
            "figures": {figure.name: value for figure, value in each.ease.figures().items()},
            **{key: convert_to_json(getattr(each.ease, key)) for key in lists},
            "changes": convert_to_json(each.changes),
            **({"lines": convert_to_json(each.lines)} if each.lines else {}),
        }
        for name, each in results.items()
    }


def print_ease(console: Console, results: Mapping[str, Result], full: bool = True) -> None:
    """Print a comparison of the backends; with `full`, also the places and the costs of changes."""
    rows = _tabulate_figures({name: each.ease for name, each in results.items()})
    if full:
        print_table(console, [], rows)
    else:
        print_comparison(console, rows, "add --full")
    console = widen(console)
    for name, each in results.items():
        missing = [figure.name for figure, value in each.ease.figures().items() if value is None]
        if missing:
            suffix = each.ease.suffix or "such files"
            print_line(console, f"{name}: not counted for {suffix}: {', '.join(missing)}.", wrap=True)
    if full:
        concepts = {name: each.ease.concepts for name, each in results.items()}
        arguments = {name: each.ease.overriding_arguments for name, each in results.items()}
        _print_places(console, "concept", [rule.concept for rule in RULES], concepts)
        _print_places(console, "argument for", list(ARGUMENTS), arguments)
        _print_changes(console, {name: each.changes for name, each in results.items() if each.changes})
        print_line(console, "")
        print_line(console, LINE_NUMBERS, wrap=True)
    print_line(console, DEFINITIONS)


def _tabulate_figures(measured: Mapping[str, Ease]) -> pd.DataFrame:
    """Return a row for each backend with its figures; a dash where one was not counted."""
    rows = []
    for name, each in measured.items():
        figures = each.figures()
        cells = {heading: format_or_dash(figures[figure], format_count) for figure, heading in HEADINGS.items()}
        rows.append({"backend": name, **cells})
    return pd.DataFrame(rows)


def _print_changes(console: Console, changed: Mapping[str, Sequence[Cost]]) -> None:
    """Print the cost of each change in each backend, in tokens, and the reason where there is no cost."""
    if not changed:
        return
    print_line(console, "")
    print_line(console, CHANGES_CAPTION, wrap=True)
    rows = [
        {"backend": name, **dict(zip(CHANGES, map(format_cost, costs), strict=True))} for name, costs in changed.items()
    ]
    print_table(console, [], pd.DataFrame(rows))
    for name, costs in changed.items():
        for cost in costs:
            if cost.answer != "patch":
                print_line(console, f"{name}, {cost.change}: {cost.answer}. {cost.what}", wrap=True)
    print_line(console, "The project's tests apply each change and check the result, on the CPU only.", wrap=True)


def format_cost(cost: Cost) -> str:
    """Return a cost as a cell of the table: `22`, `0 + 4`, or the reason where there is no cost."""
    if cost.answer != "patch":
        return cost.answer
    model = "not counted" if cost.tokens is None else f"{cost.tokens:,}"
    return f"{model} + {cost.caller:,}" if cost.caller else model


def _print_places(console: Console, heading: str, order: Sequence[str], found: Mapping[str, Sequence[Found]]) -> None:
    """Print a row for each name in `order` that was found: the backends that have it, and the line numbers."""
    listing = Table(box=None, pad_edge=False)
    listing.add_column(heading, no_wrap=True)
    listing.add_column("found in", overflow="fold")
    for what in order:
        places = {name: _list_lines(each for each in some if each.what == what) for name, some in found.items()}
        if any(places.values()):
            listing.add_row(what, "; ".join(f"{name} {lines}" for name, lines in places.items() if lines))
    if listing.row_count:
        console.print()
        console.print(listing, highlight=False)


def _list_lines(found: Iterator[Found]) -> str:
    """Return the first line numbers of the places found, and how many more there are; "" for none."""
    lines = list(dict.fromkeys("(whole file)" if each.line is None else str(each.line) for each in found))
    more = f" +{len(lines) - PLACES}" if len(lines) > PLACES else ""
    return ", ".join(lines[:PLACES]) + more


def print_explained(console: Console, name: str, lines: Sequence[Line], measured: Ease) -> None:
    """Print a model file: before each line the tokens counted on it, after it what was found there."""
    print_line(console, f"{name}: {measured.tokens or 0:,} tokens counted; the second column shows them by line.")
    if console.is_terminal:
        console.print(Text.assemble(*((f"{words}  ", STYLES[kind]) for kind, words in LEGEND.items())), highlight=False)
    width = console.width if console.is_terminal else PLAIN_TEXT_WIDTH
    for line in lines:
        shown = Text.assemble((f"{line.number:4} ", "dim"), f"{line.tokens or '':>3} ")
        indent = len(shown)
        for piece in line.pieces:
            shown.append(piece.text, STYLES[piece.kind])
        notes = f"<- {'; '.join(line.notes)}" if line.notes else ""
        if notes and len(shown) + 2 + len(notes) <= width:
            shown.append(f"  {notes}", "yellow")
            notes = ""
        shown.rstrip()
        console.print(shown, soft_wrap=True, highlight=False)
        if notes:
            console.print(Text(" " * indent + notes, "yellow"), soft_wrap=True, highlight=False)
