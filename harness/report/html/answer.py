"""The answer of a run in sentences: the fastest, who is not distinguishable from it, correctness, accuracy, fitness."""

from collections.abc import Iterator

import numpy as np

from ...common.statistics import Interval
from ..notes import describe_resolution, describe_suite
from ..report import Report
from ..tables.speed import Key
from ..text import count_things, format_interval, format_share, format_time, join_words


def describe_answer(report: Report) -> Iterator[str]:
    """Yield the sentences of the answer, the most important first."""
    yield from _describe_speed(report)
    yield from _describe_correctness(report)
    yield from _describe_fitness(report)


def _describe_speed(report: Report) -> Iterator[str]:
    times = report.step_times
    if times.fastest is None:
        yield "No variant was timed in this run."
        return
    fastest = times.fastest
    others = sorted((key for key in times.variants if key != fastest), key=lambda key: times.step(key).estimate)
    yield from list(describe_suite(report))[:1]
    where = f"On the workload {report.suite_results.names[0]}, " if report.suite_results else ""
    yield (
        f"{where}{_name(report, fastest)} is the fastest of {count_things(len(times.variants), 'variant')}: "
        f"{format_interval(times.step(fastest), format_time)} per training step."
    )
    ratios = {key: times.times_fastest(key) for key in others}
    alike = [key for key in others if not ratios[key].excludes(1)]
    slower = [key for key in others if ratios[key].excludes(1)]
    if alike:
        yield (
            f"This run does not distinguish {join_words([_name(report, key) for key in alike])} from it: "
            f"{'their intervals include' if len(alike) > 1 else 'its interval includes'} the same time."
        )
    if slower:
        following, last = slower[0], slower[-1]
        sentence = f"{_name(report, following)} takes {format_interval(ratios[following])} times as long"
        if last != following:
            sentence += f", {_name(report, last)}, the slowest, {format_interval(ratios[last])} times"
        yield f"{sentence}."


def _describe_correctness(report: Report) -> Iterator[str]:
    words = [row["correct"] for row in report.rows if isinstance(row["correct"], str)]
    if not words:
        yield "Correctness was not checked in this run."
        return
    counts = {word: words.count(word) for word in ("yes", "reduced precision", "no")}
    if counts["yes"] == len(words):
        yield f"All {len(words)} variants compute the same network, up to rounding."
    else:
        parts = {
            "yes": "compute the same network up to rounding",
            "reduced precision": "compute it with reduced precision",
            "no": "compute something else",
        }
        said = [f"{counts[word]} {phrase}" for word, phrase in parts.items() if counts[word]]
        yield f"Of {count_things(len(words), 'checked variant')}, {join_words(said)}."
    accuracies = [row["test_accuracy"] for row in report.rows if not np.isnan(row["test_accuracy"])]
    if accuracies:
        least, most = format_share(min(accuracies)), format_share(max(accuracies))
        span = f"each predicts {least}" if least == most else f"they predict {least} to {most}"
        yield f"After the same training {span} of the test rows rightly."


def _describe_fitness(report: Report) -> Iterator[str]:
    tested = report.self_test()
    if tested is None:
        yield "The measurement was not tested against itself, so small differences deserve doubt."
        return
    name, ratio = tested
    percent = _resolution(ratio)
    if ratio.excludes(1):
        yield f"The measurement failed its test: {name} differs from its own copy. {describe_resolution(ratio)}"
    else:
        yield (
            f"The measurement passed its test: {name}, timed against an identical copy of itself, shows no difference "
            f"({format_interval(ratio, decimals=3)}). A difference below {percent} is beyond what this run can show."
        )


def _resolution(ratio: Interval) -> str:
    """Return how far from 1 the interval of two equal programs reaches, in per cent."""
    if not ratio.low > 0 or not np.isfinite(ratio.high):
        return "any size"
    return f"{np.ceil((max(ratio.high, 1 / ratio.low) - 1) * 1000) / 10:.1f} %"


def _name(report: Report, key: Key) -> str:
    """Return a variant as `Framework (backend:variant)`."""
    return f"{report.title(key[0]).partition(' (')[0]} ({key[0]}:{key[1]})"
