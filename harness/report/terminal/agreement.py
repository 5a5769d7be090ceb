"""Prints the results of `bakeoff check`, `bakeoff selftest` and `bakeoff precision`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...measures.agreement import checks, records, selftest, suite
from ...measures.agreement.precision import Precision
from ...measures.agreement.run_checks import VariantResult
from ...measures.agreement.suite import Outcome
from .console import print_comparison, print_line, print_lines, widen

MATRIX_LEGEND = (
    "Each number is the largest rounding error, in floors: 1 floor is the error of plain NumPy on the same problem. "
    "Up to 16 floors pass, up to 128 lose precision, more fail. A case marked (informative) cannot fail. "
    "docs/explanation/agreement.md"
)
PRECISION_LEGEND = (
    "Rounding error in float32 on the bundled spec, in floors, after 1, 10 and 100 steps and at the end of training. "
    "At the end: median and range over seeds; jumped: seeds that end over 128 floors; error and floor: medians. "
    "docs/explanation/agreement.md"
)
SMALLEST_LEGEND = (
    "The last columns: the smallest wrong value, or share of the bug's effect, that training detects on the required "
    "cases of that dtype. hidden: training shows nothing of it; another check does, or the other dtype."
)
DETERMINISM = {True: "yes", False: "no", None: "-"}


def print_matrix(console: Console, found: Mapping[str, VariantResult], unable: Mapping[str, str]) -> None:
    """Print a table of checks and cases by variants, then a sentence on each result other than a pass."""
    if found:
        widen(console).print(_make_matrix(found), highlight=False)
        print_line(console, MATRIX_LEGEND, wrap=True)
    for name, checked in found.items():
        print_line(console, "")
        _print_outcomes(console, checked)
        print_line(console, f"{name}: {checked.describe()}")
    print_lines(console, (f"{name}: not checked: {reason}" for name, reason in unable.items()))


def _make_matrix(found: Mapping[str, VariantResult]) -> Table:
    """Return the table: a row for each check, each case and each question on determinism, a column for each variant."""
    matrix = Table(box=None, pad_edge=False)
    matrix.add_column("largest rounding error", no_wrap=True)
    for name in found:
        matrix.add_column(name.replace(":", "\n"), justify="right")

    def add_row(heading: str, cells: list[str]) -> None:
        matrix.add_row(heading, *(Text(cell, "red") if cell == "FAILS" else cell for cell in cells))

    outcomes = [outcome for each in found.values() for outcome in each.outcomes]
    for check in (check for check in checks.CHECKS if any(outcome.check == check for outcome in outcomes)):
        add_row(check, [suite.format_cell([o for o in each.outcomes if o.check == check]) for each in found.values()])
    matrix.add_row()
    for case, dtype, required in dict.fromkeys(
        (o.case, o.dtype, o.required) for e in found.values() for o in e.outcomes
    ):
        of_case = [[o for o in each.outcomes if (o.case, o.dtype) == (case, dtype)] for each in found.values()]
        cells = [suite.format_cell(outcomes, required_only=required) for outcomes in of_case]
        add_row(f"{case} {dtype}{'' if required else ' (informative)'}", cells)
    if all(each.partial for each in found.values()):
        return matrix
    matrix.add_row()
    for field, heading in records.BITS.items():
        add_row(heading, [DETERMINISM[getattr(each.determinism, field, None)] for each in found.values()])
    return matrix


def _print_outcomes(console: Console, checked: VariantResult) -> None:
    """Print why each check of a variant did not pass, one traceback, and why determinism was not measured."""
    for each, more in _group_by_check(checked.outcomes):
        where = f"{each.check} on {each.case} {each.dtype}{'' if each.required else ' (informative)'}"
        print_line(console, f"{each.status}: {where}{f' and {more} more' if more else ''}: {each.reason}")
    raised = next((each.traceback for each in checked.outcomes if each.traceback), "")
    if raised:
        print_line(console, raised.rstrip())
    if checked.unmeasured:
        print_line(console, checked.unmeasured)
    for field, difference in checked.determinism.differences.items() if checked.determinism else ():
        print_line(console, f"not deterministic: no {records.BITS[field]}: {difference}")


def _group_by_check(outcomes: Sequence[Outcome]) -> list[tuple[Outcome, int]]:
    """Return the first outcome of each check and status other than a pass, and the number of further cases."""
    first: dict[tuple[str, str, bool], Outcome] = {}
    count: dict[tuple[str, str, bool], int] = {}
    for each in outcomes:
        if each.status != "passes":
            key = (each.check, each.status, each.required)
            first.setdefault(key, each)
            count[key] = count.get(key, 0) + 1
    return [(each, count[key] - 1) for key, each in first.items()]


def print_selftest_comparison(console: Console, report: selftest.SelftestReport) -> None:
    """Print the counts, how many known bugs each check detected, and what was judged otherwise than expected."""
    print_lines(console, report.describe())
    for each in report.mistakes:
        if not each.case:
            print_line(console, f"NOT DETECTED: {each.mistake}")
    for heading, some in (("loses precision", report.lost_precision), ("correct", report.legitimate)):
        for one in some:
            if not one.expected:
                print_line(console, f"NOT JUDGED AS: {heading}: {one.description}")
    counts = Counter(each.check for each in report.mistakes if each.case)
    named = Counter(each.check for each in report.mistakes if each.case and each.named)
    rows = [
        {"check": check, "bugs detected first": str(count), "cause named": str(named[check])}
        for check, count in counts.most_common()
    ]
    import pandas as pd  # noqa: PLC0415  # the checks, printed here too, do without

    print_line(console, "")
    print_comparison(console, pd.DataFrame(rows), "bakeoff selftest --full")


def print_selftest(console: Console, report: selftest.SelftestReport) -> None:
    """Print what the checks found for every known bug and every correct program, and the counts."""
    listing = Table(box=None, pad_edge=False)
    smallest_in = [f"smallest in {dtype}" for dtype in selftest.DTYPES]
    headings = ["program with a known bug", "detected on", "by the check", "floors", "bug named", *smallest_in]
    for heading in headings:
        listing.add_column(heading, overflow="fold", justify="right" if heading == "floors" else "left")
    for each in report.mistakes:
        floors = f"{each.floors:,.0f}" if each.floors else "-"
        named = "yes" if each.named else "-"
        smallest = [each.smallest[dtype].describe() for dtype in selftest.DTYPES]
        detected = each.case or Text("NOT DETECTED", "red")
        listing.add_row(each.mistake, detected, each.check, floors, named, *smallest)
    for heading, some in (("loses precision", report.lost_precision), ("correct", report.legitimate)):
        listing.add_row()
        for one in some:
            judged = heading if one.expected else Text(f"NOT JUDGED AS: {heading}", "red")
            listing.add_row(one.description, judged, "", f"{one.floors:,.1f}", *[""] * 3)
    widen(console).print(listing, highlight=False)
    print_line(console, SMALLEST_LEGEND, wrap=True)
    print_lines(console, report.describe())


def print_precision(console: Console, measured: Mapping[str, Precision], unable: Mapping[str, str]) -> None:
    """Print the rounding error in float32 on the bundled spec, early and at the end of training, a row a variant."""
    listing = Table(box=None, pad_edge=False)
    listing.add_column("floors after steps", no_wrap=True)
    steps = sorted({step for each in measured.values() for step in each.steps})
    for heading in (*map(str, steps), "end [min, max]", "jumped", "error", "floor"):
        listing.add_column(heading, justify="right", no_wrap=True)
    for name, each in measured.items():
        early = (f"{each.steps[step].floors:.1f}" for step in steps)
        end = f"{each.median:.1f} [{min(each.floors):.1f}, {max(each.floors):.1f}]"
        jumped = f"{each.jumped} of {len(each.ends)}"
        error, floor = (median([getattr(seed, field) for seed in each.ends]) for field in ("error", "floor"))
        listing.add_row(name, *early, end, jumped, f"{error:.0e}", f"{floor:.0e}")
    if measured:
        print_line(console, PRECISION_LEGEND, wrap=True)
        widen(console).print(listing, highlight=False)
    print_lines(console, (f"{name}: not measured: {reason}" for name, reason in unable.items()))
