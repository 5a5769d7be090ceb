"""The judgement of an attempt: noticed or silent, what the message names, whose code failed, how far off it is."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...common.arrays import Array
from ...portable import worker
from ...workers.place import Place
from .attempt import Attempt
from .catalogue import TrainingInput

NOT_POSSIBLE, NOT_WRITTEN = "not possible", "not written"
"""Outcomes of mistakes that were not tried."""

OUTCOMES = {
    "raised": "an exception",
    "died": "the process ended",
    "warned": "continued, and printed a line that the correct code does not print",
    "hung": "no answer within the time limit",
    "NaN": "silent: a loss or a probability is not a number",
    "wrong": "silent: other results than those of the correct code",
    "right": "silent: the results of the correct code",
    NOT_POSSIBLE: "the mistake is not possible in this framework",
    NOT_WRITTEN: "the backend does not describe how to make the mistake",
}
"""Every outcome and its meaning."""

NOTICED = ("raised", "died", "warned")
"""Outcomes in which the user gets a message."""

SILENT_AND_WRONG = ("hung", "NaN", "wrong")

TRIED = (*NOTICED, *SILENT_AND_WRONG, "right")

SAME = 1e-3
"""Probabilities within this distance of those of the correct code count as right."""

LAST = 10
"""The number of last steps whose losses are averaged."""


class Finding(NamedTuple):
    """The outcome of one mistake in one backend variant."""

    mistake: str
    outcome: str
    """One of OUTCOMES."""
    how: str = ""
    """What was done wrong in the code, or why the mistake was not tried."""
    when: str = ""
    """build, first call, later; never where the mistake is silent; "" where it was not tried."""
    exception: str = ""
    message: str = ""
    """The whole message of the exception, or the printed warning, without the folders of this machine."""
    named: tuple[str, ...] | None = None
    """Which of shape, dtype, value and device the message names; None where none of them is at fault."""
    user_lines: int | None = None
    """Traceback entries in the backend's own files."""
    framework_lines: int | None = None
    """Traceback entries in all other files except the worker's."""
    probabilities_off: float | None = None
    """The largest difference from the correct code's probabilities; None where they cannot be compared."""
    not_a_number: float | None = None
    """The share of losses and probabilities that are NaN."""
    loss: float | None = None
    """The mean loss of the last steps; None where it is NaN."""
    right_loss: float | None = None
    accuracy: float | None = None
    """The accuracy on the test rows; a row with a NaN counts as wrong."""
    right_accuracy: float | None = None
    printed: str = ""
    """The lines that the correct code does not print."""
    traceback: str = ""
    seconds: float = 0.0

    @property
    def noticed(self) -> bool:
        """Whether the user got a message."""
        return self.outcome in NOTICED


def judge_attempt(
    name: str,
    how: str,
    at_fault: Mapping[str, str],
    attempt: Attempt,
    right: Attempt,
    training: TrainingInput,
    places: tuple[Place, Place],
) -> Finding:
    """Compare an attempt with a mistake and the right attempt; `places` are those of their workers, in this order."""
    place, right_place = places
    news, first = find_new_lines(attempt, right, place, right_place)
    wrong = _measure_error(attempt, right, training)
    finding = Finding(name, "right", how, attempt.when, printed=news, seconds=round(attempt.seconds, 1), **wrong)
    if attempt.stopped is not None:
        kind = attempt.stopped.kind
        if kind not in ("raised", "hung"):
            kind = "died"
        said = attempt.stopped.said if kind == "raised" else attempt.stopped.message
        mine, others = count_frames(attempt.stopped.traceback, place)
        return finding._replace(
            outcome=kind,
            exception=attempt.stopped.exception,
            message=remove_folders(said, place).strip(),
            named=find_named(said, at_fault),
            user_lines=mine if kind == "raised" else None,
            framework_lines=others if kind == "raised" else None,
            traceback=remove_folders(attempt.stopped.traceback, place),
        )
    if news:
        return finding._replace(outcome="warned", when=first, message=news, named=find_named(news, at_fault))
    named = None if not at_fault else ()
    if wrong["not_a_number"]:
        return finding._replace(outcome="NaN", named=named)
    off = wrong["probabilities_off"]
    return finding._replace(outcome="right" if off is not None and off <= SAME else "wrong", named=named)


