"""The sampler of a search: Optuna's study in a SQLite file, asked for settings and told what they came to.

Random and grid settings depend on the seed and on the number of the trial alone, so a resumed search tries exactly
what an uninterrupted one tries. TPE depends on the results so far; its random numbers depend on seed and trial.

Optuna knows no one-minus scale: the study has the hyperparameter as `1 - NAME`, on a logarithmic scale. A choice is
the JSON text of its value.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..common.errors import InputError
from ..common.extras import describe_install
from .scales import Dimension
from .space import Point, SearchFile
from .trial import DIVERGED, FAILED, PRUNED

FILE = "study.db"
STARTUP_TRIALS = 10
"""The trials that TPE draws at random before it models anything: Optuna's default."""


def import_optuna() -> Any:
    """Return the module. Raises InputError where the extra is not installed."""
    try:
        import optuna  # noqa: PLC0415  # an extra
        import sqlalchemy  # noqa: F401, PLC0415  # Optuna asks for it when it opens the file
    except ImportError as error:
        raise InputError(f"A search needs {error.name}. {describe_install('search')}.") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Study:
    """The study of one search. Its file is written by this process alone."""

    def __init__(self, folder: Path, file: SearchFile, sampler: str, seed: int) -> None:
        self._optuna = import_optuna()
        self._file, self._sampler, self._seed = file, sampler, seed
        self._grid = file.grid_points() if sampler == "grid" else []
        self._names = {name: study_name(name, each) for name, each in file.space.items()}
        self._distributions = {self._names[name]: self._distribution(each) for name, each in file.space.items()}
        self._study = self._optuna.create_study(
            storage=f"sqlite:///{folder / FILE}", study_name="search", direction="maximize", load_if_exists=True
        )

    def ask(self, trial: int) -> tuple[Point, int]:
        """Return the setting of a trial of the search, and the number of its trial in the study."""
        fixed = self._fixed_point(trial)
        if fixed is None:
            seed = (self._seed * 1_000_003 + trial) % 2**32
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=STARTUP_TRIALS, constant_liar=True
            )
        else:
            internal = {self._names[name]: to_study(self._file.space[name], value) for name, value in fixed.items()}
            self._study.sampler = _fixed_sampler(self._optuna, internal)
        asked = self._study.ask(self._distributions)
        if fixed is not None:
            return fixed, int(asked.number)
        point = {name: from_study(each, asked.params[self._names[name]]) for name, each in self._file.space.items()}
        return point, int(asked.number)

    def tell(self, number: int, value: float | None, outcome: str) -> None:
        """Tell what a trial came to, by its number in the study. Telling it twice is harmless."""
        states = self._optuna.trial.TrialState
        if outcome in (PRUNED, FAILED):
            state = states.PRUNED if outcome == PRUNED else states.FAIL
            self._study.tell(number, state=state, skip_if_finished=True)
        else:
            self._study.tell(number, value, skip_if_finished=True)

    def abandon_unplanned(self, planned: Sequence[int]) -> None:
        """Mark as failed the trials that were asked for and never planned: the driver was killed in between."""
        for trial in self._study.trials:
            if not trial.state.is_finished() and trial.number not in planned:
                self._study.tell(trial.number, state=self._optuna.trial.TrialState.FAIL)

    def importances(self) -> dict[str, float]:
        """Return the importance of each hyperparameter by fANOVA (Hutter et al. 2014); {} where it cannot be known."""
        complete = self._study.get_trials(states=[self._optuna.trial.TrialState.COMPLETE])
        values = {trial.value for trial in complete}
        if len(complete) < 4 or len(values) < 2 or not self._file.space:
            return {}
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self._seed)
        found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        names = {internal: name for name, internal in self._names.items()}
        return {names[internal]: float(share) for internal, share in found.items()}

    def _fixed_point(self, trial: int) -> Point | None:
        if self._sampler == "random":
            return self._file.random_point(self._seed, trial)
        return self._grid[trial] if self._sampler == "grid" else None

    def _distribution(self, dimension: Dimension) -> Any:
        distributions = self._optuna.distributions
        if dimension.scale == "choice":
            return distributions.CategoricalDistribution([json.dumps(value) for value in dimension.values])
        low, high = dimension.ends
        if dimension.scale == "integer":
            return distributions.IntDistribution(int(low), int(high))
        if dimension.scale == "one-minus":
            return distributions.FloatDistribution(1 - high, 1 - low, log=True)
        return distributions.FloatDistribution(low, high, log=dimension.scale == "log")


def study_name(name: str, dimension: Dimension) -> str:
    """Return what the study calls a hyperparameter."""
    return f"1 - {name}" if dimension.scale == "one-minus" else name


def to_study(dimension: Dimension, value: Any) -> Any:
    """Return a value as the study has it."""
    if dimension.scale == "choice":
        return json.dumps(value)
    if dimension.scale != "one-minus":
        return value
    low, high = dimension.ends
    return min(max(1 - value, 1 - high), 1 - low)  # rounding must not leave the range


def from_study(dimension: Dimension, value: Any) -> Any:
    """Return a value that the study drew."""
    if dimension.scale == "choice":
        return json.loads(value)
    if dimension.scale != "one-minus":
        return value
    low, high = dimension.ends
    return min(max(1 - value, low), high)


def _fixed_sampler(optuna: Any, values: Mapping[str, Any]) -> Any:
    """Return a sampler of one setting."""

    class Fixed(optuna.samplers.BaseSampler):  # type: ignore[misc]  # Optuna is an extra: its classes are Any here
        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return {}

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return {}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return values[param_name]

    return Fixed()


def judge(outcomes: Sequence[tuple[str, float | None]]) -> tuple[float | None, str]:
    """Return the value and the outcome of a trial from those of all backends: (outcome, value) pairs.

    The value is the mean of those that did not fail. A trial is pruned where a backend pruned it, and failed where all
    did.
    """
    able = [(outcome, value) for outcome, value in outcomes if outcome != FAILED and value is not None]
    if not able:
        return None, FAILED
    value = sum(value for _, value in able) / len(able)
    names = {outcome for outcome, _ in able}
    return value, next((name for name in (PRUNED, DIVERGED) if name in names), "complete")
