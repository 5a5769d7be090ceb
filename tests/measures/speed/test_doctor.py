"""A machine is fit where nothing says otherwise; what cannot be read is said; and the test is a real one."""

import json
import re
import sys

import numpy as np
import pytest
from bakeoff.cli import app
from bakeoff.common import machine, statistics
from bakeoff.common.machine import Change, MachineState
from bakeoff.measures.speed import doctor, rounds
from bakeoff.measures.speed.doctor import DOUBTFUL, FINE, NOT_READABLE, UNFIT, Finding

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
def short(monkeypatch):
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.2)
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


@pytest.fixture
def entry(tmp_path):
    """Return a way to make a backend that sleeps: entry(a line that `train` begins with)."""

    def make(body="pass"):
        folder = tmp_path / "sleeper"
        folder.mkdir()
        (folder / "adapter.py").write_text(ADAPTER.replace("BODY", body))
        return doctor.own_entry()._replace(folder=folder)

    return make


def quiet_steps(seed, turns=25, factor=1.0):
    """Return the seconds a step of four rounds."""
    return list(factor * 1e-3 * (1 + 1e-3 * np.random.default_rng(seed).standard_normal((4, turns))))


# What it says

STEADY = (quiet_steps(1), quiet_steps(2))


def test_a_quiet_machine_is_fine_in_everything():
    findings = [
        doctor.load(QUIET),
        doctor.others(QUIET, NOTHING, []),
        doctor.cores(QUIET),
        doctor.frequency(QUIET, [3000.0, 3010.0]),
        doctor.throttling(QUIET, NOTHING),
        doctor.limit(QUIET, NOTHING),
        doctor.stolen(NOTHING),
        doctor.swap(QUIET, NOTHING),
        doctor.clock(QUIET),
        doctor.pace(*STEADY),
        doctor.control(*STEADY),
    ]
    assert [(finding.subject, finding.verdict, finding.advice) for finding in findings] == [
        (finding.subject, FINE, "") for finding in findings
    ]
    assert doctor.is_fit(findings)


BUSY = [("editor", 0.9)]
FINDINGS = [
    (doctor.load(QUIET._replace(load=[2.5, 0, 0])), DOUBTFUL, "2.50 over the last minute"),
    (doctor.load(QUIET._replace(load=[4.1, 0, 0])), UNFIT, "on 4 cores"),
    (doctor.load(QUIET._replace(load=[4.1, 0, 0], all_cores=64)), FINE, "on 64 cores"),
    (doctor.others(QUIET, NOTHING._replace(others_cores=0.9), BUSY), DOUBTFUL, "took 0.90 cores of 4"),
    (doctor.others(QUIET, NOTHING._replace(others_cores=2.5), BUSY), UNFIT, "the busiest: editor 90%"),
    (doctor.others(QUIET, NOTHING._replace(others_cores=2.5), []), UNFIT, "none that this process may see"),
    (doctor.cores(QUIET._replace(usable_cores=1)), DOUBTFUL, "1 core usable"),
    (doctor.frequency(QUIET._replace(governor="powersave"), []), DOUBTFUL, "governor powersave"),
    (doctor.frequency(QUIET, [2000.0] * 9 + [3000.0] * 9), DOUBTFUL, "2,000 to 3,000 during the test"),
    (doctor.frequency(QUIET._replace(governor=None), [3000.0]), FINE, "governor not readable"),
    (doctor.throttling(QUIET._replace(throttle_events=9), NOTHING), FINE, "9 since the machine started"),
    (doctor.throttling(QUIET, NOTHING._replace(throttle_events=2)), UNFIT, "2 times during the test"),
    (doctor.limit(QUIET._replace(limit_cores=2.5), NOTHING), DOUBTFUL, "2.5 cores' time"),
    (doctor.limit(QUIET._replace(limit_cores=4.0), NOTHING), FINE, "4 cores' time"),
    (doctor.limit(QUIET._replace(limit_cores=0.5), NOTHING), UNFIT, "0.5 cores' time"),
    (doctor.limit(QUIET._replace(limit_cores=2.5), NOTHING._replace(limited_periods=3)), UNFIT, "in 3 periods"),
    (doctor.stolen(NOTHING._replace(stolen_share=0.05)), DOUBTFUL, "5.0% of the time"),
    (doctor.stolen(NOTHING._replace(stolen_share=0.3)), UNFIT, "30.0% of the time"),
    (doctor.swap(QUIET._replace(swap_bytes=3 << 20), NOTHING), DOUBTFUL, "3 MB in use"),
    (doctor.swap(QUIET, NOTHING._replace(swapped_bytes=5 << 20)), UNFIT, "5 MB moved"),
    (doctor.clock(QUIET._replace(clock_step_s=5e-6)), DOUBTFUL, "steps of 5,000 ns"),
    (doctor.clock(QUIET._replace(clock_step_s=1e-3)), UNFIT, "a slice has 10 ms"),
    (doctor.pace(*[[np.full(50, 1e-3), np.full(50, 2e-3)]] * 2), DOUBTFUL, "100.0% longer"),
]


