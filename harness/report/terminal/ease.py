"""TODO: report.terminal.ease."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...measures.ease.changes import CHANGES
from ...measures.ease.concepts import ARGUMENTS, RULES
from .console import PAPER, say, wide

if TYPE_CHECKING:
    from ...measures.ease.changes import Cost
    from ...measures.ease.concepts import Found
    from ...measures.ease.count import Ease
    from ...measures.ease.explained import Line


STYLES = {"counted": "", "name": "bold cyan", "attribute": "cyan", "free": "dim"}
"""How a part of a model's file is shown, by its kind."""


HEADINGS = (
    *("logical\nlines", "tokens", "nodes", "cyclo-\nmatic", "cogni-\ntive"),
    *("names", "attri-\nbutes", "argu-\nments", "con-\ncepts"),
)
"""Of the figures of ease, in their order: 80 columns hold them."""


LEGEND = {
    "counted": "a token that counts",
    "name": "of a framework's name",
    "attribute": "attribute of a value",
    "free": "free",
}


PLACES = 4
"""How many lines of a file are named where a concept is found on more."""


def print_ease(console: Console, measured: Mapping[str, "Ease"]) -> None:
    """Print the figures of every backend, and where its arguments and concepts were found."""
    console = wide(console)
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
            say(console, f"{name}: not counted for {each.suffix or 'such files'}: {', '.join(missing)}.")
    concepts = {name: each.concepts for name, each in measured.items()}
    _print_places(console, "concept", [rule.concept for rule in RULES], concepts)
    _print_places(
        console, "argument for", list(ARGUMENTS), {name: each.overriding_arguments for name, each in measured.items()}
    )


WHERE_EASE_IS_EXPLAINED = (
    "Numbers after a backend are lines of its model. What each figure means, and does not: docs/reference/ease.md."
)


def print_changes(console: Console, changed: Mapping[str, Sequence["Cost"]]) -> None:
    """Print what each change costs each backend, in tokens of its model and of what calls it, and why."""
    answered = {name: costs for name, costs in changed.items() if costs}
    if not answered:
        return
    console = wide(console)
    say(console, "")
    say(console, "The cost of a change, in tokens deleted and inserted: in the model + in the adapter that calls it")
    listing = Table(box=None, pad_edge=False)
    listing.add_column("backend", no_wrap=True)
    for change in CHANGES:
        listing.add_column(change, justify="right", no_wrap=True)
    for name, costs in answered.items():
        listing.add_row(name, *map(cost_in_words, costs))
    console.print(listing, highlight=False)
    for name, costs in answered.items():
        for cost in costs:
            if cost.answer != "patch":
                say(console, f"{name}, {cost.change}: {cost.answer}. {cost.what}", wrap=True)
    say(console, "The project's tests apply each and run it through conformance; on a GPU nothing was run.")


def cost_in_words(cost: "Cost") -> str:
    """Return a cost as a table has it: `22`, `0 + 4`, or why there is none."""
    if cost.answer != "patch":
        return cost.answer
    model = "not counted" if cost.tokens is None else f"{cost.tokens:,}"
    return f"{model} + {cost.caller:,}" if cost.caller else model


def _print_places(console: Console, heading: str, order: Sequence[str], found: Mapping[str, Sequence["Found"]]) -> None:
    """Print a line for each thing that was found, in this order: which backends have it, and on which lines."""
    listing = Table(box=None, pad_edge=False)
    listing.add_column(heading, no_wrap=True)
    listing.add_column("found in")
    for what in order:
        places = {name: _lines(each for each in some if each.what == what) for name, some in found.items()}
        if any(places.values()):
            listing.add_row(what, "; ".join(f"{name} {lines}" for name, lines in places.items() if lines))
    if listing.row_count:
        console.print()
        console.print(listing, highlight=False)


def _lines(found: Iterator["Found"]) -> str:
    """Return the lines of what was found, the first few of them; "" for none."""
    lines = list(dict.fromkeys("(whole file)" if each.line is None else str(each.line) for each in found))
    more = f" +{len(lines) - PLACES}" if len(lines) > PLACES else ""
    return ", ".join(lines[:PLACES]) + more


def print_explained(console: Console, name: str, lines: Sequence["Line"], measured: "Ease") -> None:
    """Print a model's file: beside each line the tokens counted on it, behind it what was found there."""
    say(console, f"{name}: {measured.tokens or 0:,} tokens counted, by line in the second column.")
    if console.is_terminal:
        console.print(Text.assemble(*((f"{words}  ", STYLES[kind]) for kind, words in LEGEND.items())), highlight=False)
    width = console.width if console.is_terminal else PAPER
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
