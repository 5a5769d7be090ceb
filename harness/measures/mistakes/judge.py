"""What a mistake came to: noticed or silent, what the message names, whose lines the traceback has, how wrong it is."""

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
from .catalogue import Problem

OUTCOMES = {
    "raised": "an exception",
    "died": "the process ended",
    "warned": "went on, and printed what the right code does not",
    "hung": "no answer within the limit",
    "NaN": "silent: a loss or a probability is not a number",
    "wrong": "silent: other results than the right code's",
    "right": "silent: the right code's results",
    "cannot": "cannot be made in this framework",
    "not written": "the backend does not say how it is made",
}
"""Every outcome, and what it means."""

NOTICED = ("raised", "died", "warned")
"""Outcomes of which the user is told."""

SILENT = ("hung", "NaN", "wrong", "right")

TRIED = (*NOTICED, *SILENT)

SAME = 1e-3
"""Probabilities no further than this from the right code's are the right ones."""

LAST = 10
"""Steps whose losses are averaged for the loss at the end."""


class Finding(NamedTuple):
    """What one mistake came to in one backend variant."""

    mistake: str
    outcome: str
    """One of OUTCOMES."""
    how: str = ""
    """What was done wrong in the code, or why it was not."""
    when: str = ""
    """build, first call, later; never where it is silent; "" where it was not tried."""
    exception: str = ""
    message: str = ""
    """Of the exception, or what was printed as a warning; whole, without the machine's own folders."""
    named: tuple[str, ...] | None = None
    """Which of shape, dtype, value and device at fault the message names; None where there is none at fault."""
    user_lines: int | None = None
    """Entries of the traceback in the backend's own files."""
    framework_lines: int | None = None
    """All others, less those of the worker."""
    probabilities_off: float | None = None
    """The largest difference from the right code's; None where there are none, or none that can be compared."""
    not_a_number: float | None = None
    """The share of losses and probabilities."""
    loss: float | None = None
    """Mean of the last steps' losses; None where it is not a number."""
    right_loss: float | None = None
    accuracy: float | None = None
    """Of the predictions on the rows held out; a row that is not a number is wrong."""
    right_accuracy: float | None = None
    printed: str = ""
    """What the right code does not print."""
    traceback: str = ""
    seconds: float = 0.0

    @property
    def noticed(self) -> bool:
        """Whether the user was told."""
        return self.outcome in NOTICED


def judge(
    name: str,
    how: str,
    at_fault: Mapping[str, str],
    attempt: Attempt,
    right: Attempt,
    problem: Problem,
    places: tuple[Place, Place],
) -> Finding:
    """Hold an attempt with a mistake against the right one; `places` are those of the two workers, in that order."""
    place, right_place = places
    news, first = new_lines(attempt, right, place, right_place)
    wrong = _wrongness(attempt, right, problem)
    finding = Finding(name, "right", how, attempt.when, printed=news, seconds=round(attempt.seconds, 1), **wrong)
    if attempt.stopped is not None:
        kind = attempt.stopped.kind
        if kind not in ("raised", "hung"):
            kind = "died"
        said = attempt.stopped.said if kind == "raised" else attempt.stopped.message
        mine, others = frames(attempt.stopped.traceback, place)
        return finding._replace(
            outcome=kind,
            exception=attempt.stopped.exception,
            message=without_folders(said, place).strip(),
            named=named_in(said, at_fault),
            user_lines=mine if kind == "raised" else None,
            framework_lines=others if kind == "raised" else None,
            traceback=without_folders(attempt.stopped.traceback, place),
        )
    if news:
        return finding._replace(outcome="warned", when=first, message=news, named=named_in(news, at_fault))
    named = None if not at_fault else ()
    if wrong["not_a_number"]:
        return finding._replace(outcome="NaN", named=named)
    off = wrong["probabilities_off"]
    return finding._replace(outcome="right" if off is not None and off <= SAME else "wrong", named=named)


def frames(traceback: str, place: Place) -> tuple[int, int]:
    """Return how many entries of a printed traceback are in the backend's files, and in others but the worker's.

    Those that stand in a message count as well: it is what the user has on the screen.
    """
    paths = re.findall(r'^\s*File "([^"\n]+)", line \d+', traceback, re.MULTILINE)
    inside = sum(path.startswith(f"{place.folder}/") for path in paths)
    ours = sum(Path(path).parent == Path(worker.__file__).parent for path in paths)
    return inside, len(paths) - inside - ours


def new_lines(attempt: Attempt, right: Attempt, place: Place, right_place: Place) -> tuple[str, str]:
    """Return the lines that an attempt printed and the right one did not, numbers apart, and when the first came."""
    usual = {_masked(line, right_place) for _, text in right.printed for line in text.splitlines()}
    fresh = [
        (when, without_folders(line, place))
        for when, text in attempt.printed
        for line in text.splitlines()
        if line.strip() and _masked(line, place) not in usual
    ]
    return "\n".join(line for _, line in fresh), fresh[0][0] if fresh else ""


def without_folders(text: str, place: Place) -> str:
    """Return the text with the folders of this machine, and addresses in memory, taken out."""
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


def _masked(line: str, place: Place) -> str:
    return re.sub(r"\s*\d+", "#", without_folders(line, place))  # numbers are padded to a width


def named_in(text: str, at_fault: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the kinds whose pattern is found in the text; None where there is none to look for."""
    return tuple(kind for kind, pattern in at_fault.items() if re.search(pattern, text)) if at_fault else None


def _wrongness(attempt: Attempt, right: Attempt, problem: Problem) -> dict[str, Any]:
    """Return the fields of a Finding that say how far it is from the right code."""
    given, due = attempt.probabilities, right.probabilities
    if given is None or due is None:
        return {"not_a_number": None, "probabilities_off": None}
    losses = np.concatenate([np.ravel(each) for each in attempt.losses])
    values = np.concatenate([losses, np.ravel(given)])
    same_shape = given.shape == due.shape
    off = float(np.abs(given - due).max()) if same_shape else float("nan")
    return {
        "not_a_number": float(np.isnan(values).mean()),
        "probabilities_off": None if np.isnan(off) else off,
        "loss": _last(losses),
        "right_loss": _last(np.concatenate([np.ravel(each) for each in right.losses])),
        "accuracy": accuracy(given, problem.y_test),
        "right_accuracy": accuracy(due, problem.y_test),
    }


def _last(losses: Array) -> float | None:
    mean = float(losses[-LAST:].mean())
    return None if np.isnan(mean) else mean


def accuracy(probabilities: Array, y: Array) -> float | None:
    """Return the share of rows whose largest probability is that of the label; None for other rows than the labels'."""
    if probabilities.ndim != 2 or len(probabilities) != len(y):
        return None
    known = ~np.isnan(probabilities).any(axis=1)
    return float((known & (probabilities.argmax(axis=1) == y)).mean())
