"""The machine, as far as speed and rounding depend on it: its hardware, and its state.

Linux shows most of the state in files. A file may be missing (on another system, in a virtual machine, in a
container). That does not make the machine fit for timing: the value is None, and `not_readable` says why.
"""

import itertools
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import psutil
import pynvml

from . import control_groups
from . import processor as processor_features
from .errors import InputError
from .system_files import Unreadable, read_number, read_word

ROOT = Path("/")
CLOCK_SOURCE = "sys/devices/system/clocksource/clocksource0/current_clocksource"
WINDOW_S = 0.15
"""How long `read_state` watches what other programs take."""

Value = TypeVar("Value")


class MachineState(NamedTuple):
    """The state of the machine at one moment. None: not readable, or no limit; `not_readable` tells which."""

    load: list[float]
    """Programs that ran or waited to run on any core, averaged over 1, 5 and 15 minutes."""
    all_cores: int
    usable_cores: int
    others_cores: float
    """How many usable cores other programs kept busy."""
    frequency_mhz: float | None
    """The frequency of the first usable core. The next three values are of that core, too."""
    frequency_least_mhz: float | None
    frequency_most_mhz: float | None
    governor: str | None
    throttle_events: int | None
    """How often heat has slowed a core since the machine started."""
    limit_cores: float | None
    """The processor time that control groups allow, in cores."""
    swap_bytes: int
    clock_step_s: float
    """The least difference between two readings of the clock."""
    clock_source: str | None
    not_readable: dict[str, str]


class Counters(NamedTuple):
    """Counters that only grow; two readings show what happened between them. None where one is not readable."""

    at_s: float
    busy_s: float
    """The processor time of all programs on the usable cores."""
    own_s: float
    """The part of it that this program took, and those of its processes that have ended."""
    stolen_s: float | None
    """The time for which the host of this virtual machine ran another one."""
    throttle_events: int | None
    limited_periods: int | None
    """Periods (0.1 s, as a rule) in which a control group had used up its limit."""
    swapped_bytes: int


class Change(NamedTuple):
    """The change from one reading of the counters to the next. None where it is not readable."""

    seconds: float
    others_cores: float
    stolen_share: float | None
    """The share of the time in which programs wanted to run."""
    throttle_events: int | None
    limited_periods: int | None
    swapped_bytes: int


def describe() -> dict[str, Any]:
    """Return the hardware and the system, as far as speed depends on them, and the state, for a record."""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "usable_threads": len(usable_cores()),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "kernel": platform.version(),
        "c_library": " ".join(platform.libc_ver()).strip() or None,
        "flags": processor_features.flags(),
        "microcode": processor_features.microcode(),
        "hypervisor": processor_features.hypervisor(),
        "python": platform.python_version(),
        "gpus": gpus(),
        "load_before": _load(),
        "facts": read_state()._asdict(),
    }


def processor() -> str:
    """Return the name of the processor, as it reports it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def label(root: Path = ROOT) -> str:
    """Return the processor and the number of usable cores, in one line: what tells machines apart in a record.

    A virtual machine's processor often has no more of a name than its maker: family, model and stepping tell more.
    """
    found, count = processor_features.read_cpuinfo(root), len(usable_cores())
    kind = [f"{key.removeprefix('cpu ')} {found[key]}" for key in ("cpu family", "model", "stepping") if key in found]
    name = found.get("model name") or processor()
    if kind:
        name += f" ({', '.join(kind)})"
    return f"{name}, {count} core{'s' if count > 1 else ''}"


def require_device(device: str) -> None:
    """Raise InputError for a GPU where this machine shows none."""
    if device == "cuda" and not gpus():
        raise InputError("--device cuda: no NVIDIA GPU is visible here. Use --device cpu, or check `nvidia-smi`.")


def gpus() -> list[dict[str, Any]]:
    """Return the name, the memory and the driver of each NVIDIA GPU; [] where there is no driver."""
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


# The state at one moment


def read_state(root: Path = ROOT) -> MachineState:
    """Return the state of the machine; takes a fifth of a second. `root` holds /proc and /sys."""
    before = counters(root)
    time.sleep(WINDOW_S)
    others = measure_change(before, counters(root)).others_cores
    not_readable: dict[str, str] = {}

    def read(name: str, reader: Callable[[], Value]) -> Value | None:
        try:
            return reader()
        except Unreadable as reason:
            not_readable[name] = str(reason)
            return None

    first, *_ = cores = usable_cores()
    speed = read("frequency", lambda: frequency(first, root))
    return MachineState(
        load=_load(),
        all_cores=psutil.cpu_count() or len(cores),
        usable_cores=len(cores),
        others_cores=round(others, 2),
        frequency_mhz=speed["cur"] if speed else None,
        frequency_least_mhz=speed["min"] if speed else None,
        frequency_most_mhz=speed["max"] if speed else None,
        governor=read("governor", lambda: read_word(_cpufreq(first, root) / "scaling_governor")),
        throttle_events=read("throttling", lambda: throttle_events(root)),
        limit_cores=read("cpu limit", lambda: control_groups.limit_cores(root)),
        swap_bytes=psutil.swap_memory().used,
        clock_step_s=clock_step_s(),
        clock_source=read("clock source", lambda: read_word(root / CLOCK_SOURCE)),
        not_readable=not_readable,
    )


def _load() -> list[float]:
    return [round(load, 2) for load in psutil.getloadavg()]


def frequency(core: int, root: Path = ROOT) -> dict[str, float]:
    """Return a core's frequency in MHz: `cur` now, and the allowed `min` and `max`. Raises Unreadable."""
    folder = _cpufreq(core, root)
    return {name: read_number(folder / f"scaling_{name}_freq") / 1e3 for name in ("cur", "min", "max")}


