"""The plan of rounds of timing: what is fixed before the first slice."""

from typing import NamedTuple


class Plan(NamedTuple):
    """What is fixed before the first slice is taken."""

    rounds: int
    blocks: int
    slice_s: float
    threads: int
    cores: tuple[int, ...] | None
    device: str
    seed: int
    """Of the random orders: that in which workers start, and that of every block."""
    predict_rows: int = 0
    """The rows of a prediction, where blocks of predictions are timed in place of slices of training; else 0."""
    budget_s: float | None = None
    """Seconds of blocks: a round takes as many as fit into it, `most_blocks` at most; None where `blocks` decides."""
    most_blocks: int = 40
    measure_peak_and_latency: bool = True
    """Whether to measure the machine's matrix product and the latency of predictions, too."""
    start_ahead: bool = False
    """Whether a worker imports and compiles on another core while the one before warms up: its start does not count."""
    inherit: tuple[str, ...] = ()
    """The names of the variables that the user passes on: the matrix product is measured under them, too."""
