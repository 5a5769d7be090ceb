"""`bakeoff search`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..common.errors import InputError
from ..common.foreign import make_safe
from .cluster import ClusterAddress, TlsFiles, connect
from .options import FAILED, Device, Json, Python, Results, Threads, err, exit_at_interrupt, out, print_json, print_note
from .run import BackendList, Trust, parse_time, reject_other_parameters

if TYPE_CHECKING:
    from ..registry.entries import Entry
    from ..search.engine import Engine
    from ..search.ledger import Ledger, Plan

SpaceFile = Annotated[
    Path | None,
    typer.Argument(metavar="SPACE", help="Search file in TOML (docs/reference/search.md)."),
]
Trials = Annotated[int | None, typer.Option(min=1, help="Settings to try. Default: 20; grid: all of its points.")]
Sampler = Annotated[str, typer.Option(help="How settings are drawn: random, grid or tpe.")]
Budget = Annotated[
    str | None, typer.Option(metavar="TIME", help="Begin no trial after 60s, 10m or 2h. Default: no limit.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Trials trained at a time. Default: one for each core.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the sampler.")]
Resume = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Interrupted search to continue.")]
SAMPLERS = ("random", "grid", "tpe")
WITH_RESUME = {"resume", "trust", "results", "as_json", "cluster", "tls"}
"""The parameters that may be given along with --resume."""


def search_hyperparameters(
    context: typer.Context,
    space: SpaceFile = None,
    backends: BackendList = None,
    trials: Trials = None,
    sampler: Sampler = "random",
    budget: Budget = None,
    workers: Workers = None,
    seed: Seed = 0,
    device: Device = "cpu",
    threads: Threads = 1,
    resume: Resume = None,
    trust: Trust = False,
    cluster: ClusterAddress = None,
    tls: TlsFiles = None,
    python: Python = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Search hyperparameters: train many settings, in parallel.

    Each trial is trained by every chosen backend: by its first variant, unless you name another. Exit code 1 if a trial
    fails or differs from the oracle. Needs pip install '.[search]'.

    \b
    bakeoff search space.toml                               20 random settings, default backends
    bakeoff search space.toml --backends NAME --trials 60   one backend
    bakeoff search space.toml --sampler grid                every point of the grid
    bakeoff search --resume results/search-2026-11-28T...   continue an interrupted search
    """  # noqa: D301  # \\b keeps the lines of the examples
    from ..common.trust import began_here
    from ..search.ledger import HEADER, Ledger
    from ..search.study import import_optuna

    import_optuna()
    if resume is not None:
        reject_other_parameters(context, WITH_RESUME)
        folder = resume if resume.exists() or not (results / resume).exists() else results / resume
        ledger = Ledger(folder)
        if not trust and not began_here(folder, folder / HEADER):
            ledger.close()
            plan = ledger.plan
            raise InputError(describe_distrust(folder, plan.contestants, (*plan.folders.values(), *plan.pythons)))
    else:
        if space is None:
            raise InputError("Give a search file, such as space.toml (docs/reference/search.md), or --resume FOLDER.")
        plan = make_plan(space, backends, sampler, trials, budget, workers, seed, device, threads, python)
        ledger = Ledger.create(results, plan)
    with ledger:
        _carry_out_and_print(ledger, as_json, cluster, tls)


def describe_distrust(folder: Path, contestants: Sequence[str], paths: Sequence[str]) -> str:
    """Return the message for a search that somebody else began: what it would execute."""
    what = ", ".join((*contestants, *paths))
    return make_safe(
        f"{folder}: this search was not begun by you on this machine, or its {folder.name} has changed. To resume it "
        f"executes {what}. If you trust that: bakeoff search --resume {folder} --trust"
    )


