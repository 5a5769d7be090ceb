"""A suite: several workloads that one run times, read from a TOML file with a `[[workload]]` table for each."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..common.errors import InputError
from ..common.toml import nearest, read_model
from .spec import STRICT, DataSpec, NetworkSpec, OptimiserSpec, Section, Spec, TrainingSpec, Whole, read_text


class Workload(Section):
    """One workload: a spec, the threads it runs on, and what of it is timed."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=32)]
    """A short name in small letters, digits and hyphens: it heads the tables."""
    about: str = ""
    """What it stands for, in a few words."""
    data: DataSpec = DataSpec()
    network: NetworkSpec = NetworkSpec()
    optimiser: OptimiserSpec = OptimiserSpec()
    training: TrainingSpec = TrainingSpec()
    threads: Whole | None = None
    """Threads for each framework. Empty: those of the run."""
    measure: Literal["training", "prediction"] = "training"
    """What is timed: a step of training, or a call of `predict`."""
    rows: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    """The rows of a call of `predict`, where prediction is timed."""

    @property
    def spec(self) -> Spec:
        """The workload as a spec."""
        return Spec(data=self.data, network=self.network, optimiser=self.optimiser, training=self.training)


def _check_workloads(workloads: tuple[Workload, ...]) -> tuple[Workload, ...]:
    names = [each.name for each in workloads]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"expected each workload's name once, got {twice!r} twice")
    if len(workloads) < 2:
        raise ValueError(f"expected two workloads or more, got {len(workloads)}. Give one alone as SPEC")
    if workloads[0].measure != "training" or workloads[0].threads is not None:
        raise ValueError(
            "the first workload is the one that is trained to its end: expected it to time training, on the run's "
            "threads. Put another one first"
        )
    left = [each.name for each in workloads if each.spec.framework_defaults]
    if left:
        raise ValueError(f'{left[0]}: "default" is for a single spec (see --framework-defaults). Give a value')
    return workloads


class Suite(Section):
    """A suite file. `docs/reference/suite.md` explains each key."""

    workload: Annotated[tuple[Workload, ...], STRICT, AfterValidator(_check_workloads)]
    """The workloads, in the order in which they are timed."""
    new_shapes: Annotated[bool, Field(strict=True)] = False
    """Whether to measure what new batch sizes cost each variant, too: minutes for variants that compile."""


def bundled_suites() -> dict[str, str]:
    """Return the text of every suite that is shipped (`harness/workload/suites/`), by name."""
    return dict(sorted(_read_bundled()))


def _read_bundled() -> Iterator[tuple[str, str]]:
    for path in resources.files(__package__).joinpath("suites").iterdir():
        if path.name.endswith(".toml"):
            yield path.name.removesuffix(".toml"), path.read_text(encoding="utf-8")


def read_suite(wanted: str) -> tuple[str, Suite]:
    """Return the name and the content of a suite that is shipped, or of the file that `wanted` names.

    Raises InputError, which names the file, the key and what was expected of it.
    """
    bundled = bundled_suites()
    if wanted in bundled:
        return wanted, read_model(Suite, bundled[wanted], f"{wanted}.toml")
    if not wanted.endswith(".toml"):
        raise InputError(f"--suite: expected a suite or a TOML file, got {wanted!r}. {nearest(wanted, bundled)}")
    path = Path(wanted)
    return path.stem, read_model(Suite, read_text(path, "suite"), str(path))