@pytest.mark.parametrize(("finding", "verdict", "words"), FINDINGS, ids=lambda each: getattr(each, "subject", None))
def test_what_is_not_fine_says_what_was_measured_and_what_to_do(finding, verdict, words):
    assert finding.verdict == verdict
    assert words in finding.measured
    assert bool(finding.advice) is (verdict != FINE)
    assert doctor.is_fit([finding]) is (verdict != UNFIT)


def test_what_this_system_does_not_show_is_said_and_makes_nothing_unfit():
    blind = QUIET._replace(
        frequency_mhz=None,
        throttle_events=None,
        not_readable={"frequency": "no cpufreq", "throttling": "no thermal_throttle", "cpu limit": "no control group"},
    )
    unseen = NOTHING._replace(stolen_share=None, throttle_events=None, limited_periods=None)
    findings = [
        doctor.frequency(blind, []),
        doctor.throttling(blind, unseen),
        doctor.limit(blind, unseen),
        doctor.stolen(unseen),
    ]
    assert [finding.verdict for finding in findings] == [NOT_READABLE] * 4
    assert [finding.measured for finding in findings[:3]] == ["no cpufreq", "no thermal_throttle", "no control group"]
    assert findings[3].measured
    assert doctor.is_fit(findings)


def test_a_program_that_differs_from_itself_makes_the_machine_unfit():
    finding = doctor.control(quiet_steps(1, factor=1.02), quiet_steps(2))
    assert finding.verdict == UNFIT
    assert finding.values["excludes_1"] is True
    assert finding.values["estimate"] == pytest.approx(1.02, rel=1e-3)
    assert "1 is OUTSIDE" in finding.measured


@pytest.mark.parametrize(("spread", "verdict"), [(0.01, FINE), (0.08, DOUBTFUL), (0.6, UNFIT)])
def test_an_interval_too_wide_to_see_by_is_not_fine(spread, verdict):
    steps = [list(np.exp(spread * np.random.default_rng(seed).standard_normal((4, 25)))) for seed in (3, 4)]
    finding = doctor.control(*steps)
    assert finding.verdict == verdict
    assert not finding.values["excludes_1"]
    assert f"half-width {finding.values['half_width']:.2%}" in finding.measured


def test_processes_that_differ_widen_the_interval_whatever_their_slices_say():
    other = [steps * pace for steps, pace in zip(quiet_steps(2), (0.96, 1.04, 0.97, 1.03))]
    finding = doctor.control(quiet_steps(1), other)
    assert not finding.values["excludes_1"]
    assert finding.values["half_width"] > 0.03


def test_the_busiest_are_those_that_took_most_meanwhile():
    before = {(1, 0.0): ("idle", 900.0), (2, 0.0): ("busy", 10.0), (3, 0.0): ("gone", 1.0)}
    after = {(1, 0.0): ("idle", 900.0), (2, 0.0): ("busy", 15.0), (4, 5.0): ("new", 1.0)}
    assert doctor._busiest(before, after, 10.0) == [("busy", 0.5), ("new", 0.1)]


