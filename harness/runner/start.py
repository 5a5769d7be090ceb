"""Begin a run, or resume one: the request, the plan that is fixed before the run, and its run folder."""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..cluster.dask import Cluster
from ..common import machine
from ..common.errors import InputError
from ..common.foreign import make_safe
from ..common.trust import began_here
from ..environments import interpreters
from ..measures import VOCABULARY
from ..measures.speed import sweep
from ..measures.speed.rounds import SLICE_S
from ..records import read
from ..records.store import Run
from ..registry import entries as registry_entries
from ..registry.entries import Entry
from ..workers.cores import first_cores
from ..workers.launch import place_of
from ..workers.place import variables_in_force
from ..workload import data
from ..workload.spec import Spec
from ..workload.suite import Suite
from . import suite
from .comparison import Comparison
from .rebuild import identify, rebuild
from .spread import SpreadComparison

ROUNDS, BLOCKS = 2, 40
QUICK_ROUNDS, QUICK_BLOCKS = 2, 16
"""Two rounds, because one does not show the variation between processes, and no interval may leave that out."""

TIME_LIMIT_S = 600.0
"""Of the rounds of a run with `until`, where the user gives none."""
BUDGET_ROUND_S = 2.5
"""Of a contestant's slices and warm-up slices in a round, where a budget has room for more rounds than `ROUNDS`.

Two processes of one program differ, so many short rounds tell more than a few long ones; shorter ones would mostly
start workers.
"""


@dataclass(frozen=True)
class Request:
    """What a user asks of `bakeoff run`."""

    spec: Spec
    wanted: str | None
    device: str
    threads: int
    quick: bool
    rounds: int | None
    blocks: int | None
    budget_s: float | None
    """Seconds of blocks, all rounds together; in place of `blocks`."""
    pythons: tuple[Path, ...]
    parent: Path
    inherit: tuple[str, ...] = ()
    """The names of variables that workers inherit from the caller, beside those of workers/place.py."""
    until: float | None = None
    """Rounds are added until every ratio to the fastest is known to this share of it; in place of `rounds`."""
    time_limit_s: float = TIME_LIMIT_S
    """Seconds of rounds after which none is added, with `until`."""
    new_shapes: bool = False
    """Whether to measure the cost of new batch sizes, as a suite can ask for, too."""
    suite: tuple[str, Suite] | None = None
    """The name and the workloads of a suite, the first of which has the `spec`; None for a run of one workload."""
    build: str | None = None
    """The build of the packages, of the backends that have one of that name; None for what pip installs."""
    deploy_s: float | None = None
    """Seconds after which no export of the deployment begins; None deploys nothing."""


def begin(request: Request, cluster: Cluster | None = None) -> "Comparison":
    """Load the data, fix the plan, and make the run folder. Raises InputError before anything is made.

    With a `cluster` its hosts carry the run out.
    """
    if cluster is not None:
        _require_spreadable(request)
    hosts = cluster.describe_hosts() if cluster is not None else {}
    entries = registry_entries.read_all()
    wanted = request.wanted if request.wanted is not None else registry_entries.default_selection(entries)
    chosen = registry_entries.with_build(registry_entries.select(entries, wanted), request.build)
    registry_entries.require_device(chosen, request.device)
    outside = [entry.name for entry, _ in chosen if entry.outside]
    if hosts and outside:
        raise InputError(f"--cluster: the hosts have no backend {outside[0]}: it is a folder of this machine.")
    _require_device(request.device, hosts)
    interpreters.require_interpreters(request.pythons)
    _require_variables(request.inherit)
    dataset = data.load(request.spec.data, request.spec.training.seed)
    splits = data.split(dataset, request.spec)
    usable = min((each["machine"]["usable_threads"] for each in hosts.values()), default=None)
    cores = _cores(request.threads, "--threads", usable)
    for point in sweep.points(request.spec, request.threads):
        _cores(point.threads, f"[sweep] {point.name}", usable)
        data.check_batch(len(splits.y_train), point.spec.training.batch_size)
    workloads, suite_header = _plan_suite(request, usable)
    header = {
        "bakeoff": version("bakeoff"),
        "commit": machine.commit(),
        "spec_hash": request.spec.hash(),
        "spec": request.spec.model_dump(mode="json"),
        "data": suite.describe_splits(splits, dataset.name),
        "machine": next(iter(hosts.values()))["machine"] if hosts else machine.describe(),
        "backends": _identities(chosen),
        "variables": {} if hosts else _variables(chosen, request.threads, request.inherit),
        "plan": {**_plan(request, chosen, cores), "stands_for": registry_entries.stand_ins(entries, wanted)},
        **suite_header,
        **({"hosts": hosts} if hosts else {}),
    }
    run = Run.create(request.parent, header, VOCABULARY)
    if cluster is not None:
        return SpreadComparison(run, request.spec, splits, chosen, workloads, cluster=cluster)
    return Comparison(run, request.spec, splits, chosen, workloads)


