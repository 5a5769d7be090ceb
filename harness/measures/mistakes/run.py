"""Trying the mistakes: each in a worker of its own, compared with the correct code in the same variant."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...common.futures import result_of
from ...common.progress import Board
from ...registry.entries import Entry
from ...workers import launch
from ...workers.place import Place
from ...workload import networks
from ...workload.spec import Spec
from .attempt import Attempt, try_training
from .catalogue import MISTAKES, CodedMistake, TrainingInput, make_training_input, read_coded, write_edited_copy
from .judge import NOT_POSSIBLE, NOT_WRITTEN, Finding, judge_attempt
from .records import VariantFindings


def try_mistakes(
    chosen: Sequence[tuple[Entry, str]],
    made: Mapping[str, Path | Exception],
    names: Sequence[str],
    time_limit_s: float,
    board: Board,
) -> tuple[dict[str, VariantFindings], dict[str, str]]:
    """Try the mistakes of these names in every variant that has an interpreter in `made`, two variants at a time.

    Returns the findings by NAME:VARIANT, and the reasons of the variants in which nothing could be tried.
    """
    coded = {entry.name: read_coded(entry.folder) for entry, _ in chosen}
    inputs = {entry.name: choose_training_input(entry) for entry, _ in chosen}

    def try_one(entry: Entry, variant: str, python: Path) -> VariantFindings | str:
        name = f"{entry.name}:{variant}"
        with board.job(f"{name}: mistakes") as job:
            place = launch.place_of(entry, variant, python)._replace(timeout_s=time_limit_s)
            training, network = inputs[entry.name]
            found = try_in_variant(place, variant, names, coded[entry.name], training, job.say)
            if isinstance(found, str):
                job.outcome = found
                return found
            job.outcome = f"{found.noticed} noticed, {found.wrong} silent and wrong"
            return found._replace(network=network)

    not_tried: dict[str, str] = {}
    able = []
    for entry, variant in chosen:
        python = made[entry.label]
        lacking = python if isinstance(python, Exception) else launch.explain_unavailable(entry, variant)
        if lacking or not isinstance(python, Path):
            not_tried[f"{entry.name}:{variant}"] = str(lacking)
        else:
            able.append((entry, variant, python))
    tried: dict[str, VariantFindings] = {}
    with launch.pool() as workers:
        futures = {f"{each[0].name}:{each[1]}": workers.submit(try_one, *each) for each in able}
        for name, future in futures.items():
            found = result_of(future)
            if isinstance(found, str):
                not_tried[name] = found
            else:
                tried[name] = found
    return tried, not_tried


def choose_training_input(entry: Entry) -> tuple[TrainingInput, str]:
    """Return the default training and ""; or the most similar one that the backend supports, and how it differs."""
    default = make_training_input()
    reason = entry.unsupported(default.spec)
    if not reason:
        return default, ""
    kind = networks.with_supported([networks.DEFAULT], entry.unsupported)[-1]
    network = {"activation": kind.activation, "batch_norm": kind.batch_norm}
    similar = make_training_input(Spec.model_validate({"network": network, "optimiser": {"name": kind.optimiser}}))
    pairs = zip(default.spec._fields, default.spec, similar.spec, strict=True)
    different = ", ".join(f"{field} = {chosen}" for field, common, chosen in pairs if chosen != common)
    return similar, f"tried with {different}, as it {reason}" if different else reason


def try_in_variant(
    place: Place,
    variant: str,
    names: Sequence[str],
    coded: Mapping[str, CodedMistake] | None,
    training: TrainingInput,
    say: Callable[[str], None] = lambda line: None,
) -> VariantFindings | str:
    """Try each mistake in a worker of its own; return the findings, or why the correct code does not run.

    `place` is the place of the unchanged backend. `coded` is its mistakes.toml, None where it has none.
    """
    with tempfile.TemporaryDirectory(prefix="bakeoff-mistakes-") as folder:
        scratch = Path(folder)
        right_place = place._replace(log=scratch / "right.log")
        say("without a mistake")
        right = try_training(right_place, variant, training)
        if right.stopped is not None:
            return f"without a mistake it does not run: {right.stopped}"
        findings = []
        for name in names:
            say(name)
            findings.append(_try_one(right_place, variant, name, coded, training, right, scratch))
        return VariantFindings(tuple(findings), right.seconds)


def _try_one(
    right_place: Place,
    variant: str,
    name: str,
    coded: Mapping[str, CodedMistake] | None,
    training: TrainingInput,
    right: Attempt,
    scratch: Path,
) -> Finding:
    mistake = MISTAKES[name]
    place = right_place._replace(log=scratch / f"{name}.log")
    if mistake.corrupt is not None:
        tried = try_training(place, variant, mistake.corrupt(training))
        return judge_attempt(name, "", mistake.at_fault, tried, right, training, (place, right_place))
    if coded is None:
        return Finding(name, NOT_WRITTEN, "The backend has no mistakes.toml.")
    coding = coded[name]
    if not coding.edits:
        return Finding(name, NOT_POSSIBLE, coding.how)
    place = place._replace(
        folder=write_edited_copy(right_place.folder, name, coding, scratch / name),
        variables={**place.variables, **coding.variables},
    )
    tried = try_training(place, variant, training)
    return judge_attempt(
        name, coding.how, {**mistake.at_fault, **coding.at_fault}, tried, right, training, (place, right_place)
    )