# The test, with real workers


def test_one_program_is_timed_against_itself_block_by_block():
    lines = []
    race = doctor.race_itself(doctor.own_entry(), 1, lines.append)
    first, second = race.steps_s
    assert race.failure == ""
    assert [*map(len, first)] == [*map(len, second)] == [statistics.LEAST_BLOCKS] * doctor.LEAST_ROUNDS
    assert np.concatenate(first).min() > 0
    assert not np.array_equal(first, second)
    assert sum(line.startswith("block ") for line in lines) == statistics.LEAST_BLOCKS * doctor.LEAST_ROUNDS


def test_every_second_process_that_is_slower_is_found_out(entry):
    race = doctor.race_itself(entry(), 1, lambda line: None)
    finding = doctor.control(*race.steps_s)
    assert finding.verdict == UNFIT
    # One takes 2 ms, the other 3: which of them is drawn in every round, and may by chance be the same in all.
    assert finding.values["half_width"] > 0.2 or finding.values["excludes_1"], finding.measured


def test_a_test_that_cannot_be_run_says_why(entry):
    race = doctor.race_itself(entry("raise OSError('no such instruction')"), 1, lambda line: None)
    finding = doctor.failed(race)
    assert finding.verdict == UNFIT
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


def test_doctor_looks_at_everything_on_this_machine(bakeoff):
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
    assert {finding["verdict"] for finding in answer["findings"]} <= {FINE, DOUBTFUL, UNFIT, NOT_READABLE}
    assert code == int(not answer["fit"]) == int(any(each["verdict"] == UNFIT for each in answer["findings"]))
    assert answer["facts"]["usable_cores"] == len(machine.usable_cores())
    assert "one program against itself" in err


@pytest.mark.parametrize(
    ("verdict", "code", "last"),
    [(DOUBTFUL, 0, "Fit to measure, but doubtful: load."), (UNFIT, 1, "NOT FIT to measure: load")],
)
def test_only_what_is_unfit_gives_exit_code_1(bakeoff, monkeypatch, verdict, code, last):
    finding = Finding("load", verdict, "9.00 over the last minute [sic]", "End what runs.")
    monkeypatch.setattr(doctor, "examine", lambda seconds, say: ([finding, Finding("clock", FINE, "8 ns")], QUIET))
    ended, out, _ = bakeoff("doctor")
    assert ended == code
    first, advice, second, end = out.splitlines()
    assert re.fullmatch(rf"{verdict} +load +9\.00 over the last minute \[sic\]", first)
    assert advice.strip() == "End what runs."
    assert second.startswith(FINE)
    assert end.startswith(last)


def test_a_test_of_no_time_is_refused(bakeoff):
    code, out, err = bakeoff("doctor", "--seconds", "0")
    assert (code, out) == (2, "")
    assert "--seconds" in err


def test_its_help_says_what_it_does(bakeoff):
    code, out, err = bakeoff("doctor", "--help")
    assert (code, err) == (0, "")
    assert "is it fit to measure?" in " ".join(out.split())


# The guide


def test_the_limits_are_as_told_in_the_guide():
    told = " ".join((ROOT / "docs" / "timing.md").read_text(encoding="utf-8").split())
    for words in (
        f"over {doctor.LOAD[0]:g} of all cores | over {doctor.LOAD[1]:g} |",
        f"over {doctor.BUSY[0]:g} of the usable cores | over {doctor.BUSY[1]:g} |",
        f"over {doctor.STOLEN[0]:g} | over {doctor.STOLEN[1]:g} |",
        f"moves by over {doctor.PACE * 100:g} %",
        f"over {doctor.PACE * 100:g} % apart",
        f"over {doctor.SWAPPED_BYTES >> 20} MiB moved",
        f"over {doctor.CLOCK[0] * 1e6:g} us | over {doctor.CLOCK[1] * 1e6:g} us |",
        f"over {doctor.HALF_WIDTH[0] * 100:g} % | over {doctor.HALF_WIDTH[1] * 100:g} %, or 1 is outside |",
    ):
        assert words in told
