"""Tables from the records of a run: what people read, as Markdown and CSV, made anew whenever they are asked for."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..common import statistics
from ..common.errors import InputError
from ..common.statistics import Interval
from ..measures.speed import analysis, sweep
from ..measures.training.defaults import TARGET
from ..records import read
from . import text as report_text
from .text import in_brackets, in_time, shown, size, to_markdown

Row = dict[str, Any]

COSTLY = 1.5
"""How much longer a step may take as timed than in training, where two trainings share the machine, and pass unsaid."""

DEPARTURE = ["largest", "mean", "flips", "accuracy", "common_accuracy"]
"""What a departure is told by: harness/departures.py."""


class Report:
    """A run's records, and the tables made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.header = read.read_header(folder)
        self.records = read.read_records(folder)
        for column in ("backend", "variant", "control", "red", "gated", "round", "turn", "steps"):
            if column not in self.records:
                self.records[column] = None
        self.entries = [(str(name), str(variant)) for name, variant in self.header["plan"]["entries"]]
        self.step_times = self._step_times()

    # The summary

    def summary(self) -> pd.DataFrame:
        """Return one row a backend variant, as raw values: seconds, bytes, floors; NaN where there is none."""
        return pd.DataFrame(self.rows)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the summary."""
        return [self._row(backend, variant) for backend, variant in self.entries]

    @property
    def failed(self) -> bool:
        """Whether something failed, or no row has figures. That a framework cannot do the network is no failure."""
        failed = self._where(measure="failure")["quantity"].ne("spec").any() or self.records["red"].eq(True).any()
        return bool(failed) or all(row["failure"] for row in self.rows)

    def _row(self, backend: str, variant: str) -> Row:
        one = self._one
        here = {"backend": backend, "variant": variant}
        speed = {"measure": "speed", **here, "control": False}
        floors, red, known = self._conformance(backend, variant)
        step, ratio = self._speed(backend, variant)
        batch = self.header["spec"]["training"]["batch_size"]
        return {
            "backend": backend,
            "variant": variant,
            "version": self.header["backends"][backend]["version"],
            "conforms": None if np.isnan(floors) and not red else not red,
            "worst_floors": floors,
            "known_failures": known,
            "validation_accuracy": one("validation accuracy", here),
            "test_accuracy": one("test accuracy", here),
            "first_call_s": one("first call", {**speed, "round": 1}),
            "step_s": step.estimate,
            "step_s_low": step.low,
            "step_s_high": step.high,
            "ratio": ratio.estimate,
            "ratio_low": ratio.low,
            "ratio_high": ratio.high,
            "examples_per_s": batch / step.estimate,
            "peak_memory_bytes": one("peak memory", speed),
            "import_s": one("import", speed, "median"),
            "install_s": self._of("install time", backend, variant),
            "install_bytes": self._of("install size", backend, variant),
            "tokens": one("tokens", {"backend": backend}),
            "names": one("names", {"backend": backend}),
            "licence": one("licence", {"backend": backend}),
            "failure": self._failure(backend, variant),
        }

    def _one(self, quantity: str, where: Row, how: str = "last") -> Any:
        found = self._where(quantity=quantity, **where)["value"]
        if not len(found):
            return np.nan
        return found.astype(float).median() if how == "median" else found.iloc[-1]

    def _of(self, quantity: str, backend: str, variant: str) -> Any:
        """Return what was written of a backend, or of the variant where it has an environment of its own."""
        found = self._where(quantity=quantity, backend=backend)
        mine = found.loc[found["variant"].isna() | found["variant"].eq(variant), "value"]
        return mine.iloc[-1] if len(mine) else np.nan

    def _where(self, **where: Any) -> pd.DataFrame:
        keep = pd.Series(True, index=self.records.index)
        for column, value in where.items():
            keep &= self.records[column].eq(value)
        return self.records[keep]

    def _conformance(self, backend: str, variant: str) -> tuple[float, bool, str]:
        """Return the worst of the gated agreements, in floors, whether a gated check is red, and the known failures.

        What a known failure measured is not among the floors.
        """
        floors = self._where(measure="agreement", quantity="floors", backend=backend, variant=variant)
        checks = self._where(measure="agreement", quantity="check", backend=backend, variant=variant)
        known, why = checks[checks["value"].eq("known failure")], ""
        if len(known):
            where = ["check", "case", "dtype"]
            failing = pd.MultiIndex.from_frame(known[where])
            floors = floors[~pd.MultiIndex.from_frame(floors[where]).isin(failing)]
            why = f"in {', '.join(dict.fromkeys(known['dtype']))}: {known['reason'].iloc[0]}"
        worst = floors.loc[floors["gated"].eq(True), "value"].astype(float).max()
        return float(worst), bool(checks["red"].eq(True).any()), why

    def _failure(self, backend: str, variant: str) -> str:
        failures = self._where(measure="failure", backend=backend)
        mine = failures[failures["variant"].isna() | failures["variant"].eq(variant)]
        red = self._where(measure="agreement", quantity="check", backend=backend, variant=variant, red=True)
        sentences = [
            *(f"{row.quantity}: {row.value}" for row in mine.itertuples()),
            *(f"{row.check} on {row.case} {row.dtype}: {row.reason}" for row in red.itertuples()),
        ]
        return str(sentences[0]) if sentences else ""

    # Speed

    def _step_times(self) -> dict[tuple[str, str, bool], list[statistics.Floats]]:
        """Return seconds a step by contestant, an array (turns,) a round; only who was there at every turn."""
        slices = self._where(measure="speed", quantity="slice")
        if not len(slices):
            return {}
        slices = slices.assign(step=slices["value"].astype(float) / slices["steps"].astype(float))
        ended = self._where(measure="task", quantity="finished")["task"].str.extract(r"^round (\d+)$")[0].dropna()
        turns = dict.fromkeys(map(int, ended), read.planned_turns(self.header, self.records))
        times: dict[tuple[str, str, bool], list[statistics.Floats]] = {}
        for (backend, variant, control), mine in slices.groupby(["backend", "variant", "control"]):
            rounds = {
                number: part.sort_values("turn")["step"].to_numpy(float) for number, part in mine.groupby("round")
            }
            if {number: len(values) for number, values in rounds.items()} == turns:
                times[str(backend), str(variant), bool(control)] = list(rounds.values())
        return times

    def fastest(self) -> tuple[str, str] | None:
        """Return the backend and variant of the smallest median step time."""
        medians = {
            key[:2]: float(np.median(np.concatenate(rounds))) for key, rounds in self.step_times.items() if not key[2]
        }
        return min(medians, key=lambda key: medians[key]) if medians else None

    def _speed(self, backend: str, variant: str) -> tuple[Interval, Interval]:
        mine = self.step_times.get((backend, variant, False))
        fastest = self.fastest()
        if mine is None or fastest is None:
            nothing = Interval(np.nan, np.nan, np.nan)
            return nothing, nothing
        return self.step((backend, variant)), self.ratio((backend, variant), fastest)

    @cached_property
    def scatter(self) -> statistics.Scatter:
        """How far processes of one program were apart in this run."""
        return statistics.scatter(list(self.step_times.values()))

    def step(self, key: tuple[str, str]) -> Interval:
        """Return the seconds a step of a variant that was timed."""
        return statistics.median(self.step_times[(*key, False)], self.scatter)

    def ratio(self, mine: tuple[str, str], other: tuple[str, str], control: bool = False) -> Interval:
        """Return the ratio of the step times of two variants, or of one and its control."""
        if mine == other and not control:
            return Interval(1.0, 1.0, 1.0)
        times = self.step_times
        return statistics.paired_ratio(times[(*mine, False)], times[(*other, control)], self.scatter)

    def control(self) -> tuple[str, Interval] | None:
        """Return who was timed against itself, and that ratio; None where nothing was timed."""
        for backend, variant, control in self.step_times:
            if control and (backend, variant, False) in self.step_times:
                return f"{backend}:{variant}", self.ratio((backend, variant), (backend, variant), control=True)
        return None

    def ratios(self) -> pd.DataFrame:
        """Return the paired ratio of every two variants: row over column."""
        names = [key[:2] for key in self.step_times if not key[2]]
        rows = []
        for mine in names:
            row: Row = {"backend": ":".join(mine)}
            for other in names:
                ratio = self.ratio(mine, other)
                row[":".join(other)] = f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
            rows.append(row)
        return pd.DataFrame(rows)

    def speed(self) -> pd.DataFrame:
        """Return what was timed of each variant beside its step, as raw values: seconds, shares, counts."""
        return pd.DataFrame(self.timed)

    @cached_property
    def timed(self) -> list[Row]:
        """The rows of `speed`."""
        rows: list[Row] = []
        flops, rate = analysis.operations(self.header), analysis.peak_rate(self.records)
        for row in self.rows:
            backend, variant = row["backend"], row["variant"]
            here = self._mine(backend, variant)
            found = analysis.details(self.records, backend, variant)
            if found:
                target, timed = self._target(backend, variant), {"measure": "speed", **here, "control": False}
                rows.append(
                    {
                        "backend": f"{backend}:{variant}",
                        "flops_a_step": flops,
                        "flop_rate": flops / row["step_s"],
                        "of_peak": flops / row["step_s"] / rate,
                        **found,
                        "device_bytes": self._one("peak device memory", timed),
                        "transfer_s": self._one("transfer", timed, "median"),
                        "epochs_to_target": target,
                        "time_to_target_s": target * self._steps_an_epoch() * row["step_s"],
                    }
                )
        return rows

    SPEED = (
        "Over all turns: a step's quick tenth, median and slow tenth; slices labelled outliers (they are kept); slices "
        "until the worker was steady; the arithmetic of the matrix products, and its share of what this machine's own "
        "matrix product reaches; predictions from host to host, at the 50th, 95th and 99th percentile; epochs until "
        f"validation accuracy is {TARGET:.0%}, and what their steps take."
    )

    def readable_speed(self) -> pd.DataFrame:
        """Return `speed` with its values written out, under the headings that people read."""
        batch = self.header["spec"]["training"]["batch_size"]
        return pd.DataFrame([report_text.speed_row(row, batch) for row in self.speed().to_dict("records")])

    def slices(self) -> pd.DataFrame:
        """Return every slice of every turn, with its label where it is an outlier."""
        return analysis.labelled(self.records)

    # The sweep

    SWEEP = (
        "A step's time as a line over the operations of its matrix products: the overhead is what it takes with "
        "nothing to compute. At the crossing both are equal: below it one pays for the framework, beyond it for the "
        f"arithmetic. A line is bent where it misses a point by more than {sweep.BENT:.0%}."
    )

    @cached_property
    def sweep_times(self) -> pd.DataFrame:
        """The step time of every variant at every point of the sweep; empty where there was none."""
        return sweep.times(self.records)

    def sweep(self) -> pd.DataFrame:
        """Return the curves: operations and seconds a step at every point, as raw values."""
        return self.sweep_times.drop(columns="turns", errors="ignore")

    def readable_sweep(self) -> pd.DataFrame:
        """Return the curves as one row a point and one column a variant."""
        found = self.sweep_times
        if not len(found):
            return found
        shown = found.assign(
            point=found["axis"] + " " + found["at"].astype(str),
            arithmetic=found["operations"].map(lambda each: f"{each / 1e6:,.3g} MFLOP"),
            step=found["step_s"].map(in_time),
        )
        table = shown.pivot_table(
            index=["point", "arithmetic"], columns="backend", values="step", aggfunc="first", sort=False
        )
        return table.fillna("-").reset_index().rename_axis(columns=None)

    def readable_lines(self) -> pd.DataFrame:
        """Return where the overhead of each variant ends and its arithmetic begins, along each axis."""
        rows = []
        for row in sweep.lines(self.sweep_times).to_dict("records"):
            ends = [row["crossing"], row["crossing_low"], row["crossing_high"]]
            estimate, low, high = (f"{each / 1e6:,.3g}" if np.isfinite(each) else "never" for each in ends)
            rows.append(
                {
                    "backend": row["backend"],
                    "axis": row["axis"],
                    "overhead": in_time(row["overhead_s"]) if row["overhead_s"] else "none",
                    "GFLOP/s": f"{row['flop_rate'] / 1e9:,.3g}" if np.isfinite(row["flop_rate"]) else "-",
                    "crossing, MFLOP [95 %]": f"{estimate} [{low}, {high}]",
                    "that is": f"{row['axis']} {row['crossing_at']}",
                    "line": f"{'bent' if row['misses'] > sweep.BENT else 'within'} {row['misses']:.0%}",
                }
            )
        return pd.DataFrame(rows).fillna("")

    # Agreement

    def agreement(self) -> pd.DataFrame:
        """Return the worst floors by case, dtype and phase (rows) for every variant (columns)."""
        floors = self._where(measure="agreement", quantity="floors")
        if not len(floors):
            return pd.DataFrame()
        named = floors.assign(
            variant=floors["backend"] + ":" + floors["variant"],
            value=floors["value"].astype(float),
            gate=floors["gated"].map({True: "gate", False: "result"}),
        )
        table = named.pivot_table(
            index=["case", "dtype", "gate", "phase"], columns="variant", values="value", aggfunc="max", sort=False
        )
        return table.round(1).reset_index().rename_axis(columns=None)

    def checks(self) -> pd.DataFrame:
        """Return every check that is not plainly passed, with its reason; and how many are."""
        checks = self._where(measure="agreement", quantity="check")
        if not len(checks):
            return pd.DataFrame()
        columns = ["backend", "variant", "check", "case", "dtype", "value", "reason"]
        return checks.loc[checks["value"] != "passes", columns].rename(columns={"value": "status"})

    def departures(self) -> pd.DataFrame:
        """Return how far each declared convention, alone, moves a backend from the common spec: shares, 0 to 1."""
        found = self._where(measure="agreement", quantity="departure")
        if not len(found):
            return pd.DataFrame()
        numbers = found[DEPARTURE].map(lambda value: float(f"{value:.4g}"))
        return pd.concat([found[["backend", "convention", "chosen"]], numbers], axis=1)

    DEFAULTS = (
        "Left to the frameworks: a * marks a framework's own default; the rest is the common spec's value, as there is "
        "no other. The last three columns say how far each ended from the common spec, on the test rows."
    )

    def defaults(self) -> pd.DataFrame:
        """Return what each framework took where it was left to it, and how far from the common spec it ended."""
        found = self._where(measure="defaults")
        if not len(found):
            return pd.DataFrame()
        rows = []
        for backend, variant in self.entries:
            mine = found[found["backend"].eq(backend) & found["variant"].eq(variant)]
            taken = mine[mine["quantity"].ne("apart")]
            row: Row = {"backend": f"{backend}:{variant}"}
            row |= {str(each.quantity): f"{each.value}{'*' if each.own is True else ''}" for each in taken.itertuples()}
            row["test"] = shown(self._one("test accuracy", {"backend": backend, "variant": variant}), "{:.1%}".format)
            row |= self._to_target(backend, variant)
            far = mine[mine["quantity"].eq("apart") & mine.get("other", pd.Series(dtype=str)).eq("the common spec")]
            for each in far.itertuples():
                row["probabilities moved: mean"], row["largest"] = f"{each.mean:.1e}", f"{each.largest:.1e}"
                row["classes moved"] = f"{each.flips:.1%}"
            rows.append(row)
        return pd.DataFrame(rows).fillna("-")

    def _target(self, backend: str, variant: str) -> float:
        """Return after how many epochs the validation accuracy was first 95 %; NaN where it never was."""
        scores = self._where(quantity="validation accuracy", **self._mine(backend, variant))
        if len(scores):
            scores = scores.sort_values("epoch")
        there = np.flatnonzero(scores["value"].astype(float) >= TARGET)
        return float(there[0] + 1) if len(there) else np.nan

    def _to_target(self, backend: str, variant: str) -> Row:
        """Return after how many epochs, and seconds of steps as timed, the validation accuracy was first 95 %."""
        epochs = self._target(backend, variant)
        seconds = epochs * self._steps_an_epoch() * self._speed(backend, variant)[0].estimate
        return {
            f"epochs to {TARGET:.0%}": "never" if pd.isna(epochs) else f"{epochs:.0f}",
            f"time to {TARGET:.0%}": "never" if pd.isna(epochs) else shown(seconds, in_time),
        }

    def _steps_an_epoch(self) -> int:
        return int(self.header["data"]["rows"]["train"] // self.header["spec"]["training"]["batch_size"])

    @staticmethod
    def _mine(backend: str, variant: str) -> Row:
        return {"backend": backend, "variant": variant}

    def getting_started(self) -> pd.DataFrame:
        """Return what it takes to get started with each variant; "unknown" is what was not told, never 0."""
        rows = []
        for backend, variant in self.entries:
            here = {"measure": "deployment", "backend": backend}
            mine = {**here, "variant": variant}
            timed = {"measure": "speed", "backend": backend, "variant": variant, "control": False}
            imported = self._one("import", timed, "median")
            cold = self._one("cold start", mine, "median")
            rows.append(
                {
                    "backend": f"{backend}:{variant}",
                    "download": size(self._one("download size", here)),
                    "installed": size(self._one("install size", here)),
                    "packages": shown(self._one("packages", here), lambda value: f"{value:.0f}"),
                    "install": shown(self._one("install time", here), lambda value: f"{value:.0f} s"),
                    "needs Python": shown(self._one("requires python", here), str),
                    "has wheels for": shown(self._one("interpreters", here), str),
                    "import": shown(imported, lambda value: f"{value:.2f} s"),
                    "cold start to the first steps": shown(cold, lambda value: f"{value:.2f} s"),
                }
            )
        return pd.DataFrame(rows)

    def openness(self) -> pd.DataFrame:
        """Return the facts of openness, each with its source and that source's date."""
        facts = self._where(measure="openness")
        columns = ["backend", "quantity", "value", "source", "asof"]
        return facts[columns].rename(columns={"quantity": "fact"}) if len(facts) else pd.DataFrame()

    # For people

    def readable(self) -> pd.DataFrame:
        """Return the summary with its values written out, under the headings that people read."""
        return pd.DataFrame([report_text.summary_row(row) for row in self.rows]).rename(columns=report_text.HEADINGS)

    def warnings(self) -> list[str]:
        """Return why what is derived from this run is not to be trusted, or not yet; empty where nothing says so."""
        ended = self._where(measure="task", quantity="finished")["task"]
        lines = []
        if not read.is_complete(set(ended), self.header):
            go_on = f"bakeoff run --resume {self.folder}"
            lines.append(f"UNFINISHED: this run was interrupted, and what is missing was not measured. `{go_on}`")
        control = self.control()
        if control and control[1].excludes(1):
            lines.append(
                f"CONTROL FAILED: {control[0]} against itself came out at {in_brackets(control[1], 3)}, which excludes "
                "1. The ratios of this run are not to be trusted."
            )
        return lines

    def remarks(self) -> list[str]:
        """Return what must be said over the table: where, when, on what; the control's verdict; every failure."""
        header = self.header
        machine, data, plan = header["machine"], header["data"], header["plan"]
        lines = [
            *self.warnings(),
            f"{header['created'][:10]}, {machine['processor']}, {machine['usable_threads']} cores, "
            f"{plan['threads']} thread{'s' if plan['threads'] > 1 else ''} in use, {plan['device']}; "
            f"data {data['name']} ({data['hash']}), spec {header['spec_hash']}, {header['spec']['training']['dtype']}.",
        ]
        lines += [f"Data: {note}" for note in data["notes"]]
        control = self.control()
        if control:
            name, ratio = control
            if not ratio.excludes(1):
                lines.append(f"Control: {name} against itself came out at {in_brackets(ratio, 3)}; 1 is inside.")
        elif self.step_times:
            lines.append("No control: a backend timed against itself did not live to the end of every round.")
        if self.step_times and not self.scatter.freedom:
            lines.append("Nothing says by how much two processes of one program differ: it is in no interval.")
        lines += self._doubts()
        found = self._where(measure="agreement", quantity="departure")
        departures = [report_text.departure(row) for row in found.to_dict("records")]
        if departures:
            lines.append(f"Departures from the common spec, by the oracle: {'; '.join(departures)}.")
        for row in self.rows:
            if row["known_failures"]:
                lines.append(f"{row['backend']}:{row['variant']}: known failures {row['known_failures']}")
            if row["failure"]:
                lines.append(f"{row['backend']}:{row['variant']}: {row['failure'].splitlines()[0]}")
        return lines

    def _doubts(self) -> list[str]:
        """Return what speaks against a step time: a worker that was never steady, threads that were not asked for."""
        lines, asked = [], self.header["plan"]["threads"]
        for row in self.timed:
            if row["never_steady"]:
                lines.append(f"{row['backend']} was never steady: its step times are of a worker still warming up.")
            more = {name: count for name, count in row["threads"].items() if count > asked}
            if more:
                said = ", ".join(f"{name} {count}" for name, count in more.items())
                lines.append(f"{row['backend']} had more threads in force than the {asked} asked for: {said}.")
        return [*lines, *self._costly_calls(), *self._doubts_of_the_sweep()]

    def _costly_calls(self) -> list[str]:
        """Return whose step as timed is far from its pace in training: what a call costs beside its steps is in it."""
        epochs = self._where(measure="training", quantity="epoch time")
        lines = []
        for row in self.timed:
            backend, _, variant = row["backend"].partition(":")
            mine = epochs[epochs["backend"].eq(backend) & epochs["variant"].eq(variant)]
            slices = self._one("slice steps", {"measure": "speed", **self._mine(backend, variant), "control": False})
            pace = (mine["value"].astype(float) / mine["steps"].astype(float)).min()
            if row["step_s"] > COSTLY * pace:
                lines.append(
                    f"{row['backend']} took {in_time(row['step_s'])} a step in slices of {slices:.0f} steps, and "
                    f"{in_time(pace)} in epochs of {mine['steps'].iloc[0]:.0f}: a call has its price, or the machine "
                    "was busy."
                )
        return lines

    def _doubts_of_the_sweep(self) -> list[str]:
        """Return what speaks against points of the sweep, and which were not timed."""
        lines, swept = [], self._where(measure="sweep")
        for row in swept.to_dict("records"):
            at = row["at"] if isinstance(row["at"], str) else f"{row['at']:g}"
            who = f"{row['backend']}:{row['variant']} at {row['axis']} {at}"
            if row["quantity"] == "cannot":
                lines.append(f"{who}: {row['value']}")
            elif row["quantity"] == "steady" and not row["value"]:
                lines.append(f"{who} was never steady.")
            elif row["quantity"] == "threads":
                asked = int(row["at"]) if row["axis"] == "threads" else self.header["plan"]["threads"]
                if row["value"] > asked:
                    lines.append(
                        f"{who} had more threads in force than the {asked} asked for: {row['of']} {row['value']}."
                    )
        return lines

    def markdown(self) -> str:
        """Return the remarks and the summary as Markdown."""
        return "\n".join((*(f"- {line}" for line in self.remarks()), "", to_markdown(self.readable())))

    def write(self) -> Path:
        """Write `tables/` anew; return that folder."""
        folder = self.folder / "tables"
        try:
            folder.mkdir(exist_ok=True)
            self._write_all(folder)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be written: {error.strerror}. Copy the run to where it can be."
            ) from None
        return folder

    def _write_all(self, folder: Path) -> None:
        self._write(folder, "summary", self.summary(), self.markdown() + "\n")
        remarks = "\n".join(f"- {line}" for line in self.remarks())
        self._write(
            folder, "speed", self.speed(), f"{remarks}\n- {self.SPEED}\n\n{_or_nothing(self.readable_speed())}\n"
        )
        self.slices().to_csv(folder / "slices.csv", index=False)
        if len(self.sweep_times):
            lines = f"- {self.SWEEP}\n\n{_or_nothing(self.readable_lines())}\n\n{to_markdown(self.readable_sweep())}"
            self._write(folder, "sweep", self.sweep(), f"{remarks}\n{lines}\n")
        others: dict[str, Callable[[], pd.DataFrame]] = {
            "ratios": self.ratios,
            "agreement": self.agreement,
            "checks": self.checks,
            "departures": self.departures,
            "defaults": self.defaults,
            "openness": self.openness,
            "getting-started": self.getting_started,
        }
        for name, make in others.items():
            table = make()
            self._write(folder, name, table, f"{remarks}\n\n{_or_nothing(table)}\n")

    @staticmethod
    def _write(folder: Path, name: str, table: pd.DataFrame, text: str) -> None:
        table.to_csv(folder / f"{name}.csv", index=False)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _or_nothing(table: pd.DataFrame) -> str:
    return to_markdown(table) if len(table) else "Nothing to show."
