"""The verdict as people read it: one screen, and every number under the name of its record."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common.statistics import Interval
from ..report.terminal.console import print_line as say
from ..report.terminal.console import widen as wide
from .criteria import CRITERIA, Measure, Reading
from .scores import NOTHING, Stretch
from .verdict import Place, Reason, Verdict

GRAVE = ("UNFINISHED", "CONTROL FAILED", "No control")
"""How remarks on a run begin without which no verdict should be read."""

FIRST, SECOND = 4, 3
"""How many reasons of each are shown; the rest is told in one number."""

RULES = "docs/explanation/verdict.md"

RECORDED_BY = {
    "mistakes/outcome": "no record: bakeoff mistakes --records RUN/mistakes.jsonl",
    "check.csv.gz/determinism": "no record: bakeoff check --records RUN/check.csv.gz",
}
"""What a run does not measure by itself, and the command that puts it into the run's folder."""


def print_verdict(console: Console, verdict: Verdict) -> None:
    """Print the answer, its reasons and the second's, and how little it takes to change it."""
    console = wide(console)
    _print_head(console, verdict)
    if verdict.decided:
        _print_answer(console, verdict)
        if len(verdict.ranking) > 1:
            _print_ranking(console, verdict)
            _print_reasons(console, verdict)
            _print_robustness(console, verdict)
    else:
        say(console, _undecided(verdict), wrap=True)
    _print_rest(console, verdict)


def _print_head(console: Console, verdict: Verdict) -> None:
    header, plan = verdict.report.header, verdict.report.header["plan"]
    for line in verdict.report.remarks():
        if line.startswith(GRAVE):
            console.print(Text(line, "bold red"), highlight=False)
    say(
        console,
        f"{verdict.report.folder}: {header['data']['name']}, spec {header['spec_hash']}, "
        f"{header['spec']['training']['dtype']}, {plan['device']}, {_many(plan['threads'], 'thread')}.",
        wrap=True,
    )
    given = {**{name: verdict.weights.criteria[name] for name in CRITERIA}, **verdict.weights.nodes}
    required = f" Required: {', '.join(each.word for each in verdict.required)}." if verdict.required else ""
    say(console, f"Weights: {', '.join(f'{name} {weight:g}' for name, weight in given.items())}.{required}", wrap=True)


def _undecided(verdict: Verdict) -> str:
    if not verdict.entries:
        return "No verdict: none of them is conforming, timed and meets what is required."
    valued = [name for name, weight in verdict.weights.criteria.items() if weight]
    return f"No verdict: nothing was measured of {', '.join(valued)} that all who are left have."


def _print_answer(console: Console, verdict: Verdict) -> None:
    say(console, "")
    console.print(Text(answer(verdict), "bold"), highlight=False)
    if len(verdict.ranking) == 1:
        say(console, "It is the only one left, and so was held against nothing. What weighs most, of it:", wrap=True)
        _print_alone(console, verdict)


def _print_alone(console: Console, verdict: Verdict) -> None:
    """Print the readings of the only one left that would weigh most against a rival."""
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
            f"A tie: {_listed([_who(place) for place in verdict.tied])} cannot be told apart. "
            f"{second.title} is {_interval(second.ratio, 3)} times as good as {first.title}."
        )
    if not others:
        return f"{_who(first)}."
    second = others[0]
    lead = Interval(1 / second.ratio.estimate, 1 / second.ratio.high, 1 / second.ratio.low)
    return f"{_who(first)}: {_interval(lead)} times as good as the second, {_who(second)}."


def _print_ranking(console: Console, verdict: Verdict) -> None:
    listing = Table(box=None, pad_edge=False)
    listing.add_column("", justify="right", no_wrap=True)
    listing.add_column("best variant", no_wrap=True)
    for heading in ("in all", *verdict.criteria, "leads"):
        listing.add_column(heading, justify="right", no_wrap=True)
    shares = {region.owner: region.share for region in verdict.regions}
    for place in verdict.ranking:
        values = (f"{value:.2f}" for value in place.by_criterion.values())
        share = f"{shares[place.name.partition(':')[0]]:.0%}"
        listing.add_row(_rank(place, verdict), place.name, f"{place.ratio.estimate:.2f}", *values, share)
    console.print(listing, highlight=False)
    meant = "Times as good as the first, in all and by criterion; leads: under that share of all weightings."
    say(console, meant, wrap=True)


def _rank(place: Place, verdict: Verdict) -> str:
    equals = [other for other in verdict.ranking if other.rank == place.rank]
    return f"{'=' if len(equals) > 1 else ''}{place.rank}"


