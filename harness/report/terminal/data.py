"""Prints what `bakeoff data` found."""

from typing import Any

import pandas as pd
from rich.console import Console

from ...workload.data import Description
from ..text import count_things
from .console import convert_to_json, print_line, print_table

MOST_COLUMNS = 100
"""Columns beyond are counted: pictures have thousands."""
MOST_CLASSES = 100


def print_description(console: Console, found: Description) -> None:
    """Print the size, the columns, the classes with their rows, the notes, and what prevents training."""
    print_line(
        console,
        f"{found.name} ({found.hash}): {count_things(found.rows, 'row')}, {count_things(found.features, 'feature')}, "
        f"{len(found.classes):,} classes.",
    )
    columns = [{"column": each.name, "values": each.kind, "use": each.use} for each in found.columns[:MOST_COLUMNS]]
    print_table(console, [""], pd.DataFrame(columns))
    _print_rest(console, len(found.columns) - MOST_COLUMNS, "column")
    print_table(console, [""], _tabulate_classes(found))
    _print_rest(console, len(found.classes) - MOST_CLASSES, "class")
    if found.notes or found.problem:
        print_line(console, "")
    for note in found.notes:
        print_line(console, note)
    if found.problem:
        print_line(console, f"These data cannot be trained on as they are: {found.problem}")


def _tabulate_classes(found: Description) -> pd.DataFrame:
    rows = []
    for name, count in list(found.classes.items())[:MOST_CLASSES]:
        row: dict[str, Any] = {"class": name, "rows": count}
        if found.splits:
            row |= dict(zip(("training", "validation", "test"), found.splits[name], strict=True))
        rows.append(row)
    return pd.DataFrame(rows).astype(str)


def _print_rest(console: Console, number: int, thing: str) -> None:
    if number > 0:
        print_line(console, f"... and {number:,} more {thing}{'es' if thing == 'class' else 's'}.")


def convert_description_to_json(found: Description) -> Any:
    """Return what `bakeoff data --json` prints."""
    return convert_to_json(found)
