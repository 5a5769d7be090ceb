"""The tables of a loaded run: each declared once, with the units and meanings of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from ...measures.agreement.figures import CHECK, FLOORS
from ...measures.deployment import figures as deployment
from ...measures.ease import figures as ease
from ...measures.speed import figures as speed
from ...measures.training import figures as training
from ...records.vocabulary import Figure
from ..report import Report
from ..tables.speed import StepTimes

Columns = Mapping[str, tuple[str, str]]
"""By name of the column: its unit, "" where it has none, and its meaning."""

WHO: Columns = {"backend": ("", "backend"), "variant": ("", "variant of the backend")}
CASE: Columns = {
    "check": ("", "check"),
    "case": ("", "network and optimiser"),
    "dtype": ("", "float32 or float64"),
    "required": ("", "whether a failure makes the variant incorrect"),
}
VALUE: Columns = {"value": ("", "value"), "unit": ("", "unit of the value")}
ENVIRONMENT = (
    deployment.INSTALL_TIME,
    deployment.INSTALL_SIZE,
    deployment.DOWNLOAD_SIZE,
    deployment.PACKAGES,
    deployment.REQUIRES_PYTHON,
)


@dataclass(frozen=True)
class Frame:
    """A table of a loaded run."""

    name: str
    meaning: str
    """What one row is, in a sentence."""
    columns: Columns
    read: Callable[[Report], pd.DataFrame]

    def make(self, report: Report) -> pd.DataFrame:
        """Return the table, with exactly the declared columns; their units stand in `attrs["units"]`."""
        table = self.read(report).reindex(columns=list(self.columns)).reset_index(drop=True)
        table.attrs["units"] = {name: unit for name, (unit, _) in self.columns.items() if unit}
        return table


def _read_summary(report: Report) -> pd.DataFrame:
    return report.summary()


def _read_speed(report: Report) -> pd.DataFrame:
    table = report.speed()
    if not len(table):
        return table
    names = table["backend"].str.partition(":")
    return table.assign(backend=names[0], variant=names[2])


def _read_ratios(report: Report) -> pd.DataFrame:
    times: StepTimes = report.step_times
    rows = [
        {
            **dict(zip(("backend", "variant", "other_backend", "other_variant"), (*mine, *other), strict=True)),
            **dict(zip(("ratio", "ratio_low", "ratio_high"), times.ratio(mine, other), strict=True)),
        }
        for mine in times.variants
        for other in times.variants
    ]
    return pd.DataFrame(rows)


def _read_latency(report: Report) -> pd.DataFrame:
    found = report.query.rows(speed.LATENCY, self_test=False)
    return found.rename(columns={"value": "latency_s"})


def _read_agreement(report: Report) -> pd.DataFrame:
    return report.query.rows(FLOORS).rename(columns={"value": "floors"})


def _read_checks(report: Report) -> pd.DataFrame:
    return report.query.rows(CHECK).rename(columns={"value": "status"})


def _read_training(report: Report) -> pd.DataFrame:
    """Return one row an epoch: what was recorded of it under three figures stands side by side."""
    where = ["backend", "variant", "epoch"]
    values = {
        "loss": training.LOSS,
        "validation_accuracy": training.VALIDATION_ACCURACY,
        "epoch_time_s": training.EPOCH_TIME,
    }
    parts = [
        report.query.rows(figure).drop_duplicates(where, keep="last").set_index(where)["value"].rename(name)
        for name, figure in values.items()
    ]
    return pd.concat(parts, axis=1).reset_index()


def _read_figures(report: Report, figures: tuple[Figure, ...]) -> pd.DataFrame:
    return pd.concat([report.query.rows(figure) for figure in figures])


def _with_interval(name: str, unit: str, meaning: str) -> Columns:
    """Return the columns of an estimate and of the bounds of its interval."""
    bounds = (unit, "bounds of its 95 % interval")
    return {name: (unit, meaning), f"{name}_low": bounds, f"{name}_high": bounds}


FRAMES = (
    Frame(
        "summary",
        "One row for each variant: a few values from every measure.",
        {
            **WHO,
            "version": ("", "version of the framework"),
            "correct": ("", "`yes`, `reduced precision`, `no`; missing where it was not checked"),
            "worst_floors": ("floors", "worst rounding error of the required checks"),
            "known_failures": ("", "declared failures with their reasons"),
            "validation_accuracy": ("1", "share of validation rows predicted rightly"),
            "test_accuracy": ("1", "share of test rows predicted rightly"),
            "first_call_s": ("s", "first call of `train`, compilation included"),
            **_with_interval("step_s", "s", "median time per training step"),
            **_with_interval("times_fastest", "1", "step time over that of the fastest variant"),
            "examples_per_s": ("1/s", "rows trained per second"),
            "peak_memory_bytes": ("bytes", "largest resident size of the worker"),
            "import_s": ("s", "start of the process to the framework imported"),
            "install_s": ("s", "time to build the environment"),
            "install_bytes": ("bytes", "size of the environment"),
            "tokens": ("tokens", "tokens of the model file"),
            "api_names": ("names", "names of the framework's API that the model file uses"),
            "licence": ("", "SPDX expression of the framework's licence"),
            "failure": ("", "why a variant has no values"),
        },
        _read_summary,
    ),
    Frame(
        "speed",
        "One row for each variant that was timed.",
        {
            **WHO,
            "step_s": ("s", "median time per training step over all slices"),
            "quick_step_s": ("s", "10th percentile of the slices"),
            "slow_step_s": ("s", "90th percentile of the slices"),
            "slices": ("slices", "timed slices"),
            "outliers": ("slices", "slices far from the rest of their worker's round"),
            "steady_since": ("slices", "slices until steady state, the most of the rounds"),
            "never_steady": ("", "whether a worker did not reach steady state"),
            "cores_busy": ("cores", "processor time over wall time"),
            "threads": ("threads", "computing threads, by what reports them"),
            "flops_a_step": ("FLOP", "operations of the step's matrix products"),
            "flop_rate": ("FLOP/s", "these over the step time"),
            "of_peak": ("1", "its share of the rate of NumPy's matrix product"),
            "transfer_s": ("s", "training rows to the device"),
            "device_bytes": ("bytes", "most that the framework held on its device"),
            "epochs_to_target": ("epochs", "epochs until the validation accuracy is 95 %"),
            "time_to_target_s": ("s", "time of their steps"),
        },
        _read_speed,
    ),
    Frame(
        "slices",
        "One row for each timed slice.",
        {
            **WHO,
            "self_test": ("", "whether it is the second copy of the self-tested variant"),
            "round": ("", "round of fresh processes, from 1"),
            "block": ("", "block, in which every variant takes one slice, from 1"),
            "position": ("", "place in the order of the block, from 0"),
            "steps": ("steps", "training steps in the slice"),
            "wall_s": ("s", "wall time"),
            "cpu_s": ("s", "processor time"),
            "step": ("s", "wall time per step"),
            "outlier": ("", "whether it is far from the rest of its worker's round"),
        },
        Report.slices,
    ),
    Frame(
        "ratios",
        "One row for each ordered pair of variants.",
        {
            **WHO,
            "other_backend": ("", "the backend that it is compared with"),
            "other_variant": ("", "its variant"),
            **_with_interval("ratio", "1", "step time over that of the other, from the same blocks"),
        },
        _read_ratios,
    ),
    Frame(
        "latency",
        "One row for each group of calls of `predict`.",
        {
            **WHO,
            "round": ("", "round of fresh processes"),
            "block": ("", "block"),
            "rows": ("rows", "rows in a call"),
            "latency_s": ("s", "median of the calls, from host to host"),
        },
        _read_latency,
    ),
    Frame(
        "agreement",
        "One row for each array that was compared with the reference.",
        {
            **WHO,
            **CASE,
            "phase": ("", "phase of the computation"),
            "array": ("", "array"),
            "step": ("steps", "training steps before it"),
            "floors": ("floors", "its error over its rounding floor"),
            "error": ("", "its error, in the unit of the array"),
            "floor": ("", "rounding error of plain NumPy on the same array"),
        },
        _read_agreement,
    ),
    Frame(
        "checks",
        "One row for each check.",
        {
            **WHO,
            **CASE,
            "status": ("", "`passes`, `loses precision`, `fails`, `known failure` or `unsupported`"),
            "reason": ("", "why it did not pass"),
        },
        _read_checks,
    ),
    Frame(
        "training",
        "One row for each epoch of the full training.",
        {
            **WHO,
            "epoch": ("epochs", "epoch, from 1"),
            "loss": ("nats", "mean training loss of the epoch"),
            "validation_accuracy": ("1", "share of validation rows predicted rightly"),
            "epoch_time_s": ("s", "wall time of the epoch"),
        },
        _read_training,
    ),
    Frame(
        "ease",
        "One row for each figure of a backend's model file.",
        {
            "backend": ("", "backend"),
            "figure": ("", "figure, as in docs/reference/ease.md"),
            **VALUE,
        },
        lambda report: _read_figures(report, ease.COUNTED),
    ),
    Frame(
        "installation",
        "One row for each figure of an environment.",
        {
            **WHO,
            "figure": ("", "figure, as in docs/reference/records.md"),
            **VALUE,
        },
        lambda report: _read_figures(report, ENVIRONMENT),
    ),
    Frame(
        "openness",
        "One row for each stated fact.",
        {
            "backend": ("", "backend"),
            "fact": ("", "fact, as in docs/reference/records.md"),
            "value": ("", "value as stated"),
            "source": ("", "address of the source"),
            "asof": ("", "date of the statement"),
        },
        Report.openness,
    ),
    Frame(
        "sweep",
        "One row for each variant at each point of the sweep; empty where there was none.",
        {
            "backend": ("", "backend and variant"),
            "axis": ("", "what is varied"),
            "point": ("", "its value"),
            "operations": ("FLOP", "operations of the step's matrix products"),
            **_with_interval("step_s", "s", "median time per training step"),
        },
        Report.sweep,
    ),
)
"""Every table of a loaded run."""


def frames_as_markdown() -> str:
    """Return the reference of all tables, for docs/reference/python.md."""
    lines: list[str] = []
    for frame in FRAMES:
        lines += [
            f"### `run.{frame.name}`",
            "",
            frame.meaning,
            "",
            "| column | unit | meaning |",
            "| --- | --- | --- |",
        ]
        lines += [f"| `{name}` | {unit} | {meaning} |" for name, (unit, meaning) in frame.columns.items()]
        lines.append("")
    return "\n".join(lines)
