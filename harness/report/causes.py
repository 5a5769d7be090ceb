"""What changed between two runs in words, and the probable cause: what else differs that can have caused it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..common.statistics import Interval

if TYPE_CHECKING:
    from .compare import Change, Pair

LOAD_APART = 0.5
"""A load average of the last minute that differs by more is named: what raised it may have gone on."""
BUSY_CORES = 0.2
"""A difference of the cores that other programs kept busy before the two runs that can be a cause."""
NAMED_CAUSES = 3
"""How many causes a sentence names."""
MACHINE = (
    "machine.processor", "machine.architecture", "machine.hypervisor", "machine.usable_threads", "machine.governor",
    "machine.limit_cores", "machine.microcode", "machine.system", "machine.kernel", "machine.c_library",
    "machine.python",
)  # fmt: skip
"""What can make every variant slower or faster at once, the most telling first."""
OTHER_MACHINE = ("processor ", "architecture ")
PLANNED = ("plan.threads", "plan.device", "plan.cores")


def describe_change(ratio: Interval) -> str:
    """Return a ratio of step times in words: `43 % less time [41, 45]`; both bounds are per cent of the baseline."""
    if not ratio.excludes(1):
        low, high = (round(100 * (bound - 1), 1) for bound in (ratio.low, ratio.high))
        return f"no clear change [{low:+g} %, {high:+g} %]"
    sign, word = (-1, "less") if ratio.estimate < 1 else (1, "more")
    percents = sorted(sign * 100 * (bound - 1) for bound in (ratio.low, ratio.high))
    # As many decimals as it takes for the nearer bound to differ from 0.
    decimals = 0 if percents[0] >= 1 else 1 if percents[0] >= 0.05 else 2
    least, most = (f"{each:.{decimals}f}" for each in percents)
    return f"{sign * 100 * (ratio.estimate - 1):.{decimals}f} % {word} time [{least}, {most}]"


def describe_changes(pair: "Pair") -> Iterator[str]:
    """Yield a sentence on the variants that changed, by probable cause; none on those that did not."""
    by_cause: dict[str, list[str]] = {}
    for change in pair.changes:
        if change.ratio is not None and change.ratio.excludes(1):
            by_cause.setdefault(_explain(pair, change), []).append(f"{change.name}: {describe_change(change.ratio)}")
    for cause, sentences in by_cause.items():
        yield f"{'; '.join(sentences)}. {cause}"


def _explain(pair: "Pair", change: "Change") -> str:
    """Return the probable cause of the change of a variant, from what is recorded to differ."""
    own = list(_list_own(pair, change))
    # Times relative to another variant of the same run do not have what affects all.
    shared = [] if pair.relative_to else list(_list_shared(pair))
    # Another processor explains more than anything of one variant; what is a variant's own comes before the rest.
    causes = sorted([*own, *shared], key=lambda cause: not (cause in shared and cause.startswith(OTHER_MACHINE)))
    if not causes:
        return (
            "No cause is recorded: versions, machine, kernel and load are alike. Repeat both runs in turn to see "
            "whether it stays."
        )
    more = f" and {len(causes) - NAMED_CAUSES} more, below" if len(causes) > NAMED_CAUSES else ""
    return f"Probable cause: {', '.join(causes[:NAMED_CAUSES])}{more}."


def _list_own(pair: "Pair", change: "Change") -> Iterator[str]:
    """Yield what differs of the variant alone: its version, its files, the kernels and packages that it uses."""
    backend = f"backends.{change.key[0]}."
    for what, before, after in pair.differences():
        if what == f"{backend}version":
            yield f"version {before} -> {after}"
        elif what == f"{backend}source":
            yield "the backend's files changed"
        elif what.startswith(backend):
            yield f"{what.removeprefix(backend).removeprefix('uses ')} {before} -> {after}"
        elif what.startswith((f"kernels.{change.name}.", f"variables.{change.name}.")):
            yield f"{what.split('.', 2)[-1].removeprefix('variant ')} {before} -> {after}"


def _list_shared(pair: "Pair") -> Iterator[str]:
    """Yield what differs for every variant: the plan, the machine, its kernel, and its load before the runs."""
    found = {what: (before, after) for what, before, after in pair.differences()}
    for what in (*PLANNED, *MACHINE):
        if what in found:
            before, after = found[what]
            yield f"{what.partition('.')[2].replace('_', ' ')} {before} -> {after}"
    busy = [report.header["machine"].get("facts", {}).get("others_cores") for report in (pair.baseline, pair.other)]
    if all(isinstance(each, int | float) for each in busy) and abs(busy[1] - busy[0]) > BUSY_CORES:
        yield f"background load {busy[0]:.1f} -> {busy[1]:.1f} cores"
    loads = [report.header["machine"].get("load_before") for report in (pair.baseline, pair.other)]
    if all(loads) and abs(loads[1][0] - loads[0][0]) > LOAD_APART:
        yield f"load average before the run {loads[0][0]:.1f} -> {loads[1][0]:.1f}"
