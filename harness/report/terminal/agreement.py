"""TODO: report.terminal.agreement."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from .console import _print, _wide

if TYPE_CHECKING:
    from ...measures.agreement import selftest
    from ...measures.agreement.precision import Precision
    from ...measures.agreement.run_checks import VariantResult
    from ...measures.agreement.suite import Outcome


def print_matrix(console: Console, found: Mapping[str, "VariantResult"], unable: Mapping[str, str]) -> None:
    """Print checks and cases by variants, in worst floors; then a sentence on each, and on all that departs."""
    # NumPy is not needed to say `bakeoff --help`.
    from ...measures.agreement import checks, records, suite  # noqa: PLC0415

    matrix = Table(box=None, pad_edge=False)
    matrix.add_column("worst floors", no_wrap=True)
    for name in found:
        matrix.add_column(name.replace(":", "\n"), justify="right")

    def row(heading: str, cells: list[str]) -> None:
        matrix.add_row(heading, *(f"[red]{cell}[/red]" if cell == "FAILS" else cell for cell in cells))

    for check in checks.CHECKS:
        row(check, [suite.format_cell([o for o in each.outcomes if o.check == check]) for each in found.values()])
    matrix.add_row()
    cases = dict.fromkeys((o.case, o.dtype, o.required) for each in found.values() for o in each.outcomes)
    for case, dtype, required in cases:
        of_case = [[o for o in each.outcomes if (o.case, o.dtype) == (case, dtype)] for each in found.values()]
        cells = [suite.format_cell(outcomes, required_only=required) for outcomes in of_case]
        row(f"{case} {dtype}{'' if required else ' (result)'}", cells)
    matrix.add_row()
    answers = {True: "yes", False: "no", None: "-"}
    for field, heading in records.BITS.items():
        row(heading, [answers[getattr(each.determinism, field, None)] for each in found.values()])
    _wide(console).print(matrix, highlight=False)
    for name, checked in found.items():
        _print(console, "")
        for each, more in _once_a_check(checked.outcomes):
            where = f"{each.check} on {each.case} {each.dtype}{'' if each.required else ' (a result, not a gate)'}"
            _print(console, f"{each.status}: {where}{f' and {more} more' if more else ''}: {each.reason}")
        raised = next((each.traceback for each in checked.outcomes if each.traceback), "")
        if raised:
            _print(console, raised.rstrip())
        if checked.unmeasured:
            _print(console, checked.unmeasured)
        _print(console, f"{name}: {suite.describe_outcomes(checked.outcomes)}")
    for name, reason in unable.items():
        _print(console, f"{name}: not checked: {reason}")


def _once_a_check(outcomes: "Sequence[Outcome]") -> "list[tuple[Outcome, int]]":
    """Return what did not plainly pass, the first of each check and status, and on how many more cases it was so."""
    first: dict[tuple[str, str, bool], Outcome] = {}
    count: dict[tuple[str, str, bool], int] = {}
    for each in outcomes:
        if each.status != "passes":
            key = (each.check, each.status, each.required)
            first.setdefault(key, each)
            count[key] = count.get(key, 0) + 1
    return [(each, count[key] - 1) for key, each in first.items()]


def print_selftest(console: Console, report: "selftest.SelftestReport") -> None:
    """Print what became of every mutant, and the three counts."""
    listing = Table(box=None, pad_edge=False)
    for heading in ("mistake", "caught on", "by", "floors", "named"):
        listing.add_column(heading, overflow="fold", justify="right" if heading == "floors" else "left")
    for each in report.mistakes:
        floors = f"{each.floors:,.0f}" if each.floors else "-"
        named = "yes" if each.named else "-"
        listing.add_row(each.mistake, each.case or "[red]NOT CAUGHT[/red]", each.check, floors, named)
    for heading, some in (("loses precision", report.lost_precision), ("legitimate", report.legitimate)):
        listing.add_row()
        for one in some:
            judged = heading if one.expected else f"[red]NOT SEEN AS: {heading}[/red]"
            listing.add_row(one.description, judged, "", f"{one.floors:,.1f}", "")
    _wide(console).print(listing, highlight=False)
    for line in report.describe():
        _print(console, line)


def print_precision(console: Console, measured: Mapping[str, "Precision"], unable: Mapping[str, str]) -> None:
    """Print the floors in float32 on the default spec, early and at the end of training, one row a variant."""
    listing = Table(box=None, pad_edge=False)
    listing.add_column("floors", no_wrap=True)
    steps = sorted({step for each in measured.values() for step in each.steps})
    for heading in (*map(str, steps), "the end \\[min, max]", "jumped", "error", "floor"):
        listing.add_column(heading, justify="right", no_wrap=True)
    for name, each in measured.items():
        early = (f"{each.steps[step].floors:.1f}" for step in steps)
        end = f"{each.median:.1f} [{min(each.floors):.1f}, {max(each.floors):.1f}]"
        jumped = f"{each.jumped} of {len(each.ends)}"
        error, floor = (median([getattr(seed, field) for seed in each.ends]) for field in ("error", "floor"))
        listing.add_row(name, *early, end, jumped, f"{error:.0e}", f"{floor:.0e}")
    if measured:
        _print(console, "float32 on the default spec, in floors after so many steps; at the end, medians over seeds")
        _wide(console).print(listing, highlight=False)
    for name, reason in unable.items():
        _print(console, f"{name}: not measured: {reason}")
