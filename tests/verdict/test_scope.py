"""The headline of a verdict names what the run measured, and what the verdict is no evidence for."""

import io

import pytest
from bakeoff.records.read import read_header
from bakeoff.verdict.scope import read_scope
from bakeoff.verdict.terminal import print_verdict
from bakeoff.verdict.verdict import Verdict
from bakeoff.verdict.weights import parse_weights
from rich.console import Console

from tests.paths import REFERENCE_RUN


def test_the_first_line_names_network_data_threads_device_and_dtype():
    console = Console(file=io.StringIO(), width=100)
    verdict = Verdict(REFERENCE_RUN, parse_weights("speed=1"))
    print_verdict(console, verdict)
    said = " ".join(console.file.getvalue().split())
    assert said.startswith(
        "Scope: network 64-128-64-10, relu, batch norm, adam (17,610 parameters), data digits (1,079 training rows), "
        "float32, CPU, 1 thread. Not evidence for large models, GPUs, other data or other thread counts."
    )
    assert verdict.as_json()["scope"]["no_evidence_for"][:2] == ["large models", "GPUs"]


@pytest.mark.parametrize(("device", "other"), [("cpu", "GPUs"), ("cuda", "CPUs")])
def test_a_verdict_is_no_evidence_for_another_kind_of_device(device, other):
    header = read_header(REFERENCE_RUN)
    header["plan"]["device"] = device
    assert other in read_scope(header).no_evidence_for


def test_parameters_are_counted_as_the_network_has_them():
    """17,610 = 64*128 + 128*64 + 64*10 weights, 202 biases, and 384 scales and shifts of batch norm."""
    assert read_scope(read_header(REFERENCE_RUN)).parameters == 64 * 128 + 128 * 64 + 64 * 10 + 202 + 384
