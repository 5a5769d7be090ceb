"""What people read on the terminal of ease, mistakes and openness."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.ease.changes import CHANGES
from harness.ease.concepts import ARGUMENTS, RULES
from harness.terminal import PAPER, print_report

if TYPE_CHECKING:
    import pandas as pd

    from harness.ease import Ease, Found
    from harness.ease.changes import Cost
    from harness.ease.explained import Line
    from harness.mistakes import Finding
    from harness.openness import Notice, Package, Stated, View

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

FACTS = {
    "licence_declared": "licence in the metadata",
    "cla_or_dco": "CLA or DCO",
    "releases_24m": "releases in 24 months",
    "authors_window": "months counted",
    "commits_12m": "commits, 12 months",
    "bot_commits_removed_12m": "bots' commits, left out",
    "authors_12m": "authors, 12 months",
    "top_author_share": "by the top author",
    "top_five_share": "by the top five",
    "top_organisation_share": "by the top organisation",
    "top_organisation_share_ever": "by who was ever there",
    "top_email_share": "by the top mail domain",
    "commits_all": "commits, all years",
    "authors_all": "authors, all years",
    "top_author_share_all": "by the top author",
    "top_five_share_all": "by the top five",
    "top_organisation_share_all": "by the top organisation",
}
"""What stands for a fact where its key does not say it."""

PLACES = 4
"""How many lines of a file are named where a concept is found on more."""


def plain(value: Any) -> Any:
    """Return a value as JSON has it: a NamedTuple becomes an object."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: plain(part) for key, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


# Ease


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
        missing = [figure for figure, value in each.figures().items() if value is None]
        if missing:
            say(console, f"{name}: not counted for {each.suffix or 'such files'}: {', '.join(missing)}.")
    concepts = {name: each.concepts for name, each in measured.items()}
    _print_places(console, "concept", [rule.concept for rule in RULES], concepts)
    _print_places(console, "argument for", list(ARGUMENTS), {name: each.arguments for name, each in measured.items()})


