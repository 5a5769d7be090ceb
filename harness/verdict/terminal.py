"""The verdict on the terminal: one screen, and every number with the name of its record."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common.statistics import Interval
from ..report.terminal.console import print_line, widen
from ..report.text import format_interval, join_words
from .criteria import CRITERIA, SubMeasure
from .readings import Reading
from .scores import NOTHING, Stretch
from .terminal_unscored import RULES, describe_rivals, print_apart, print_unscored
from .verdict import RankedBackend, Reason, Verdict
from .workloads import describe_workloads

FIRST, SECOND = 4, 3
"""How many reasons of each are listed; the rest is one number."""


def print_verdict(console: Console, verdict: Verdict) -> None:
    """Print the answer, the reasons for it and against it, and its sensitivity to the weights."""
    console = widen(console)
    _print_head(console, verdict)
    if verdict.decided:
        _print_answer(console, verdict)
        if len(verdict.ranking) > 1:
            _print_ranking(console, verdict)
        print_apart(console, verdict)
        if len(verdict.ranking) > 1:
            _print_reasons(console, verdict)
            _print_sensitivity(console, verdict)
    else:
        print_line(console, _undecided(verdict), wrap=True)
        print_apart(console, verdict)
    print_unscored(console, verdict)


def _print_head(console: Console, verdict: Verdict) -> None:
    scope = verdict.scope
    print_line(console, f"Scope: {scope}. {scope.describe_limits()}", wrap=True)
    for warning in verdict.report.warnings():
        console.print(Text(warning, "bold red"), highlight=False)
    if verdict.report.step_times and verdict.report.self_test() is None:
        console.print(Text("The timing of this run was not self-tested.", "bold red"), highlight=False)
    given = {**{name: verdict.weights.criteria[name] for name in CRITERIA}, **verdict.weights.nodes}
    required = f" Required: {', '.join(each.word for each in verdict.required)}." if verdict.required else ""
    weights = ", ".join(f"{name} {weight:g}" for name, weight in given.items())
    run = f"Run: {verdict.report.folder}, spec {verdict.report.header['spec_hash']}."
    print_line(console, f"{run} Weights: {weights}.{required}", wrap=True)


def _undecided(verdict: Verdict) -> str:
    if not verdict.candidates:
        return "No verdict: no variant is correct, was timed and meets the requirements."
    return "No verdict: of every candidate something that has a weight is unknown. Their scores are ranges."


def _print_answer(console: Console, verdict: Verdict) -> None:
    print_line(console, "")
    console.print(Text(answer(verdict), "bold"), highlight=False)
    if len(verdict.ranking) == 1:
        print_line(
            console,
            "It is the only candidate, so it was compared with none. The sub-measures of most weight:",
            wrap=True,
        )
        _print_alone(console, verdict)


def _print_alone(console: Console, verdict: Verdict) -> None:
    """Print the readings of the only candidate on the sub-measures of most weight."""
    key = next(key for key in verdict.entries if ":".join(key) == verdict.ranking[0].name)
    parts = verdict.scores.effective(verdict.vector)
    heaviest = sorted(zip(parts, verdict.measures, strict=True), key=lambda pair: -pair[0])[: FIRST + SECOND]
    listing = Table(box=None, pad_edge=False, show_header=False)
    for overflow in ("ignore", "ignore", "fold"):
        listing.add_column(no_wrap=overflow == "ignore", overflow="fold")
    for _, measure in heaviest:
        listing.add_row(f"  {measure.title}", verdict.reading(measure, key).shown.partition(" [")[0], measure.record)
    console.print(listing, highlight=False)


def answer(verdict: Verdict) -> str:
    """Return the verdict in a sentence."""
    first, *others = verdict.ranking
    if len(verdict.tied) > 1:
        second = verdict.tied[1]
        return (
            f"A tie: {join_words([_name(ranked) for ranked in verdict.tied])} are not distinguishable. "
            f"{second.title} is {_write_ratio(second.ratio, 3)} times as good as {first.title}."
        )
    if not others:
        return f"{_name(first)}. {describe_rivals(verdict)}".strip()
    second = others[0]
    if verdict.rivals:
        return f"No winner: {_name(first)} is first of those of which everything is known. {describe_rivals(verdict)}"
    lead = Interval(1 / second.ratio.estimate, 1 / second.ratio.high, 1 / second.ratio.low)
    return f"{_name(first)}: {_write_ratio(lead)} times as good as the second, {_name(second)}."


def _print_ranking(console: Console, verdict: Verdict) -> None:
    listing = Table(box=None, pad_edge=False)
    listing.add_column("", justify="right", no_wrap=True)
    listing.add_column("best variant", no_wrap=True)
    for heading in ("score", *verdict.criteria, "to first", "leads"):
        listing.add_column(heading, justify="right", no_wrap=True)
    shares = {region.owner: region.share for region in verdict.regions}
    for place in verdict.ranking:
        values = (f"{value:.2f}" for value in place.by_criterion.values())
        share = f"{shares[place.name.partition(':')[0]]:.0%}"
        score, ratio = f"{place.score:.2f}", f"{place.ratio.estimate:.2f}"
        listing.add_row(_rank(place, verdict), place.name, score, *values, ratio, share)
    console.print(listing, highlight=False)
    meant = (
        "A score is against fixed references: no other backend's presence moves it. To first: how many times as good "
        "as the first. Leads: the share of all weightings under which it leads."
    )
    print_line(console, meant, wrap=True)


def _rank(place: RankedBackend, verdict: Verdict) -> str:
    equals = [other for other in verdict.ranking if other.rank == place.rank]
    return f"{'=' if len(equals) > 1 else ''}{place.rank}"


def _print_reasons(console: Console, verdict: Verdict) -> None:
    first, second = verdict.ranking[:2]
    reasons = [reason for reason in verdict.reasons if reason.certain]
    listing = Table(box=None, pad_edge=False)
    listing.add_column("for", no_wrap=True)
    listing.add_column(first.title, no_wrap=True)
    listing.add_column(second.title, no_wrap=True)
    listing.add_column("factor", justify="right", no_wrap=True)
    listing.add_column("record", overflow="fold")
    for_first = [reason for reason in reasons if reason.factor > 1]
    for_second = [reason for reason in reversed(reasons) if reason.factor < 1]
    for place, mine, most in ((first, for_first, FIRST), (second, for_second, SECOND)):
        listing.add_row(Text(f"{place.title}", "bold"), "" if mine else "no certain difference")
        for reason in mine[:most]:
            listing.add_row(*_reason(reason))
        if mine[most:]:
            listing.add_row(f"  {len(mine) - most} more", "", "", _times(_product(mine[most:])), "")
    print_line(console, "")
    console.print(listing, highlight=False)
    equal = [reason for reason in verdict.reasons if not reason.certain]
    if equal:
        named = ", ".join(reason.measure.record for reason in equal)
        print_line(console, f"Equal, or not distinguishable: {named}.", wrap=True)


def _reason(reason: Reason) -> tuple[str, ...]:
    return (
        f"  {reason.measure.title}",
        reason.first.shown.partition(" [")[0],
        reason.second.shown.partition(" [")[0],
        _times(reason.factor),
        reason.measure.record,
    )


def _product(reasons: Iterable[Reason]) -> float:
    return math.prod(reason.factor for reason in reasons)


def _print_sensitivity(console: Console, verdict: Verdict) -> None:
    first, second = verdict.ranking[:2]
    print_line(console, "")
    if len({region.owner for region in verdict.regions if region.share > 0}) == 1:
        print_line(console, f"No weights change the leader: {first.title} leads under all of them.", wrap=True)
    else:
        changes = [
            change for name, some in verdict.stretches.items() if (change := _describe_change(verdict, name, some))
        ]
        fixed = [name for name, some in verdict.stretches.items() if len(some) == 1]
        same = " No other single weight changes the leader." if fixed else ""
        print_line(
            console,
            f"If one weight changes, another framework leads: {'; '.join(changes) or 'for no single weight'}.{same}",
            wrap=True,
        )
        _print_map(console, verdict)
    shares = {region.owner: region for region in verdict.regions}
    where = shares[second.name.partition(":")[0]]
    if where.example is None:
        print_line(console, f"{second.title} leads under no weights.", wrap=True)
    else:
        middle = zip(verdict.scores.criteria, where.example or (), strict=False)
        named = ",".join(f"{one}={part:.2g}" for one, part in middle)
        print_line(
            console, f"{second.title} leads under {where.share:.0%} of all weightings, such as {named}.", wrap=True
        )
    _print_single(console, verdict)
    for line in describe_workloads(verdict):
        print_line(console, line, wrap=True)


def _describe_change(verdict: Verdict, name: str, stretches: Sequence[Stretch]) -> str:
    """Return in words the leaders below and above the stretch that contains a criterion's weight."""
    weight = verdict.weights.criteria[name]
    at = next(place for place, stretch in enumerate(stretches) if stretch.low <= weight <= stretch.high)
    parts = []
    if at:
        parts.append(f"below {stretches[at].low:.3g} {verdict.title(stretches[at - 1].owner)}")
    if at < len(stretches) - 1:
        parts.append(f"above {stretches[at].high:.3g} {verdict.title(stretches[at + 1].owner)}")
    return f"{name} (now {weight:g}) {', '.join(parts)}" if parts else ""


