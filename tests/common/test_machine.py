"""What the machine is and is at, read from trees like those that systems show, and from this one."""

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


class Nvml:
    """As pynvml is, on a machine with these GPUs."""

    NVMLError = OSError

    def __init__(self, *gpus, driver="580.1"):
        self.nvmlInit = self.nvmlShutdown = lambda: None
        self.nvmlDeviceGetCount = lambda: len(gpus)
        self.nvmlDeviceGetHandleByIndex = lambda index: gpus[index]
        self.nvmlSystemGetDriverVersion = lambda: driver
        self.nvmlDeviceGetName = lambda gpu: gpu
        self.nvmlDeviceGetMemoryInfo = lambda gpu: SimpleNamespace(total=80 << 30)


def test_a_machine_s_gpus_are_named_with_their_driver(monkeypatch):
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


def test_its_facts_travel_with_it_and_what_is_lacking_has_its_reason():
    facts = machine.describe()["facts"]
    assert facts["usable_cores"] == len(machine.usable_cores())
    assert 0 < facts["clock_step_s"] < 1
    lacking = {name for name in ("frequency_mhz", "governor", "throttle_events", "clock_source") if facts[name] is None}
    reasons = {"frequency_mhz": "frequency", "throttle_events": "throttling", "clock_source": "clock source"}
    assert {reasons.get(name, name) for name in lacking} == set(facts["not_readable"]) - {"cpu limit"}


def test_a_system_that_shows_nothing_is_said_to_show_nothing(tree):
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


def test_frequency_is_that_of_the_core_asked_for(tree):
    root = tree({**cpufreq(0), **cpufreq(3, scaling_cur_freq=3300000)})
    assert machine.frequency(3, root) == {"cur": 3300, "min": 800, "max": 4200}


def test_a_frequency_that_is_no_number_is_not_readable(tree):
    root = tree(cpufreq(0, scaling_cur_freq="<unknown>"))
    with pytest.raises(Unreadable, match=r"/scaling_cur_freq says '<unknown>'$"):
        machine.frequency(0, root)


def test_the_facts_hold_the_first_usable_core_s_frequency_and_governor(tree):
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


def test_a_limit_of_the_second_version(tree):
    root = tree(
        {
            **SECOND,
            "sys/fs/cgroup/a/b/cpu.max": "150000 100000",
            "sys/fs/cgroup/a/b/cpu.stat": "usage_usec 9\nnr_periods 40\nnr_throttled 7",
        }
    )
    assert control_groups.limit_cores(root) == 1.5
    assert control_groups.limited_periods(root) == 7


def test_the_least_limit_of_the_groups_around_counts(tree):
    limits = {"a/b": "max 100000", "a": "50000 100000"}
    root = tree({**SECOND, **{f"sys/fs/cgroup/{group}/cpu.max": limit for group, limit in limits.items()}})
    assert control_groups.limit_cores(root) == 0.5


def test_a_limit_of_the_first_version(tree):
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


def test_inside_a_container_whose_path_is_the_host_s_the_mounted_folder_counts(tree):
    folder = "sys/fs/cgroup/cpu,cpuacct"
    root = tree({**FIRST, f"{folder}/cpu.cfs_quota_us": 50000, f"{folder}/cpu.cfs_period_us": 100000})
    assert control_groups.limit_cores(root) == 0.5


@pytest.mark.parametrize("quota", ["max 100000", None])
def test_no_limit_is_none_and_is_readable(tree, quota):
    files = {"sys/fs/cgroup/a/b/cgroup.procs": 1, **({"sys/fs/cgroup/a/b/cpu.max": quota} if quota else {})}
    root = tree({**SECOND, **files})
    assert control_groups.limit_cores(root) is None
    assert control_groups.limited_periods(root) == 0
    assert "cpu limit" not in machine.read_state(root).not_readable


def test_no_control_groups_are_said_to_be_none(tree):
    with pytest.raises(Unreadable, match="no control group"):
        control_groups.limit_cores(tree({}))


# Over some time

BEFORE = Counters(100.0, 1000.0, 50.0, 30.0, 4, 10, 0)


def test_what_happened_between_is_the_difference():
    between = machine.measure_change(BEFORE, Counters(110.0, 1015.0, 59.0, 35.0, 6, 13, 4096))
    assert between.seconds == 10
    assert between.others_cores == pytest.approx(0.6)
    assert between.stolen_share == pytest.approx(5 / 20)
    assert (between.throttle_events, between.limited_periods, between.swapped_bytes) == (2, 3, 4096)


def test_what_was_not_readable_before_or_after_is_not_zero():
    after = BEFORE._replace(at_s=110.0, stolen_s=None, throttle_events=None)
    between = machine.measure_change(BEFORE._replace(limited_periods=None), after)
    assert between.stolen_share is between.throttle_events is between.limited_periods is None


@pytest.fixture
def spinning():
    """A process of ours that does nothing but work."""
    process = subprocess.Popen([sys.executable, "-c", "print(flush=True)\nwhile True: pass"], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.usefixtures("spinning")
def test_a_program_that_works_is_seen():
    before = machine.counters()
    time.sleep(1)
    assert machine.measure_change(before, machine.counters()).others_cores > 0.3


def test_our_own_ended_processes_are_no_others():
    before = machine.counters()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], check=True)
    assert machine.counters().own_s - before.own_s >= 0.45


def test_other_programs_are_named_and_our_own_are_not(spinning):
    ours = {os.getpid(), spinning.pid}
    before = {*psutil.pids()}
    found = machine.processes()
    lasting = before & {*psutil.pids()}
    numbers = {number for number, _ in found}
    assert numbers & ours == set()
    assert lasting - ours <= numbers
    assert all(name and seconds >= 0 for name, seconds in found.values())
