"""A round of timing with real workers: the order in blocks, the stopped workers, and the workers that fail."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
from bakeoff.measures.speed import rounds, warmup
from bakeoff.measures.speed.contestants import Contestant, Problem
from bakeoff.measures.speed.rounds import Plan, run_round
from bakeoff.portable import spec as portable
from bakeoff.workers.place import Place

ADAPTER = '''
"""Adds numbers, at the pace and with the accidents that its variant is named for."""

import os
import signal
import sys
import time

import numpy as np

calls = 0
stopped = False


def been_stopped(number, frame):
    global stopped
    stopped = True


signal.signal(signal.SIGCONT, been_stopped)


class Backend:
    conventions = {}
    variants = ("brisk", "slow", "comes_back_cold", "dies_late", "lies_late", "raises_at_once", "dies_at_once")

    def __init__(self, spec, device="cpu", variant=None):
        self.spec, self.variant = spec, variant
        if variant == "refuses":
            raise ValueError("no such device")

    def load(self, arrays):
        pass

    def put(self, x, y):
        pass

    def train(self, order):
        global calls, stopped
        calls += 1
        if self.variant == "comes_back_cold" and stopped:
            stopped = False
            time.sleep(0.5)
        if self.variant == "raises_at_once":
            raise ZeroDivisionError("the learning rate vanished")
        if self.variant == "dies_at_once":
            os._exit(4)
        late = calls > WARM_CALLS + 3
        if self.variant == "dies_late" and late:
            os.kill(os.getpid(), signal.SIGSEGV)
        pace = 0.01 if self.variant == "slow" else 0.0005
        time.sleep(pace * len(order))
        losses = np.zeros(len(order), self.spec.dtype)
        return losses + np.nan if self.variant == "lies_late" and late else losses

    def wait(self):
        pass

    def predict(self, x):
        if self.variant == "cannot_predict":
            raise ArithmeticError("no idea")
        time.sleep(0.002 if len(x) > 1 else 0.0002)
        return np.full((len(x), 2), 0.5, self.spec.dtype)

    def threads(self):
        return {"of its own": 3}

    def device_peak_bytes(self):
        return 5 << 20 if self.variant == "brisk" else None
'''

SPEC = portable.Spec((3, 2), "relu", False, 0.9, 1e-5, "sgd", 0.1, 0.9, 0.999, 1e-8, 4, "float64")
PROBLEM = Problem(
    SPEC,
    portable.initial_arrays(SPEC, "he", 0),
    np.zeros((12, 3)),
    np.zeros(12, "int64"),
    np.arange(12, dtype="int64").reshape(3, 4),
)
PLAN = Plan(
    rounds=1, blocks=6, slice_s=0.004, threads=1, cores=None, device="cpu", seed=0, measure_peak_and_latency=False
)
WARM_CALLS = 5 + warmup.LEAST
"""Calls of train before the first slice: first, calibration, compilation, and a warm-up that is as short as can be."""


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    """Take only the least number of slices to warm up: on a busy machine sleeping does not reach steady state."""
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)


@pytest.fixture
def contestant(tmp_path):
    folder = tmp_path / "sleeper"
    folder.mkdir()
    (folder / "adapter.py").write_text(ADAPTER.replace("WARM_CALLS", str(WARM_CALLS)))

    def make(variant, self_test=False):
        place = Place(Path(sys.executable), folder, tmp_path / "logs" / f"{variant}.log", timeout_s=60)
        return Contestant("sleeper", variant, place, self_test)

    return make


class Records(list):
    """The records of a round."""

    def add(self, figure, value, **keys):
        self.append(figure.record(value, **keys))

    def of(self, figure, **where):
        return [
            record
            for record in self
            if record["figure"] == figure and all(record[key] == value for key, value in where.items())
        ]

    def failures(self):
        return {(record["variant"], record["value"]) for record in self if record["figure"] == "failed"}


@pytest.fixture
def race(contestant):
    """Return a function that runs a round: race(variants, ...) returns its Records."""

    def run(*variants, number=1, plan=PLAN, known=None, say=lambda line: None, self_test=True):
        contestants = [contestant(variant) for variant in variants]
        if self_test:
            contestants.append(contestants[0]._replace(self_test=True))
        records = Records()
        run_round(number, contestants, PROBLEM, plan, records.add, {} if known is None else known, say)
        return records

    return run


def at_rest(within_s=30):
    """Wait until every worker is stopped, which takes a while on a busy machine; return how many are, or None."""
    deadline = time.monotonic() + within_s
    while any(Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T" for each in workers()):
        if time.monotonic() > deadline:
            return None
        time.sleep(0.005)
    return len(workers())


def workers():
    return [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]


# Blocks


def test_every_contestant_takes_one_slice_in_every_block_and_so_does_the_self_test(race):
    records = race("brisk", "slow")
    blocks = Counter((each["variant"], each["self_test"], each["block"]) for each in records.of("slice"))
    everyone = [("brisk", False), ("slow", False), ("brisk", True)]
    assert blocks == {(*who, block): 1 for who in everyone for block in range(1, PLAN.blocks + 1)}
    assert records.failures() == set()


def test_every_block_has_a_random_order_that_the_seed_and_the_round_determine(race):
    def orders(number, seed=0):
        slices = race("brisk", "slow", number=number, plan=PLAN._replace(seed=seed)).of("slice")
        by_block = [[each for each in slices if each["block"] == block] for block in range(1, PLAN.blocks + 1)]
        assert all([each["position"] for each in block] == [0, 1, 2] for block in by_block)
        return [tuple((each["variant"], each["self_test"]) for each in block) for block in by_block]

    first = orders(1)
    assert len(set(first)) > 2
    assert orders(1) == first
    assert orders(2) != first
    assert orders(1, seed=1) != first


def test_peak_device_memory_is_recorded_where_the_backend_reports_it(race):
    records = race("brisk", "slow", self_test=False)
    assert {each["variant"]: each["value"] for each in records.of("peak_device_memory")} == {"brisk": 5 << 20}
    assert len(records.of("peak_memory")) == 2


def test_every_slice_carries_its_raw_values(race):
    (first, *_) = race("brisk", number=7).of("slice")
    assert first["value"] >= 0.0005 * first["steps"]
    assert first["unit"] == "s"
    assert first["cpu_s"] >= 0
    assert (first["round"], first["backend"], first["variant"]) == (7, "sleeper", "brisk")


def test_the_cost_of_stopping_a_worker_is_not_in_its_slices(race):
    """It pays half a second for the first steps after each stop."""
    started = time.monotonic()
    taken = race("comes_back_cold", plan=PLAN._replace(blocks=2), self_test=False).of("slice")
    assert time.monotonic() - started > 2 * 0.5
    assert [each["block"] for each in taken if each["value"] < 0.4] == [1, 2]


def test_untimed_costs_are_recorded_separately(race):
    records = race("brisk", self_test=False)
    units = {"import": "s", "build": "s", "transfer": "s", "first_call": "s", "peak_memory": "bytes"}
    for figure, unit in units.items():
        (record,) = records.of(figure)
        assert record["unit"] == unit
        assert record["value"] >= 0
    assert records.of("peak_memory")[0]["value"] > 1 << 20
    assert records.of("first_call")[0]["steps"] == rounds.FIRST_STEPS


def test_a_cold_start_holds_all_that_comes_before_the_end_of_the_first_call(race):
    records = race("slow")
    for self_test in (False, True):
        (cold,) = records.of("cold_start", self_test=self_test)
        parts = [
            record["value"]
            for name in ("import", "build", "first_call")
            for record in records.of(name, self_test=self_test)
        ]
        assert len(parts) == 3
        assert cold["value"] > sum(parts)
        assert (cold["measure"], cold["unit"]) == ("speed", "s")


# Calibration and warm-up


def test_steps_are_calibrated_for_each_and_the_same_in_every_slice(race):
    records = race("brisk", "slow")
    steps = {(each["variant"], each["self_test"]): each["value"] for each in records.of("slice_steps")}
    assert steps["slow", False] == 1  # of 10 ms, where a slice is 4 ms
    assert steps["brisk", False] > 1
    for each in records.of("slice") + records.of("warm_up_slice"):
        assert each["steps"] == steps[each["variant"], each["self_test"]]


def test_both_copies_of_the_self_test_have_the_same_steps(race):
    steps = {each["self_test"]: each["value"] for each in race("brisk").of("slice_steps")}
    assert steps[True] == steps[False]


def test_the_steps_of_an_earlier_round_are_reused(race):
    known = {("sleeper", "brisk"): 5}
    records = race("brisk", "slow", number=2, known=known)
    assert {each["steps"] for each in records.of("slice", variant="brisk")} == {5}
    assert known["sleeper", "slow"] == records.of("slice_steps", variant="slow")[0]["value"]


def test_a_slice_takes_a_step_even_where_a_step_takes_longer(race):
    records = race("slow", plan=PLAN._replace(slice_s=1e-5, blocks=1), self_test=False)
    assert {each["steps"] for each in records.of("slice")} == {1}


@pytest.fixture
def clock(monkeypatch):
    """Return a way to say what the clock will show for slices of two steps, the untimed first one included."""
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 60.0)
    real = rounds.Session.train_timed

    def script(shown):
        def train_timed(session, order, drain=False, warm_up_slice=False):
            trained = real(session, order, drain, warm_up_slice)
            return trained._replace(wall_s=next(shown)) if len(order) == 2 else trained

        monkeypatch.setattr(rounds.Session, "train_timed", train_timed)

    return script


def test_warm_up_ends_when_a_steady_state_is_found(race, clock):
    slow = [1.0, 0.99, 1.01, 1.0, 0.995] * 5
    clock(itertools.chain([9.0], slow, itertools.cycle([0.30, 0.301, 0.299])))
    records = race("brisk", plan=PLAN._replace(blocks=1), known={("sleeper", "brisk"): 2}, self_test=False)
    (steady,) = records.of("steady")
    assert steady["value"] is True
    assert steady["since"] == len(slow)
    # After the first 30 slices, the 5 steady ones have not lasted long enough.
    assert steady["slices"] == warmup.LEAST + rounds.SLICES_BETWEEN_CHECKS
    taken = [each["value"] for each in records.of("warm_up_slice")]
    assert taken[: len(slow)] == slow
    assert len(taken) == steady["slices"]


def test_a_worker_without_steady_state_is_recorded_as_such_and_timed(race, clock, monkeypatch):
    clock(1.1**n for n in itertools.count())
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.1)
    records = race("brisk", plan=PLAN._replace(blocks=2), known={("sleeper", "brisk"): 2}, self_test=False)
    (steady,) = records.of("steady")
    assert steady["value"] is False
    assert steady["since"] is None
    assert steady["slices"] >= warmup.LEAST
    assert len(records.of("slice")) == 2


def falling(slices):
    """Yield seconds that fall from 10 to 2.5, the slower the nearer they come, with the same unrest as a real clock."""
    rng = np.random.default_rng(0)
    return (float((2.5 + 7.5 * np.exp(-n / slices)) * np.exp(rng.normal(0, 0.01))) for n in itertools.count())


def test_a_worker_that_speeds_up_slowly_is_timed_in_its_steady_state(race, clock, monkeypatch):
    clock(itertools.chain([60.0], falling(20)))
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)
    monkeypatch.setattr(rounds, "FALLING_LIMIT_S", 60.0)
    records = race("brisk", plan=PLAN._replace(blocks=4), known={("sleeper", "brisk"): 2}, self_test=False)
    (steady,) = records.of("steady")
    assert steady["value"] is True
    assert steady["slices"] > warmup.LEAST
    assert steady["since"] > 40  # e ** -2 of the fall is left, an eighth
    assert [each["value"] for each in records.of("slice")] == pytest.approx([2.5] * 4, rel=0.1)


def test_a_worker_that_still_speeds_up_at_the_limit_is_said_not_to_be_steady(race, clock, monkeypatch):
    clock(itertools.chain([60.0], falling(100_000)))
    monkeypatch.setattr(rounds, "WARM_LIMIT_S", 0.0)
    monkeypatch.setattr(rounds, "FALLING_LIMIT_S", 2.0)
    monkeypatch.setattr(warmup, "find_steady_state", lambda seconds: None)
    monkeypatch.setattr(warmup, "still_falls", lambda seconds: True)
    records = race("brisk", plan=PLAN._replace(blocks=2), known={("sleeper", "brisk"): 2}, self_test=False)
    (steady,) = records.of("steady")
    assert (steady["value"], steady["since"]) == (False, None)
    assert steady["slices"] > warmup.LEAST, "it went on after the other limit"
    assert len(records.of("slice")) == 2


def test_every_slice_of_the_warm_up_is_kept(race):
    records = race("brisk", self_test=False)
    (steady,) = records.of("steady")
    assert [each["block"] for each in records.of("warm_up_slice")] == list(range(1, steady["slices"] + 1))


# Predictions, threads and the peak


def test_predictions_are_timed_call_by_call_for_one_row_and_for_a_batch(race):
    records = race("brisk", "slow", plan=PLAN._replace(measure_peak_and_latency=True))
    calls = Counter()
    for each in records.of("latency"):
        assert each["unit"] == "s"
        assert each["value"] == pytest.approx(np.median(each["calls"]), rel=1e-5)
        assert min(each["calls"]) >= (0.0002 if each["rows"] == 1 else 0.002)
        calls[each["variant"], each["self_test"], each["rows"]] += 1
    rows = (1, SPEC.batch_size)
    assert calls == {(variant, False, count): rounds.LATENCY_BLOCKS for variant in ("brisk", "slow") for count in rows}


def test_predictions_of_a_block_end_at_the_time_limit(race, monkeypatch):
    monkeypatch.setattr(rounds, "LATENCY_LIMIT_S", 0.0)
    records = race("brisk", plan=PLAN._replace(measure_peak_and_latency=True), self_test=False)
    assert {len(each["calls"]) for each in records.of("latency")} == {1}


def test_a_failure_of_predict_is_recorded_and_keeps_the_slices(race):
    records = race("cannot_predict", "brisk", plan=PLAN._replace(measure_peak_and_latency=True))
    assert records.failures() == {("cannot_predict", "raised: latency raised ArithmeticError: no idea")}
    assert len(records.of("slice", variant="cannot_predict", self_test=False)) == PLAN.blocks
    assert len(records.of("latency", variant="brisk")) == 2 * rounds.LATENCY_BLOCKS


def test_threads_in_force_are_recorded_by_what_reports_them(contestant):
    records = Records()
    who = contestant("brisk")._replace(thread_names=("python",))
    run_round(1, [who], PROBLEM, PLAN._replace(measure_peak_and_latency=True), records.add, {}, lambda line: None)
    told = {(each["source"], each["of"]): each["value"] for each in records.of("threads")}
    assert told["framework", "of its own"] == 3
    blas = [count for (source, _), count in told.items() if source == "library"]
    assert blas == [1]  # NumPy's, as the place asked for
    if sys.platform == "linux":
        assert sum(count for (source, _), count in told.items() if source == "system") <= 1


def test_the_kernels_in_force_are_recorded_for_every_library(race):
    records = race("brisk")
    (kernels,) = [each for each in records.of("kernels") if not each["self_test"]]
    assert kernels["value"] not in ("", "unknown")  # OpenBLAS says which processor its kernels are for
    assert kernels["api"] == "openblas"
    assert kernels["version"][0].isdigit()


def test_the_matrix_product_of_the_machine_is_measured_once_a_round(race):
    records = race("brisk", number=4, plan=PLAN._replace(measure_peak_and_latency=True))
    (peak,) = records.of("peak_rate")
    assert (peak["unit"], peak["dtype"], peak["round"]) == ("FLOP/s", "float64", 4)
    assert peak["value"] > 1e8


# Idle workers


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_worker_is_stopped_between_blocks(race):
    stopped = []
    race("brisk", "slow", say=lambda line: line.startswith("block") and stopped.append(at_rest()))
    assert stopped == [3] * PLAN.blocks


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ready_workers_are_stopped_while_another_warms_up(race):
    seen = []
    race("brisk", "slow", say=lambda line: line.startswith("warming up") and seen.append((line, at_rest())))
    assert [stopped for _, stopped in seen] == [0, 1, 2]
    assert {line.removeprefix("warming up sleeper:") for line, _ in seen} == {"brisk", "slow", "brisk (self-test)"}


# Failures


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("dies_late", "died: the worker was ended by SIGSEGV during train"),
        ("lies_late", "not finite: train: losses[0] is nan"),
    ],
)
def test_a_failure_during_a_round_is_recorded_and_the_others_finish_every_block(race, variant, sentence):
    records = race("brisk", variant, "slow")
    assert records.failures() == {(variant, sentence)}
    slices = Counter((each["variant"], each["self_test"]) for each in records.of("slice"))
    assert slices[variant, False] < PLAN.blocks
    for who in (("brisk", False), ("slow", False), ("brisk", True)):
        assert slices[who] == PLAN.blocks
    assert records.of("peak_memory", variant=variant) == []
    assert len(records.of("peak_memory")) == 3


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("refuses", "raised: build raised ValueError: no such device"),
        ("raises_at_once", "raised: train raised ZeroDivisionError: the learning rate vanished"),
        ("dies_at_once", "died: the worker ended itself with exit code 4 during train"),
    ],
)
def test_a_failure_before_the_first_block_is_recorded_and_ends_the_worker(race, variant, sentence):
    alive = []
    records = race(variant, "slow", say=lambda line: line == "block 1 of 6" and alive.append(len(workers())))
    assert records.failures() == {(variant, sentence)}
    assert len(records.of("slice", variant="slow")) == PLAN.blocks
    assert records.of("slice", variant=variant) == []
    assert alive == [1]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs another core to begin on")
def test_workers_that_begin_on_another_core_have_the_same_records_but_no_cold_start(contestant):
    core = min(os.sched_getaffinity(0))
    contestants = [contestant(variant) for variant in ("brisk", "refuses", "raises_at_once", "dies_at_once", "slow")]
    contestants = [each._replace(place=each.place._replace(cores=(core,))) for each in contestants]
    records, threads = Records(), set()

    def add(figure, value, **keys):
        threads.add(threading.get_ident())
        records.add(figure, value, **keys)

    plan = PLAN._replace(start_ahead=True, cores=(core,))
    run_round(1, contestants, PROBLEM, plan, add, {}, lambda line: None)
    begun = {figure: {each["variant"] for each in records.of(figure)} for figure in ("import", "build", "first_call")}
    assert begun["import"] == {"brisk", "refuses", "raises_at_once", "dies_at_once", "slow"}
    assert begun["build"] == {"brisk", "raises_at_once", "dies_at_once", "slow"}
    assert begun["first_call"] == {"brisk", "slow"}
    assert records.failures() == {
        ("refuses", "raised: build raised ValueError: no such device"),
        ("raises_at_once", "raised: train raised ZeroDivisionError: the learning rate vanished"),
        ("dies_at_once", "died: the worker ended itself with exit code 4 during train"),
    }
    assert len(records.of("slice", variant="brisk")) == len(records.of("slice", variant="slow")) == PLAN.blocks
    assert records.of("cold_start") == []
    assert threads == {threading.get_ident()}
    assert workers() == []


def test_a_failure_is_recorded_with_its_traceback_and_its_contestant(race):
    records = race("raises_at_once", number=3, self_test=False)
    (failure,) = [record for record in records if record["figure"] == "failed"]
    assert "ZeroDivisionError" in failure["traceback"]
    assert (failure["measure"], failure["round"], failure["self_test"]) == ("speed", 3, False)


def test_a_missing_interpreter_is_recorded_as_a_failure(contestant, tmp_path):
    lost = contestant("brisk")
    lost = lost._replace(place=lost.place._replace(python=tmp_path / "no-python"))
    records = Records()
    run_round(1, [lost, contestant("slow")], PROBLEM, PLAN, records.add, {}, lambda line: None)
    assert len(records.failures()) == 1
    assert len(records.of("slice", variant="slow")) == PLAN.blocks


def test_a_round_leaves_no_worker_behind_even_when_it_is_interrupted(race):
    def interrupted(line):
        if line == "block 3 of 6":
            assert len(workers()) == 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        race("brisk", "slow", say=interrupted)
    assert workers() == []
    race("brisk")
    assert workers() == []


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be chosen here")
def test_all_workers_of_a_round_run_on_the_same_cores(contestant):
    core = min(os.sched_getaffinity(0))
    seen = []
    contestants = [contestant("brisk"), contestant("slow")]
    contestants = [each._replace(place=each.place._replace(cores=(core,))) for each in contestants]
    run_round(
        1,
        contestants,
        PROBLEM,
        PLAN._replace(blocks=1, cores=(core,)),
        Records().add,
        {},
        lambda line: line.startswith("block") and seen.extend(os.sched_getaffinity(each.pid) for each in workers()),
    )
    assert seen == [{core}] * 3  # the third is the spinner


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="cores cannot be kept from idling here: no SCHED_IDLE")
def test_the_spinners_are_paused_while_a_worker_is_timed(monkeypatch, contestant):
    train, paused = rounds.Session.train_timed, []

    def timed(session, order, **how):
        paused.append(
            [is_stopped_or_about_to(each.pid) for each in workers() if os.sched_getscheduler(each.pid) == os.SCHED_IDLE]
        )
        return train(session, order, **how)

    monkeypatch.setattr(rounds.Session, "train_timed", timed)
    core = min(os.sched_getaffinity(0))
    run_round(1, [contestant("brisk")], PROBLEM, PLAN._replace(cores=(core,)), Records().add, {}, lambda line: None)
    assert paused == [[True]] * len(paused)
    assert len(paused) > PLAN.blocks


def is_stopped_or_about_to(pid):
    """Return whether it is stopped or has a pending stop signal, which on a busy core waits for its time slice."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    pending = int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)
    return status["State"].startswith("T") or bool(pending & 1 << signal.SIGSTOP - 1)


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="cores cannot be kept from idling here: no SCHED_IDLE")
def test_the_cores_do_not_idle_between_slices_and_are_left_alone_afterwards(contestant):
    core = min(os.sched_getaffinity(0))
    records, seen = Records(), []

    def look(line):
        if line.startswith(("warming", "block")):
            time.sleep(0.1)
            seen.append({os.sched_getscheduler(each.pid): each.status() for each in workers()})

    run_round(1, [contestant("brisk")], PROBLEM, PLAN._replace(blocks=1, cores=(core,)), records.add, {}, look)
    assert seen == [
        {os.SCHED_IDLE: psutil.STATUS_RUNNING},
        {os.SCHED_IDLE: psutil.STATUS_RUNNING, os.SCHED_OTHER: psutil.STATUS_STOPPED},
    ]
    assert [each["value"] for each in records.of("spinning_cores")] == [1]
    assert workers() == []


