"""Carries out `bakeoff deploy`: what is trained, what the truth is, and which path comes when."""

import functools
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from ..common import machine
from ..common.progress import Board
from ..environments import BuildFailed, Environment, Missing
from ..measures.deployment import figures
from ..measures.deployment.attempt import Training
from ..measures.deployment.checkpoints import measure_checkpoint
from ..measures.deployment.latency import Contestant, judge_self_test, measure_latency
from ..measures.deployment.measure import (
    Places,
    prepare_places,
    try_float64,
    try_path,
)
from ..measures.deployment.paths import ExportPath, list_paths
from ..measures.deployment.records import RecordsFile, leave_out_machines, select, value_of
from ..measures.deployment.servers import list_servers
from ..records.files import DEPLOYMENT_FILE
from ..records.read import Record
from ..registry.description import Server
from ..registry.entries import Entry
from ..workers.cores import first_cores, lease_cores
from ..workers.launch import place_of
from ..workers.place import Place
from ..workers.session import WorkerFailed
from .deployment_builds import JOBS, Bases, build_ahead
from .deployment_http import HttpServing, http_task
from .deployment_oracle import choose_trainings, find_training_floors, find_truth, make_training
from .deployment_stages import COLD_STARTS, MISTAKES, VERSIONS, Recorder, Say, Stage

CHECKPOINT_FILE = "checkpoint.py"
"""The file of a backend that saves and restores a training."""


class Deployment(NamedTuple):
    """What `bakeoff deploy` found."""

    records: list[Record]
    """Those of the chosen backends."""
    self_test: str
    """Why the self-test of the timing failed; "" where it passed."""
    left_out: list[str]
    """The exports and checkpoints that the time limit left out."""
    failed_again: list[str]
    """A sentence for each export that agreed before, and failed when it was exported again: parts of it are missing."""


class Again(NamedTuple):
    """What exporting a path again takes."""

    path: ExportPath
    places: Places
    training: Training
    scratch: Path


class Parts(NamedTuple):
    """What `bakeoff deploy` does beside exporting, serving and comparing, and for how long."""

    timed: bool = True
    """Whether to time cold starts and calls."""
    http: bool = False
    checkpoints: bool = False
    mistakes: bool = False
    versions: bool = False
    """Whether to look for the oldest version of a runtime that reads the file."""
    limit_s: float = float("inf")
    """Seconds after which no export and no checkpoint begins. What has begun is finished, and timed."""


def deploy(
    chosen: Sequence[tuple[Entry, str]],
    only: Sequence[str],
    pythons: tuple[Path, ...],
    board: Board,
    parts: Parts,
    file: RecordsFile | None = None,
) -> Deployment:
    """Deploy by every path of the chosen backends, or by those of the names in `only`; return the records.

    `file` takes the records of each task as soon as it is finished; a task that it has already is not done again.
    """
    log = file or RecordsFile()
    entries = list({entry.name: entry.whole for entry, _ in chosen}.values())
    labels = {entry.label for entry, _ in chosen}
    paths = [path for path in list_paths(entries) if path.entry.label in labels]
    paths = [path for path in paths if not only or path.export.name in only]
    trained = _first_variants(chosen) if parts.checkpoints else []
    with tempfile.TemporaryDirectory(prefix="bakeoff-deploy-") as folder:
        deployer = Deployer(parts, first_cores(1), Path(folder), board, log)
        needed = [*(path.entry for path in paths), *(entry for entry, _ in trained)]
        deployer.bases = build_ahead(needed, paths, pythons, parts.http, board)
        for entry in entries:
            deployer.record_no_export(entry)
        deployer.deploy_paths(paths)
        for entry, variant in trained:
            deployer.measure_checkpoint(entry, variant)
        if parts.timed:
            deployer.measure_latency()
        if parts.http:
            deployer.measure_http()
    # A file that is resumed can have records of other backends.
    names = {None, *(entry.name for entry in entries)}
    rows = [row for row in log.records if row.get("backend") in names]
    return Deployment(rows, judge_self_test(log.records), deployer.left_out, deployer.failed_again)