def _cpufreq(core: int, root: Path) -> Path:
    return root / f"sys/devices/system/cpu/cpu{core}/cpufreq"


def throttle_events(root: Path = ROOT) -> int:
    """Return how often heat has slowed the cores and their packages since the start. Raises Unreadable."""
    folders = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle"))
    if not folders:
        raise Unreadable("no /sys/devices/system/cpu/cpu*/thermal_throttle")
    cores = sum(read_number(folder / "core_throttle_count") for folder in folders)
    # Every core shows its package's count.
    packages = max(read_number(folder / "package_throttle_count") for folder in folders)
    return int(cores + packages)


def clock_step_s() -> float:
    """Return the least difference between two readings of the workers' clock."""
    readings = [time.perf_counter() for _ in range(1000)]
    return min(
        (after - before for before, after in itertools.pairwise(readings) if after > before),
        default=time.get_clock_info("perf_counter").resolution,  # the clock is so coarse that no readings differ
    )


# Counters: two readings show what happened between them


def counters(root: Path = ROOT) -> Counters:
    """Return the present values of the counters."""
    usable = set(usable_cores())
    cores = [each for number, each in enumerate(psutil.cpu_times(percpu=True)) if number in usable]
    own, swap = os.times(), psutil.swap_memory()

    def total(*kinds: str) -> float:
        return sum(getattr(core, kind, 0.0) for core in cores for kind in kinds)

    return Counters(
        at_s=time.monotonic(),
        busy_s=total("user", "nice", "system", "irq", "softirq"),  # `user` includes the guests of this machine
        own_s=own.user + own.system + own.children_user + own.children_system,
        stolen_s=total("steal") if any(hasattr(core, "steal") for core in cores) else None,  # only Linux counts it
        throttle_events=_or_none(throttle_events, root),
        limited_periods=_or_none(control_groups.limited_periods, root),
        swapped_bytes=swap.sin + swap.sout,
    )


def measure_change(before: Counters, after: Counters) -> Change:
    """Return the change from one reading to the next."""

    def difference(name: str) -> Any:
        first, second = getattr(before, name), getattr(after, name)
        return None if first is None or second is None else second - first

    seconds, busy, stolen = after.at_s - before.at_s, difference("busy_s"), difference("stolen_s")
    wanted = busy + (stolen or 0)
    return Change(
        seconds=seconds,
        others_cores=max(0.0, busy - difference("own_s")) / seconds,
        stolen_share=None if stolen is None else stolen / wanted if wanted else 0.0,
        throttle_events=difference("throttle_events"),
        limited_periods=difference("limited_periods"),
        swapped_bytes=difference("swapped_bytes"),
    )


def processes() -> dict[tuple[int, float], tuple[str, float]]:
    """Return the name and the processor seconds of every other program, by process number and start time."""
    me = psutil.Process()
    ours = {me.pid, *(child.pid for child in me.children(recursive=True))}
    found = {}
    for each in psutil.process_iter(["pid", "name", "create_time", "cpu_times"]):
        taken = each.info["cpu_times"]
        if taken is not None and each.pid not in ours:
            found[each.pid, each.info["create_time"]] = str(each.info["name"]), taken.user + taken.system
    return found


def _or_none(reader: Callable[[Path], int], root: Path) -> int | None:
    try:
        return reader(root)
    except Unreadable:
        return None


def commit() -> str | None:
    """Return the commit that this was built from, with `+` where the checkout has changes; None where nobody knows."""
    here = Path(__file__).resolve().parents[2]
    if not (here / ".git").exists():
        built = here / __package__.partition(".")[0] / "commit.txt"  # setup.py writes it into an installed package
        return (built.read_text(encoding="utf-8").strip() or None) if built.exists() else None
    try:
        ask = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
