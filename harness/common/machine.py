"""The machine, as far as speed and rounding depend on it: what it is, and what it is at.

Linux shows most of it in files. A machine that lacks one (another system, a virtual machine, a container) is not
thereby fit: what could not be read is None, and `not_readable` says why.
"""

import itertools
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil
import pynvml

ROOT = Path("/")
CLOCK_SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"
WINDOW_S = 0.15
"""How long `facts` watches what other programs take."""

Value = TypeVar("Value")


class Unreadable(Exception):
    """The system does not show it; the message says what is lacking."""


class Facts(NamedTuple):
    """What the machine is at, at one moment. None: not readable, or no limit; `not_readable` tells which."""

    load: list[float]
    """Programs that ran or waited to run, averaged over 1, 5 and 15 minutes: on all cores, usable or not."""
    all_cores: int
    usable_cores: int
    others_cores: float
    """Usable cores that other programs kept busy."""
    frequency_mhz: float | None
    """Of the first usable core, as are the next three."""
    frequency_least_mhz: float | None
    frequency_most_mhz: float | None
    governor: str | None
    throttle_events: int | None
    """Times that heat slowed a core, since the machine started."""
    limit_cores: float | None
    """Processor time that control groups allow, in cores."""
    swap_bytes: int
    clock_step_s: float
    """The least time between two readings of the clock that differ."""
    clock_source: str | None
    not_readable: dict[str, str]


class Counters(NamedTuple):
    """What only grows: taken before and after, it tells what happened between. None where it is not readable."""

    at_s: float
    busy_s: float
    """Processor time of all programs, over the usable cores."""
    own_s: float
    """Of which this program's, and that of its processes that have ended."""
    stolen_s: float | None
    """Time in which the host of a virtual machine let another one run."""
    throttle_events: int | None
    limited_periods: int | None
    """Periods (0.1 s, as a rule) in which a control group had used up what it is allowed."""
    swapped_bytes: int


class Between(NamedTuple):
    """What happened between two readings of the counters. None where it is not readable."""

    seconds: float
    others_cores: float
    stolen_share: float | None
    """Of the time in which programs wanted to run."""
    throttle_events: int | None
    limited_periods: int | None
    swapped_bytes: int


def describe() -> dict[str, Any]:
    """Return what this machine is, as far as speed depends on it, and its `facts`."""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "usable_threads": len(usable_cores()),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "gpus": gpus(),
        "load_before": _load(),
        "facts": facts()._asdict(),
    }


def processor() -> str:
    """Return the processor's name for itself."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def gpus() -> list[dict[str, Any]]:
    """Return the name, the memory and the driver of each NVIDIA GPU; none where there is no driver."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        driver = pynvml.nvmlSystemGetDriverVersion()
        return [
            {
                "name": pynvml.nvmlDeviceGetName(handle),
                "memory_bytes": pynvml.nvmlDeviceGetMemoryInfo(handle).total,
                "driver": driver,
            }
            for handle in handles
        ]
    finally:
        pynvml.nvmlShutdown()


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(psutil.cpu_count() or 1))


# At one moment


def facts(root: Path = ROOT) -> Facts:
    """Return what the machine is at; takes a fifth of a second. `root` holds /proc and /sys."""
    before = counters(root)
    time.sleep(WINDOW_S)
    others = between(before, counters(root)).others_cores
    not_readable: dict[str, str] = {}

    def read(name: str, reader: Callable[[], Value]) -> Value | None:
        try:
            return reader()
        except Unreadable as reason:
            not_readable[name] = str(reason)
            return None

    first, *_ = cores = usable_cores()
    speed = read("frequency", lambda: frequency(first, root))
    return Facts(
        load=_load(),
        all_cores=psutil.cpu_count() or len(cores),
        usable_cores=len(cores),
        others_cores=round(others, 2),
        frequency_mhz=speed["cur"] if speed else None,
        frequency_least_mhz=speed["min"] if speed else None,
        frequency_most_mhz=speed["max"] if speed else None,
        governor=read("governor", lambda: _word(_cpufreq(first, root) / "scaling_governor")),
        throttle_events=read("throttling", lambda: throttle_events(root)),
        limit_cores=read("cpu limit", lambda: limit_cores(root)),
        swap_bytes=psutil.swap_memory().used,
        clock_step_s=clock_step_s(),
        clock_source=read("clock source", lambda: _word(root / CLOCK_SOURCE)),
        not_readable=not_readable,
    )


def _load() -> list[float]:
    return [round(load, 2) for load in psutil.getloadavg()]


def frequency(core: int, root: Path = ROOT) -> dict[str, float]:
    """Return a core's frequency in MHz: `cur`, and the `min` and `max` that it is allowed. Raises Unreadable."""
    folder = _cpufreq(core, root)
    return {name: _number(folder / f"scaling_{name}_freq") / 1e3 for name in ("cur", "min", "max")}


def _cpufreq(core: int, root: Path) -> Path:
    return root / f"sys/devices/system/cpu/cpu{core}/cpufreq"


def throttle_events(root: Path = ROOT) -> int:
    """Return how often heat slowed the cores and their packages, since the machine started. Raises Unreadable."""
    folders = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle"))
    if not folders:
        raise Unreadable("no /sys/devices/system/cpu/cpu*/thermal_throttle")
    cores = sum(_number(folder / "core_throttle_count") for folder in folders)
    # Every core shows its package's count.
    packages = max(_number(folder / "package_throttle_count") for folder in folders)
    return int(cores + packages)


