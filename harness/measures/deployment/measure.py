"""Measures the paths of deployment: environments, code, export, agreement, cold start, latency."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ...environments import Environment
from ...environments.layers import build_layer, build_runtime
from ...workers.launch import place_of
from ...workers.place import Place
from ...workers.session import WorkerFailed
from . import figures
from .attempt import Exported, FindTruth, Served, Training, export_network, serve_all
from .export_code import count_code
from .judge import REFUSED, explain_difference, judge_float64
from .latency import Contestant, measure_cold_start
from .paths import PYTHON, ExportPath, runtime_folder
from .requirements import find_undeclared

Write = Callable[..., None]
NO_PIP = {"PIP_NO_INDEX": "1", "PIP_NO_INPUT": "1"}
"""A converter that installs packages while it exports finds none: what it needs is pinned."""


class Places(NamedTuple):
    """Where a path exports, and where it serves."""

    export: Place
    serve: Place


class Environments(NamedTuple):
    """The environments of a path beside that of training."""

    layer: Environment | None
    """What exporting needs beside training; None where it needs nothing."""
    runtime: Environment | None
    """What serves without the framework; None where the framework serves."""


def build_environments(path: ExportPath, base: Environment, say: Callable[[str], None]) -> Environments:
    """Find or build the environments of a path over that of training. Raises Missing and BuildFailed."""
    layer, runtime = None, None
    if path.requirements is not None:
        layer = build_layer(f"{path.entry.label}-{path.requirements.stem}", path.requirements, base, say)
    if not path.in_framework:
        runtime = build_serving(path.export.serves_with, say)
    return Environments(layer, runtime)


def build_serving(runtime: str, say: Callable[[str], None]) -> Environment:
    """Find or build the environment of a runtime, by its name. Raises Missing, BuildFailed and InputError."""
    folder = runtime_folder(runtime)
    return build_runtime(f"serving-{folder.name}", folder / "requirements.txt", PYTHON, say)


def prepare_places(
    path: ExportPath,
    base: Environment,
    scratch: Path,
    cores: tuple[int, ...] | None,
    write: Write,
    say: Callable[[str], None],
) -> Places:
    """Build the environments of a path, and record what exporting and serving need. Raises Missing and BuildFailed."""
    keys = path.keys
    layer, runtime = build_environments(path, base, say)
    exporting, extra = layer or base, layer.packages if layer else {}
    packages, size = {**base.packages, **extra}, base.bytes + (layer.bytes if layer else 0)
    if runtime is not None:
        packages, size = runtime.packages, runtime.bytes
    undeclared: list[str] = []
    if layer is not None:
        undeclared = find_undeclared(layer, base, path.export.converters, path.entry.description.package)
    lines, tokens = count_code(path.entry.folder / "export.py", path.export.name)
    for figure, value, more in (
        (figures.EXPORT_LINES, lines, {}),
        (figures.EXPORT_TOKENS, tokens, {}),
        (figures.EXPORT_PACKAGES, len({**base.packages, **extra}), {}),
        (figures.EXPORT_SIZE, base.bytes + (layer.bytes if layer else 0), {}),
        (figures.CONVERTER_PACKAGES, len(extra), {"names": sorted(extra)}),
        (figures.CONVERTER_SIZE, layer.bytes if layer else 0, {}),
        (figures.UNDECLARED, len(undeclared), {"names": undeclared}),
        (figures.SERVE_PACKAGES, len(packages), {}),
        (figures.SERVE_SIZE, size, {}),
        (figures.NEEDS_COMPILER, bool(path.export.compiler), {}),
        (figures.NEEDS_MODEL, path.export.needs_model, {}),
    ):
        write(figure, value, **keys, **more)

    def place(python: Path, name: str) -> Place:
        made = place_of(path.entry, path.variant, python, cores=cores, log=scratch / f"{name}.log")
        # A layer uses the libraries of the environment below it: the variables name that one.
        here = {key: value.replace("{environment}", str(base.folder)) for key, value in made.variables.items()}
        return made._replace(variables={**here, **NO_PIP})

    serve = place((runtime or exporting).python, "serve")
    if not path.in_framework:  # the framework's own settings are no business of another program
        serve = serve._replace(variables={}, thread_variables=())
    return Places(place(exporting.python, "export"), serve)


def try_path(
    path: ExportPath, places: Places, training: Training, find_truth: FindTruth, scratch: Path, write: Write
) -> Contestant | None:
    """Export and serve one network; record whether it agrees. Returns it where it passed the gate, else None."""
    keys: dict[str, Any] = {**path.keys, "dtype": training.spec.dtype}
    try:
        served, exported = _go(path, places, training, find_truth, scratch)
    except WorkerFailed as failed:
        write(figures.EXPORTED, False, reason=failed.message, **keys)
        return None
    truth = exported.truth
    error = truth.error_of(served.probabilities)
    reason = explain_difference(served.probabilities, truth)
    if not reason and served.foreign:
        reason = f"the process that serves without the framework imported {', '.join(served.foreign)}"
    write(figures.EXPORTED, not reason, seconds=exported.seconds, **keys, **({"reason": reason} if reason else {}))
    write(figures.EXTRA_BYTES, exported.bytes - exported.weights, **keys)
    claimed = "yes" if path.export.dynamic_batch else "no"
    write(figures.DYNAMIC_BATCH, served.batch is None, claimed=claimed, **path.keys)
    if error < float("inf"):
        apart = truth._replace(probabilities=exported.probabilities).error_of(served.probabilities)
        write(figures.SERVED_FLOORS, error / truth.floor, error=error, floor=truth.floor, from_exporter=apart, **keys)
    return None if reason else Contestant(path, places.serve, exported, served.batch)


def try_float64(
    path: ExportPath, places: Places, training: Training, find_truth: FindTruth, scratch: Path, write: Write
) -> str:
    """Export and serve the network in float64; record and return whether it is exact, reduced, refused or wrong."""
    reason = path.entry.unsupported(training.spec)
    claimed = path.export.float64
    try:
        if reason:
            raise WorkerFailed("raised", reason)
        served, exported = _go(path, places, training, find_truth, scratch)
    except WorkerFailed as failed:
        write(figures.FLOAT64, REFUSED, reason=failed.message, claimed=claimed, **path.keys)
        return REFUSED
    truth = exported.truth
    verdict = judge_float64(served.probabilities, truth)
    error = truth.error_of(served.probabilities)
    keys: dict[str, Any] = {**path.keys, "dtype": training.spec.dtype}
    more = {"error": error} if error < float("inf") else {}
    write(figures.FLOAT64, verdict, what=str(served.probabilities.dtype), claimed=claimed, **path.keys, **more)
    if more:
        write(figures.SERVED_FLOORS, error / truth.floor, error=error, floor=truth.floor, **keys)
    return verdict


def record_cold_starts(contestant: Contestant, training: Training, write: Write) -> None:
    """Record the median of the cold starts of a network that passed the gate."""
    seconds = sorted(measure_cold_start(contestant, training.x[: contestant.batch or 1]))
    write(figures.SERVE_COLD_START, seconds[len(seconds) // 2], calls=seconds, **contestant.path.keys)


def _go(
    path: ExportPath, places: Places, training: Training, find_truth: FindTruth, scratch: Path
) -> tuple[Served, Exported]:
    folder = scratch / f"{path.entry.name}-{path.export.name}-{training.spec.dtype}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    exported = export_network(places.export, path, training, find_truth, folder)
    return serve_all(places.serve, path, exported, training.x), exported
