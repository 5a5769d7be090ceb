"""Prints the end of a run: the answer, how sure it is, a table of the best variants, its scope, and what to do next.

Sentences and the table fit the width of the terminal, 60 columns or more: narrower ones have fewer columns of the
table, wider ones more. A command is never broken: with the default name of a run, each fits 80 columns. Nothing
depends on colour alone.
"""

import math
import re
import shlex
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from ..summary import RunSummary, Standing, VariantSummary
from ..text import (
    format_count,
    format_interval,
    format_number,
    format_or_dash,
    format_seconds,
    format_share,
    format_size,
    format_time,
)
from .bar import LogScale

ROWS = 8
"""How many variants the table shows: with the sentences around it, they fit a screen of 24 lines."""
PIPED_WIDTH = 100
"""Columns where the output is no terminal."""
GAPS = (2, 1)
"""Spaces between columns; the second where the first leaves no room for what everybody needs."""
NEEDED = 6
"""The columns up to this rank are what everybody needs."""
LEAST_BAR, WIDEST_BAR = 6, 30
DOUBTS = 3
"""How many doubts about step times are printed; the table command prints all."""

UNTIMED = 6
"""How many variants that were not timed are printed with the reason; the rest are counted."""
NO_BREAK = "\N{NO-BREAK SPACE}"
UNBROKEN = re.compile(r"`[^`]*`|(?:\d(?: [mun]?s)? )?\[[^\]]*\]|\d (?:[mun]?s|MB|%)(?!\w)")
"""What stays on one line: commands, intervals, and numbers with their units."""

CORRECT = {"yes": ("yes", "green"), "reduced precision": ("reduced", "yellow"), "no": ("NO", "bold red")}
"""The word and the style of each outcome of the checks."""
LEGEND = {
    "ratio": "to the fastest",
    "memory": "the peak",
    "start": "cold start, from the process's start to the end of the first steps",
    "code": "tokens of the model file",
}
"""What the headings mean that do not say it themselves."""
STANDING = {Standing.FASTEST: "bold green", Standing.TIE: "green"}

Cell = tuple[str, str]
"""A text and its style."""


@dataclass(frozen=True)
class Column:
    """A column of the table; those of the lowest rank are left out last."""

    heading: str
    rank: int
    write: Callable[[VariantSummary], Cell]
    left: bool = False


def print_summary(console: Console, summary: RunSummary) -> None:
    """Print the end of a run; as plain text of at most 100 columns where the output is no terminal."""
    width = console.width if console.is_terminal else PIPED_WIDTH
    for line in _compose(summary, width, console.encoding.lower().startswith("utf")):
        console.print(line, highlight=False, soft_wrap=True)


def _compose(summary: RunSummary, width: int, blocks: bool) -> Iterable[Text]:
    for warning in summary.warnings:
        yield from _wrap(warning, width, "bold yellow")
    yield from _wrap(summary.answer, width, "bold")
    yield from _wrap(summary.agreement, width)
    if not summary.warnings and summary.trust:
        yield from _wrap(summary.trust, width)
    shown = summary.timed[:ROWS]
    if shown:
        yield Text()
        columns, gap = _choose_columns(shown, width)
        yield from _lay_out(shown, columns, gap, width, blocks)
        yield from _explain(summary, shown, width)
        meanings = (f"{each.heading}: {LEGEND[each.heading]}" for each in columns if each.heading in LEGEND)
        yield from _wrap(f"{'; '.join(meanings)}.", width, "dim")
    for each in summary.untimed[:UNTIMED]:
        why = each.failure.splitlines()[0] if each.failure else "no reason was recorded"
        yield from _wrap(f"Not timed: {each.name}: {why}", width, "yellow")
    if len(summary.untimed) > UNTIMED:
        yield _refer(f"... {len(summary.untimed) - UNTIMED} more not timed", summary, width)
    yield Text()
    yield from _wrap(summary.scope, width)
    yield from _suggest(summary, width)


def _explain(summary: RunSummary, shown: Sequence[VariantSummary], width: int) -> Iterable[Text]:
    """Yield what the table does not say by itself: the rest, ties, doubts and known failures."""
    more = len(summary.timed) - len(shown)
    if more:
        yield _refer(f"... {more:,} more", summary, width)
    known = list(dict.fromkeys(each.known_failures.partition(":")[0] for each in shown if each.known_failures))
    if known:
        yield from _wrap(f"* Known failures, {'; '.join(known)}, declared with their reasons: `bakeoff table`.", width)
    doubts = [doubt for each in shown for doubt in each.doubts]
    for doubt in doubts[:DOUBTS]:
        yield from _wrap(f"? {doubt}", width, "yellow")
    for sentence in summary.slower_paths[:DOUBTS]:
        yield from _wrap(sentence, width, "yellow")


def _refer(words: str, summary: RunSummary, width: int) -> Text:
    """Return the words with the command that prints the rest, which also stands below: there alone if it is long."""
    line = f"{words}: bakeoff table {shlex.quote(summary.folder)}"
    return Text(line if len(line) <= width else f"{words}: the first command below")


def _suggest(summary: RunSummary, width: int) -> Iterable[Text]:
    """Yield the commands that lead on, each whole; where its meaning does not fit beside it, that stands above it."""
    run = shlex.quote(summary.folder)
    commands = {
        f"bakeoff table {run}": "every variant",
        f"bakeoff verdict {run}": "rank by weights",
        f"bakeoff report {run}": "one HTML page",
    }
    longest = max(map(len, commands))
    beside = max(len(f"  {command:{longest}}  {meaning}") for command, meaning in commands.items()) <= width
    for command, meaning in commands.items():
        if beside:
            yield Text.assemble("  ", (command.ljust(longest), "bold"), f"  {meaning}")
        else:
            yield Text(f"{meaning[0].upper()}{meaning[1:]}:")
            yield Text(command, "bold")