def clock_step_s() -> float:
    """Return the least time between two readings of the workers' clock that differ."""
    readings = [time.perf_counter() for _ in range(1000)]
    return min(
        (after - before for before, after in itertools.pairwise(readings) if after > before),
        default=time.get_clock_info("perf_counter").resolution,  # so coarse that none differ
    )


# Control groups: the limits of a container


def limit_cores(root: Path = ROOT) -> float | None:
    """Return how many cores' time the control groups allow this process; None for any. Raises Unreadable."""
    limits = [_quota(folder) for folder in _control_groups(root)]
    return min((limit for limit in limits if limit is not None), default=None)


def limited_periods(root: Path = ROOT) -> int:
    """Return in how many periods the control groups stopped their processes for having had enough."""
    return sum(_stopped(folder) for folder in _control_groups(root))


def _control_groups(root: Path) -> list[Path]:
    """Return the folders of this process's groups that hand out processor time, and of the groups they are in."""
    folders: list[Path] = []
    for mount, group in _mounted_groups(root):
        inside = mount / group.lstrip("/")
        # Inside a container the path may be the host's: then the mounted folder itself is ours.
        chain = [inside, *inside.parents]
        folders += [each for each in chain if each.is_relative_to(mount) and each.is_dir()]
    if not folders:
        raise Unreadable("no control group that hands out processor time (cgroup, in /proc/self)")
    return folders


def _mounted_groups(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each mounted hierarchy that may limit processor time, and the path of this process's group in it."""
    try:
        mounts = [line.split() for line in (root / "proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in groups:
        _, controllers, path = line.split(":", 2)
        for _, folder, kind, options, *_ in mounts:
            second = kind == "cgroup2" and not controllers
            first = kind == "cgroup" and "cpu" in controllers.split(",") and "cpu" in options.split(",")
            if first or second:
                yield root / folder.lstrip("/"), path


def _quota(group: Path) -> float | None:
    """Return the cores' time that one group is allowed, by the second or the first version of control groups."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota, period = _word(group / "cpu.cfs_quota_us"), _word(group / "cpu.cfs_period_us")
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError, Unreadable):
        return None  # the outermost group has no limit, and no file


def _stopped(group: Path) -> int:
    try:
        lines = [line.split() for line in (group / "cpu.stat").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return 0
    return sum(int(value) for name, value in lines if name == "nr_throttled")


# Over some time


def counters(root: Path = ROOT) -> Counters:
    """Return what only grows, as it stands now."""
    usable = set(usable_cores())
    cores = [each for number, each in enumerate(psutil.cpu_times(percpu=True)) if number in usable]
    own, swap = os.times(), psutil.swap_memory()

    def total(*kinds: str) -> float:
        return sum(getattr(core, kind, 0.0) for core in cores for kind in kinds)

    return Counters(
        at_s=time.monotonic(),
        busy_s=total("user", "nice", "system", "irq", "softirq"),  # what a guest of this machine takes is in `user`
        own_s=own.user + own.system + own.children_user + own.children_system,
        stolen_s=total("steal") if any(hasattr(core, "steal") for core in cores) else None,  # Linux alone counts it
        throttle_events=_or_none(throttle_events, root),
        limited_periods=_or_none(limited_periods, root),
        swapped_bytes=swap.sin + swap.sout,
    )


def between(before: Counters, after: Counters) -> Between:
    """Return what happened from one reading to the next."""

    def grown(name: str) -> Any:
        first, second = getattr(before, name), getattr(after, name)
        return None if first is None or second is None else second - first

    seconds, busy, stolen = after.at_s - before.at_s, grown("busy_s"), grown("stolen_s")
    wanted = busy + (stolen or 0)
    return Between(
        seconds=seconds,
        others_cores=max(0.0, busy - grown("own_s")) / seconds,
        stolen_share=None if stolen is None else stolen / wanted if wanted else 0.0,
        throttle_events=grown("throttle_events"),
        limited_periods=grown("limited_periods"),
        swapped_bytes=grown("swapped_bytes"),
    )


def processes() -> dict[tuple[int, float], tuple[str, float]]:
    """Return the name and the processor seconds of every other program, by number and start; not of our own."""
    me = psutil.Process()
    ours = {me.pid, *(child.pid for child in me.children(recursive=True))}
    found = {}
    for each in psutil.process_iter(["pid", "name", "create_time", "cpu_times"]):
        taken = each.info["cpu_times"]
        if taken is not None and each.pid not in ours:
            found[each.pid, each.info["create_time"]] = str(each.info["name"]), taken.user + taken.system
    return found


# Files of the system


def _or_none(reader: Callable[[Path], int], root: Path) -> int | None:
    try:
        return reader(root)
    except Unreadable:
        return None


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise Unreadable(f"no {_shown(path)}") from None


def _number(path: Path) -> float:
    word = _word(path)
    try:
        return float(word)
    except ValueError:
        raise Unreadable(f"{_shown(path)} says {word!r}") from None


def _shown(path: Path) -> str:
    """Return the path as the system has it, whatever folder stands for its root."""
    parts = path.parts
    start = next((place for place, part in enumerate(parts) if part in ("sys", "proc")), 0)
    return "/" + "/".join(parts[start:]).lstrip("/")


def commit() -> str | None:
    """Return the commit of the checkout this runs from, with `+` where it has changes; None outside a checkout."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        return None
    try:
        ask = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