def _print_map(console: Console, verdict: Verdict) -> None:
    weight_map = verdict.map
    if weight_map.axes is None:
        return
    letters = _choose_letters(verdict)
    left, right = weight_map.axes
    others = weight_map.others
    row_here, column_here = weight_map.here
    heading = f"{join_words(others)} together" if others else ""
    width = 2 * len(weight_map.rows[0][1])
    said = f"all {left}"
    print_line(console, f"  {said}{'all ' + right:>{width - len(said)}}  {heading}")
    for row, (share, cells) in enumerate(weight_map.rows):
        line = Text("  ")
        for column, (owner, certain) in enumerate(cells):
            letter = letters[owner] if certain else letters[owner].lower()
            here = (row, column) == (row_here, column_here)
            line.append(letter + ("*" if here else " "), "bold reverse" if here else "" if certain else "dim")
        line.append(f"  {share:.0%}" if others else "")
        console.print(line, highlight=False)
    meant = ", ".join(f"{letter} {verdict.title(owner)}" for owner, letter in letters.items())
    print_line(console, f"  {meant}; lower case where the lead is not certain; * marks your weights.", wrap=True)


def _choose_letters(verdict: Verdict) -> dict[str, str]:
    """Return a letter for each backend that leads somewhere on the map: the first of its name that is free."""
    letters: dict[str, str] = {}
    leading = {owner for _, cells in verdict.map.rows for owner, _ in cells}
    for place in verdict.ranking:
        owner = place.name.partition(":")[0]
        if owner in leading:
            wanted = [each for each in f"{place.title}{owner}ABCDEFGHIJKLMNOPQRSTUVWXYZ".upper() if each.isalpha()]
            letters[owner] = next(each for each in wanted if each not in letters.values())
    return letters


