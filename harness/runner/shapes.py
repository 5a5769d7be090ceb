"""The cost of new shapes in a run: after the timing, one variant after the other, while nothing else runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.progress import Board
from ..measures.agreement.timed_check import TimedCheck
from ..measures.speed import shapes
from ..measures.speed.contestants import Contestant, Problem
from ..records.store import Run
from .timing import plan_rounds

SHAPES = "new batch sizes"
"""The stage of a run, as its progress names it."""


def measure_new_shapes(
    run: Run,
    contestants: Sequence[Contestant],
    problem: Problem,
    steps: Mapping[tuple[str, str], int],
    board: Board,
) -> None:
    """Measure what new batch sizes cost each variant that is left to do.

    `steps` are those of a slice, by backend and variant.
    """
    plan: dict[str, Any] = run.header["plan"]
    size = shapes.list_sizes(problem.spec.batch_size)[-1]
    check = TimedCheck(problem.spec._replace(batch_size=size), problem.arrays, problem.x, problem.y)
    last = shapes.resize(problem, size, check)
    left = [each for each in contestants if not each.self_test and not run.finished(_name_task(each))]
    board.expect(SHAPES, len(left))
    for each in left:
        name = ":".join(each.backend_variant)
        with board.job(f"{name}: new batch sizes", SHAPES) as job, run.task(_name_task(each)) as task:
            slice_steps = steps.get(each.backend_variant, 1)
            unchecked = problem._replace(check=None)  # its rounds compared it with the oracle
            job.outcome = shapes.measure(each, unchecked, last, plan_rounds(plan, 0), slice_steps, task.add, job.say)


def _name_task(contestant: Contestant) -> str:
    return f"shapes {':'.join(contestant.backend_variant)}"