def make_plan(
    space: Path,
    backends: str | None,
    sampler: str,
    trials: int | None,
    budget: str | None,
    workers: int | None,
    seed: int,
    device: str,
    threads: int,
    python: list[Path] | None,
) -> "Plan":
    """Return the plan that the options ask for. Raises InputError."""
    from ..common.machine import usable_cores
    from ..registry import entries as registry_entries
    from ..search.data import check_data
    from ..search.ledger import Plan
    from ..search.space import read_search_file

    if sampler not in SAMPLERS:
        raise InputError(f"--sampler: expected {', '.join(SAMPLERS)}, got {sampler!r}.")
    file = read_search_file(space)
    points = len(file.grid_points()) if sampler == "grid" else None
    if points is not None and trials is not None and trials > points:
        raise InputError(f"--trials: the grid has {points} points, got {trials}.")
    if not file.space and trials not in (None, 1):
        raise InputError(f"{space}: without a [space] there is one setting to try: leave out --trials.")
    chosen = first_variants(backends)
    registry_entries.require_device(chosen, device)
    return Plan.model_validate(
        {
            "file": file,
            "contestants": tuple(f"{entry.name}:{variant}" for entry, variant in chosen),
            "sampler": sampler,
            "trials": (trials or points or 20) if file.space else 1,
            "seed": seed,
            "workers": workers or max(1, len(usable_cores()) // threads),
            "threads": threads,
            "device": device,
            "budget_s": None if budget is None else parse_time("--budget", budget),
            "data": check_data(file, str(space)),
            "folders": {entry.name: str(entry.folder.absolute()) for entry, _ in chosen if entry.outside},
            "pythons": tuple(str(path.absolute()) for path in python or ()),
        }
    )


def first_variants(backends: str | None) -> list[tuple["Entry", str]]:
    """Return the chosen backends, each with its first variant unless a variant is named."""
    from ..registry import entries as registry_entries

    entries = registry_entries.read_all()
    words = (backends or registry_entries.default_selection(entries)).split(",")
    chosen = []
    for word in words:
        found = registry_entries.select(entries, word)
        explicit = ":" in word or word.strip() == "all"
        chosen += found if explicit else found[:1]
    return list({(entry.name, variant): (entry, variant) for entry, variant in chosen}.values())


def _carry_out_and_print(ledger: "Ledger", as_json: bool, cluster: str | None, tls: str | None) -> None:
    from ..cluster.dask import ClusterLost
    from ..common.progress import Board
    from ..search import results as search_results
    from ..search.data import require_same_data
    from ..search.driver import Driver
    from ..search.study import Study
    from ..search.terminal import print_search

    plan = ledger.plan
    study = Study(ledger.folder, plan.file, plan.sampler, plan.seed)
    if not ledger.complete:
        require_same_data(plan.file, ledger.folder, plan.data)
        advice = f"Continue with: bakeoff search --resume {ledger.folder}"
        engine = open_engine(plan, cluster, tls)
        with exit_at_interrupt(advice), Board(err) as board:
            try:
                Driver(ledger, study, engine, board).carry_out()
            except (ClusterLost, InputError) as error:  # InputError: a host lacks the data
                raise InputError(f"{error} Every result that was reported is kept. {advice}") from None
            finally:
                engine.close()
    importances = study.importances()
    draw_figures(ledger, importances)
    if as_json:
        print_json(search_results.as_json(ledger, importances))
    else:
        print_search(out, ledger, importances)
    if search_results.wrong(ledger):
        raise typer.Exit(FAILED)


def open_engine(plan: "Plan", cluster: str | None = None, tls: str | None = None) -> "Engine":
    """Return where the jobs run: on this machine, or on the workers of a scheduler. Raises InputError."""
    from ..search.engine import LocalEngine

    if cluster is not None and plan.folders:
        raise InputError(f"--cluster: the hosts have no backend {min(plan.folders)}: it is a folder of this machine.")
    connection = connect(cluster, tls)
    if connection is None:
        return LocalEngine(plan.workers)
    from ..cluster.dask import DaskEngine
    from ..search.jobs import describe_failure, run_job

    return DaskEngine(connection, run_job, describe_failure)


def draw_figures(ledger: "Ledger", importances: dict[str, float]) -> None:
    """Write the figures into the folder of the search; say what is missing where that is not possible."""
    from ..search import figures

    try:
        figures.write(ledger, importances)
    except InputError as error:
        print_note(str(error))
