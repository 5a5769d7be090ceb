"""`bakeoff check` on the hosts of a cluster: every case of every variant is a cell, and so is its determinism."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..cluster.dask import Cluster, ClusterLost, DaskEngine
from ..common.errors import InputError
from ..common.progress import Board
from ..measures.agreement import cases as agreement_cases
from ..measures.agreement import suite
from ..measures.agreement.determinism import Determinism
from ..measures.agreement.run_checks import STOPPED, VariantResult, spread_networks
from ..measures.agreement.selection import Selection
from ..measures.agreement.serialisation import outcome_from_json
from ..measures.agreement.suite import HUNG, Outcome
from ..registry.entries import Entry
from ..workload import networks
from ..workload.networks import Network
from . import cells
from .cells import CheckCell, CheckResult
from .spread import describe_place, run_window


class Wanted(NamedTuple):
    """What is to be checked."""

    chosen: Sequence[tuple[Entry, str]]
    kinds: Sequence[Network]
    """The networks that every variant is checked on."""
    spread: Sequence[Network]
    """Those that the variants of a backend share."""
    device: str
    threads: int
    selection: Selection
    time_limit_s: float
    pythons: tuple[str, ...]


class Found(NamedTuple):
    """What was found."""

    results: dict[str, VariantResult]
    """By NAME:VARIANT, as chosen."""
    unable: dict[str, str]
    """Why other variants were not checked."""
    unbuilt: bool
    """Whether the environment of one of those could have been built, and was not."""


def check_on_cluster(cluster: Cluster, wanted: Wanted, board: Board) -> Found:
    """Check the variants on the hosts of a cluster. Raises InputError where the cluster is lost: nothing is kept."""
    outside = [entry.name for entry, _ in wanted.chosen if entry.outside]
    if outside:
        raise InputError(f"--cluster: the hosts have no backend {outside[0]}: it is a folder of this machine.")
    work = _Checks(wanted, board)
    engine = DaskEngine(cluster, cells.run_check, cells.give_up_check)
    try:
        board.expect(cells.CELLS, len(work.planned), engine.slots)
        with board:
            for text in run_window(engine, work.jobs()):
                work.take(CheckResult.model_validate_json(text))
    except ClusterLost as lost:
        raise InputError(f"{lost} Nothing of `bakeoff check` is kept: run it again.") from None
    finally:
        engine.close()
    return work.found()


class _Checks:
    """The cells, and what came of them."""

    def __init__(self, wanted: Wanted, board: Board) -> None:
        self.wanted, self.board = wanted, board
        self.planned = list(self._plan())
        self.results: dict[int, CheckResult] = {}
        self.unable: dict[str, str] = {}
        self.ended: set[str] = set()
        """Variants of which no further cell begins: no environment, or no answer in time."""
        self.unbuilt = False

    def _plan(self) -> Iterator[CheckCell]:
        wanted, run = self.wanted, secrets.token_hex(8)
        shares = spread_networks(wanted.chosen, wanted.spread)
        number = 0
        for entry, variant in wanted.chosen:
            usual = [*wanted.kinds, *shares[entry.name, variant]]
            mine = list(wanted.selection.networks) or networks.with_supported(usual, entry.unsupported)
            by_case = dict(zip(agreement_cases.cases(mine), mine, strict=True))
            plan = suite.plan_checks(list(by_case), entry.unsupported, wanted.selection)
            parts: list[dict[str, Any]] = [
                {"networks": (by_case[case],), "checks": tuple(names)} for case, names in plan.items()
            ]
            if not wanted.selection.partial:
                parts.append({"determinism": True})
            for part in parts:
                yield CheckCell(
                    run=run,
                    number=number,
                    contestant=f"{entry.name}:{variant}",
                    build=entry.build_name,
                    device=wanted.device,
                    threads=wanted.threads,
                    time_limit_s=wanted.time_limit_s,
                    pythons=wanted.pythons,
                    **part,
                )
                number += 1

    def jobs(self) -> Iterator[str]:
        """Yield the cells that are still wanted when they are asked for."""
        for cell in self.planned:
            if cell.contestant not in self.ended and not self.wanted.selection.stopped.is_set():
                yield cell.model_dump_json()

    def take(self, result: CheckResult) -> None:
        """Take in what a cell came to."""
        cell = self.planned[result.number]
        self.board.advance(cells.CELLS, result.seconds)
        what = "determinism" if cell.determinism else " ".join(each.name for each in cell.networks)
        if result.problem:
            self.unable[result.contestant] = result.problem
            self.unbuilt |= result.failed
            self.ended.add(result.contestant)
            self.board.say(f"{result.contestant}: {result.problem}")
            return
        self.results[result.number] = result
        outcomes = _outcomes(result)
        if any(each.reason.startswith(HUNG) for each in outcomes):
            self.ended.add(result.contestant)
        if any(each.failed for each in outcomes):
            self.wanted.selection.note_failure()
        said = suite.describe_outcomes(outcomes, partial=True) if outcomes else result.unmeasured or "measured"
        self.board.say_plainly(f"{result.contestant}, {what}: {said}{describe_place(result.host, result.seconds)}")

    def found(self) -> Found:
        """Return the results by variant."""
        found = {name: self._assemble(name) for name in dict.fromkeys(cell.contestant for cell in self.planned)}
        kept = {name: each for name, each in found.items() if each.outcomes and name not in self.unable}
        unable = {name: self.unable.get(name, STOPPED) for name in found if name not in kept}
        return Found(kept, unable, self.unbuilt)

    def _assemble(self, contestant: str) -> VariantResult:
        mine = [self.results[cell.number] for cell in self.planned if self._came(cell, contestant)]
        outcomes = tuple(outcome for result in mine for outcome in _outcomes(result))
        partial = self.wanted.selection.partial
        why = "only a part was selected" if partial else STOPPED
        found = VariantResult(outcomes, None, f"determinism was not measured: {why}", partial=partial)
        for result in mine:
            if result.determinism is not None:
                values = dict(result.determinism)
                network = Network(**values.pop("network"))
                found = found._replace(determinism=Determinism(**values), unmeasured="", determinism_network=network)
            elif result.unmeasured:
                found = found._replace(unmeasured=result.unmeasured)
        return found

    def _came(self, cell: CheckCell, contestant: str) -> bool:
        return cell.contestant == contestant and cell.number in self.results


def _outcomes(result: CheckResult) -> list[Outcome]:
    return [outcome_from_json(each) for each in result.outcomes]
