"""The call `set_learning_rate`: after it a backend trains as the oracle does, at the new rate, with its old state."""

import os

import pytest
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import cases, floors
from bakeoff.measures.agreement.case import LOSES_PRECISION, Quantity
from bakeoff.portable.reference import Reference
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.session import Session
from bakeoff.workload import networks
from rich.console import Console

pytestmark = pytest.mark.conformance

ENTRIES = entries.read_all()
SUBJECTS = [
    (entry, variant)
    for entry, variant in entries.select(ENTRIES, os.environ.get("BAKEOFF_BACKENDS") or None)
    if entry.description.default
]
NETWORKS = [networks.Network("stress", "tanh", True, optimiser, "float64") for optimiser in ("momentum", "adam")]


def train_across_a_change(backend, case):
    """Take three steps, three more at a tenth of the rate, and three after `load`, which goes back to the rate."""
    rate = case.spec.learning_rate
    seen = {}
    for part in ("changed", "loaded"):
        backend.load(case.arrays)
        backend.put(case.x, case.y)
        backend.train(case.order[:3])
        if part == "changed":
            backend.set_learning_rate(rate / 10)
            backend.train(case.order[3:6])
        for name, array in backend.dump().items():
            seen[Quantity("update", f"{part} {name}", 6 if part == "changed" else 3)] = array
    return seen


@pytest.mark.parametrize(("entry", "variant"), SUBJECTS, ids=[f"{entry.name}-{variant}" for entry, variant in SUBJECTS])
def test_a_change_of_the_learning_rate_is_that_of_the_oracle(entry, variant):
    made = launch.interpreters_of([(entry, variant)], (), Board(Console(), quiet=True))
    with Session(launch.place_of(entry, variant, made[entry.label])) as session:
        for network in NETWORKS:
            (case,) = cases.cases([network])
            session.build(case.spec, "cpu", variant)
            found = floors.measure(train_across_a_change, session, case, session.conventions)
            worst = max(found, key=lambda each: each.floors)
            assert worst.floors <= LOSES_PRECISION, f"{network.name}: {worst}"


def test_a_backend_that_ignores_the_call_is_found():
    class Deaf(Reference):
        def set_learning_rate(self, learning_rate):
            pass

    (case,) = cases.cases(NETWORKS[:1])
    found = floors.measure(train_across_a_change, Deaf(case.spec), case, {})
    assert max(each.floors for each in found) > 1e6
