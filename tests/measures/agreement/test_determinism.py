"""Equal bits are equal, and one bit of difference is seen: in a process, between two, and with more threads."""

import re

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
    return determinism.measure(lambda threads: Opened(backend_of(threads)), case, "plain")


def test_numpy_on_one_thread_gives_the_same_bits(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0, 1])
    assert measured(case, lambda threads: Plain) == (True, True, True, {})


def test_a_bit_that_changes_in_one_process_is_detected(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0])
    Drifts.trainings = 0
    found = measured(case, lambda threads: Drifts)
    assert found.twice is False
    assert re.match(r"(losses|\w+/\w+).* by at most \d\.\de-\d+; \d+ of \d+ arrays differ", found.differences["twice"])


def test_a_difference_with_two_threads_alone_is_detected(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0, 1])
    Drifts.trainings = 0
    assert measured(case, lambda threads: Drifts if threads == 2 else Plain)[:3] == (True, True, False)


def test_two_threads_are_not_tried_on_one_core(case, monkeypatch):
    monkeypatch.setattr(determinism, "usable_cores", lambda: [0])
    assert measured(case, lambda threads: Plain).threads is None


def test_in_workers(case, open_session):
    def opened(threads):
        return open_session("plain", folder=NUMPY, threads=threads)

    found = determinism.measure(opened, case, "plain")
    assert found[:2] == (True, True)


def test_a_difference_names_the_array_and_its_size():
    first = {"losses": np.array([1.0, 2.0]), "dense0/kernel": np.array([1.0, 2.0])}
    other = {"losses": np.array([1.0, 2.25]), "dense0/kernel": np.array([1.0, 2.0])}
    assert determinism.find_difference(first, first) == ""
    assert determinism.find_difference(first, other) == (
        "losses from step 2 on by at most 2.5e-01; 1 of 2 arrays differ"
    )
    third = {**first, "dense0/kernel": np.array([1.0, 2.5])}
    assert determinism.find_difference(first, third) == "dense0/kernel by at most 5.0e-01; 1 of 2 arrays differ"
