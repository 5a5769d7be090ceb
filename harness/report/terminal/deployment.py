"""Prints the results of `bakeoff deploy`."""

from collections.abc import Sequence
from typing import Protocol

from rich.console import Console

from ...measures.deployment.records import list_labels
from ...measures.deployment.tables import NOT_THE_FRAMEWORK, describe_failures, tabulate_all
from ...records.read import Record
from .console import print_line, print_table


class Deployment(Protocol):
    """What `bakeoff deploy` found."""

    @property
    def records(self) -> list[Record]:
        """All of them."""

    @property
    def self_test(self) -> str:
        """Why the self-test of the timing failed; "" where it passed."""

    @property
    def left_out(self) -> list[str]:
        """What the time limit left out."""

    @property
    def failed_again(self) -> list[str]:
        """A sentence for each export that agreed before, and failed when it was exported again."""


def describe_left_out(labels: Sequence[str]) -> str:
    """Return a sentence about what the time limit left out; "" where that is nothing."""
    return f"Left out, because the time was up: {', '.join(labels)}." if labels else ""


def print_deployment(console: Console, deployed: Deployment) -> None:
    """Print how each path serves, what its export takes, and a line for each surprise."""
    rows = deployed.records
    if deployed.self_test:
        line = f"The self-test of the timing failed: {deployed.self_test}. Do not compare latencies."
        print_line(console, line, wrap=True)
    for table in tabulate_all(rows).values():
        print_table(console, [], table)
        print_line(console, "")
    for sentence in [*describe_failures(rows), *deployed.failed_again, describe_left_out(deployed.left_out)]:
        if sentence:
            print_line(console, sentence, wrap=True)
    if list_labels(rows):
        print_line(console, NOT_THE_FRAMEWORK, wrap=True)
