"""Equal bits are equal, and one bit of difference is seen: in a process, between two, and with more threads."""

import numpy as np
import pytest
from bakeoff.measures.agreement import determinism
from bakeoff.measures.agreement.cases import cases
from bakeoff.measures.agreement.in_process import InProcess
from bakeoff.portable.reference import Plain
from bakeoff.registry import entries
from bakeoff.workload.networks import DEFAULT

NUMPY = entries.backends_folder() / "numpy_plain"


class Drifts(Plain):
    """Begins each training in its process one bit further off."""

    trainings = 0

    def load(self, arrays):
        super().load(arrays)
        Drifts.trainings += 1
        first = self.arrays["dense0/kernel"][0]
        for _ in range(Drifts.trainings):
            first[0] = np.nextafter(first[0], np.float32(1))


@pytest.fixture
def case():
    return cases([DEFAULT])[0]


class Opened(InProcess):
    """As a Session is opened: for as long as the block lasts."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def measured(case, backend_of):
    return determinism.measure(Opened(backend_of(1)), lambda threads: Opened(backend_of(threads)), case, "plain")


def test_numpy_on_one_thread_gives_the_same_bits(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0, 1])
    assert measured(case, lambda threads: Plain) == (True, True, True)


def test_a_bit_that_changes_in_one_process_is_detected(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0])
    Drifts.trainings = 0
    assert measured(case, lambda threads: Drifts).twice is False


def test_a_difference_with_two_threads_alone_is_detected(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0, 1])
    Drifts.trainings = 0
    assert measured(case, lambda threads: Drifts if threads == 2 else Plain) == (True, True, False)


def test_two_threads_are_not_tried_on_one_core(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0])
    assert measured(case, lambda threads: Plain).threads is None


def test_in_workers(case, open_session):
    def opened(threads):
        return open_session("plain", folder=NUMPY, threads=threads)

    found = determinism.measure(opened(1), opened, case, "plain")
    assert found[:2] == (True, True)
