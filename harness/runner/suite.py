"""The workloads of a suite: planned before the run, and timed after its own spec, each in rounds of fresh processes.

Environments and checks are shared. Processes are not: a worker that has compiled one network may run the next one by
other code (docs/adr/0029-a-suite-of-workloads.md), and its peak of memory would be that of the largest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..common.errors import InputError
from ..measures.speed import figures, rounds
from ..measures.speed.contestants import Contestant
from ..measures.speed.plan import Plan
from ..measures.training.train import spec_for_backend
from ..records.store import Run, Task
from ..records.vocabulary import Figure
from ..registry.entries import Entry
from ..workers.cores import first_cores
from ..workload import data
from ..workload.data import Splits
from ..workload.spec import Spec
from ..workload.suite import Suite, Workload
from .timing import problem_of

BUDGET_S = 8.0
"""Seconds of slices for each round of a workload, where the user gives no budget for all."""
MOST_BLOCKS = 40


class PlannedWorkload(NamedTuple):
    """A workload with what it needs: its spec and its data."""

    name: str
    about: str
    spec: Spec
    splits: Splits
    threads: int
    measure: str
    rows: int

    def header(self) -> dict[str, Any]:
        """Return what stands of it in run.json."""
        return {
            "name": self.name,
            "about": self.about,
            "spec": self.spec.model_dump(mode="json"),
            "data": describe_splits(self.splits, self.spec.data.source),
            "threads": self.threads,
            "measure": self.measure,
            "rows": self.rows,
        }


def describe_splits(splits: Splits, name: str) -> dict[str, Any]:
    """Return what run.json says of data that were split: `records.header.Data`."""
    rows = {"train": len(splits.y_train), "validation": len(splits.y_validation), "test": len(splits.y_test)}
    return {
        "name": name,
        "hash": splits.hash,
        "rows": rows,
        "features": splits.features,
        "classes": len(splits.classes),
        "notes": list(splits.notes),
        "class_counts": splits.class_counts(),
    }


def plan(suite: Suite, threads: int, usable: int | None = None) -> tuple[list[PlannedWorkload], dict[str, str]]:
    """Return the workloads with their data, and the reasons why others are left out. Raises InputError for bad data.

    `usable`: the cores of the smallest host of a cluster; None for those of this process.
    """
    planned, left_out = [], {}
    for each in suite.workload:
        wanted = each.threads or threads
        cores = first_cores(wanted)
        if usable is not None and usable < wanted:
            left_out[each.name] = f"needs {wanted} cores; a host of the cluster may use {usable}"
        elif usable is None and cores is not None and len(cores) < wanted:
            left_out[each.name] = f"needs {wanted} cores; this process may use {len(cores)}"
        else:
            planned.append(_load(each, wanted))
    return planned, left_out


def _load(each: Workload, threads: int) -> PlannedWorkload:
    try:
        splits = data.split(data.load(each.data, each.training.seed), each.spec)
    except InputError as error:
        raise InputError(f"workload {each.name}: {error}") from None
    return PlannedWorkload(each.name, each.about, each.spec, splits, threads, each.measure, each.rows)


def resume(recorded: Sequence[Mapping[str, Any]], folder: Any) -> list[PlannedWorkload]:
    """Return the workloads of a run that is continued. Raises InputError where their data have changed."""
    planned = []
    for each in recorded:
        spec = Spec.model_validate({**each["spec"]}, strict=False)
        splits = data.split(data.load(spec.data, spec.training.seed), spec)
        if splits.hash != each["data"]["hash"]:
            raise InputError(
                f"{folder}: the data of workload {each['name']} had the hash {each['data']['hash']}, now "
                f"{splits.hash}. Start a new run."
            )
        told = (each["threads"], each["measure"], each["rows"])
        planned.append(PlannedWorkload(each["name"], each["about"], spec, splits, *told))
    return planned


def list_rounds(workloads: Sequence[PlannedWorkload], count: int) -> Iterator[tuple[str, PlannedWorkload, int]]:
    """Yield the name of the task, the workload and the number of each round.

    The rounds of one workload are far apart in time, so that a disturbance seldom meets all of them.
    """
    for number in range(1, count + 1):
        for workload in workloads:
            yield f"workload {workload.name} round {number}", workload, number


def record_support(
    run: Run, workload: PlannedWorkload, contestants: Sequence[Contestant], entries: Sequence[Entry]
) -> list[Contestant]:
    """Return the contestants that support the network of a workload; record once why others do not."""
    network = spec_for_backend(workload.spec, workload.splits)
    reasons = {entry.name: entry.unsupported(network) for entry in entries}
    label = f"workload {workload.name} support"
    if any(reasons.values()) and not run.finished(label):
        with run.task(label) as task:
            for each in contestants:
                if reasons[each.backend] and not each.self_test:
                    keys = {"backend": each.backend, "variant": each.variant, "workload": workload.name}
                    task.add(figures.SUITE_UNSUPPORTED, reasons[each.backend], **keys)
    return [each for each in contestants if not reasons[each.backend]]


def time_round(
    workload: PlannedWorkload,
    number: int,
    contestants: Sequence[Contestant],
    run_plan: Plan,
    known_steps: dict[tuple[str, str], int],
    task: Task,
    say: Callable[[str], None],
) -> str:
    """Time one round of a workload; return the outcome in words."""

    def write(figure: Figure, value: Any, **keys: Any) -> None:
        task.add(figures.SUITE[figure.name], value, **keys, workload=workload.name)

    cores, threads = run_plan.cores, run_plan.threads
    placed = [each._replace(place=each.place._replace(cores=cores, threads=threads), spec=None) for each in contestants]
    rounds.run_round(number, placed, problem_of(workload.spec, workload.splits), run_plan, write, known_steps, say)
    return f"{len(placed)} workers"


def plan_round(workload: PlannedWorkload, position: int, run_plan: Plan, budget_s: float, blocks: int | None) -> Plan:
    """Return the plan of a workload's rounds; `blocks` is their number where an earlier round worked it out."""
    return run_plan._replace(
        blocks=blocks or 0,
        budget_s=None if blocks else budget_s,
        most_blocks=MOST_BLOCKS,
        threads=workload.threads,
        cores=first_cores(workload.threads),
        seed=run_plan.seed + position,
        measure_peak_and_latency=False,
        start_ahead=True,
        predict_rows=workload.rows if workload.measure == "prediction" else 0,
    )


def describe_time_left(round_seconds: Sequence[float], left: int) -> str:
    """Return in words about how long so many rounds take, by those that were taken; "" where none was."""
    if not round_seconds:
        return ""
    seconds = sum(round_seconds) / len(round_seconds) * left
    return f"; about {seconds / 60:.0f} min left" if seconds >= 90 else f"; about {seconds:.0f} s left"