def _require_spreadable(request: Request) -> None:
    """Raise InputError for what a cluster does not do."""
    wanted = {
        "--cluster spreads the workloads of a suite. Add --suite NAME, or leave it out.": request.suite is None,
        "--deploy measures on this machine. Leave out --deploy or --cluster.": request.deploy_s is not None,
        "--inherit-environment passes on variables of this machine. Leave it out with --cluster.": request.inherit,
    }
    for problem, found in wanted.items():
        if found:
            raise InputError(problem)


def _require_device(device: str, hosts: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise InputError for a GPU where this machine, or a host of the cluster, shows none."""
    if not hosts:
        machine.require_device(device)
    for host, each in hosts.items():
        if device == "cuda" and not each["machine"]["gpus"]:
            raise InputError(f"--device cuda: no NVIDIA GPU is visible on the host {host}. Use --device cpu.")


def _plan_suite(request: Request, usable: int | None = None) -> tuple[list[suite.PlannedWorkload], dict[str, Any]]:
    """Return the workloads beside the run's own spec, and the entry of run.json; nothing where there is no suite."""
    if request.suite is None:
        return [], {}
    name, wanted = request.suite
    planned, left_out = suite.plan(wanted, request.threads, usable)
    rounds = (request.rounds or ROUNDS) * len(planned)
    budget_s = suite.BUDGET_S if request.budget_s is None else request.budget_s / rounds
    workloads = [each.header() for each in planned]
    header = {"name": name, "budget_s": budget_s, "workloads": workloads, "left_out": left_out}
    return planned[1:], {"suite": header}


def _plan(request: Request, chosen: Sequence[tuple[Entry, str]], cores: tuple[int, ...] | None) -> dict[str, Any]:
    """Return what is fixed before the run."""
    rounds, blocks = (QUICK_ROUNDS, QUICK_BLOCKS) if request.quick else (ROUNDS, BLOCKS)
    if request.budget_s is not None and not request.quick and request.suite is None:
        rounds = max(rounds, int(request.budget_s / (BUDGET_ROUND_S * (len(chosen) + 1))))  # one is timed twice
    return {
        "entries": [[entry.name, variant] for entry, variant in chosen],
        "rounds": None if request.until is not None else request.rounds or rounds,
        "blocks": None if request.budget_s is not None else request.blocks or blocks,
        "budget_s": None if request.budget_s is None else request.budget_s / _workloads(request),
        "until": request.until,
        "time_limit_s": None if request.until is None else request.time_limit_s,
        "deploy_s": request.deploy_s,
        "slice_s": SLICE_S,
        "seed": secrets.randbits(32),
        "threads": request.threads,
        "cores": cores,
        "device": request.device,
        "new_shapes": request.new_shapes or (request.suite is not None and request.suite[1].new_shapes),
        "interpreters": [str(path) for path in request.pythons],
        "folders": {entry.name: str(entry.folder.resolve()) for entry, _ in chosen if entry.outside},
        "inherit": list(request.inherit),
    }


def _workloads(request: Request) -> int:
    """Return the number of workloads among which a budget is divided."""
    return 1 if request.suite is None else len(request.suite[1].workload)


def _cores(threads: int, asked: str, usable: int | None = None) -> tuple[int, ...] | None:
    """Return a core for each thread. Raises InputError where there are too few; `asked` names the option.

    `usable`: how many the smallest host of a cluster may use; each host then takes the first of its own.
    """
    if usable is not None:
        if threads > usable:
            raise InputError(f"{asked} {threads}: a host of the cluster may use {usable} cores. Ask for no more.")
        return None
    cores = first_cores(threads)
    if cores is not None and len(cores) < threads:
        raise InputError(f"{asked} {threads}: this process may use {len(cores)} cores. Ask for no more.")
    return cores


def resume(folder: Path, trust: bool = False, cluster: Cluster | None = None) -> "Comparison":
    """Open a run that was killed. Raises InputError where its rounds would not be comparable.

    A run that was not begun by this user on this machine is resumed only with `trust`: it names what is executed.
    """
    header = read.read_header(folder)
    _require_same_place(folder, header, cluster)
    if not trust and not began_here(folder, folder / "run.json"):
        raise InputError(describe_distrust(folder, header))
    parts = rebuild(folder, header)
    if cluster is None:
        _require_same_variables(folder, header, parts[2])
        work = Comparison(Run(folder, VOCABULARY), *parts)
    else:
        work = SpreadComparison(Run(folder, VOCABULARY), *parts, cluster=cluster)
    work.findings.learn(read.read_records(folder, VOCABULARY))
    return work


def describe_distrust(folder: Path, header: Mapping[str, Any]) -> str:
    """Return the message for a run that somebody else began, or whose plan was changed: what it would execute."""
    plan = header["plan"]
    own = [name for name, _ in plan["entries"] if name not in plan["folders"]]
    lines = [
        f"{folder}: this run was not begun by you on this machine, or its run.json has changed. To resume it executes:",
        *(f"  the backend {name} of this project" for name in dict.fromkeys(own)),
        *(f"  the backend in the folder {path}" for path in plan["folders"].values()),
        *(f"  the interpreter {path}" for path in plan["interpreters"]),
        f"If you trust them: bakeoff run --resume {folder} --trust",
    ]
    return "\n".join(make_safe(line) for line in lines)


def _require_same_place(folder: Path, header: Mapping[str, Any], cluster: Cluster | None) -> None:
    """Raise InputError where another machine or another version of Bakeoff began the run: its rounds are compared.

    The hosts of a cluster may be others than before: each carries out the whole of a comparison.
    """
    if bool(header.get("hosts")) != (cluster is not None):
        where = "on a cluster. Add --cluster ADDRESS" if header.get("hosts") else "on one machine. Leave out --cluster"
        raise InputError(f"{folder}: this run began {where}.")
    began = header["machine"]
    now: dict[str, tuple[object, object]] = {
        "Bakeoff's version": (header["bakeoff"], version("bakeoff")),
        "Bakeoff's commit": (header["commit"], machine.commit()),
    }
    if cluster is None:
        now = {
            "the processor": (began["processor"], machine.processor()),
            "the number of usable cores": (began["usable_threads"], len(machine.usable_cores())),
            **now,
        }
    for what, (then, here) in now.items():
        if then != here:
            raise InputError(f"{folder}: {what} was {then} when it began, and is {here} now. Start a new run.")


def _require_variables(names: Sequence[str]) -> None:
    """Raise InputError for a name, or a pattern of names, that no variable of the caller's environment has."""
    for name in names:
        if not any(fnmatchcase(each, name) for each in os.environ):
            raise InputError(f"--inherit-environment {name}: no variable of that name is set. Set it, or leave it out.")


def _variables(chosen: Sequence[tuple[Entry, str]], threads: int, inherit: tuple[str, ...]) -> dict[str, Any]:
    """Return by NAME:VARIANT the environment variables in force in its workers."""
    return {
        f"{entry.name}:{variant}": variables_in_force(place_of(entry, variant, Path(), threads, inherit=inherit))
        for entry, variant in chosen
    }


def _require_same_variables(folder: Path, header: Mapping[str, Any], chosen: Sequence[tuple[Entry, str]]) -> None:
    """Raise InputError where a worker would get other environment variables than when the run began."""
    plan = header["plan"]
    now = _variables(chosen, plan["threads"], tuple(plan.get("inherit", ())))
    for name, then in header.get("variables", {}).items():
        here = now.get(name, {})
        for variable in sorted({*then, *here}):
            before, after = (each.get(variable, "not set") for each in (then, here))
            if before != after:
                raise InputError(
                    f"{folder}: the environment variable {variable} of {name} was {before} when the run began, and is "
                    f"{after} now. Set it as it was, or start a new run."
                )


def _identities(chosen: Sequence[tuple[Entry, str]]) -> dict[str, dict[str, str]]:
    """Return the identity of each backend; it has the build where that was asked for and one of its variants has it."""
    builds = {entry.name: entry.build_name for entry, _ in chosen if entry.build_name}
    wholes = {entry.name: entry.whole._replace(build_name=builds.get(entry.name, "")) for entry, _ in chosen}
    return {name: identify(whole) for name, whole in wholes.items()}
