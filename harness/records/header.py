"""What stands in run.json: written once, before a run, and validated whenever it is read."""

import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

FORMAT = 2
"""Of run.json and records.jsonl. 2 (2026-11-28): every record is of a declared figure."""


class Section(BaseModel):
    """A part of run.json: immutable, no key but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class LooseSection(BaseModel):
    """A part of which only some keys are read from a run; the others are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True, allow_inf_nan=False)


def _require_whole(value: Any) -> Any:
    """Return a whole number as it is: pydantic alone would take 1.0, "1" and true for 1, and readers would not."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("expected a whole number")
    return value


def _require_moment(value: Any) -> Any:
    if isinstance(value, str):
        datetime.datetime.fromisoformat(value)
    return value


Count = Annotated[int, BeforeValidator(_require_whole), Field(ge=0, le=2**53)]
Natural = Annotated[int, BeforeValidator(_require_whole), Field(ge=1, le=2**31)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=1e12)]
Moment = Annotated[str, BeforeValidator(_require_moment)]
Name = Annotated[str, Field(min_length=1, max_length=1000)]


class Rows(Section):
    """How many rows of the data each split has."""

    train: Count
    validation: Count
    test: Count


class Data(Section):
    """The data set that the spec names, as it was read."""

    name: str
    hash: str
    """Of the splits: a resumed run needs the same."""
    rows: Rows
    features: Natural
    classes: Natural
    notes: tuple[str, ...]
    class_counts: dict[str, tuple[Count, Count, Count]] = {}
    """The training, validation and test rows of each class; empty in runs before 2026-11-29."""


class Machine(Section):
    """The machine, as far as speed depends on it."""

    processor: str
    architecture: str
    cores: Count | None
    threads: Count | None
    usable_threads: Count
    memory_bytes: Count
    system: str
    kernel: str | None = None
    """The build of the system's kernel. This and the next four: None where not shown, or not yet recorded."""
    c_library: str | None = None
    flags: tuple[str, ...] | None = None
    """The instruction sets and features of the processor."""
    microcode: str | None = None
    hypervisor: str | None = None
    """Its name, or "none"."""
    python: str
    gpus: tuple[dict[str, Any], ...] = ()
    load_before: tuple[float, ...] | None
    facts: dict[str, Any] = {}
    """What harness/common/machine.py reads just before the run."""


class Host(Section):
    """A host of the cluster that carries the run out."""

    host: str
    """Its name."""
    machine: Machine


class Backend(Section):
    """A backend that takes part."""

    title: str
    version: str
    """As its requirements pin it."""
    source: str
    """A hash of its files."""
    build: str | None = None
    """The build of its packages that `--build` asked for; None for what pip installs by itself."""


class SpecTables(Section):
    """The tables of the spec; harness/workload/spec.py validates what stands in them when a run is resumed."""

    data: dict[str, Any]
    network: "NetworkTable"
    optimiser: "OptimiserTable"
    training: "TrainingTable"
    sweep: dict[str, list[Any] | tuple[Any, ...]] = {}


class NetworkTable(LooseSection):
    """The table [network]."""

    hidden: Annotated[tuple[Natural, ...], Field(max_length=1000)]
    activation: str
    batch_norm: Annotated[bool, Field(strict=True)]


class OptimiserTable(LooseSection):
    """The table [optimiser]."""

    name: str


class TrainingTable(LooseSection):
    """The table [training]."""

    batch_size: Natural
    epochs: Natural
    seed: Count
    dtype: Literal["float32", "float64"]


class Workload(Section):
    """One of several workloads that a run times."""

    name: str
    about: str
    spec: SpecTables
    data: Data
    threads: Natural
    measure: Literal["training", "prediction"]
    rows: Count
    """Of a call of `predict`, where that is timed."""


class Suite(Section):
    """The workloads of a run with `--suite`; the first is the run's own spec, which is trained to its end."""

    name: str
    budget_s: Seconds
    """Seconds of slices for each round of a workload."""
    workloads: Annotated[tuple[Workload, ...], Field(min_length=1)]
    left_out: dict[str, str]
    """The workloads that this machine cannot run, with the reason."""


class Plan(Section):
    """What is fixed before the run."""

    entries: Annotated[tuple[tuple[Name, Name], ...], Field(min_length=1)]
    """The backends and their variants."""
    rounds: Natural | None
    """None where `until` decides."""
    blocks: Natural | None
    """None where `budget_s` decides."""
    budget_s: Seconds | None
    """Seconds of slices, all rounds together; None where `blocks` decides."""
    until: Seconds | None = None
    """Rounds are added until every ratio to the fastest is known to this share of it; None where `rounds` decides."""
    time_limit_s: Seconds | None = None
    """Seconds of rounds, after which none is added."""
    deploy_s: Seconds | None = None
    """Seconds after which no export of the deployment begins; None where the run deploys nothing."""
    slice_s: Annotated[float, Field(strict=True, gt=0, le=1e6)]
    seed: Count
    """Of the orders in which workers start and take slices."""
    threads: Natural
    cores: tuple[Count, ...] | None
    device: str
    new_shapes: bool = False
    """Whether the cost of new batch sizes is measured."""
    interpreters: tuple[str, ...]
    folders: dict[str, str]
    """The folders of backends from outside the project."""
    stands_for: dict[str, tuple[str, str]] = {}
    """By backend, the framework that it stands for in the group of backends that was asked for, and why."""
    inherit: tuple[str, ...] = ()
    """The names of the environment variables that `run --inherit-environment` passes on."""


class Header(Section):
    """All of run.json."""

    format: Literal[2]
    created: Moment
    bakeoff: str
    """The version of Bakeoff."""
    commit: str | None
    spec_hash: str
    spec: SpecTables
    data: Data
    machine: Machine
    backends: dict[str, Backend]
    variables: dict[str, dict[str, str]] = {}
    """By NAME:VARIANT, the environment variables in force in its workers; empty in runs before 2026-11-28."""
    plan: Plan
    suite: Suite | None = None
    """None where the run has one workload."""
    hosts: dict[str, Host] = {}
    """By address, the hosts of the cluster when the run began; empty for a run on one machine."""

    @model_validator(mode="after")
    def _check_entries(self) -> "Header":
        for name, _ in self.plan.entries:
            if name not in self.backends:
                raise PydanticCustomError(
                    "stranger", "plan.entries: expected names of `backends`; got {name}", {"name": repr(name)}
                )
        return self


def header_problem(found: Any) -> str:
    """Return what is wrong with the content of run.json; "" where nothing is."""
    form = found.get("format") if isinstance(found, dict) else None
    if form != FORMAT:
        return f"expected format {FORMAT}, got {form!r}. Use the version of Bakeoff that wrote it."
    try:
        Header.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if not first["loc"]:  # what one part says of another
            return first["msg"]
        where = ".".join(str(part) for part in first["loc"])
        got = "" if first["type"] == "missing" else f"; got {first['input']!r:.60}"
        return f"{where}: {first['msg']}{got}"
    return ""
