"""Prints the facts that `bakeoff openness` shows."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...measures.openness.facts import Notice, Package, Stated, View
from .console import format_count, print_comparison, print_line, widen

CELL = 22
"""Characters of a fact in the comparison."""
FACTS = {
    "licence_declared": "licence in the metadata",
    "cla_or_dco": "CLA or DCO",
    "releases_24m": "releases in 24 months",
    "authors_window": "months counted",
    "commits_12m": "commits, 12 months",
    "bot_commits_removed_12m": "commits by bots, not counted",
    "authors_12m": "authors, 12 months",
    "top_author_share": "by the top author",
    "top_five_share": "by the top five",
    "top_organisation_share": "by the top organisation",
    "top_organisation_share_ever": "by members, past or present",
    "top_email_share": "by the top mail domain",
    "commits_all": "commits, all years",
    "authors_all": "authors, all years",
    "top_author_share_all": "by the top author",
    "top_five_share_all": "by the top five",
    "top_organisation_share_all": "by the top organisation",
}
"""The headings of facts whose keys do not read as a heading."""


COMPARED = {
    "licence": "licence",
    "last_release_date": "last release",
    "releases_24m": "releases/24 m",
    "authors_12m": "authors/12 m",
    "top_organisation_share": "top organisation",
    "status": "status",
}
"""The facts of a comparison, with their headings."""


def print_openness_comparison(console: Console, views: Sequence[View]) -> None:
    """Print a row for each backend with the facts that differ most, and the findings."""
    rows = []
    for view in views:
        facts = {fact.key: fact for fact in view.facts}
        cells = {heading: _shorten(facts.get(key)) for key, heading in COMPARED.items()}
        stale = sum(bool(fact.age) for fact in view.facts)
        rows.append({"backend": view.backend, **cells, "stale facts": str(stale), "findings": str(len(view.findings))})
    print_comparison(console, pd.DataFrame(rows), "bakeoff openness --full, or bakeoff openness NAME")
    for view in views:
        for finding in view.findings:
            print_line(console, f"Finding: {view.backend}: {finding}")


def _shorten(fact: Stated | None) -> str:
    """Return a fact as a cell: its first words; a dash where it is unknown."""
    if fact is None:
        return "-"
    words = _format_value(fact)
    return words if len(words) <= CELL else f"{words[: CELL - 3].rstrip()}..."


def print_openness(console: Console, views: Sequence[View]) -> None:
    """Print for each backend the facts with their sources, contradictions, and the licences installed."""
    console = widen(console)
    for number, view in enumerate(views):
        if number:
            print_line(console, "")
        console.print(Text(f"{view.title} ({view.backend})", "bold"), highlight=False)
        _print_facts(console, view)
        if view.environment is not None:
            print_line(console, f"Installed packages: not read, because the environment is {view.environment}")
            continue
        for name, reason in view.unread.items():
            print_line(console, f"Installed packages of the environment {name}: not read, because it is {reason}")
        _print_installed(console, view)
        for finding in view.findings or ("No contradiction with backend.toml or requirements.txt was found.",):
            style = "yellow" if view.findings else ""
            console.print(Text(f"Finding: {finding}" if view.findings else finding, style), highlight=False)


def _print_facts(console: Console, view: View) -> None:
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
        listing.add_row(
            Text(_name_fact(fact.key)), Text(_format_value(fact)), asof, Text(f"[{_number_source(fact, sources)}]")
        )
    console.print(listing, highlight=False)
    if view.unknown:
        print_line(console, f"Unknown: {', '.join(_name_fact(key) for key in view.unknown)}.", wrap=True)
    listing = Table(box=None, pad_edge=False, show_header=False, style="dim")
    listing.add_column(justify="right", no_wrap=True)
    listing.add_column(overflow="fold")
    for number, source in enumerate(sources, start=1):
        listing.add_row(Text(f"[{number}]"), Text(source))
    console.print(listing, highlight=False)


def _number_source(fact: Stated, sources: Sequence[str]) -> int:
    return sources.index(fact.source) + 1


def _name_fact(key: str) -> str:
    return FACTS.get(key, key.replace("_", " "))


def _format_value(fact: Stated) -> str:
    """Return the value of a fact as text. Every float among the facts is a percentage."""
    return f"{fact.value:.1f} %" if isinstance(fact.value, float) else str(fact.value)


def _print_installed(console: Console, view: View) -> None:
    print_line(console, "")
    for package in view.packages:
        if package.name in view.framework:
            _print_package(console, package)
    print_line(console, "")
    _print_pairs(
        console,
        ("licence", f"of the {len(view.packages)} packages installed"),
        _group_pairs((each.declared.spdx or each.declared.words, _name_package(each, view)) for each in view.packages),
    )
    others = list(dict.fromkeys((", ".join(each.undeclared), each.name) for each in view.packages if each.undeclared))
    if others:
        print_line(console, "")
        _print_pairs(console, ("licence not declared, but named", "in the licence files of"), _group_pairs(others))


def _name_package(package: Package, view: View) -> str:
    """Return a package with its version, and its environments unless every environment that was read has it."""
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


def _group_pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each first element once, with all the second elements of its pairs."""
    for first, some in groupby(sorted(pairs), key=lambda pair: pair[0]):
        yield first, ", ".join(second for _, second in some)


def _print_package(console: Console, package: Package) -> None:
    """Print the licence a package declares, and the licences of bundled parts that its licence files name."""
    meant = package.declared.spdx
    declared = package.declared.words + (f" ({meant})" if meant and meant != package.declared.words else "")
    print_line(console, f"Installed: {package.name} {package.version}, which declares {declared}.", wrap=True)
    files = format_count(len(package.notices), "licence file")
    libraries = format_count(len(package.libraries), "shared library")
    counts = ", ".join(f"{name} {times}" for name, times in package.named.items())
    print_line(console, f"It contains {files} and {libraries}. Licences named: {counts or 'none'}.", wrap=True)
    parts = [f"{part.name} ({part.licence})" for notice in package.notices for part in notice.components]
    if parts:
        print_line(console, f"Bundled, according to a licence file: {', '.join(parts)}.", wrap=True)
    for licences, places in _group_pairs(
        (", ".join(_list_undeclared(each, package)), _locate_notice(each)) for each in package.notices
    ):
        if licences:
            print_line(console, f"Not declared: {licences}, named in {places}.", wrap=True)


def _list_undeclared(notice: Notice, package: Package) -> list[str]:
    return sorted(notice.named.intersection(package.undeclared))


def _locate_notice(notice: Notice) -> str:
    """Return the folder that a licence file applies to, or the file itself if it applies to the whole package."""
    file = notice.path.rpartition("/")[2]
    return notice.of if "/" in notice.of else f"{notice.of}/{file}".strip("/")