WHERE_EASE_IS_EXPLAINED = (
    "Numbers after a backend are lines of its model. What each figure means, and does not: docs/ease.md."
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


# Mistakes


def print_mistakes(
    console: Console,
    findings: Mapping[str, Sequence["Finding"]],
    networks: Mapping[str, str],
    unable: Mapping[str, str],
    messages: bool,
) -> None:
    """Print what became of every mistake in every variant, and the counts; with `messages` all that was said.

    `networks` says of variants that were tried on another network than the default one on which.
    """
    from harness.mistakes import OUTCOMES, outcomes, shares  # noqa: PLC0415  # pandas

    if findings:
        print_report(console, [], outcomes(findings).T.pipe(_first_row_as_heading))
        say(console, "")
        print_report(console, [], shares(findings))
        say(console, "")
        seen = {each.outcome for some in findings.values() for each in some}
        say(
            console,
            "; ".join(f"{word}: {meaning}" for word, meaning in OUTCOMES.items() if word in seen) + ".",
            wrap=True,
        )
        say(console, "Lines of traceback in your files : in the framework's, medians. docs/mistakes.md", wrap=True)
    if messages:
        for name, some in findings.items():
            for each in some:
                _print_message(console, name, each)
    for name, network in networks.items():
        say(console, f"{name}: {network}")
    for name, reason in unable.items():
        say(console, f"{name}: not tried: {reason}")


def _first_row_as_heading(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table turned: a row a variant, a column a mistake."""
    turned = table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1)
    turned.insert(0, "backend", turned.index)
    return turned


def _print_message(console: Console, name: str, finding: "Finding") -> None:
    from harness.mistakes.tables import in_words  # noqa: PLC0415  # pandas

    say(console, "")
    console.print(Text(f"{name}  {finding.mistake}: {finding.outcome}", "bold"), highlight=False, soft_wrap=True)
    if finding.how:
        say(console, f"  {finding.how}")
    text = f"{finding.exception}: {finding.message}".removeprefix(": ") if finding.message else in_words(finding)
    for line in text.splitlines():
        say(console, f"  {line}")


# Openness


def print_openness(console: Console, views: Sequence["View"]) -> None:
    """Print for each backend the facts with their sources, what contradicts them, and the licences installed."""
    console = wide(console)
    for number, view in enumerate(views):
        if number:
            say(console, "")
        console.print(Text(f"{view.title} ({view.backend})", "bold"), highlight=False)
        _print_facts(console, view)
        if view.environment is not None:
            say(console, f"Installed packages: not read, as its environment is {view.environment}")
            continue
        for name, reason in view.unread.items():
            say(console, f"Installed packages of the environment {name}: not read, as it is {reason}")
        _print_installed(console, view)
        for finding in view.findings or ("No contradiction with backend.toml or requirements.txt was found.",):
            style = "yellow" if view.findings else ""
            console.print(Text(f"Finding: {finding}" if view.findings else finding, style), highlight=False)


def _print_facts(console: Console, view: "View") -> None:
    listing = Table(box=None, pad_edge=False)
    listing.add_column("fact", no_wrap=True)
    listing.add_column("value", overflow="fold", ratio=1)
    listing.add_column("as of", overflow="fold", max_width=24 if console.width >= 100 else 11)
    listing.add_column("source", justify="right", no_wrap=True)
    sources = list(dict.fromkeys(fact.source for fact in view.facts))
    for fact in view.facts:
        asof = Text(fact.asof)
        if fact.age:
            asof.append(f" {fact.age}", "yellow")
        listing.add_row(Text(_words(fact.key)), Text(_value(fact)), asof, Text(f"[{_number(fact, sources)}]"))
    console.print(listing, highlight=False)
    if view.unknown:
        say(console, f"Unknown: {', '.join(_words(key) for key in view.unknown)}.", wrap=True)
    listing = Table(box=None, pad_edge=False, show_header=False, style="dim")
    listing.add_column(justify="right", no_wrap=True)
    listing.add_column(overflow="fold")
    for number, source in enumerate(sources, start=1):
        listing.add_row(Text(f"[{number}]"), Text(source))
    console.print(listing, highlight=False)


def _number(fact: "Stated", sources: Sequence[str]) -> int:
    return sources.index(fact.source) + 1


def _words(key: str) -> str:
    return FACTS.get(key, key.replace("_", " "))


def _value(fact: "Stated") -> str:
    """Return a fact in words: the only fractions among them are shares in per cent."""
    return f"{fact.value:.1f} %" if isinstance(fact.value, float) else str(fact.value)


def _print_installed(console: Console, view: "View") -> None:
    say(console, "")
    for package in view.packages:
        if package.name in view.framework:
            _print_package(console, package)
    say(console, "")
    _print_pairs(
        console,
        ("licence", f"of the {len(view.packages)} packages installed"),
        _grouped((each.declared.spdx or each.declared.words, _named(each, view)) for each in view.packages),
    )
    others = list(dict.fromkeys((", ".join(each.undeclared), each.name) for each in view.packages if each.undeclared))
    if others:
        say(console, "")
        _print_pairs(console, ("not declared, and named", "in the licence files of"), _grouped(others))


def _named(package: "Package", view: "View") -> str:
    """Return a package with its version, and its environments where it is not in every one that was read."""
    every = {name for each in view.packages for name in each.environments}
    where = "" if set(package.environments) == every else f" ({', '.join(package.environments)})"
    return f"{package.name} {package.version}{where}"


def _print_pairs(console: Console, headings: tuple[str, str], rows: Iterable[tuple[str, str]]) -> None:
    listing = Table(box=None, pad_edge=False)
    for heading, ratio in zip(headings, (2, 3), strict=True):
        listing.add_column(heading, overflow="fold", ratio=ratio)
    for row in rows:
        listing.add_row(*map(Text, row))
    console.print(listing, highlight=False)


def _grouped(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each first word once, with all the second ones that came with it."""
    for first, some in groupby(sorted(pairs), key=lambda pair: pair[0]):
        yield first, ", ".join(second for _, second in some)


def _print_package(console: Console, package: "Package") -> None:
    """Print what a package declares, and what its licence files say of what it bundles."""
    meant = package.declared.spdx
    declared = package.declared.words + (f" ({meant})" if meant and meant != package.declared.words else "")
    say(console, f"Installed: {package.name} {package.version}, which declares {declared}.", wrap=True)
    files = f"{_many(len(package.notices), 'licence file')}, {_many(len(package.libraries), 'shared library')}"
    counts = ", ".join(f"{name} {times}" for name, times in package.named.items())
    say(console, f"It brings {files}. Recognised in the licence files: {counts or 'nothing'}.", wrap=True)
    parts = [f"{part.name} ({part.licence})" for notice in package.notices for part in notice.components]
    if parts:
        say(console, f"Bundled, as a licence file says: {', '.join(parts)}.", wrap=True)
    for licences, places in _grouped((", ".join(_undeclared(each, package)), _place(each)) for each in package.notices):
        if licences:
            say(console, f"Not declared: {licences}, named in {places}.", wrap=True)


def _undeclared(notice: "Notice", package: "Package") -> list[str]:
    return sorted(notice.named.intersection(package.undeclared))


def _place(notice: "Notice") -> str:
    """Return the folder whose licence it is, or the file where it is that of the whole package."""
    file = notice.path.rpartition("/")[2]
    return notice.of if "/" in notice.of else f"{notice.of}/{file}".strip("/")


def _many(number: int, what: str) -> str:
    several = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else several}"


def wide(console: Console) -> Console:
    """Return the console, with room for whole lines where the output is no terminal."""
    return console if console.is_terminal else Console(file=console.file, width=PAPER)


def say(console: Console, line: str, wrap: bool = False) -> None:
    """Print a line as it stands; `wrap` breaks it between words."""
    console.print(line, highlight=False, soft_wrap=not wrap, markup=False)
