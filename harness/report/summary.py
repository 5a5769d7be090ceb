"""The summary of a run: who is fastest, how sure that is, whether all compute the same, and what the result is for.

`summarise` assembles it from the records once, as typed values. The terminal, the HTML report, notebooks and suites
read it from here, so that they say the same.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..common.statistics import Interval
from ..measures.speed.figures import COLD_START
from . import notes
from .tables.shapes import describe_slower_paths
from .text import count_things, format_floors, format_interval, format_share, format_time, join_words

if TYPE_CHECKING:
    from .report import Report

NAMED_TIES = 3
"""How many variants that tie with the fastest the answer names."""


class Standing(StrEnum):
    """How the step time of a variant compares with that of the fastest."""

    FASTEST = "fastest"
    TIE = "tie"
    """The run cannot distinguish it from the fastest."""
    SLOWER = "slower"
    NOT_TIMED = "not timed"


@dataclass(frozen=True)
class VariantSummary:
    """One variant: seconds, bytes, shares of 1; NaN where there is no value."""

    backend: str
    variant: str
    title: str
    """The framework's name."""
    version: str
    standing: Standing
    step_s: Interval
    """Seconds per training step, with its 95 % interval."""
    times_fastest: Interval
    """The step time over that of the fastest, from the blocks that both took together."""
    correct: str | None
    """`yes`, `reduced precision` or `no`; None where nothing was checked."""
    worst_floors: float
    """The largest rounding error of the required checks, in rounding errors of NumPy."""
    known_failures: str
    """The dtypes and the reason of declared failures; "" where there are none."""
    validation_accuracy: float
    test_accuracy: float
    first_call_s: float
    """The first call of `train`, compilation included."""
    cold_start_s: float
    """From the start of the process to the end of the first steps: the median over the rounds."""
    import_s: float
    peak_memory_bytes: float
    examples_per_s: float
    install_bytes: float
    tokens: float
    """The size of the model file's code, without comments."""
    api_names: float
    licence: str | None
    doubts: tuple[str, ...]
    """Why its step time is in doubt, a sentence each."""
    failure: str
    """Why it has no values; "" where it has."""

    @property
    def name(self) -> str:
        """`backend:variant`."""
        return f"{self.backend}:{self.variant}"


