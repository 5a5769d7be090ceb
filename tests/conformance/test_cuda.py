"""Backends on a GPU: `--device cuda`, whole, where there is one. Elsewhere each is skipped, and says why."""

import os

import pytest
from bakeoff import environments
from bakeoff.common import machine
from bakeoff.common.progress import Board
from bakeoff.measures.agreement import run_checks
from bakeoff.records import read
from bakeoff.registry import entries
from bakeoff.runner import start
from bakeoff.workload import networks
from bakeoff.workload.spec import parse
from rich.console import Console

pytestmark = [
    pytest.mark.conformance,
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
def test_it_conforms_there_and_its_wait_waits(entry, variant):
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
        turns=None,
        budget_s=None,
        pythons=(),
        parent=tmp_path,
    )
    work = start.begin(request)
    with work.run:
        work.carry_out(board())
    header, records = work.run.header, read.read_records(work.run.folder)
    assert header["plan"]["device"] == DEVICE
    assert header["machine"]["gpus"]
    assert not len(records[records["measure"].eq("failure")])
    assert len(records[records["quantity"].eq("slice")]) == 2 * start.QUICK_TURNS  # its control, too
    assert (records.loc[records["quantity"].eq("peak device memory"), "value"] > 0).all()
    assert records["quantity"].eq("peak device memory").sum() == 2
    assert not records["quantity"].eq("peak").any()  # the processor's matrix product is no measure of a GPU
    versions = records[records["quantity"].eq("version")].set_index("of")["value"]
    assert versions["float32 matrix products"] == "highest"
