"""Workers are started one ahead, on cores of their own, and moved to theirs when they are taken."""

import os
import time
from pathlib import Path

import pytest
from bakeoff.common.machine import usable_cores
from bakeoff.workers import ahead
from bakeoff.workers.ahead import AheadStarter, find_spare_cores
from bakeoff.workers.session import WorkerFailed


def cores_of(session):
    """Return the cores of every thread of a worker."""
    tasks = Path(f"/proc/{session.process.pid}/task").iterdir()
    return {frozenset(os.sched_getaffinity(int(task.name))) for task in tasks}


def as_it_is(number, session):
    return session


@pytest.fixture
def own():
    if len(usable_cores()) < 2 or not Path("/proc/self/task").is_dir():
        pytest.skip("needs two cores, and Linux's /proc")
    return (usable_cores()[0],)


def test_each_worker_runs_on_the_cores_of_its_place_once_it_is_taken(place, own):
    starter = AheadStarter([place("by_variant", cores=own)] * 3, as_it_is)
    sessions = [starter.take(number) for number in range(3)]
    assert [cores_of(each) for each in sessions] == [{frozenset(own)}] * 3
    assert all(each.alive() for each in sessions)
    for each in sessions:
        each.close()
    starter.close()


def test_the_next_worker_imports_elsewhere(place, own):
    starter = AheadStarter([place("by_variant", cores=own)] * 2, as_it_is)
    with starter.take(0):
        waiting, _ = starter._next.result()
        assert all(not cores & set(own) for cores in cores_of(waiting))
        starter.close()
        assert not waiting.alive()


def test_what_begins_ahead_runs_elsewhere_and_is_what_is_taken(place, own):
    ran_on = []

    def begin(number, session):
        ran_on.extend(cores_of(session))
        session.close()
        return number

    starter = AheadStarter([place("by_variant", cores=own)], begin)
    assert starter.take(0) == 0
    assert ran_on
    assert not any(cores & set(own) for cores in ran_on)
    starter.close()


def test_without_other_cores_a_worker_begins_when_it_is_taken(place):
    begun = []
    starter = AheadStarter([place("by_variant")] * 2, lambda number, session: begun.append(number) or session)
    with starter.take(0):
        time.sleep(0.2)
        assert begun == [0]
        starter.take(1).close()
        assert begun == [0, 1]
    starter.close()


def test_a_failure_of_what_begins_ends_the_worker(place):
    seen = []

    def begin(number, session):
        seen.append(session)
        raise WorkerFailed("raised", "on purpose")

    starter = AheadStarter([place("by_variant")], begin)
    with pytest.raises(WorkerFailed, match="on purpose"):
        starter.take(0)
    assert not seen[0].alive()
    starter.close()


def test_a_worker_that_cannot_be_started_fails_when_it_is_taken_and_the_next_one_comes(place):
    starter = AheadStarter([place("at_import"), place("by_variant")], as_it_is)
    with pytest.raises(WorkerFailed, match="raised"):
        starter.take(0)
    with starter.take(1) as session:
        assert session.alive()
    starter.close()


@pytest.mark.parametrize(("usable", "cores", "spare"), [
    ([0, 1], (0,), (1,)),
    ([0, 1], (0, 1), ()),
    ([0, 1, 2], (1, 2), ()),
    ([0, 1, 2, 3], (0, 1), (2, 3)),
    ([0, 1], None, ()),
])  # fmt: skip
def test_spare_cores_are_as_many_others(place, monkeypatch, usable, cores, spare):
    monkeypatch.setattr(ahead, "usable_cores", lambda: usable)
    assert find_spare_cores(place("by_variant", cores=cores)) == spare
