"""Mistakes in deploying, tried deliberately: noticed, or wrong in silence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...common.arrays import Array
from ...registry.description import TextEdit
from ...workers.serving import ServingSession
from ...workers.session import WorkerFailed
from . import figures
from .attempt import EXAMPLE_ROWS, LIMIT, FindTruth, Training, Truth, export_network, start_server
from .latency import Contestant
from .measure import Places
from .paths import ExportPath

NOTICED, RIGHT, WRONG = "noticed", "silent and right", "silent and wrong"

EVAL_FORGOTTEN, ONE_ROW = "training mode", "example of one row"
INPUTS: dict[str, tuple[str, Callable[[Training], Array]]] = {
    "wrong dtype": (
        "the rows come in the other precision",
        lambda training: training.x.astype("float32" if training.x.dtype == np.float64 else "float64"),
    ),
    "whole numbers": ("the rows come as integers, before normalisation", lambda training: training.raw.astype("int64")),
    "not normalised": ("the normalisation of training is left out", lambda training: training.raw),
    "one flat row": ("one row comes without the dimension of the batch", lambda training: training.x[0]),
    "column order": ("the columns come in another order", lambda training: training.x[:, ::-1].copy()),
    "missing column": ("the last column is missing", lambda training: training.x[:, :-1].copy()),
}
"""Each mistake in what is sent to a correct server: what is done, and the rows."""

MISTAKES = (EVAL_FORGOTTEN, ONE_ROW, *INPUTS)


def try_inputs(contestant: Contestant, training: Training, write: Callable[..., None]) -> None:
    """Send each wrong input to a correct server of the network, and record what becomes of it."""
    keys, truth = contestant.path.keys, contestant.exported.truth
    for mistake, (_, make) in INPUTS.items():
        try:
            # A process of its own: what one mistake leaves behind is not the next one's.
            with start_server(contestant.place, contestant.path, contestant.exported.folder) as session:
                answer = _ask(session, make(training), contestant.batch)
        except WorkerFailed as failed:
            write(figures.BLUNDER, NOTICED, mistake=mistake, message=failed.message, **keys)
            continue
        outcome, more = judge(answer, truth)
        write(figures.BLUNDER, outcome, mistake=mistake, **more, **keys)


def _ask(session: ServingSession, x: Array, batch: int | None) -> Array:
    """Return the answer to all rows; in parts where the file takes `batch` rows alone, without those that are left."""
    if batch is None or x.ndim != 2:
        return session.ask("predict", {"x": x})["probabilities"]
    parts = [x[first : first + batch] for first in range(0, len(x) - batch + 1, batch)]
    return np.concatenate([session.ask("predict", {"x": part})["probabilities"] for part in parts])


def try_exports(
    path: ExportPath,
    places: Places,
    training: Training,
    find_truth: FindTruth,
    scratch: Path,
    write: Callable[..., None],
) -> None:
    """Export with each mistake, serve all rows, and record what becomes of it.

    The training mode is forgotten by the edit that backend.toml declares, where the code says so at all. An exporter
    that runs the network on an example of one row may take the number 1 for a constant; where the code has to be
    wrong for that, backend.toml declares the edit.
    """
    for mistake, edit, tried in (
        (EVAL_FORGOTTEN, path.export.training_mode, path.export.training_mode is not None),
        (ONE_ROW, path.export.static_batch, path.export.dynamic_batch),
    ):
        if tried:
            edited = path if edit is None else edit_path(path, edit, scratch / "edited")
            _try_export(mistake, edited, places, training, find_truth, scratch, write)


def edit_path(path: ExportPath, edit: TextEdit, folder: Path) -> ExportPath:
    """Return the path in a copy of its backend in the folder, with the edit made. Raises ValueError."""
    shutil.rmtree(folder, ignore_errors=True)
    home = folder / path.entry.name
    shutil.copytree(path.entry.folder, home, ignore=shutil.ignore_patterns("__pycache__"))
    file = home / edit.file
    text = file.read_text(encoding="utf-8")
    file.write_text(replace_in_function(text, path.export.name, edit), encoding="utf-8")
    return path._replace(entry=path.entry._replace(folder=home))


def _try_export(
    mistake: str,
    path: ExportPath,
    places: Places,
    training: Training,
    find_truth: FindTruth,
    scratch: Path,
    write: Callable[..., None],
) -> None:
    folder = scratch / "mistaken-out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    place = places.export._replace(folder=path.entry.folder)
    rows = 1 if mistake == ONE_ROW else EXAMPLE_ROWS
    try:
        exported = export_network(place, path, training, find_truth, folder, rows)
        with start_server(places.serve, path, folder) as session:
            answer = session.predict(training.x)
    except WorkerFailed as failed:
        write(figures.BLUNDER, NOTICED, mistake=mistake, message=failed.message, **path.keys)
        return
    outcome, more = judge(answer, exported.truth)
    write(figures.BLUNDER, outcome, mistake=mistake, **more, **path.keys)


def replace_in_function(text: str, function: str, edit: TextEdit) -> str:
    """Return the text with the edit made, in that function or, where that does not have it, in the whole file.

    Raises ValueError unless it is there once.
    """
    right, wrong = edit.right, edit.wrong
    before, start, rest = text.partition(f"def {function}(")
    body, following, after = rest.partition("\n\n\ndef ")
    if right not in body and text.count(right) == 1:
        return text.replace(right, wrong)
    if body.count(right) != 1:
        raise ValueError(f"{edit.file}: expected {right!r} once in `{function}`, found it {body.count(right)} times")
    return before + start + body.replace(right, wrong) + following + after


def judge(answer: Array, truth: Truth) -> tuple[str, dict[str, float]]:
    """Return whether a silent answer is right, how far it is off, and the share of predicted classes that it changes.

    One flat row is answered with one row of probabilities, flat or not.
    """
    rows = answer.reshape(-1, truth.probabilities.shape[1]) if answer.ndim <= 2 and answer.size else answer
    right = truth.probabilities[: len(rows)]
    if rows.shape != right.shape or not np.isfinite(rows).all():
        return WRONG, {}
    off = float(np.abs(rows - right).max())
    changed = float((rows.argmax(axis=1) != right.argmax(axis=1)).mean())
    within = off <= LIMIT * truth.floor * float(np.abs(truth.probabilities).max())
    return (RIGHT if within else WRONG), {"probabilities_off": off, "changed_predictions": changed}