def _print_reasons(console: Console, verdict: Verdict) -> None:
    first, second = verdict.ranking[:2]
    reasons = [reason for reason in verdict.reasons if reason.sure]
    listing = Table(box=None, pad_edge=False)
    listing.add_column("for", no_wrap=True)
    listing.add_column(first.title, no_wrap=True)
    listing.add_column(second.title, no_wrap=True)
    listing.add_column("counts", justify="right", no_wrap=True)
    listing.add_column("record", overflow="fold")
    for_first = [reason for reason in reasons if reason.factor > 1]
    for_second = [reason for reason in reversed(reasons) if reason.factor < 1]
    for place, mine, most in ((first, for_first, FIRST), (second, for_second, SECOND)):
        listing.add_row(Text(f"{place.title}", "bold"), "" if mine else "nothing that is sure")
        for reason in mine[:most]:
            listing.add_row(*_reason(reason))
        if mine[most:]:
            listing.add_row(f"  {len(mine) - most} more", "", "", _times(_product(mine[most:])), "")
    say(console, "")
    console.print(listing, highlight=False)
    equal = [reason for reason in verdict.reasons if not reason.sure]
    if equal:
        named = ", ".join(reason.measure.record for reason in equal)
        say(console, f"Equal, or not to be told apart: {named}.", wrap=True)


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


def _print_robustness(console: Console, verdict: Verdict) -> None:
    first, second = verdict.ranking[:2]
    say(console, "")
    if len({region.owner for region in verdict.regions if region.share > 0}) == 1:
        say(console, f"No weights change who leads: {first.title} leads under all of them.", wrap=True)
    else:
        changes = [change for name, some in verdict.stretches.items() if (change := _change(verdict, name, some))]
        fixed = [name for name, some in verdict.stretches.items() if len(some) == 1]
        same = f" No weight of {_listed(fixed)} alone changes it." if fixed else ""
        say(console, f"By one weight: {'; '.join(changes) or 'no change'}.{same}", wrap=True)
        _print_map(console, verdict)
    shares = {region.owner: region for region in verdict.regions}
    where = shares[second.name.partition(":")[0]]
    if where.example is None:
        say(console, f"{second.title} leads under no weights at all.", wrap=True)
    else:
        middle = zip(verdict.scores.criteria, where.example or (), strict=False)
        named = ",".join(f"{one}={part:.2g}" for one, part in middle)
        say(console, f"{second.title} leads under {where.share:.0%} of all weightings, such as {named}.", wrap=True)
    _print_single(console, verdict)


def _change(verdict: Verdict, name: str, stretches: Sequence[Stretch]) -> str:
    """Return in words who leads below and above the stretch in which a criterion's weight is."""
    weight = verdict.weights.criteria[name]
    at = next(place for place, stretch in enumerate(stretches) if stretch.low <= weight <= stretch.high)
    parts = []
    if at:
        parts.append(f"below {stretches[at].low:.3g} {verdict.title(stretches[at - 1].owner)}")
    if at < len(stretches) - 1:
        parts.append(f"above {stretches[at].high:.3g} {verdict.title(stretches[at + 1].owner)}")
    return f"{name} (now {weight:g}) {', '.join(parts)}" if parts else ""


def _print_map(console: Console, verdict: Verdict) -> None:
    if verdict.axes is None:
        return
    letters = _letters(verdict)
    left, right = verdict.axes
    others = [one for one in verdict.criteria if one not in verdict.axes]
    row_here, column_here = verdict.here
    heading = f"{_listed(others)} together" if others else ""
    width = 2 * len(verdict.map[0][1])
    said = f"all {left}"
    say(console, f"  {said}{'all ' + right:>{width - len(said)}}  {heading}")
    for row, (share, cells) in enumerate(verdict.map):
        line = Text("  ")
        for column, (owner, sure) in enumerate(cells):
            letter = letters[owner] if sure else letters[owner].lower()
            here = (row, column) == (row_here, column_here)
            line.append(letter + ("*" if here else " "), "bold reverse" if here else "" if sure else "dim")
        line.append(f"  {share:.0%}" if others else "")
        console.print(line, highlight=False)
    meant = ", ".join(f"{letter} {verdict.title(owner)}" for owner, letter in letters.items())
    say(console, f"  {meant}; small where its lead is not sure; * is nearest to the weights given.", wrap=True)


def _letters(verdict: Verdict) -> dict[str, str]:
    """Return a letter for each backend that leads somewhere on the map: the first of its name that is free."""
    letters: dict[str, str] = {}
    leading = {owner for _, cells in verdict.map for owner, _ in cells}
    for place in verdict.ranking:
        owner = place.name.partition(":")[0]
        if owner in leading:
            wanted = [each for each in f"{place.title}{owner}ABCDEFGHIJKLMNOPQRSTUVWXYZ".upper() if each.isalpha()]
            letters[owner] = next(each for each in wanted if each not in letters.values())
    return letters


