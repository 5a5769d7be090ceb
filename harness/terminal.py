"""What people read on the terminal."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from harness import selftest
    from harness.checking import Checked
    from harness.compare import Pair
    from harness.conformance import Outcome
    from harness.doctor import Finding
    from harness.precision import Precision

PAPER = 240
"""Columns where the output is no terminal: whole lines, for a program or a pager."""


def print_report(console: Console, remarks: list[str], rows: "pd.DataFrame") -> None:
    """Print what must be said of a run, and its table: in several parts where the terminal is too narrow for one."""
    for line in remarks:
        _print(console, line)
    if not len(rows):
        _print(console, "Nothing to show.")
        return
    console = _wide(console)
    name, *rest = (str(heading) for heading in rows.columns)
    part: list[str] = []
    for heading in rest:
        if part and _width(_listing(rows[[name, *part, heading]])) > console.width:
            console.print(_listing(rows[[name, *part]]))
            part = []
        part.append(heading)
    console.print(_listing(rows[[name, *part]]))


def _listing(rows: "pd.DataFrame") -> Table:
    listing = Table(box=None, pad_edge=False)
    for heading in rows.columns:
        listing.add_column(heading, no_wrap=True, justify="left" if heading in ("backend", "licence") else "right")
    for _, row in rows.iterrows():
        listing.add_row(*(str(cell) for cell in row))
    return listing


def _width(listing: Table) -> int:
    """Return the columns that the listing takes, however many there are."""
    endless = Console(width=10_000)
    return endless.measure(listing).maximum


def print_matrix(console: Console, found: Mapping[str, "Checked"], unable: Mapping[str, str]) -> None:
    """Print checks and cases by variants, in worst floors; then a sentence on each, and on all that departs."""
    from harness import checking, checks, conformance  # noqa: PLC0415  # NumPy is not needed to say `bakeoff --help`

    matrix = Table(box=None, pad_edge=False)
    matrix.add_column("worst floors", no_wrap=True)
    for name in found:
        matrix.add_column(name.replace(":", "\n"), justify="right")

    def row(heading: str, cells: list[str]) -> None:
        matrix.add_row(heading, *(f"[red]{cell}[/red]" if cell == "FAILS" else cell for cell in cells))

    for check in checks.CHECKS:
        row(check, [conformance.cell([o for o in each.outcomes if o.check == check]) for each in found.values()])
    matrix.add_row()
    cases = dict.fromkeys((o.case, o.dtype, o.gated) for each in found.values() for o in each.outcomes)
    for case, dtype, gated in cases:
        of_case = [[o for o in each.outcomes if (o.case, o.dtype) == (case, dtype)] for each in found.values()]
        cells = [conformance.cell(outcomes, gated_only=gated) for outcomes in of_case]
        row(f"{case} {dtype}{'' if gated else ' (result)'}", cells)
    matrix.add_row()
    answers = {True: "yes", False: "no", None: "-"}
    for field, heading in checking.BITS.items():
        row(heading, [answers[getattr(each.determinism, field, None)] for each in found.values()])
    _wide(console).print(matrix, highlight=False)
    for name, checked in found.items():
        _print(console, "")
        for each, more in _once_a_check(checked.outcomes):
            where = f"{each.check} on {each.case} {each.dtype}{'' if each.gated else ' (a result, not a gate)'}"
            _print(console, f"{each.status}: {where}{f' and {more} more' if more else ''}: {each.reason}")
        raised = next((each.traceback for each in checked.outcomes if each.traceback), "")
        if raised:
            _print(console, raised.rstrip())
        if checked.unmeasured:
            _print(console, checked.unmeasured)
        _print(console, f"{name}: {conformance.in_words(checked.outcomes)}")
    for name, reason in unable.items():
        _print(console, f"{name}: not checked: {reason}")


def _once_a_check(outcomes: "Sequence[Outcome]") -> "list[tuple[Outcome, int]]":
    """Return what did not plainly pass, the first of each check and status, and on how many more cases it was so."""
    first: dict[tuple[str, str, bool], Outcome] = {}
    count: dict[tuple[str, str, bool], int] = {}
    for each in outcomes:
        if each.status != "passes":
            key = (each.check, each.status, each.gated)
            first.setdefault(key, each)
            count[key] = count.get(key, 0) + 1
    return [(each, count[key] - 1) for key, each in first.items()]


def print_selftest(console: Console, report: "selftest.Report") -> None:
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
            judged = heading if one.right else f"[red]NOT SEEN AS: {heading}[/red]"
            listing.add_row(one.what, judged, "", f"{one.floors:,.1f}", "")
    _wide(console).print(listing, highlight=False)
    for line in report.in_words():
        _print(console, line)


def print_backends(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what `bakeoff backends` found."""
    listing = Table(box=None, pad_edge=False)
    for heading in ("backend", "framework", "version", "variants", "licence", "status"):
        listing.add_column(heading, overflow="fold", no_wrap=heading in ("backend", "framework", "version"))
    for row in rows:
        variants = ", ".join(row["variants"])
        listing.add_row(row["environment"], row["framework"], row["version"], variants, row["licence"], row["status"])
    _wide(console).print(listing, highlight=False)
    built = [row for row in rows if row["install_bytes"]]
    if not built:
        return
    listing = Table(box=None, pad_edge=False)
    for heading in ("getting started", "download", "installed", "packages", "install", "needs Python", "wheels for"):
        listing.add_column(heading, no_wrap=heading != "wheels for")
    for row in built:
        wheels = " ".join(row["wheels_for"] or ["unknown"])
        sizes = (_megabytes(row["download_bytes"]), _megabytes(row["install_bytes"]))
        packages, seconds = str(row["packages"]), f"{row['install_s']:.0f} s"
        listing.add_row(row["environment"], *sizes, packages, seconds, row["requires_python"] or "unknown", wheels)
    console.print()
    _wide(console).print(listing, highlight=False)


