"""The first phase of a run: environments, checks and trainings, two at a time, each as soon as it can begin."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import PriorityQueue

from ..common.futures import as_completed
from ..registry.entries import Entry
from ..workers.launch import JOBS


def qualify(
    chosen: Sequence[tuple[Entry, str]],
    build: Callable[[Entry], bool],
    check_and_train: Callable[[Entry, str], None],
    check_seconds: Callable[[Entry, str], float],
    stop: Callable[[], None],
) -> None:
    """Build every environment, and check and train every variant whose environment `build` could make.

    `check_seconds` estimates how slow a variant is. `stop` ends what builds are under way, where something is raised.
    """
    entries = {entry.label: entry for entry, _ in chosen}
    # Building waits for the network and the disk; variants whose environment exists are checked meanwhile.
    builders, checkers = ThreadPoolExecutor(JOBS), ThreadPoolExecutor(JOBS)
    building = {builders.submit(build, entry): entry for entry in entries.values()}
    checking: list[Future[None]] = []
    waiting: PriorityQueue[tuple[float, int, int, Entry, str]] = PriorityQueue()

    def take_most_urgent() -> None:
        *_, entry, variant = waiting.get_nowait()
        check_and_train(entry, variant)

    try:
        for built in as_completed(building):
            entry = building[built]
            if built.result():
                # The variant whose checks took longest is slowest to train, and goes first. Where that is not known,
                # the variant that the backend declares last goes before those that other backends declare first: the
                # plainest is declared first, takes least to check, and fills the gap that the others leave.
                variants = [variant for each, variant in chosen if each.label == entry.label][::-1]
                for plainness, variant in enumerate(variants):
                    waiting.put((-check_seconds(entry, variant), plainness, len(checking), entry, variant))
                    checking.append(checkers.submit(take_most_urgent))
        for checked in as_completed(checking):
            checked.result()
    except BaseException:
        stop()
        builders.shutdown(wait=False, cancel_futures=True)
        checkers.shutdown(wait=False, cancel_futures=True)
        raise
    builders.shutdown()
    checkers.shutdown()