def _print_single(console: Console, verdict: Verdict) -> None:
    """Print the single sub-measures that would change the answer, by being left out or by being worse."""
    first, second = verdict.ranking[:2]
    if verdict.left_out:
        by_owner: dict[str, list[str]] = {}
        for record, owner in verdict.left_out.items():
            by_owner.setdefault(owner, []).append(record)
        parts = [f"{verdict.title(owner)} without {join_words(records, 'or')}" for owner, records in by_owner.items()]
        print_line(console, f"Without one sub-measure, another framework leads: {'; '.join(parts)}.", wrap=True)
    else:
        print_line(console, "Leaving out any one sub-measure does not change the leader.", wrap=True)
    if verdict.factors and len(verdict.tied) == 1:
        measure, factor = verdict.factors[0]
        print_line(
            console,
            f"{second.title} draws level if {first.title}'s {measure.title} is "
            f"{factor:.3g} times as bad ({measure.record}); every other amount would have to change more.",
            wrap=True,
        )


# Everything


def print_explained(console: Console, verdict: Verdict) -> None:
    """Print every sub-measure with its weight, and each candidate's value, score and source."""
    console = widen(console)
    _print_head(console, verdict)
    parts = verdict.scores.effective(verdict.vector)
    for measure, part in zip(verdict.measures, parts, strict=True):
        print_line(console, "")
        said = f"{measure.record}: {measure.title}; {part:.1%} of the total weight ({measure.node}); {measure.rule}."
        print_line(console, said, wrap=True)
        listing = Table(box=None, pad_edge=False, show_header=False)
        for overflow in ("ignore", "fold", "ignore", "fold"):
            listing.add_column(no_wrap=overflow == "ignore", overflow="fold")
        for name, reading in _once_a_backend(verdict, measure):
            listing.add_row(
                f"  {name}", reading.shown, f"{measure.reference / reading.cost:.3f}", Text(reading.note, "dim")
            )
        console.print(listing, highlight=False)
    print_line(console, "")
    totals = verdict.scores.totals(verdict.vector)
    for place in sorted(range(len(totals)), key=lambda each: -totals[each]):
        print_line(console, f"{math.exp(totals[place]):.3f}  {':'.join(verdict.entries[place])}")
    meant = (
        "A score is the reference cost divided by the candidate's. The last list is the product of the scores, each "
        "raised to its weight."
    )
    print_line(console, f"{meant} {RULES}", wrap=True)
    print_apart(console, verdict)
    print_unscored(console, verdict)


def _once_a_backend(verdict: Verdict, measure: SubMeasure) -> Iterator[tuple[str, Reading]]:
    """Yield the readings of a backend's variants, or one for all of them where they read the same."""
    for backend, keys in groupby(verdict.entries, key=lambda key: key[0]):
        readings = {":".join(key): verdict.reading(measure, key) for key in keys}
        alike = {(reading.shown, reading.cost) for reading in readings.values()}
        if len(alike) == 1:
            readings = {backend: next(iter(readings.values()))}
        yield from readings.items()


def _name(place: RankedBackend) -> str:
    return f"{place.title} ({place.name})"


def _write_ratio(value: Interval, decimals: int = 2) -> str:
    """Return a ratio with its interval; without it where everything that has a weight was counted."""
    if value.high - value.low < NOTHING:
        return f"{value.estimate:.{decimals}f}"
    return format_interval(value, decimals=decimals)


def _times(factor: float) -> str:
    """Return a factor as one above 1, in favour of whichever of the two it favours."""
    return f"x{max(factor, 1 / factor):.3f}"
