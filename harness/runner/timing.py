"""The second phase of a run, while nothing else runs: the rounds of timing, and a round at each point of a sweep."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..common import statistics
from ..measures import VOCABULARY
from ..measures.agreement.timed_check import TimedCheck
from ..measures.speed import analysis, figures, rounds, stopping, sweep
from ..measures.speed.contestants import Contestant, Problem
from ..measures.speed.plan import Plan
from ..portable import spec as portable
from ..records import read
from ..records.query import Query
from ..records.store import Run, Task
from ..records.vocabulary import FINISHED, Figure
from ..workers.cores import first_cores
from ..workload import data
from ..workload.data import Splits
from ..workload.spec import Spec

SWEEP_BLOCKS = 48
"""Of the one round at each point of a sweep."""
LEAST_BLOCKS = statistics.LEAST_BLOCKS
"""Of a round, however small the budget."""


def plan_rounds(plan: Mapping[str, Any], blocks: int) -> Plan:
    """Return the plan of the rounds, of so many blocks each, from that of the run."""
    cores = tuple(plan["cores"]) if plan["cores"] is not None else None
    inherit = tuple(plan.get("inherit", ()))
    return Plan(
        plan["rounds"] or 0,
        blocks,
        plan["slice_s"],
        plan["threads"],
        cores,
        plan["device"],
        plan["seed"],
        inherit=inherit,
    )


def list_rounds(run: Run) -> Iterator[int]:
    """Yield the number of each round that is left to do: of those that are planned, or until the plan's precision.

    Where the precision decides, the reason to stop is recorded, so that a resumed run keeps to it.
    """
    plan = run.header["plan"]
    if plan.get("until") is None:
        yield from (number for number in range(1, plan["rounds"] + 1) if not run.finished(f"round {number}"))
        return
    number = 1
    while not run.finished("stop"):
        if not run.finished(f"round {number}"):
            query = Query(read.read_records(run.folder, VOCABULARY))
            ended = query.rows(FINISHED)
            seconds = [float(each) for each in ended.loc[ended["task"].astype(str).str.match(r"round \d+$"), "value"]]
            times = analysis.read_rounds(run.header, query)
            reason = stopping.reason_to_stop(times, seconds, plan["until"], plan["time_limit_s"])
            if reason:
                with run.task("stop") as task:
                    task.add(figures.STOPPED, number - 1, reason=reason)
                return
            yield number
        number += 1


def work_out_blocks(
    plan: Mapping[str, Any],
    contestants: Sequence[Contestant],
    steps: Mapping[tuple[str, str], int],
    paces: Mapping[tuple[str, str], float],
) -> tuple[int, float]:
    """Return the blocks of a round that fit into the time budget, and the seconds that a block takes."""
    keys = [each.backend_variant for each in contestants]
    taken = [steps.get(key, 1) * paces.get(key, plan["slice_s"]) for key in keys]
    block_s = sum(2 * slice_s + rounds.HANDOVER_S for slice_s in taken)  # each slice has a warm-up slice
    return max(LEAST_BLOCKS, int(plan["budget_s"] / plan["rounds"] / block_s)), block_s


def time_point(
    point: sweep.Point,
    splits: Splits,
    contestants: Sequence[Contestant],
    reasons: Mapping[str, str],
    plan: Plan,
    task: Task,
    say: Callable[[str], None],
) -> str:
    """Time a round at one point of a sweep; return the outcome in words.

    `reasons` says by backend why it does not support the network of this point, "" where it does.
    """
    features, classes = splits.features, len(splits.classes)
    labels = {"axis": point.axis, "point": point.value, "operations": point.operations(features, classes)}
    able = [
        each._replace(place=each.place._replace(cores=plan.cores, threads=point.threads), spec=None)
        for each in contestants
        if not reasons[each.backend]
    ]
    for each in contestants:
        if reasons[each.backend]:
            keys = {"backend": each.backend, "variant": each.variant, **labels}
            task.add(figures.SWEEP_UNSUPPORTED, reasons[each.backend], **keys)

    def write(figure: Figure, value: Any, **keys: Any) -> None:
        task.add(figures.SWEEP[figure.name], value, **keys, **labels)

    rounds.run_round(1, able, problem_of(point.spec, splits), plan, write, {}, say)
    return f"{plan.blocks} blocks of {len(able)} workers"


def plan_point(point: sweep.Point, plan: Mapping[str, Any], number: int) -> Plan:
    """Return the plan of the round at the point of this number, from that of the run."""
    cores, seed = first_cores(point.threads), plan["seed"] + number
    return Plan(
        1, SWEEP_BLOCKS, plan["slice_s"], point.threads, cores, plan["device"], seed, measure_peak_and_latency=False
    )


def problem_of(spec: Spec, splits: Splits) -> Problem:
    """Return the training that is timed, of one spec on its data."""
    training = spec.training
    network = spec.portable(splits.features, len(splits.classes))
    arrays = portable.initial_arrays(network, spec.common().network.initial_weights, training.seed)
    x_train = splits.x_train.astype(network.dtype)
    return Problem(
        network,
        arrays,
        x_train,
        splits.y_train,
        data.batch_orders(len(splits.y_train), training.batch_size, 1, training.seed),
        TimedCheck(network, arrays, x_train, splits.y_train),
    )