@dataclass(frozen=True)
class RunSummary:
    """A whole run."""

    folder: str
    created: str
    variants: tuple[VariantSummary, ...]
    """Those that were timed, the fastest first; then the others, in the order of the plan."""
    warnings: tuple[str, ...]
    """Reasons not to trust the run, or not yet: unfinished, or a failed self-test."""
    notes: tuple[str, ...]
    """Every note of the run, the warnings among them."""
    self_test: tuple[str, Interval] | None
    """The variant that was timed against itself, and that ratio; None where nothing was timed so."""
    resolution: float
    """The ratio below which two step times cannot be distinguished, because the self-test failed by it; else 1."""
    suite: str
    """How the ranking depends on the workload, in a sentence; "" where the run has one workload."""
    slower_paths: tuple[str, ...]
    """A sentence for each variant that runs by slower code after new batch sizes."""
    header: dict[str, Any]
    """What stands in run.json."""

    @property
    def timed(self) -> tuple[VariantSummary, ...]:
        """The variants that were timed, the fastest first."""
        return tuple(each for each in self.variants if each.standing is not Standing.NOT_TIMED)

    @property
    def untimed(self) -> tuple[VariantSummary, ...]:
        """The variants that have no step time."""
        return tuple(each for each in self.variants if each.standing is Standing.NOT_TIMED)

    @property
    def fastest(self) -> VariantSummary | None:
        """The fastest variant; None where nothing was timed."""
        return next((each for each in self.timed if each.standing is Standing.FASTEST), None)

    @property
    def ties(self) -> tuple[VariantSummary, ...]:
        """The variants that the run cannot distinguish from the fastest."""
        return tuple(each for each in self.timed if each.standing is Standing.TIE)

    @property
    def answer(self) -> str:
        """The fastest variant, those that tie with it and the next, in a sentence; of a suite, how that varies, too."""
        if not self.suite:
            return self._answer
        first = self.header["suite"]["workloads"][0]["name"]
        return f"{self.suite} On the workload {first}, which the rest is about: {self._answer}"

    @property
    def _answer(self) -> str:
        fastest = self.fastest
        if fastest is None:
            return "No variant was timed, so none is the fastest."
        if len(self.timed) == 1:
            return f"{fastest.name} takes {_format_step(fastest)} per training step; no other variant was timed."
        parts = [f"{fastest.name} is the fastest, at {_format_step(fastest)} per training step"]
        if self.ties:
            named = [f"{each.name} ({_format_ratio(each)} times as long)" for each in self.ties[:NAMED_TIES]]
            if len(self.ties) > NAMED_TIES:
                named.append(f"{len(self.ties) - NAMED_TIES} more")
            ties = "ties" if len(self.ties) == 1 else "tie"
            parts.append(f"{join_words(named)} {ties} with it: this run cannot distinguish them")
        slower = next((each for each in self.timed if each.standing is Standing.SLOWER), None)
        if slower is not None:
            parts.append(f"{slower.name} follows, at {_format_ratio(slower)} times as long")
        return f"{'; '.join(parts)}."

    @property
    def agreement(self) -> str:
        """Whether all compute the same, and how accurate they are, in a few sentences."""
        sentences = [*_describe_correctness(self.variants), *_describe_accuracy(self.timed)]
        return " ".join(sentences) or "Nothing was checked."

    @property
    def trust(self) -> str:
        """Whether the timing passed its self-test, in a sentence."""
        if self.self_test is None:
            return "The timing was not self-tested." if self.timed else ""
        sentence = notes.describe_self_test(*self.self_test)
        return f"{sentence} {notes.describe_resolution(self.self_test[1])}" if self.resolution > 1 else sentence

    @property
    def scope(self) -> str:
        """What the result holds for, in a line."""
        training, plan, suite = self.header["spec"]["training"], self.header["plan"], self.header.get("suite")
        layers = "-".join(map(str, self.layers))
        single = f"{self.header['data']['name']}, layers {layers}, batch {training['batch_size']}, {training['dtype']}"
        work = f"these {len(suite['workloads'])} workloads" if suite else single
        return (
            f"Holds only for: {work}, {count_things(plan['threads'], 'thread')} of "
            f"{self.header['machine']['processor']}, {plan['device']}; not for large models"
            f"{', or GPUs' if plan['device'] == 'cpu' else ''}."
        )

    @property
    def layers(self) -> list[int]:
        """The units of every layer, from the features to the classes."""
        data = self.header["data"]
        return [data["features"], *self.header["spec"]["network"]["hidden"], data["classes"]]


def summarise(report: "Report") -> RunSummary:
    """Return the summary of a run."""
    tested = report.self_test()
    resolution = _find_resolution(tested[1]) if tested else 1.0
    doubts: dict[str, list[str]] = {}
    for name, sentence in notes.doubt_step_times(report):
        doubts.setdefault(name, []).append(sentence)
    variants = [_summarise_variant(report, row, resolution, doubts) for row in report.rows]
    # Python's sort is stable: the variants that were not timed keep the order of the plan.
    variants.sort(key=lambda each: math.inf if math.isnan(each.step_s.estimate) else each.times_fastest.estimate)
    return RunSummary(
        folder=str(report.folder),
        created=str(report.header["created"]),
        variants=tuple(variants),
        warnings=tuple(report.warnings()),
        notes=tuple(report.notes()),
        self_test=tested,
        resolution=resolution,
        suite=next(notes.describe_suite(report), ""),
        slower_paths=tuple(describe_slower_paths(report.size_costs)),
        header=report.header,
    )


