"""One path, gone once: train and export in the backend's worker, load and predict in a clean process."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...common.arrays import Array, Arrays
from ...portable import spec as portable
from ...workers.place import Place
from ...workers.serving import ServingSession
from ...workers.session import Session, WorkerFailed
from .paths import ExportPath, add_serving_code

STEPS = 100
"""Steps of training before the export: enough that every array has moved."""
EXAMPLE_ROWS = 2
"""Rows of the example that an exporter gets; a file that serves no other number of rows has a static batch."""
LIMIT = 16.0
"""Floors up to which a served answer differs by rounding alone: docs/explanation/agreement.md."""


class Training(NamedTuple):
    """What is trained before the export: the same for every backend of a dtype."""

    spec: portable.Spec
    arrays: Arrays
    x: Array
    """All rows, normalised, in the spec's dtype."""
    y: Array
    order: Array
    """(STEPS, batch)"""
    raw: Array
    """The rows before they were normalised: what a forgotten normalisation feeds."""


class Truth(NamedTuple):
    """The oracle's probabilities of all rows, for the arrays of one trained network."""

    probabilities: Array
    """float64"""
    floor: float
    """Plain NumPy's relative rounding error on them."""

    def error_of(self, probabilities: Array) -> float:
        """Return the relative error of probabilities; infinite where they are of another shape or not finite."""
        if probabilities.shape != self.probabilities.shape or not np.isfinite(probabilities).all():
            return float("inf")
        scale = np.abs(self.probabilities).max()
        return float(np.abs(probabilities.astype(np.float64) - self.probabilities).max() / scale)


FindTruth = Callable[[portable.Spec, Arrays, Array, dict[str, str]], Truth]
"""Takes a spec, the trained arrays, all rows and the backend's conventions."""


class Exported(NamedTuple):
    """A trained network and its exported files."""

    folder: Path
    bytes: int
    """Of the exported files."""
    weights: int
    """Bytes of the arrays that the files hold."""
    seconds: float
    probabilities: Array
    """Of all rows, by the exporting framework."""
    truth: Truth


class Served(NamedTuple):
    """The answers of a clean process."""

    probabilities: Array
    """Of all rows."""
    batch: int | None
    """The number of rows that it takes; None where that is any."""
    foreign: tuple[str, ...]
    """The framework's modules that the process imported."""


def export_network(
    place: Place,
    path: ExportPath,
    training: Training,
    find_truth: FindTruth,
    folder: Path,
    example_rows: int = EXAMPLE_ROWS,
) -> Exported:
    """Train the network in a worker, export it into the empty folder, add the serving code. Raises WorkerFailed."""
    with Session(place) as session:
        session.build(training.spec, "cpu", path.variant)
        session.load(training.arrays)
        session.put(training.x, training.y)
        session.train(training.order)
        arrays = session.dump()
        # Exported as training has left it, in whatever mode that is: `predict` would leave the training mode.
        header = session.export(path.export.name, training.x[:example_rows], folder)
        probabilities = session.predict(training.x)
        truth = find_truth(training.spec, arrays, training.x, session.conventions)
        error = truth.error_of(probabilities)
        if np.isinf(error):
            raise WorkerFailed("not finite", "the trained network's own probabilities are not finite")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if not size:
        raise WorkerFailed("broke the contract", "export wrote no file")
    add_serving_code(path, folder)
    weights = sum(array.nbytes for array in arrays.values())
    return Exported(folder, size, weights, header, probabilities, truth)


def start_server(place: Place, path: ExportPath, folder: Path) -> ServingSession:
    """Start a process that has loaded the exported network. Raises WorkerFailed."""
    session = ServingSession(place._replace(folder=folder))
    try:
        session.load_network(path.function)
    except BaseException:
        session.close()
        raise
    return session


def serve_all(place: Place, path: ExportPath, exported: Exported, x: Array) -> Served:
    """Predict all rows in a clean process, together; in pairs or one by one where it takes no other number.

    The files are moved to a folder of another name first: a file that remembers where it was written must not work.
    Raises WorkerFailed.
    """
    moved = exported.folder.with_name(f"{exported.folder.name}-served")
    shutil.rmtree(moved, ignore_errors=True)
    shutil.copytree(exported.folder, moved)
    hidden = exported.folder.with_name(f"{exported.folder.name}-hidden")
    exported.folder.rename(hidden)
    try:
        with start_server(place, path, moved) as session:
            try:
                answer = session.predict(x)
                one = session.predict(x[:1])
                batch = None if np.allclose(one, answer[:1], rtol=0, atol=1e-5) else len(x)
            except WorkerFailed:
                if not session.alive():
                    raise
                answer, batch = _serve_in_parts(session, x)
            modules = list(path.entry.description.import_name)
            foreign = () if path.in_framework else tuple(session.imported(modules))
    finally:
        hidden.rename(exported.folder)
    return Served(answer, batch, foreign)


def _serve_in_parts(session: ServingSession, x: Array) -> tuple[Array, int]:
    """Predict all rows, as many at once as the exporter's example had; one by one where that is refused, too.

    Returns how many at once. Raises WorkerFailed.
    """
    try:
        # The last part overlaps where the rows do not divide: it has to be as long as the others.
        starts = [min(start, len(x) - EXAMPLE_ROWS) for start in range(0, len(x), EXAMPLE_ROWS)]
        parts = [session.predict(x[start : start + EXAMPLE_ROWS]) for start in starts]
        last = parts[-1][EXAMPLE_ROWS * len(parts) - len(x) :]
        return np.concatenate([*parts[:-1], last]), EXAMPLE_ROWS
    except WorkerFailed:
        if not session.alive():
            raise
        return np.concatenate([session.predict(x[row : row + 1]) for row in range(len(x))]), 1
