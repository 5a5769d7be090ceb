"""What people read on the terminal of ease, mistakes and openness."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .console import _many, say, wide

if TYPE_CHECKING:
    from ...measures.openness.facts import Notice, Package, Stated, View


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


# Ease


# Mistakes


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
