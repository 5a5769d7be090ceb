"""Backends on a GPU: all of `--device cuda`, where there is one. Elsewhere each test is skipped, with the reason."""

import os

import pytest
from bakeoff import environments
from bakeoff.common import machine
from bakeoff.common.progress import Board
from bakeoff.measures import VOCABULARY
from bakeoff.measures.agreement import run_checks
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.runner import start
from bakeoff.workload import networks
from bakeoff.workload.spec import parse
from rich.console import Console

from tests.tiers import FULL

pytestmark = [
    pytest.mark.conformance,
    FULL,
    pytest.mark.skipif(not machine.gpus(), reason="no NVIDIA GPU here: NVML finds none"),
]

DEVICE = "cuda"
SUBJECTS = [
    pytest.param(entry, variant, id=f"{entry.name}:{variant}")
    for entry, variant in entries.select(entries.read_all(), os.environ.get("BAKEOFF_BACKENDS"))
    if DEVICE in entry.description.devices
]
SMALL = 'data.source = "synthetic:300x6x3"\nnetwork.hidden = [8]\ntraining = { batch_size = 16, epochs = 2 }'


def board():
    return Board(Console(stderr=True))


@pytest.mark.parametrize(("entry", "variant"), SUBJECTS)
def test_it_is_correct_there_and_its_wait_waits(entry, variant):
    made = {entry.label: environments.build(entry).python}
    found = run_checks.check_backends([(entry, variant)], made, networks.required_networks(), DEVICE, 1, board())
    (checked,) = found.values()
    assert {each.check for each in checked.outcomes} >= {"wait_waits", "updates"}
    assert not [f"{each.check} on {each.case}: {each.reason}" for each in checked.outcomes if each.failed]


@pytest.mark.parametrize(("entry", "variant"), SUBJECTS)
def test_a_run_there_records_the_device_its_memory_and_its_precision(entry, variant, tmp_path):
    request = start.Request(
        spec=parse(SMALL, "small"),
        wanted=f"{entry.name}:{variant}",
        device=DEVICE,
        threads=1,
        quick=True,
        rounds=None,
        blocks=None,
        budget_s=None,
        pythons=(),
        parent=tmp_path,
    )
    work = start.begin(request)
    with work.run:
        work.carry_out(board())
    header, records = work.run.header, read.read_records(work.run.folder, VOCABULARY)
    assert header["plan"]["device"] == DEVICE
    assert header["machine"]["gpus"]
    assert not len(records[records["figure"].eq("failed")])
    assert len(records[records["figure"].eq("slice")]) == 2 * start.QUICK_BLOCKS  # with its self-test
    assert (records.loc[records["figure"].eq("peak_device_memory"), "value"] > 0).all()
    assert records["figure"].eq("peak_device_memory").sum() == 2
    assert not records["figure"].eq("peak_rate").any()  # the CPU's matrix product says nothing about a GPU
    versions = records[records["figure"].eq("version")].set_index("of")["value"]
    assert versions["float32 matrix products"] == "highest"
