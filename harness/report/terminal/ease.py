"""Measures the backends for `bakeoff ease`, and prints what was counted."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...measures.ease.changes import CHANGES, Cost, measure_changes
from ...measures.ease.concepts import ARGUMENTS, RULES, Found
from ...measures.ease.count import Ease, count_file
from ...measures.ease.explained import Line, explain_file
from ...measures.ease.measure import rules_of
from ...registry.entries import Entry
from .console import PLAIN_TEXT_WIDTH, convert_to_json, print_line, widen

STYLES = {"counted": "", "name": "bold cyan", "attribute": "cyan", "free": "dim"}
"""The style of each kind of text in a model file."""

HEADINGS = (
    *("logical\nlines", "tokens", "nodes", "cyclo-\nmatic", "cogni-\ntive"),
    *("API\nnames", "attri-\nbutes", "argu-\nments", "con-\ncepts"),
)
"""Of the figures of ease, in their order, for a terminal of 80 columns."""

LEGEND = {
    "counted": "counted token",
    "name": "framework API name",
    "attribute": "attribute of a value",
    "free": "not counted",
}

PLACES = 4
"""The number of lines that are listed for a concept that is found on more lines."""


EXPLANATION = "Numbers after a backend are line numbers of its model file. docs/reference/ease.md defines each figure."


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


def print_explanation(console: Console, full: bool = True) -> None:
    """Print what the numbers mean, and where the figures are defined."""
    print_line(console, "")
    if not full:
        print_line(console, "Where each concept and argument stands, and why a change has no cost: bakeoff ease --full")
        return
    print_line(console, EXPLANATION)


def print_ease(console: Console, measured: Mapping[str, Ease], full: bool = True) -> None:
    """Print the figures of every backend; with `full`, where its arguments and concepts were found."""
    console = widen(console)
    listing = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    listing.add_column("backend", no_wrap=True, vertical="bottom")
    figures = {name: each.figures() for name, each in measured.items()}
    for heading in HEADINGS:
        listing.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for name, values in figures.items():
        listing.add_row(name, *("-" if value is None else f"{value:,}" for value in values.values()))
    console.print(listing, highlight=False)
    for name, each in measured.items():
        missing = [figure.name for figure, value in each.figures().items() if value is None]
        if missing:
            print_line(console, f"{name}: not counted for {each.suffix or 'such files'}: {', '.join(missing)}.")
    if not full:
        return
    concepts = {name: each.concepts for name, each in measured.items()}
    _print_places(console, "concept", [rule.concept for rule in RULES], concepts)
    _print_places(
        console, "argument for", list(ARGUMENTS), {name: each.overriding_arguments for name, each in measured.items()}
    )


def print_changes(console: Console, changed: Mapping[str, Sequence[Cost]], full: bool = True) -> None:
    """Print the cost of each change in each backend, in tokens; with `full`, the reason where there is no cost."""
    answered = {name: costs for name, costs in changed.items() if costs}
    if not answered:
        return
    console = widen(console)
    print_line(console, "")
    print_line(console, "Cost of a change, in tokens deleted and inserted: in the model + in the adapter that calls it")
    listing = Table(box=None, pad_edge=False)
    listing.add_column("backend", no_wrap=True)
    for change in CHANGES:
        listing.add_column(change, justify="right", no_wrap=True)
    for name, costs in answered.items():
        listing.add_row(name, *map(format_cost, costs))
    console.print(listing, highlight=False)
    for name, costs in answered.items() if full else ():
        for cost in costs:
            if cost.answer != "patch":
                print_line(console, f"{name}, {cost.change}: {cost.answer}. {cost.what}", wrap=True)
    print_line(console, "The project's tests apply each change and check the result, on the CPU only.")


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
    listing.add_column("found in")
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
