"""The machine and its state, read from trees of files as systems show them, and from this machine."""

import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import psutil
import pytest
from bakeoff.common import control_groups, machine
from bakeoff.common.machine import Counters
from bakeoff.common.system_files import Unreadable


@pytest.fixture
def tree(tmp_path):
    """Return a way to write files of /proc and /sys: tree({path: text}) gives the folder that stands for the root."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
        return tmp_path

    return write


def test_the_machine_is_described_in_json():
    described = machine.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["processor"]
    assert 1 <= described["usable_threads"] <= os.cpu_count()
    assert described["memory_bytes"] > 1 << 28


def test_a_machine_has_a_label_that_tells_its_kind(tree, monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: [0, 1])
    lines = "cpu family\t: 25\nmodel\t\t: 17\nmodel name\t: Abacus\nstepping\t: 1\n\nmodel name\t: Second"
    assert machine.label(tree({"proc/cpuinfo": lines})) == "Abacus (family 25, model 17, stepping 1), 2 cores"
    monkeypatch.setattr(machine, "usable_cores", lambda: [0])
    monkeypatch.setattr(machine, "processor", lambda: "arm64")
    assert machine.label(tree({"proc/cpuinfo": "processor: 0"})) == "arm64, 1 core"


class Nvml:
    """Stands for pynvml on a machine with these GPUs."""

    NVMLError = OSError

    def __init__(self, *gpus, driver="580.1"):
        self.nvmlInit = self.nvmlShutdown = lambda: None
        self.nvmlDeviceGetCount = lambda: len(gpus)
        self.nvmlDeviceGetHandleByIndex = lambda index: gpus[index]
        self.nvmlSystemGetDriverVersion = lambda: driver
        self.nvmlDeviceGetName = lambda gpu: gpu
        self.nvmlDeviceGetMemoryInfo = lambda gpu: SimpleNamespace(total=80 << 30)


def test_gpus_are_described_with_their_driver(monkeypatch):
    monkeypatch.setattr(machine, "pynvml", Nvml("H100", "H100"))
    assert machine.gpus() == [{"name": "H100", "memory_bytes": 80 << 30, "driver": "580.1"}] * 2


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch):
    def none():
        raise OSError("no libnvidia-ml.so.1")

    bare = Nvml()
    bare.nvmlInit = none
    monkeypatch.setattr(machine, "pynvml", bare)
    assert machine.gpus() == []


def test_processor_time_is_of_the_usable_cores(monkeypatch):
    seconds = SimpleNamespace(user=1.0, nice=0.0, system=0.0, irq=0.0, softirq=0.0, steal=0.5)
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [seconds] * 64)
    monkeypatch.setattr(machine, "usable_cores", lambda: [3, 5])
    counters = machine.counters()
    assert (counters.busy_s, counters.stolen_s) == (2.0, 1.0)


def test_the_description_has_the_state_and_a_reason_for_every_missing_value():
    facts = machine.describe()["facts"]
    assert facts["usable_cores"] == len(machine.usable_cores())
    assert 0 < facts["clock_step_s"] < 1
    lacking = {name for name in ("frequency_mhz", "governor", "throttle_events", "clock_source") if facts[name] is None}
    reasons = {"frequency_mhz": "frequency", "throttle_events": "throttling", "clock_source": "clock source"}
    assert {reasons.get(name, name) for name in lacking} == set(facts["not_readable"]) - {"cpu limit"}


def test_on_a_system_without_files_every_value_has_a_reason(tree):
    facts = machine.read_state(tree({}))
    assert set(facts.not_readable) == {"frequency", "governor", "throttling", "cpu limit", "clock source"}
    core = machine.usable_cores()[0]
    assert facts.not_readable["frequency"] == f"no /sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq"
    assert facts.frequency_mhz is facts.throttle_events is facts.limit_cores is None


# Frequency and heat


def cpufreq(core, **more):
    folder = f"sys/devices/system/cpu/cpu{core}/cpufreq"
    files = {"scaling_cur_freq": 2100000, "scaling_min_freq": 800000, "scaling_max_freq": 4200000}
    return {f"{folder}/{name}": text for name, text in {**files, "scaling_governor": "powersave", **more}.items()}


def test_the_frequency_is_that_of_the_given_core(tree):
    root = tree({**cpufreq(0), **cpufreq(3, scaling_cur_freq=3300000)})
    assert machine.frequency(3, root) == {"cur": 3300, "min": 800, "max": 4200}


def test_a_frequency_that_is_no_number_is_not_readable(tree):
    root = tree(cpufreq(0, scaling_cur_freq="<unknown>"))
    with pytest.raises(Unreadable, match=r"/scaling_cur_freq says '<unknown>'$"):
        machine.frequency(0, root)


def test_the_state_has_the_frequency_and_governor_of_the_first_usable_core(tree):
    facts = machine.read_state(tree(cpufreq(machine.usable_cores()[0])))
    assert (facts.frequency_mhz, facts.frequency_least_mhz, facts.frequency_most_mhz) == (2100, 800, 4200)
    assert facts.governor == "powersave"


def test_throttling_counts_each_core_and_the_package_once(tree):
    folder = "sys/devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count"
    root = tree(
        {folder.format(core, kind): count for core in (0, 1, 10) for kind, count in (("core", core), ("package", 100))}
    )
    assert machine.throttle_events(root) == 111


# Control groups

SECOND = {"proc/self/mounts": "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0", "proc/self/cgroup": "0::/a/b"}
FIRST = {
    "proc/self/mounts": "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0",
    "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/docker/0123",
}


def test_a_limit_of_control_groups_version_2(tree):
    root = tree(
        {
            **SECOND,
            "sys/fs/cgroup/a/b/cpu.max": "150000 100000",
            "sys/fs/cgroup/a/b/cpu.stat": "usage_usec 9\nnr_periods 40\nnr_throttled 7",
        }
    )
    assert control_groups.limit_cores(root) == 1.5
    assert control_groups.limited_periods(root) == 7


def test_the_least_limit_of_the_parent_groups_counts(tree):
    limits = {"a/b": "max 100000", "a": "50000 100000"}
    root = tree({**SECOND, **{f"sys/fs/cgroup/{group}/cpu.max": limit for group, limit in limits.items()}})
    assert control_groups.limit_cores(root) == 0.5


def test_a_limit_of_control_groups_version_1(tree):
    folder = "sys/fs/cgroup/cpu,cpuacct/docker/0123"
    root = tree(
        {
            **FIRST,
            f"{folder}/cpu.cfs_quota_us": 200000,
            f"{folder}/cpu.cfs_period_us": 100000,
            f"{folder}/cpu.stat": "nr_periods 5\nnr_throttled 3\nthrottled_time 1",
        }
    )
    assert control_groups.limit_cores(root) == 2
    assert control_groups.limited_periods(root) == 3


def test_in_a_container_with_the_path_of_the_host_the_mounted_folder_counts(tree):
    folder = "sys/fs/cgroup/cpu,cpuacct"
    root = tree({**FIRST, f"{folder}/cpu.cfs_quota_us": 50000, f"{folder}/cpu.cfs_period_us": 100000})
    assert control_groups.limit_cores(root) == 0.5


@pytest.mark.parametrize("quota", ["max 100000", None])
def test_no_limit_is_none_and_counts_as_readable(tree, quota):
    files = {"sys/fs/cgroup/a/b/cgroup.procs": 1, **({"sys/fs/cgroup/a/b/cpu.max": quota} if quota else {})}
    root = tree({**SECOND, **files})
    assert control_groups.limit_cores(root) is None
    assert control_groups.limited_periods(root) == 0
    assert "cpu limit" not in machine.read_state(root).not_readable


def test_missing_control_groups_are_an_error(tree):
    with pytest.raises(Unreadable, match="no control group"):
        control_groups.limit_cores(tree({}))


# Over some time

BEFORE = Counters(100.0, 1000.0, 50.0, 30.0, 4, 10, 0)


def test_a_change_is_the_difference_of_two_readings():
    change = machine.measure_change(BEFORE, Counters(110.0, 1015.0, 59.0, 35.0, 6, 13, 4096))
    assert change.seconds == 10
    assert change.others_cores == pytest.approx(0.6)
    assert change.stolen_share == pytest.approx(5 / 20)
    assert (change.throttle_events, change.limited_periods, change.swapped_bytes) == (2, 3, 4096)


def test_a_change_is_none_where_a_reading_is_missing():
    after = BEFORE._replace(at_s=110.0, stolen_s=None, throttle_events=None)
    change = machine.measure_change(BEFORE._replace(limited_periods=None), after)
    assert change.stolen_share is change.throttle_events is change.limited_periods is None


@pytest.fixture
def spinning():
    """A child process that keeps a core busy."""
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.usefixtures("spinning")
def test_a_busy_program_is_counted_among_the_others():
    before = machine.counters()
    time.sleep(1)
    assert machine.measure_change(before, machine.counters()).others_cores > 0.3


def test_ended_child_processes_count_as_our_own():
    before = machine.counters()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], check=True)
    assert machine.counters().own_s - before.own_s >= 0.45


def test_only_other_programs_are_listed(spinning):
    ours = {os.getpid(), spinning.pid}
    before = {*psutil.pids()}
    found = machine.processes()
    lasting = before & {*psutil.pids()}
    numbers = {number for number, _ in found}
    assert numbers & ours == set()
    assert lasting - ours <= numbers
    assert all(name and seconds >= 0 for name, seconds in found.values())