def deploy_into(
    folder: Path,
    limit_s: float | None,
    chosen: Sequence[tuple[Entry, str]],
    pythons: tuple[Path, ...],
    board: Board,
) -> None:
    """Deploy into a file beside the records of a run; begin no export after `limit_s` seconds, and none where None."""
    if limit_s is not None:
        deployed = deploy(
            chosen, (), pythons, board, Parts(limit_s=limit_s), RecordsFile(folder / DEPLOYMENT_FILE, resume=True)
        )
        if deployed.left_out:
            board.say(f"Not deployed, because the time was up: {', '.join(deployed.left_out)}")
        for sentence in deployed.failed_again:
            board.say(sentence)


class Deployer:
    """One `bakeoff deploy`: its environments, its records, and the networks that passed the gate."""

    def __init__(
        self, parts: Parts, cores: tuple[int, ...] | None, folder: Path, board: Board, log: RecordsFile
    ) -> None:
        self.parts, self.cores, self.folder, self.board, self.log = parts, cores, folder, board, log
        self.ends = time.monotonic() + parts.limit_s
        self.ready: list[Contestant] = []
        self.left_out: list[str] = []
        self.failed_again: list[str] = []
        self.bases: Bases = {}

    def record_no_export(self, entry: Entry) -> None:
        """Record why a framework has no documented export, or no documented server here, where its backend says so."""
        facts = (
            (figures.NO_EXPORT, entry.description.no_documented_export),
            (figures.SERVER, entry.description.documented_server),
        )
        task = f"deploy {entry.name}"
        write = Recorder(task, self.log.count_attempts(task) + 1)
        for figure, fact in facts:
            if fact is not None:
                write(figure, fact.value, backend=entry.name, source=fact.source, asof=fact.asof)
        # What backend.toml says can have changed since the file was begun.
        known = [row for row in self.log.records if row["task"] == task and "source" in row]
        said = [[(row["value"], row["source"]) for row in rows] for rows in (known, write.records)]
        if said[0] != said[1]:
            self.log.add(write.finish())

    def deploy_paths(self, paths: Sequence[ExportPath]) -> None:
        """Measure every path but for its latency; export again those that were measured before and have parts left."""
        begun = {path.label: self.log.finished(_task(path)) for path in paths}
        agreed = [path for path in paths if begun[path.label] and self._agreed(path)]
        known = self._list_known()
        timed = {row["task"] for row in select(known, figures.SERVE_LATENCY)}
        new = not all(begun.values()) or any(not select(known, figures.SERVE_LATENCY, **path.keys) for path in agreed)
        latency_left = self.parts.timed and (new or not timed)
        for path in paths:
            if not begun[path.label]:
                self.deploy_path(path)
        self.export_again([path for path in agreed if latency_left or self._list_stages(path) or self._list_http(path)])

    def deploy_path(self, path: ExportPath) -> None:
        """Measure one path but for its latency."""
        if self._is_late(path.label):
            return
        write = Recorder(_task(path))
        scratch = self._make_scratch(path)
        with self.board.job(path.label) as job:
            places = self._prepare(path, scratch, write, job.say)
            if isinstance(places, str):
                write(figures.EXPORTED, False, reason=places, dtype="float32", **path.keys)
                job.outcome = places
                self.log.add(write.finish())
                return
            contestant, job.outcome = self._measure(path, places, scratch, write, job.say)
            self.log.add(write.finish())
            if contestant is not None:
                self.ready.append(contestant)
                self._go_through_stages(contestant, places, scratch, job.say)

    def export_again(self, paths: Sequence[ExportPath]) -> None:
        """Export what was measured before, two at a time, and record nothing of it; then measure what is left."""
        prepared = self._prepare_again(paths)
        pool = ThreadPoolExecutor(max_workers=JOBS)
        try:
            exported = list(pool.map(self._export_again, prepared))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        for contestant, places in filter(None, exported):
            self.ready.append(contestant)
            if self._list_stages(contestant.path):
                with self.board.job(f"{contestant.path.label}, what is left") as job:
                    scratch = contestant.exported.folder.parent
                    self._go_through_stages(contestant, places, scratch, job.say)
                    job.outcome = "measured"

    def _prepare_again(self, paths: Sequence[ExportPath]) -> list[Again]:
        """Return what exporting each path again takes, without those that have no place.

        Code and data are read here and in no other thread: Python 3.11 parses in one thread at a time (see
        harness/workers/answers.py).
        """
        prepared = []
        for path in paths:
            scratch = self._make_scratch(path)
            with self.board.job(f"{path.label}, its places") as job:
                places = self._prepare(path, scratch, Recorder(_task(path)), job.say)
                job.outcome = places if isinstance(places, str) else "ready"
            if not isinstance(places, str):
                prepared.append(Again(path, places, choose_trainings(path.entry)["float32"], scratch))
        return prepared

    def _export_again(self, again: Again) -> tuple[Contestant, Places] | None:
        path, places, training, scratch = again
        if self._is_late(path.label):
            return None
        write = Recorder(_task(path))
        with self.board.job(f"{path.label} again") as job, lease_cores(1) as cores:
            found = try_path(path, _move(places, cores), training, find_truth, scratch, write)
            job.outcome = "exported again" if found else f"agreed before, and failed now: {_read_reason(write)}"
        if not found:
            self.failed_again.append(f"{path.label} {job.outcome}. What was to be measured of it is missing: --resume")
        # What is left is measured on the core of all others.
        return (found._replace(place=places.serve), places) if found else None

    def _make_scratch(self, path: ExportPath) -> Path:
        scratch = self.folder / path.label.replace(":", "-")
        scratch.mkdir()
        return scratch

    def _is_late(self, label: str) -> bool:
        """Return whether the time is up; note what is left out for it."""
        late = time.monotonic() > self.ends
        if late:
            self.left_out.append(label)
        return late

    def _agreed(self, path: ExportPath) -> bool:
        return bool(value_of(self.log.records, figures.EXPORTED, dtype="float32", **path.keys))

    def _prepare(self, path: ExportPath, scratch: Path, write: Recorder, say: Say) -> Places | str:
        """Return where the path runs, or why it cannot."""
        base, programs = self.bases[path.entry.label], path.export.compiler
        if not isinstance(base, Environment):
            return str(base)
        if programs and not any(shutil.which(program) for program in programs):
            return f"needs one of these programs on PATH, and found none: {', '.join(programs)}"
        try:
            return prepare_places(path, base, scratch, self.cores, write, say)
        except (Missing, BuildFailed) as failed:
            return str(failed)

    def _measure(
        self, path: ExportPath, places: Places, scratch: Path, write: Recorder, say: Say
    ) -> tuple[Contestant | None, str]:
        trainings = choose_trainings(path.entry)
        say("export in float32, and in float64 beside it")
        double, others = Recorder(write.task), machine.usable_cores()[1:2]
        with ThreadPoolExecutor(max_workers=1) as pool:
            second = _move(places, tuple(others) if self.cores and others else self.cores)
            attempt = pool.submit(try_float64, path, second, trainings["float64"], find_truth, scratch, double)
            contestant = try_path(path, places, trainings["float32"], find_truth, scratch, write)
            float64 = attempt.result()
        write.records += double.records
        if contestant is None:
            return None, f"failed: {_read_reason(write)}"
        return contestant, f"agrees; float64 {float64}"

    def _list_known(self) -> list[Record]:
        """Return the records but for times of another machine, which are measured anew on this one."""
        timed = (*figures.SERVING_TIMES, *figures.HTTP_TIMES)
        return leave_out_machines(self.log.records, timed, machine.label())

    def _list_stages(self, path: ExportPath) -> list[Stage]:
        """Return what is left to measure of a path that agrees, beside its latency and HTTP."""
        known = self._list_known()
        tasks = {row["task"] for row in known}
        wanted = {COLD_STARTS: self.parts.timed, MISTAKES: self.parts.mistakes}
        wanted[VERSIONS] = self.parts.versions and not path.in_framework
        return [
            stage
            for stage, chosen in wanted.items()
            if chosen
            and stage.task(path) not in tasks
            # A file of an earlier version has the figure in the records of the path itself.
            and not select(known, stage.figure, **path.keys)
        ]

    def _go_through_stages(self, contestant: Contestant, places: Places, scratch: Path, say: Say) -> None:
        for stage in self._list_stages(contestant.path):
            say(stage.name)
            task = stage.task(contestant.path)
            write = Recorder(task, self.log.count_attempts(task) + 1)
            stage.measure(contestant, places, scratch, write, say)
            self.log.add(write.finish())

    def measure_latency(self) -> None:
        """Time the networks that passed the gate, in turn."""
        known = self._list_known()
        if not self.ready or all(select(known, figures.SERVE_LATENCY, **each.path.keys) for each in self.ready):
            return
        task = "deploy latency"
        write = Recorder(task, self.log.count_attempts(task) + 1)
        with self.board.job("latency, all paths in turn") as job:
            try:
                measure_latency(self.ready, make_training("float32").x, self.cores, write)
            except WorkerFailed as failed:
                job.outcome = str(failed)
                return
            job.outcome = judge_self_test(write.records) or "the self-test passed"
        self.log.add(write.finish())

    def _list_http(self, path: ExportPath) -> list[Server | None]:
        """Return the servers that are left to put a path behind; None stands for the common one."""
        servers = [None, *list_servers(path)] if self.parts.http else []
        tasks = {row["task"] for row in self._list_known()}
        return [server for server in servers if http_task(path, server) not in tasks]

    def measure_http(self) -> None:
        """Put each network that passed the gate behind its servers, one after the other."""
        left = [(each, server) for each in self.ready for server in self._list_http(each.path)]
        if left:
            HttpServing(self.bases, self.folder, self.cores, self.board, self.log).measure(left)

    def measure_checkpoint(self, entry: Entry, variant: str) -> None:
        """Save, restore and go on with the training of one variant."""
        base, label = self.bases.get(entry.label), f"{entry.name}:{variant}"
        task = f"deploy checkpoint {label}"
        if not isinstance(base, Environment) or self.log.finished(task) or self._is_late(f"{label} from a checkpoint"):
            return
        write = Recorder(task)
        folder = self.folder / f"checkpoint-{entry.name}-{variant}"
        folder.mkdir()
        labelled = functools.partial(write, backend=entry.name, variant=variant)
        place = place_of(entry, variant, base.python, cores=self.cores, log=folder.with_suffix(".log"))
        with self.board.job(f"{label} from a checkpoint") as job:
            training = choose_trainings(entry)["float32"]
            job.outcome = measure_checkpoint(place, variant, training, find_training_floors, folder, labelled)
        self.log.add(write.finish())


def _read_reason(write: Recorder) -> str:
    """Return why a path failed in float32."""
    return next(str(each.get("reason")) for each in write.records if each["figure"] == figures.EXPORTED.name)


def _move(places: Places, cores: tuple[int, ...] | None) -> Places:
    """Return places whose processes run on other cores, and log to files of their own."""

    def move(place: Place) -> Place:
        return place._replace(cores=cores, log=place.log.with_name(f"moved-{place.log.name}"))

    return Places(move(places.export), move(places.serve))


def _task(path: ExportPath) -> str:
    return f"deploy {path.label}"


def _first_variants(chosen: Sequence[tuple[Entry, str]]) -> list[tuple[Entry, str]]:
    """Return the first variant of each environment of those backends that save and restore a training."""
    found: dict[str, tuple[Entry, str]] = {}
    for entry, variant in chosen:
        if (entry.folder / CHECKPOINT_FILE).is_file():
            found.setdefault(entry.label, (entry, variant))
    return list(found.values())