def _find_resolution(self_test: Interval) -> float:
    """Return the ratio by which equal programs came out different where the self-test failed; else 1."""
    if not self_test.excludes(1):
        return 1.0
    return max(self_test.high, 1 / self_test.low) if self_test.low > 0 else math.inf


def _summarise_variant(
    report: "Report", row: dict[str, Any], resolution: float, doubts: dict[str, list[str]]
) -> VariantSummary:
    backend, variant = row["backend"], row["variant"]
    ratio = Interval(row["times_fastest"], row["times_fastest_low"], row["times_fastest_high"])
    cold_start = report.query.values(COLD_START, backend=backend, variant=variant, self_test=False).median()
    copied = (
        "version", "correct", "worst_floors", "known_failures", "validation_accuracy", "test_accuracy", "first_call_s",
        "import_s", "peak_memory_bytes", "examples_per_s", "install_bytes", "tokens", "api_names", "failure",
    )  # fmt: skip
    return VariantSummary(
        backend=backend,
        variant=variant,
        title=report.title(backend),
        standing=_find_standing((backend, variant) == report.step_times.fastest, ratio, resolution),
        step_s=Interval(row["step_s"], row["step_s_low"], row["step_s_high"]),
        times_fastest=ratio,
        cold_start_s=float(cold_start),
        licence=None if pd.isna(row["licence"]) else str(row["licence"]),
        doubts=tuple(doubts.get(f"{backend}:{variant}", ())),
        **{name: row[name] for name in copied},
    )


def _find_standing(fastest: bool, ratio: Interval, resolution: float) -> Standing:
    if np.isnan(ratio.estimate):
        return Standing.NOT_TIMED
    if fastest:
        return Standing.FASTEST
    return Standing.TIE if not ratio.excludes(1) or ratio.estimate <= resolution else Standing.SLOWER


def _format_step(each: VariantSummary) -> str:
    return format_interval(each.step_s, format_time)


def _format_ratio(each: VariantSummary) -> str:
    return format_interval(each.times_fastest)


def _describe_correctness(variants: tuple[VariantSummary, ...]) -> list[str]:
    """Return a sentence on how many variants compute the same, and one on those that do not."""
    by_word: dict[str | None, list[VariantSummary]] = {}
    for each in variants:
        by_word.setdefault(each.correct, []).append(each)
    exact, reduced, wrong = (by_word.get(word, []) for word in ("yes", "reduced precision", "no"))
    same, checked = len(exact) + len(reduced), len(exact) + len(reduced) + len(wrong)
    sentences = []
    if same:
        details = []
        if exact:
            count = f"{len(exact)} " if reduced else ""
            details.append(f"{count}within rounding (errors up to {_find_worst(exact)} times plain NumPy's own)")
        if reduced:
            details.append(f"{len(reduced)} with reduced precision (up to {_find_worst(reduced)} times)")
        who = f"All {checked} checked variants" if not wrong else f"{same} of {checked} checked variants"
        sentences.append(
            f"{'The checked variant' if checked == 1 else who} compute{'s' if checked == 1 else ''} the "
            f"same as the reference, {' and '.join(details)}."
        )
    if wrong:
        sentences.append(f"Not correct: {', '.join(each.name for each in wrong)}.")
    return sentences


def _find_worst(variants: list[VariantSummary]) -> str:
    return format_floors(max(each.worst_floors for each in variants))


def _describe_accuracy(timed: tuple[VariantSummary, ...]) -> list[str]:
    """Return a sentence on the accuracy that the timed variants reach; none where it is unknown."""
    found = sorted(each.test_accuracy for each in timed if not math.isnan(each.test_accuracy))
    if not found:
        return []
    lowest, highest = format_share(found[0]), format_share(found[-1])
    if lowest == highest:
        return [f"{'All reach' if len(found) > 1 else 'It reaches'} {lowest} test accuracy."]
    return [f"Test accuracy: {lowest} to {highest}."]
