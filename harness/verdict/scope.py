"""The scope of a verdict: network, data, threads, device and dtype of its run, and what the run says nothing about."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..report.text import count_things, join_words

LARGE = 10_000_000
"""The parameters from which on a network counts as large here: a step is then arithmetic, and no longer overhead."""


class Scope(NamedTuple):
    """What a run measured, for people and for programs."""

    network: str
    parameters: int
    data: str
    dtype: str
    device: str
    threads: int
    workloads: tuple[str, ...] = ()
    """Of the suite; empty where the run has one workload."""

    def __str__(self) -> str:
        """Return what was measured, as a phrase."""
        return (
            f"{self.network} ({self.parameters:,} parameters), data {self.data}, {self.dtype}, {self.device}, "
            f"{count_things(self.threads, 'thread')}{self._describe_suite()}"
        )

    def _describe_suite(self) -> str:
        if not self.workloads:
            return ""
        return f"; speed over {len(self.workloads)} workloads: {join_words(self.workloads)}"

    @property
    def no_evidence_for(self) -> list[str]:
        """The circumstances that the run says nothing about."""
        other = ["CPUs" if self.device != "CPU" else "GPUs"]
        large = ["large models"] if self.parameters < LARGE else ["small models"]
        more = ["other workloads"] if self.workloads else ["other data", "other thread counts"]
        return [*large, *other, *more]

    def describe_limits(self) -> str:
        """Return the sentence that names what the verdict is no evidence for."""
        return f"Not evidence for {join_words(self.no_evidence_for, 'or')}."


def read_scope(header: Mapping[str, Any]) -> Scope:
    """Return the scope of the run that `header` (run.json) describes."""
    network, data, plan = header["spec"]["network"], header["data"], header["plan"]
    sizes = [data["features"], *network["hidden"], data["classes"]]
    weights = sum(before * after for before, after in itertools.pairwise(sizes))
    biases = sum(sizes[1:])
    scales = 2 * sum(network["hidden"]) if network["batch_norm"] else 0
    layers = f"network {'-'.join(str(size) for size in sizes)}, {network['activation']}"
    named = f"{layers}{', batch norm' if network['batch_norm'] else ''}, {header['spec']['optimiser']['name']}"
    return Scope(
        network=named,
        parameters=weights + biases + scales,
        data=f"{data['name']} ({data['rows']['train']:,} training rows)",
        dtype=header["spec"]["training"]["dtype"],
        device=plan["device"].upper() if plan["device"] == "cpu" else plan["device"],
        threads=plan["threads"],
        workloads=tuple(each["name"] for each in (header.get("suite") or {}).get("workloads", ())),
    )