def test_without_chosen_cores_no_core_is_recorded_as_spinning(race):
    assert [each["value"] for each in race("brisk").of("spinning_cores")] == [0]


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="cores cannot be kept from idling here: no SCHED_IDLE")
@pytest.mark.parametrize("what", ["nothing", "a slice", "a slice, on a core that is taken"])
def test_the_spinners_end_when_the_harness_is_killed(what):
    core = min(os.sched_getaffinity(0))
    code = f"""
from contextlib import nullcontext
from bakeoff.workers.cores import reserve_cores

with reserve_cores([{core}]) as spinners:
    input()
    with spinners.paused() if {what != "nothing"} else nullcontext():
        print(spinners.alive(), flush=True)
        input()
"""
    pipe = subprocess.PIPE
    harness = subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, bufsize=0)
    while not (spinners := psutil.Process(harness.pid).children()):
        time.sleep(0.01)  # the harness is still being imported
    spin = f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"
    # With a rival the stop stays pending; without one it takes effect.
    rival = subprocess.Popen([sys.executable, "-c", spin if "taken" in what else ""])
    try:
        time.sleep(0.5)  # until the rival spins: the stop stays pending only on a core that is taken
        harness.stdin.write(b"\n")
        assert harness.stdout.readline() == b"1\n"
        harness.kill()
        harness.communicate()
    finally:
        rival.kill()
        rival.wait()
    psutil.wait_procs(spinners, 10)
    assert not [each for each in spinners if each.is_running()]
