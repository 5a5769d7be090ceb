"""The notes of a report: sentences on the whole run, to be read before its tables."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..common.statistics import Interval
from ..measures.agreement.figures import CONVENTION_EFFECT
from ..measures.ease import figures as ease
from ..measures.speed import stopping
from ..measures.speed.figures import HOST, SLICE_STEPS, STOPPED, SUITE, SUITE_UNSUPPORTED, SWEEP, SWEEP_UNSUPPORTED
from ..measures.training.figures import EPOCH_TIME
from ..records import read
from ..records.vocabulary import FINISHED
from .tables import shapes, suite
from .text import count_things, format_interval, format_share, format_time, join_words, shorten_floors

if TYPE_CHECKING:
    from .report import Report

COSTLY = 1.5
"""A step may take this many times as long in timed slices as in whole epochs before a note says so: where two trainings
share the machine, background load alone explains less."""

CHOICES = {
    ("running_variance", "unbiased"): "batch norm keeps the unbiased running variance",
    ("running_variance", "inverse_std"): "batch norm keeps a running average of 1 / sqrt(variance + epsilon)",
    ("adam", "epsilon-hat"): "Adam adds epsilon before the bias correction",
    ("momentum", "sum"): "momentum adds the whole gradient to the velocity",
    ("momentum", "nesterov-sum"): "momentum is Nesterov's, on a sum of gradients",
    ("rmsprop", "inside"): "RMSprop adds epsilon inside the square root",
    ("rmsprop", "outside-from-epsilon"): "RMSprop starts its average of squares at epsilon",
    ("batch_norm_constants", "float32"): "batch norm keeps its constants in single precision",
    ("adam_constants", "float32"): "Adam keeps its constants in single precision",
    ("adam_bias_correction", "float32"): "Adam takes its bias correction in single precision",
    ("adam_bias_correction", "float32-product"): "Adam takes its bias correction by products in single precision",
    ("momentum_constants", "float32"): "momentum keeps its constant in single precision",
    ("rmsprop_constants", "float32"): "RMSprop keeps its constants in single precision",
    ("loss", "clipped"): "reported loss is of clipped probabilities",
}
"""In words, by convention and chosen value, what a backend does otherwise than the common spec."""


def list_warnings(report: "Report") -> list[str]:
    """Return the reasons not to trust the report of a run, or not yet; empty where there is none."""
    ended = report.query.rows(FINISHED)["task"]
    warnings = []
    if report.set_aside:
        count, first = len(report.set_aside), report.set_aside[0]
        warnings.append(f"DAMAGED: {count:,} records were left out (--lenient); the first is {first}.")
    if not read.is_complete(set(ended), report.header):
        warnings.append(
            "UNFINISHED: this run was interrupted, so some values were not measured. Finish it with "
            f"`bakeoff run --resume {report.folder}`."
        )
    tested = report.self_test()
    if tested and tested[1].excludes(1):
        warnings.append(
            f"{describe_self_test(*tested)} {describe_resolution(tested[1])} To measure smaller ones, repeat the run "
            "on a quieter machine (`bakeoff doctor`) or with more rounds (`--rounds 4`)."
        )
    return warnings


def list_notes(report: "Report") -> list[str]:
    """Return every note: the warnings first, then the circumstances, the timing, the conventions and each failure."""
    return [
        *list_warnings(report),
        *describe_suite(report),
        _describe_circumstances(report.header),
        *_describe_hosts(report),
        *_describe_stand_ins(report),
        *(f"Data: {note}" for note in report.header["data"]["notes"]),
        *_describe_timing(report),
        *(sentence for _, sentence in doubt_step_times(report)),
        *_doubt_sweep(report),
        *_doubt_suite(report),
        *shapes.describe_slower_paths(report.size_costs),
        *describe_convention_effects(report),
        *_describe_failures(report),
    ]


def _describe_hosts(report: "Report") -> Iterator[str]:
    """Yield on which hosts of a cluster the workloads were timed; nothing for a run on one machine."""
    timed = report.query.rows(HOST)
    timed = timed[timed["what"].eq("time")] if len(timed) else timed
    places: dict[str, list[str]] = {}
    for row in timed.to_dict("records"):
        machine = row["machine"]
        cores = count_things(machine["usable_threads"], "usable core")
        places.setdefault(f"{row['value']} ({row['address']}; {machine['processor']}, {cores})", []).append(
            row["workload"]
        )
    if places:
        told = "; ".join(f"{join_words(names)} on {host}" for host, names in places.items())
        yield f"Timed on the hosts of a cluster, each workload on one of them: {told}. Ratios hold within a workload."


def _describe_stand_ins(report: "Report") -> Iterator[str]:
    """Yield which backend stands for another framework in the group that was asked for, and why."""
    for backend, (framework, reason) in report.header["plan"].get("stands_for", {}).items():
        yield f"{report.title(backend)} stands for {framework}: {reason}"


def describe_self_test(name: str, ratio: Interval) -> str:
    """Return in a sentence whether the timing passed its self-test, from the ratio of a variant to itself."""
    numbers = f"({name} against itself: {format_interval(ratio, decimals=3)})"
    if ratio.excludes(1):
        return f"The timing failed its self-test by {abs(ratio.estimate - 1):.1%} {numbers}.".replace("%", " %")
    return f"The timing passed its self-test {numbers}."


def describe_resolution(self_test: Interval) -> str:
    """Return in a sentence which differences a run can show whose self-test failed.

    Equal programs came out different by as much as the far end of the interval of their ratio, in either direction.
    """
    if not self_test.low > 0 or not self_test.high < np.inf:
        return "No difference of this run can be believed."
    percent = max(self_test.high, 1 / self_test.low) * 100 - 100
    return f"Differences below {np.ceil(percent * 10) / 10:.1f} % cannot be believed; larger ones can."


def _describe_circumstances(header: Mapping[str, Any]) -> str:
    machine, data, plan = header["machine"], header["data"], header["plan"]
    return (
        f"Measured on {header['created'][:10]} on the processor {machine['processor']}: "
        f"{count_things(machine['usable_threads'], 'usable core')}, {count_things(plan['threads'], 'thread')} in use, "
        f"device {plan['device']}; data {data['name']} ({data['hash']}), spec {header['spec_hash']}, "
        f"{header['spec']['training']['dtype']}."
    )


def describe_suite(report: "Report") -> Iterator[str]:
    """Yield what a suite found over all workloads, the headline first, and which are left out."""
    if report.suite_results:
        titles = {backend: report.title(backend) for backend in report.header["backends"]}
        yield from suite.describe(report.suite_results, titles)


def _describe_timing(report: "Report") -> Iterator[str]:
    tested, times = report.self_test(), report.step_times
    if tested and not tested[1].excludes(1):
        yield describe_self_test(*tested)
    if times and not tested:
        yield "The timing was not self-tested: no variant was timed against itself to the end of every round."
    yield from _describe_stop(report)
    if times and not times.scatter.freedom:
        one_round = len(next(iter(times.rounds.values()))) == 1
        what = "One process per variant" if one_round else "Only one variant"
        yield f"{what} was timed, so the intervals do not include variation between processes."


def _describe_stop(report: "Report") -> Iterator[str]:
    """Yield when timing with `--until` stopped, and how well the ratios are known."""
    until = report.header["plan"].get("until")
    for row in report.query.rows(STOPPED).to_dict("records"):
        rounds, found = count_things(int(row["value"]), "round"), stopping.examine(report.step_times.rounds)
        if row["reason"] == stopping.PRECISION:
            yield (
                f"Timing stopped after {rounds}: every ratio is known to {until * 100:g} %. The intervals hold however "
                "often they were examined before (docs/explanation/timing.md)."
            )
        elif found.contestant is not None:
            backend, variant, self_test = found.contestant
            limit_s = report.header["plan"]["time_limit_s"]
            known = "nothing yet" if found.worst == math.inf else f"{found.worst * 100:.1f} %"
            yield (
                f"Timing reached its limit of {limit_s:g} s after {rounds}: the ratio of {backend}:{variant}"
                f"{' to itself' if self_test else ''} is known to {known}, not to {until * 100:g} %. Run it again with "
                "a longer --time-limit."
            )


def doubt_step_times(report: "Report") -> Iterator[tuple[str, str]]:
    """Yield the reasons to doubt a step time, each with its variant as `backend:variant`.

    They are: no steady state, more threads than requested, a costly call.
    """
    requested = report.header["plan"]["threads"]
    for row in report.speed_rows:
        name = row["backend"]
        if row["never_steady"]:
            yield name, f"{name} did not reach steady state: it was still warming up while it was timed."
        more = [f"{library} {count}" for library, count in row["threads"].items() if count > requested]
        if more:
            yield name, f"{name} used more threads than the {requested} requested: {', '.join(more)}."
    for row in report.speed_rows:
        yield from ((row["backend"], sentence) for sentence in _doubt_call(report, row))


def _doubt_call(report: "Report", row: Mapping[str, Any]) -> Iterator[str]:
    """Yield a note where a step takes much longer in timed slices than in whole epochs."""
    backend, _, variant = row["backend"].partition(":")
    who = {"backend": backend, "variant": variant}
    epochs = report.query.columns(EPOCH_TIME, ["value", "steps"], **who)
    pace = (epochs["value"].astype(float) / epochs["steps"].astype(float)).min()
    steps = report.query.last(SLICE_STEPS, self_test=False, **who)
    if row["step_s"] > COSTLY * pace:
        cost = format_time((row["step_s"] - pace) * steps)
        yield (
            f"{row['backend']}: {format_time(row['step_s'])} per step when timed {count_things(int(steps), 'step')} at "
            f"a time, {format_time(pace)} in whole epochs. Either a call of `train` has a fixed cost (about {cost} "
            "here), or there was background load."
        )


def _doubt_sweep(report: "Report") -> Iterator[str]:
    """Yield the reasons to doubt points of the sweep, and the points that were not timed, in the recorded order."""
    query = report.query
    figures = (SWEEP["steady"], SWEEP["threads"], SWEEP_UNSUPPORTED)
    rows = pd.concat([query.rows(figure) for figure in figures]).sort_index()
    for row in rows.to_dict("records"):
        point = row["point"] if isinstance(row["point"], str) else f"{row['point']:g}"
        who = f"{row['backend']}:{row['variant']} at {row['axis']} {point}"
        if row["figure"] == SWEEP_UNSUPPORTED.name:
            yield f"{who}: {row['value']}"
        elif row["figure"] == SWEEP["steady"].name and not row["value"]:
            yield f"{who} did not reach steady state."
        elif row["figure"] == SWEEP["threads"].name:
            requested = int(row["point"]) if row["axis"] == "threads" else report.header["plan"]["threads"]
            if row["value"] > requested:
                yield f"{who} used more threads than the {requested} requested: {row['of']} {row['value']:.0f}."


def _doubt_suite(report: "Report") -> Iterator[str]:
    """Yield the variants that were not timed on a workload, or did not reach steady state there."""
    for row in report.query.rows(SUITE_UNSUPPORTED).to_dict("records"):
        yield f"{row['backend']}:{row['variant']} on the workload {row['workload']}: {row['value']}"
    unsteady: dict[str, list[str]] = {}
    steady = report.query.rows(SUITE["steady"])
    for row in steady[steady["value"].ne(True)].to_dict("records"):
        name = f"{row['backend']}:{row['variant']}"
        if name not in unsteady.setdefault(str(row["workload"]), []):
            unsteady[str(row["workload"])].append(name)
    for workload, names in unsteady.items():
        yield f"Not in steady state when they were timed on the workload {workload}: {join_words(names)}."


def describe_convention_effects(report: "Report") -> Iterator[str]:
    """Yield a note on each declared convention that was measured alone: whose it is, and what it changes."""
    owners: dict[tuple[str, str], list[str]] = {}
    for row in report.query.rows(CONVENTION_EFFECT).to_dict("records"):
        convention, chosen = row["convention"], row["chosen"]
        choice = CHOICES.get((convention, chosen), f"convention {convention} is {chosen}")
        owners.setdefault((choice, _describe_effect(row)), []).append(report.title(row["backend"]))
    for (choice, effect), titles in owners.items():
        who = f"{titles[0]}'s" if len(titles) == 1 else f"In {join_words(titles)},"
        yield f"{who} {choice}. {effect}"


def _describe_effect(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["largest"]):
        return "Its effect is unknown, because a training run did not stay finite."
    probabilities = f"probabilities change by at most {row['largest']:.2g}"
    if not row["changed_predictions"]:
        return f"No prediction changes; {probabilities}."
    accuracy = f"accuracy from {format_share(row['common_accuracy'])} to {format_share(row['accuracy'])}"
    return f"{format_share(row['changed_predictions'])} of the predictions change, and {accuracy}; {probabilities}."


def _describe_failures(report: "Report") -> Iterator[str]:
    """Yield the known failures and the failure of every variant; variants with the same one share a note."""
    names: dict[str, list[str]] = {}
    for row in report.rows:
        name = f"{row['backend']}:{row['variant']}"
        if row["known_failures"]:
            names.setdefault(f"known failures {shorten_floors(row['known_failures'])}", []).append(name)
        if row["failure"]:
            names.setdefault(shorten_floors(row["failure"].splitlines()[0]), []).append(name)
    for sentence, who in names.items():
        yield f"{', '.join(who)}: {sentence}"
    for name, reason in report.query.columns(ease.FAILED, ["backend", "value"]).itertuples(index=False, name=None):
        yield f"{name}: its code was not counted, or not all of it: {reason.splitlines()[0]}"
