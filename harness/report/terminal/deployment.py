"""Prints the results of `bakeoff deploy`."""

from collections.abc import Sequence

from rich.console import Console

from ...measures.deployment.tables import (
    NOT_THE_FRAMEWORK,
    describe_failures,
    tabulate_checkpoints,
    tabulate_export,
    tabulate_http,
    tabulate_mistakes,
    tabulate_serving,
)
from ...records.read import Record
from .console import print_line, print_table


def print_deployment(console: Console, rows: Sequence[Record], self_test: str) -> None:
    """Print how each path serves, what its export takes, and a line for each surprise."""
    if self_test:
        print_line(console, f"The self-test of the timing failed: {self_test}. Do not compare latencies.", wrap=True)
    serving = tabulate_serving(rows)
    if len(serving):
        print_table(console, [], serving)
        print_line(console, "")
        print_table(console, [], tabulate_export(rows))
        print_line(console, "")
    for table in (tabulate_http(rows), tabulate_mistakes(rows), tabulate_checkpoints(rows)):
        if len(table):
            print_table(console, [], table)
            print_line(console, "")
    for sentence in describe_failures(rows):
        print_line(console, sentence, wrap=True)
    if len(serving):
        print_line(console, NOT_THE_FRAMEWORK, wrap=True)