def _wrap(sentence: str, width: int, style: str = "") -> Iterable[Text]:
    """Yield the lines of a sentence; a name, a command, a number or an interval is never broken."""
    whole = UNBROKEN.sub(lambda found: found[0].replace(" ", NO_BREAK), sentence)
    for line in textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False):
        yield Text(line.replace(NO_BREAK, " "), style)


def _lay_out(
    shown: Sequence[VariantSummary], chosen: Sequence[Column], gap: int, width: int, blocks: bool
) -> Iterable[Text]:
    """Yield the lines of the table; the bar has the room that the columns leave."""
    cells = [[column.write(each) for column in chosen] for each in shown]
    widths = [max(len(column.heading), *(len(row[place][0]) for row in cells)) for place, column in enumerate(chosen)]
    left = width - sum(widths) - gap * len(widths)
    bar = min(left, WIDEST_BAR) if left >= LEAST_BAR else 0
    scale = LogScale([each.step_s.estimate for each in shown], bar, blocks)
    place = 1 + max((i for i, column in enumerate(chosen) if column.heading in ("a step", "ratio")), default=0)
    yield _join(
        [(column.heading, "dim") for column in chosen],
        chosen,
        widths,
        (scale.heading, "dim") if bar else None,
        place,
        gap,
    )
    for each, row in zip(shown, cells, strict=True):
        drawn = (scale.draw(each.step_s.estimate), STANDING.get(each.standing, "blue")) if bar else None
        yield _join(row, chosen, widths, drawn, place, gap)


def _join(
    cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], bar: Cell | None, place: int, gap: int
) -> Text:
    """Return a line of the table, with the bar at its place among the columns."""
    parts = []
    for (text, style), column, size in zip(cells, columns, widths, strict=True):
        parts.append(Text(text.ljust(size) if column.left else text.rjust(size), style))
    if bar is not None:
        parts.insert(place, Text(*bar))
    line = Text(" " * gap).join(parts)
    line.rstrip()
    return line


def _choose_columns(shown: Sequence[VariantSummary], width: int) -> tuple[list[Column], int]:
    """Return the columns that fit beside the smallest bar, in their order, and the spaces between them."""
    wide, narrow = (_fill(shown, width - LEAST_BAR - gap, gap) for gap in GAPS)
    enough = sum(column.rank <= NEEDED for column in wide) >= sum(column.rank <= NEEDED for column in narrow)
    return (wide, GAPS[0]) if enough else (narrow, GAPS[1])


def _fill(shown: Sequence[VariantSummary], room: int, gap: int) -> list[Column]:
    """Return the columns that fit, by rank. A wider form of a column takes the place of the narrower one."""
    chosen: list[Column] = []
    for column in sorted(COLUMNS, key=lambda each: each.rank):
        others = [each for each in chosen if each.heading != column.heading]
        size = sum(_measure(each, shown) + gap for each in (*others, column)) - gap
        if size > room and chosen and column.rank <= NEEDED:
            break
        if size <= room or not chosen:
            chosen = [*others, column]
    return [column for column in COLUMNS if column in chosen]


def _measure(column: Column, shown: Sequence[VariantSummary]) -> int:
    return max(len(column.heading), *(len(column.write(each)[0]) for each in shown))


def _write_name(each: VariantSummary) -> Cell:
    return each.name, STANDING.get(each.standing, "")


def _write_step(each: VariantSummary) -> Cell:
    return f"{format_time(each.step_s.estimate)}{' ?' if each.doubts else ''}", ""


def _write_ratio(each: VariantSummary) -> Cell:
    if each.standing is Standing.FASTEST:
        return "fastest", STANDING[each.standing]
    text = format_number(each.times_fastest.estimate)
    return (f"tie {text}" if each.standing is Standing.TIE else text), STANDING.get(each.standing, "")


def _write_ratio_with_interval(each: VariantSummary) -> Cell:
    if each.standing is Standing.FASTEST:
        return _write_ratio(each)
    text = format_interval(each.times_fastest)
    return (f"tie {text}" if each.standing is Standing.TIE else text), STANDING.get(each.standing, "")


def _write_correctness(each: VariantSummary) -> Cell:
    word, style = CORRECT.get(each.correct or "", ("unchecked", "yellow"))
    return f"{word}{'*' if each.known_failures else ''}", style


def _plain(name: str, write: Callable[[float], str]) -> Callable[[VariantSummary], Cell]:
    return lambda each: (format_or_dash(getattr(each, name), write), "")


def _write_step_interval(each: VariantSummary) -> Cell:
    low, high = each.step_s.low, each.step_s.high
    return ("-" if math.isnan(low) else f"{format_time(low)} - {format_time(high)}"), ""


COLUMNS = (
    Column("variant", 0, _write_name, left=True),
    Column("version", 12, lambda each: (each.version, "")),
    Column("a step", 1, _write_step),
    Column("95 % interval", 11, _write_step_interval),
    Column("ratio", 2, _write_ratio),
    Column("ratio", 7, _write_ratio_with_interval),
    Column("memory", 4, _plain("peak_memory_bytes", format_size)),
    Column("start", 5, _plain("cold_start_s", format_seconds)),
    Column("correct", 3, _write_correctness, left=True),
    Column("code", 6, lambda each: (format_or_dash(each.tokens, format_count), "")),
    Column("test acc.", 8, _plain("test_accuracy", format_share)),
    Column("examples/s", 10, _plain("examples_per_s", format_number)),
    Column("installed", 9, _plain("install_bytes", format_size)),
)
"""The columns in their order; `rank` says which are left out first where there is no room."""
