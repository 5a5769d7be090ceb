"""`bakeoff doctor`: the rating of each finding, and the self-test with real workers."""

import json
import re
import sys

import numpy as np
import pytest
from bakeoff.cli import app
from bakeoff.common import machine, statistics
from bakeoff.common.machine import Change, MachineState
from bakeoff.measures.speed import doctor, ratings, rounds
from bakeoff.measures.speed.ratings import DOUBTFUL, FINE, NOT_READABLE, UNFIT, Finding

from tests.paths import ROOT

QUIET = MachineState(
    load=[0.1, 0.2, 0.3],
    all_cores=4,
    usable_cores=4,
    others_cores=0.0,
    frequency_mhz=3000.0,
    frequency_least_mhz=800.0,
    frequency_most_mhz=4000.0,
    governor="performance",
    throttle_events=0,
    limit_cores=None,
    swap_bytes=0,
    clock_step_s=5e-8,
    clock_source="tsc",
    not_readable={},
)
NOTHING = Change(20.0, 0.02, 0.0, 0, 0, 0)

ADAPTER = '''
"""Sleeps; every second process that is started sleeps longer, by half."""

import os
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "started"), "a+") as file:
    file.write("x")
    file.seek(0)
    pace = 0.002 if len(file.read()) % 2 else 0.003


class Backend:
    conventions = {}
    variants = ("plain",)

    def __init__(self, spec, device="cpu", variant=None):
        self.spec = spec

    def load(self, arrays):
        pass

    def put(self, x, y):
        pass

    def train(self, order):
        BODY
        time.sleep(pace * len(order))
        return np.zeros(len(order), self.spec.dtype)

    def wait(self):
        pass
'''


@pytest.fixture(autouse=True)
def shorten_the_test(monkeypatch):
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.2)
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture
def entry(tmp_path):
    """Return a function that makes a backend that sleeps: entry(a line that `train` begins with)."""

    def make(body="pass"):
        folder = tmp_path / "sleeper"
        folder.mkdir()
        (folder / "adapter.py").write_text(ADAPTER.replace("BODY", body))
        return doctor.find_numpy_entry()._replace(folder=folder)

    return make


def quiet_steps(seed, blocks=25, factor=1.0):
    """Return the seconds a step of four rounds on a quiet machine."""
    return list(factor * 1e-3 * (1 + 1e-3 * np.random.default_rng(seed).standard_normal((4, blocks))))


# The findings

STEADY = (quiet_steps(1), quiet_steps(2))


def test_every_finding_of_a_quiet_machine_is_fine():
    findings = [
        ratings.rate_load(QUIET),
        ratings.rate_other_programs(QUIET, NOTHING, []),
        ratings.rate_cores(QUIET),
        ratings.rate_frequency(QUIET, [3000.0, 3010.0]),
        ratings.rate_throttling(QUIET, NOTHING),
        ratings.rate_cpu_limit(QUIET, NOTHING),
        ratings.rate_stolen_time(NOTHING),
        ratings.rate_swap(QUIET, NOTHING),
        ratings.rate_clock(QUIET),
        ratings.rate_pace(*STEADY),
        ratings.rate_self_test(*STEADY),
    ]
    assert [(finding.subject, finding.rating, finding.advice) for finding in findings] == [
        (finding.subject, FINE, "") for finding in findings
    ]
    assert doctor.is_fit(findings)