def _megabytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:,.0f} MB"


def _wide(console: Console) -> Console:
    return console if console.is_terminal else Console(file=console.file, width=PAPER)


def _print(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)


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


def print_findings(console: Console, findings: "Sequence[Finding]", fit: bool) -> None:
    """Print what `bakeoff doctor` found: a line each, its advice below it, and the verdict last."""
    colours = {"unfit": "bold red", "doubtful": "yellow", "fine": "green"}
    verdicts = max(len(finding.verdict) for finding in findings)
    subjects = max(len(finding.subject) for finding in findings)
    for finding in findings:
        verdict = Text(f"{finding.verdict:<{verdicts}}  ", style=colours.get(finding.verdict, "dim"))
        console.print(verdict, end="")
        _print(console, f"{finding.subject:<{subjects}}  {finding.measured}")
        if finding.advice:
            _print(console, f"{'':<{verdicts + subjects + 4}}{finding.advice}")
    named = {each: ", ".join(finding.subject for finding in findings if finding.verdict == each) for each in colours}
    doubts = f", but doubtful: {named['doubtful']}" if named["doubtful"] else ""
    _print(console, f"Fit to measure{doubts}." if fit else f"NOT FIT to measure: {named['unfit']}.")


def print_comparison(console: Console, pair: "Pair") -> None:
    """Print what changed from the baseline to another run, and what else differed between them."""
    _print(console, f"{pair.other.folder} against {pair.baseline.folder}")
    print_report(console, pair.remarks(), pair.readable())
    differences = pair.differences()
    if not differences:
        _print(console, "Nothing else differed.")
        return
    listing = Table(box=None, pad_edge=False)
    for heading in ("what else differed", "in the baseline", "here"):
        listing.add_column(heading, overflow="fold")
    for difference in differences:
        listing.add_row(*(Text(cell) for cell in difference))
    _wide(console).print(listing, highlight=False)