def _print_single(console: Console, verdict: Verdict) -> None:
    """Print which single measure would change the answer: left out, or by being otherwise."""
    first, second = verdict.ranking[:2]
    if verdict.left_out:
        by_owner: dict[str, list[str]] = {}
        for record, owner in verdict.left_out.items():
            by_owner.setdefault(owner, []).append(record)
        parts = [f"{verdict.title(owner)} without {_listed(records, 'or')}" for owner, records in by_owner.items()]
        say(console, f"By one measure left out: {'; '.join(parts)}.", wrap=True)
    else:
        say(console, "No single measure, left out, changes who leads.", wrap=True)
    if verdict.factors:
        measure, factor = verdict.factors[0]
        say(
            console,
            f"By one measure changed: {second.title} draws level if {first.title}'s {measure.title} is "
            f"{factor:.3g} times as bad ({measure.record}); of any other it takes more.",
            wrap=True,
        )


def _print_rest(console: Console, verdict: Verdict) -> None:
    """Print who and what was not scored, and why."""
    together: dict[str, list[str]] = {}
    for each in verdict.out:
        together.setdefault(each.why, []).append(each.name)
    for why, names in together.items():
        console.print(Text(f"Out: {', '.join(names)}: {why}", "yellow"), highlight=False)
    lacking: dict[str, list[str]] = {}
    for measure, names in verdict.partly.items():
        backends = dict.fromkeys(name.partition(":")[0] for name in names)
        lacking.setdefault(", ".join(backends), []).append(measure.record)
    parts = [f"{', '.join(records)} (unknown for {who})" for who, records in lacking.items()]
    if verdict.unrecorded:
        parts += [f"{record} ({RECORDED_BY.get(record, 'no record')})" for record in verdict.unrecorded]
    if parts and verdict.entries:
        say(console, f"Not counted for anyone: {'; '.join(parts)}. Rules: {RULES}", wrap=True)


# Everything


def print_explained(console: Console, verdict: Verdict) -> None:
    """Print every sub-measure with its weight, and of each candidate its value, its score and where it is from."""
    console = wide(console)
    _print_head(console, verdict)
    parts = verdict.scores.effective(verdict.vector)
    for measure, part in zip(verdict.measures, parts, strict=True):
        say(console, "")
        said = f"{measure.record}: {measure.title}; {part:.1%} of the whole ({measure.node}); {measure.rule}."
        say(console, said, wrap=True)
        best = min(verdict.reading(measure, key).cost for key in verdict.entries)
        listing = Table(box=None, pad_edge=False, show_header=False)
        for overflow in ("ignore", "fold", "ignore", "fold"):
            listing.add_column(no_wrap=overflow == "ignore", overflow="fold")
        for name, reading in _once_a_backend(verdict, measure):
            listing.add_row(f"  {name}", reading.shown, f"{best / reading.cost:.3f}", Text(reading.note, "dim"))
        console.print(listing, highlight=False)
    say(console, "")
    totals = verdict.scores.totals(verdict.vector)
    for place in sorted(range(len(totals)), key=lambda each: -totals[each]):
        say(console, f"{math.exp(totals[place] - totals.max()):.3f}  {':'.join(verdict.entries[place])}")
    meant = (
        "A score is the best cost over one's own; last is their product, each raised to its weight, over the best's."
    )
    say(console, f"{meant} {RULES}", wrap=True)
    _print_rest(console, verdict)


def _once_a_backend(verdict: Verdict, measure: Measure) -> Iterator[tuple[str, Reading]]:
    """Yield the readings of a backend's variants, or one for all of them where they read the same."""
    for backend, keys in groupby(verdict.entries, key=lambda key: key[0]):
        readings = {":".join(key): verdict.reading(measure, key) for key in keys}
        alike = {(reading.shown, reading.cost) for reading in readings.values()}
        if len(alike) == 1:
            readings = {backend: next(iter(readings.values()))}
        yield from readings.items()


def _who(place: Place) -> str:
    return f"{place.title} ({place.name})"


def _interval(value: Interval, places: int = 2) -> str:
    """Return a ratio with its interval; without it where everything that weighs was counted."""
    estimate, low, high = (f"{each:.{places}f}" for each in value)
    return estimate if value.high - value.low < NOTHING else f"{estimate} [{low}, {high}]"


def _times(factor: float) -> str:
    """Return a factor in favour of whomever it favours."""
    return f"x{max(factor, 1 / factor):.3f}"


def _listed(words: Sequence[str], joined: str = "and") -> str:
    return f" {joined} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
