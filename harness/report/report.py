"""The report of a run: its tables and notes, made from the records whenever they are asked for."""

from functools import cached_property
from pathlib import Path

import pandas as pd

from ..common.statistics import Interval
from ..measures import VOCABULARY
from ..measures.deployment import records as deployment_records
from ..measures.speed import analysis, size_costs
from ..measures.speed import sweep as speed_sweep
from ..records import read
from ..records.columns import read_columns
from ..records.query import Query
from ..records.read import Record
from . import files, notes
from .tables import agreement, code, deployment, openness, shapes, speed, suite, summary, sweep, training
from .tables.speed import Key, Row, StepTimes
from .text import to_bullets, to_markdown


class Report:
    """A run's records, and the tables made of them: each with raw values, and where it differs written for people."""

    SPEED_CAPTION = speed.CAPTION
    SWEEP_CAPTION = sweep.CAPTION
    DEFAULTS_CAPTION = training.CAPTION
    PROFILE_CAPTION = suite.PROFILE_CAPTION
    SHAPES_CAPTION = shapes.CAPTION

    def __init__(self, folder: Path, lenient: bool = False) -> None:
        """Read a run. With `lenient`, records that are wrong are left out and counted. Raises InputError."""
        self.folder = folder
        self.header = read.read_header(folder)
        self.lenient = lenient
        self.set_aside: list[str] = []
        """What is wrong with the records that were left out."""
        self.entries: list[Key] = [(str(name), str(variant)) for name, variant in self.header["plan"]["entries"]]
        set_aside = self.set_aside if lenient else None
        self.query = Query(read_columns(folder, VOCABULARY, set_aside, self.entries))
        self.step_times = StepTimes.of_run(self.header, self.query)

    @cached_property
    def records(self) -> pd.DataFrame:
        """Every record of the finished tasks, in one table."""
        set_aside: list[str] | None = [] if self.lenient else None
        return read.read_records(self.folder, VOCABULARY, set_aside=set_aside, entries=self.entries)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the summary: seconds, bytes, floors; NaN where there is no value."""
        return summary.read_summary(self.header, self.query, self.step_times, self.entries)

    @cached_property
    def speed_rows(self) -> list[Row]:
        """The rows of the speed: one for each variant that was timed."""
        return speed.read_speed(self.header, self.query, self.step_times, self.entries, self._slices)

    @cached_property
    def _slices(self) -> pd.DataFrame:
        return analysis.labelled(self.query)

    @cached_property
    def sweep_times(self) -> pd.DataFrame:
        """The step time of every variant at every point of the sweep; empty where there was no sweep."""
        return speed_sweep.times(self.query)

    @cached_property
    def suite_results(self) -> suite.SuiteResults:
        """The times of every workload; false where the run has one."""
        return suite.SuiteResults(self.header, self.query, self.step_times, self.entries)

    @cached_property
    def size_costs(self) -> list[size_costs.SizeCost]:
        """What new batch sizes cost each variant; empty where that was not measured."""
        return size_costs.read_costs(self.query, self.entries)

    @cached_property
    def deployment_records(self) -> list[Record]:
        """The records that `bakeoff deploy` left in the run's folder; none where it did not."""
        return deployment_records.read_of_run(self.folder)

    @property
    def failed(self) -> bool:
        """Whether something failed, or no variant has values. What is not available or not supported is no failure."""
        return summary.any_failed(self.query) or all(row["failure"] for row in self.rows)

    def title(self, backend: str) -> str:
        """Return the framework's name; with its backend where another backend in the run is of the same framework."""
        titles = {name: str(each["title"]) for name, each in self.header["backends"].items()}
        title = titles.get(backend, backend)
        return title if list(titles.values()).count(title) <= 1 else f"{title} ({backend})"

    def self_test(self) -> tuple[str, Interval] | None:
        """Return the variant that was timed against itself, and that ratio; None where nothing was timed so."""
        found = self.step_times.self_test()
        return None if found is None else (":".join(found[0]), found[1])

    @property
    def failed_self_test(self) -> bool:
        """Whether the variant that was timed against itself came out different."""
        tested = self.self_test()
        return tested is not None and tested[1].excludes(1)

    def summary(self) -> pd.DataFrame:
        """Return one row for each variant, with raw values."""
        return pd.DataFrame(self.rows)

    def readable_summary(self) -> pd.DataFrame:
        """Return the summary for people."""
        return summary.format_summary(self.rows, self.header["plan"].get("stands_for", {}))

    def speed(self) -> pd.DataFrame:
        """Return everything that was timed of each variant, with raw values."""
        return pd.DataFrame(self.speed_rows)

    def readable_speed(self) -> pd.DataFrame:
        """Return the speed for people."""
        return speed.format_speed(self.speed_rows, self.header["spec"]["training"]["batch_size"])

    def ratios(self) -> pd.DataFrame:
        """Return the ratio of the step times of every two variants."""
        return speed.tabulate_ratios(self.step_times)

    def slices(self) -> pd.DataFrame:
        """Return every timed slice, with its label where it is an outlier."""
        return self._slices

    def warm_up(self) -> pd.DataFrame:
        """Return the time per step of every slice of the warm-up; empty where nothing was timed."""
        return analysis.warm_up(self.query)

    def readable_warm_up(self) -> pd.DataFrame:
        """Return the warm-up curve of each variant for people."""
        return speed.tabulate_warm_up(self.warm_up(), self.speed_rows)

    def sweep(self) -> pd.DataFrame:
        """Return the operations and seconds per step at every point of the sweep, with raw values."""
        return self.sweep_times.drop(columns="blocks", errors="ignore")

    def readable_sweep(self) -> pd.DataFrame:
        """Return the sweep for people: one row a point, one column a variant."""
        return sweep.format_points(self.sweep_times)

    def readable_lines(self) -> pd.DataFrame:
        """Return where the overhead ends and the arithmetic begins, for people."""
        return sweep.format_lines(self.sweep_times)

    def suite(self) -> pd.DataFrame:
        """Return one row a workload and variant, with raw values."""
        return suite.tabulate(self.suite_results)

    def readable_suite(self) -> pd.DataFrame:
        """Return the ratios to the fastest by workload, and their mean, for people."""
        return suite.format_ratios(self.suite_results)

    def profiles(self) -> pd.DataFrame:
        """Return the performance profile of each variant, with raw values."""
        return suite.tabulate_profiles(self.suite_results)

    def readable_profiles(self) -> pd.DataFrame:
        """Return the performance profiles for people."""
        return suite.format_profiles(self.suite_results)

    def profile_curves(self) -> pd.DataFrame:
        """Return the corners of the performance profiles: backend, factor, share."""
        return suite.tabulate_curves(self.suite_results)

    def new_shapes(self) -> pd.DataFrame:
        """Return what new batch sizes cost each variant, with raw values."""
        return shapes.tabulate_costs(self.size_costs)

    def readable_new_shapes(self) -> pd.DataFrame:
        """Return what new batch sizes cost each variant, for people."""
        return shapes.format_costs(self.size_costs)

    def new_sizes(self) -> pd.DataFrame:
        """Return one row a variant and new batch size, with raw values."""
        return shapes.tabulate_sizes(self.size_costs)

    def code(self) -> pd.DataFrame:
        """Return the tokens and the step time of every variant that says how its code is, with raw values."""
        return code.tabulate_code(self.query, self.step_times, self.suite_results, self.entries)

    def readable_code(self) -> pd.DataFrame:
        """Return what speed costs in code, for people."""
        return code.format_code(self.code())

    def agreement(self) -> pd.DataFrame:
        """Return the worst rounding errors by case, dtype and phase."""
        return agreement.tabulate_floors(self.query)

    def checks(self) -> pd.DataFrame:
        """Return every check that did not pass."""
        return agreement.tabulate_checks(self.query)

    def convention_effects(self) -> pd.DataFrame:
        """Return what each declared convention, alone, changes."""
        return agreement.tabulate_convention_effects(self.query)

    def framework_defaults(self) -> pd.DataFrame:
        """Return what each framework's own defaults led to."""
        return training.tabulate_framework_defaults(self.header, self.query, self.step_times, self.entries)

    def installation(self) -> pd.DataFrame:
        """Return what it takes to get started with each variant."""
        return deployment.tabulate_installation(self.query, self.entries)

    def deployment(self) -> dict[str, pd.DataFrame]:
        """Return what each export takes and how it serves, by title, for people; {} where nothing was deployed."""
        if not self.deployment_records:
            return {}
        from ..measures.deployment import tables as deployment_tables  # noqa: PLC0415  # imports what deploys, too

        return deployment_tables.tabulate_all(self.deployment_records)

    def openness(self) -> pd.DataFrame:
        """Return every stated fact with its source."""
        return openness.tabulate_openness(self.query)

    def warnings(self) -> list[str]:
        """Return the reasons not to trust this report, or not yet."""
        return notes.list_warnings(self)

    def notes(self) -> list[str]:
        """Return the sentences to be read before the tables; the warnings come first."""
        return notes.list_notes(self)

    def markdown(self) -> str:
        """Return the notes and the summary as Markdown."""
        return f"{to_bullets(self.notes())}\n\n{to_markdown(self.readable_summary())}"

    def write(self) -> Path:
        """Write `tables/` anew; return that folder."""
        return files.write_tables(self)