def count_frames(traceback: str, place: Place) -> tuple[int, int]:
    """Return the number of traceback entries in the backend's files, and in all other files except the worker's.

    Entries inside a message count too, because the user sees them.
    """
    paths = re.findall(r'^\s*File "([^"\n]+)", line \d+', traceback, re.MULTILINE)
    inside = sum(path.startswith(f"{place.folder}/") for path in paths)
    ours = sum(Path(path).parent == Path(worker.__file__).parent for path in paths)
    return inside, len(paths) - inside - ours


def find_new_lines(attempt: Attempt, right: Attempt, place: Place, right_place: Place) -> tuple[str, str]:
    """Return the lines that only the attempt printed, compared without numbers, and the phase of the first."""
    expected = {_mask_numbers(line, right_place) for _, text in right.printed for line in text.splitlines()}
    fresh = [
        (when, remove_folders(line, place))
        for when, text in attempt.printed
        for line in text.splitlines()
        if line.strip() and _mask_numbers(line, place) not in expected
    ]
    return "\n".join(line for _, line in fresh), fresh[0][0] if fresh else ""


def remove_folders(text: str, place: Place) -> str:
    """Return the text without the folders of this machine and without addresses in memory."""
    known = {
        str(place.folder): f"backends/{place.folder.name}",
        str(place.python.parent.parent): "<environment>",
        str(Path(worker.__file__).parent): "harness/portable",
    }
    for folder, name in known.items():
        text = text.replace(folder, name)
    text = re.sub(rf"{re.escape(tempfile.gettempdir())}/[^\s\"',:)]*", "<temporary>", text)
    text = re.sub(r"(?<![\w.<>/)\]:])/(?:[\w.+@-]+/)+", "<elsewhere>/", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)


def _mask_numbers(line: str, place: Place) -> str:
    return re.sub(r"\s*\d+", "#", remove_folders(line, place))  # numbers can be padded to a width


def find_named(text: str, at_fault: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the kinds whose pattern the text has; None where no kind is at fault."""
    return tuple(kind for kind, pattern in at_fault.items() if re.search(pattern, text)) if at_fault else None


def _measure_error(attempt: Attempt, right: Attempt, training: TrainingInput) -> dict[str, Any]:
    """Return the fields of a Finding that compare its results with those of the right attempt."""
    found, expected = attempt.probabilities, right.probabilities
    if found is None or expected is None:
        return {"not_a_number": None, "probabilities_off": None}
    losses = np.concatenate([np.ravel(each) for each in attempt.losses])
    values = np.concatenate([losses, np.ravel(found)])
    same_shape = found.shape == expected.shape
    off = float(np.abs(found - expected).max()) if same_shape else float("nan")
    return {
        "not_a_number": float(np.isnan(values).mean()),
        "probabilities_off": None if np.isnan(off) else off,
        "loss": _average_last(losses),
        "right_loss": _average_last(np.concatenate([np.ravel(each) for each in right.losses])),
        "accuracy": measure_accuracy(found, training.y_test),
        "right_accuracy": measure_accuracy(expected, training.y_test),
    }


def _average_last(losses: Array) -> float | None:
    mean = float(losses[-LAST:].mean())
    return None if np.isnan(mean) else mean


def measure_accuracy(probabilities: Array, y: Array) -> float | None:
    """Return the share of rows whose largest probability is the label's; None where the rows are not those of `y`."""
    if probabilities.ndim != 2 or len(probabilities) != len(y):
        return None
    known = ~np.isnan(probabilities).any(axis=1)
    return float((known & (probabilities.argmax(axis=1) == y)).mean())