BUSY = [("editor", 0.9)]
FINDINGS = [
    (ratings.rate_load(QUIET._replace(load=[2.5, 0, 0])), DOUBTFUL, "2.50 over the last minute"),
    (ratings.rate_load(QUIET._replace(load=[4.1, 0, 0])), UNFIT, "on 4 cores"),
    (ratings.rate_load(QUIET._replace(load=[4.1, 0, 0], all_cores=64)), FINE, "on 64 cores"),
    (ratings.rate_other_programs(QUIET, NOTHING._replace(others_cores=0.9), BUSY), DOUBTFUL, "used 0.90 cores of 4"),
    (ratings.rate_other_programs(QUIET, NOTHING._replace(others_cores=2.5), BUSY), UNFIT, "the busiest: editor 90%"),
    (
        ratings.rate_other_programs(QUIET, NOTHING._replace(others_cores=2.5), []),
        UNFIT,
        "none is visible to this process",
    ),
    (ratings.rate_cores(QUIET._replace(usable_cores=1)), DOUBTFUL, "1 core usable"),
    (ratings.rate_frequency(QUIET._replace(governor="powersave"), []), DOUBTFUL, "governor powersave"),
    (ratings.rate_frequency(QUIET, [2000.0] * 9 + [3000.0] * 9), DOUBTFUL, "2,000 to 3,000 during the test"),
    (ratings.rate_frequency(QUIET._replace(governor=None), [3000.0]), FINE, "governor not readable"),
    (ratings.rate_throttling(QUIET._replace(throttle_events=9), NOTHING), FINE, "9 since the machine started"),
    (ratings.rate_throttling(QUIET, NOTHING._replace(throttle_events=2)), UNFIT, "2 times during the test"),
    (ratings.rate_cpu_limit(QUIET._replace(limit_cores=2.5), NOTHING), DOUBTFUL, "2.5 cores' time"),
    (ratings.rate_cpu_limit(QUIET._replace(limit_cores=4.0), NOTHING), FINE, "4 cores' time"),
    (ratings.rate_cpu_limit(QUIET._replace(limit_cores=0.5), NOTHING), UNFIT, "0.5 cores' time"),
    (
        ratings.rate_cpu_limit(QUIET._replace(limit_cores=2.5), NOTHING._replace(limited_periods=3)),
        UNFIT,
        "in 3 periods",
    ),
    (ratings.rate_stolen_time(NOTHING._replace(stolen_share=0.05)), DOUBTFUL, "in 5.0% of the time"),
    (ratings.rate_stolen_time(NOTHING._replace(stolen_share=0.3)), UNFIT, "30.0% of the time"),
    (ratings.rate_swap(QUIET._replace(swap_bytes=3 << 20), NOTHING), DOUBTFUL, "3 MB in use"),
    (ratings.rate_swap(QUIET, NOTHING._replace(swapped_bytes=5 << 20)), UNFIT, "5 MB moved"),
    (ratings.rate_clock(QUIET._replace(clock_step_s=5e-6)), DOUBTFUL, "resolution 5,000 ns"),
    (ratings.rate_clock(QUIET._replace(clock_step_s=1e-3)), UNFIT, "a slice takes 10 ms"),
    (ratings.rate_pace(*[[np.full(50, 1e-3), np.full(50, 2e-3)]] * 2), DOUBTFUL, "100.0% longer"),
]


@pytest.mark.parametrize(("finding", "rating", "words"), FINDINGS, ids=lambda each: getattr(each, "subject", None))
def test_each_finding_has_its_measurement_and_advice_unless_it_is_fine(finding, rating, words):
    assert finding.rating == rating
    assert words in finding.measured
    assert bool(finding.advice) is (rating != FINE)
    assert doctor.is_fit([finding]) is (rating != UNFIT)


def test_an_unreadable_property_is_reported_and_does_not_make_the_machine_unfit():
    blind = QUIET._replace(
        frequency_mhz=None,
        throttle_events=None,
        not_readable={"frequency": "no cpufreq", "throttling": "no thermal_throttle", "cpu limit": "no control group"},
    )
    unseen = NOTHING._replace(stolen_share=None, throttle_events=None, limited_periods=None)
    findings = [
        ratings.rate_frequency(blind, []),
        ratings.rate_throttling(blind, unseen),
        ratings.rate_cpu_limit(blind, unseen),
        ratings.rate_stolen_time(unseen),
    ]
    assert [finding.rating for finding in findings] == [NOT_READABLE] * 4
    assert [finding.measured for finding in findings[:3]] == ["no cpufreq", "no thermal_throttle", "no control group"]
    assert findings[3].measured
    assert doctor.is_fit(findings)


def test_a_failed_self_test_makes_the_machine_unfit():
    finding = ratings.rate_self_test(quiet_steps(1, factor=1.02), quiet_steps(2))
    assert finding.rating == UNFIT
    assert finding.values["passed"] is False
    assert finding.values["estimate"] == pytest.approx(1.02, rel=1e-3)
    assert "self-test failed by 2.0%" in finding.measured


@pytest.mark.parametrize(("spread", "rating"), [(0.01, FINE), (0.08, DOUBTFUL), (0.6, UNFIT)])
def test_a_wide_interval_is_not_fine(spread, rating):
    steps = [list(np.exp(spread * np.random.default_rng(seed).standard_normal((4, 25)))) for seed in (3, 4)]
    finding = ratings.rate_self_test(*steps)
    assert finding.rating == rating
    assert finding.values["passed"]
    assert f"half-width {finding.values['half_width']:.2%}" in finding.measured


def test_a_difference_between_processes_widens_the_interval():
    other = [steps * pace for steps, pace in zip(quiet_steps(2), (0.96, 1.04, 0.97, 1.03))]
    finding = ratings.rate_self_test(quiet_steps(1), other)
    assert finding.values["passed"]
    assert finding.values["half_width"] > 0.03


def test_the_busiest_programs_used_most_time_during_the_test():
    before = {(1, 0.0): ("idle", 900.0), (2, 0.0): ("busy", 10.0), (3, 0.0): ("gone", 1.0)}
    after = {(1, 0.0): ("idle", 900.0), (2, 0.0): ("busy", 15.0), (4, 5.0): ("new", 1.0)}
    assert doctor._busiest(before, after, 10.0) == [("busy", 0.5), ("new", 0.1)]


# The test, with real workers


def test_one_program_is_timed_against_itself_block_by_block():
    lines = []
    test = doctor.run_self_test(doctor.find_numpy_entry(), 1, lines.append)
    first, second = test.steps_s
    assert test.failure == ""
    assert [*map(len, first)] == [*map(len, second)] == [statistics.LEAST_BLOCKS] * doctor.LEAST_ROUNDS
    assert np.concatenate(first).min() > 0
    assert not np.array_equal(first, second)
    assert sum(line.startswith("block ") for line in lines) == statistics.LEAST_BLOCKS * doctor.LEAST_ROUNDS


def test_the_self_test_detects_that_every_second_process_is_slower(entry):
    test = doctor.run_self_test(entry(), 1, lambda line: None)
    finding = ratings.rate_self_test(*test.steps_s)
    assert finding.rating == UNFIT
    # One copy takes 2 ms and the other 3. Each round draws which one is slower; by chance it may be the same in all.
    assert finding.values["half_width"] > 0.2 or not finding.values["passed"], finding.measured


def test_a_self_test_that_cannot_run_reports_why(entry):
    test = doctor.run_self_test(entry("raise OSError('no such instruction')"), 1, lambda line: None)
    finding = doctor.report_failed_test(test)
    assert finding.rating == UNFIT
    assert "train raised OSError: no such instruction" in finding.measured


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys):
    """Return the command line: bakeoff(*arguments) gives its exit code, standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_doctor_rates_every_property_of_this_machine(bakeoff):
    code, out, err = bakeoff("doctor", "--seconds", "1", "--json")
    answer = json.loads(out)
    assert [finding["subject"] for finding in answer["findings"]] == [
        "load",
        "other programs",
        "cores",
        "frequency",
        "throttling",
        "cpu limit",
        "stolen time",
        "swap",
        "clock",
        "pace",
        "A/A",
    ]
    assert all(finding["measured"] for finding in answer["findings"])
    assert {finding["rating"] for finding in answer["findings"]} <= {FINE, DOUBTFUL, UNFIT, NOT_READABLE}
    assert code == 3 * (not answer["fit"]) == 3 * any(each["rating"] == UNFIT for each in answer["findings"])
    assert answer["facts"]["usable_cores"] == len(machine.usable_cores())
    assert "one program timed against itself" in err


@pytest.mark.parametrize(
    ("rating", "code", "last"),
    [
        (DOUBTFUL, 0, "This machine is fit for timing. Doubtful: load"),
        (UNFIT, 3, "This machine is NOT FIT for timing: load"),
    ],
)
def test_an_unfit_machine_gives_exit_code_3(bakeoff, monkeypatch, rating, code, last):
    finding = Finding("load", rating, "9.00 over the last minute [sic]", "End what runs.")
    monkeypatch.setattr(doctor, "examine", lambda seconds, say: ([finding, Finding("clock", FINE, "8 ns")], QUIET))
    ended, out, _ = bakeoff("doctor")
    assert ended == code
    first, advice, second, end = out.splitlines()
    assert re.fullmatch(rf"{rating} +load +9\.00 over the last minute \[sic\]", first)
    assert advice.strip() == "End what runs."
    assert second.startswith(FINE)
    assert end.startswith(last)


def test_a_test_of_no_time_is_refused(bakeoff):
    code, out, err = bakeoff("doctor", "--seconds", "0")
    assert (code, out) == (2, "")
    assert "--seconds" in err


def test_the_help_of_doctor_states_its_purpose(bakeoff):
    code, out, err = bakeoff("doctor", "--help")
    assert (code, err) == (0, "")
    assert "whether this machine is fit for timing" in " ".join(out.split())


# The guide


def test_the_guide_states_the_limits():
    guide = " ".join((ROOT / "docs" / "how-to" / "measure-a-machine.md").read_text(encoding="utf-8").split())
    for words in (
        f"over {ratings.LOAD[0]:g} of all cores | over {ratings.LOAD[1]:g} |",
        f"over {ratings.BUSY[0]:g} of the usable cores | over {ratings.BUSY[1]:g} |",
        f"over {ratings.STOLEN[0]:g} | over {ratings.STOLEN[1]:g} |",
        f"moves by over {ratings.PACE * 100:g} %",
        f"over {ratings.PACE * 100:g} % apart",
        f"over {ratings.SWAPPED_BYTES >> 20} MiB moved",
        f"over {ratings.CLOCK[0] * 1e6:g} us | over {ratings.CLOCK[1] * 1e6:g} us |",
        f"over {ratings.HALF_WIDTH[0] * 100:g} % | over {ratings.HALF_WIDTH[1] * 100:g} %, or the self-test failed |",
    ):
        assert words in guide
