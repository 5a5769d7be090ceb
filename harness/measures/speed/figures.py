"""The figures of the measure "speed", of its sweep over sizes, of the workloads of a suite, and of new shapes."""

from ...records.vocabulary import Figure

CONTESTANT = ("round", "backend", "variant", "self_test")
"""The round, and who was timed. `self_test` is true for the second copy of the variant that is timed against itself."""
POINT = ("axis", "point", "operations")
"""A point of a sweep: the axis, the value on it, and the floating-point operations of a step."""


def _of_contestant(name: str, unit: str, meaning: str, *keys: str, values: tuple[type, ...] = (float, int)) -> Figure:
    return Figure("speed", name, unit, meaning, values, (*CONTESTANT, *keys))


PEAK_RATE = Figure(
    "speed", "peak_rate", "FLOP/s", "NumPy's own matrix product on the same cores.", keys=("round", "dtype")
)
IMPORT = _of_contestant("import", "s", "From the start of the worker process to the framework imported.")
BUILD = _of_contestant("build", "s", "To construct the network and its optimiser.")
TRANSFER = _of_contestant("transfer", "s", "To bring the training rows to the device.")
FIRST_CALL = _of_contestant("first_call", "s", "The first call of `train`, compilation included.", "steps")
SLICE_STEPS = _of_contestant("slice_steps", "steps", "Training steps in a slice, calibrated once and then fixed.")
WARM_UP_SLICE = _of_contestant(
    "warm_up_slice", "s", "A slice taken while the worker was warming up.", "cpu_s", "steps", "block"
)
STEADY = _of_contestant(
    "steady",
    "",
    "Whether the worker reached steady state; since which slice, of how many.",
    "slices",
    "since",
    values=(bool,),
)
THREADS = _of_contestant("threads", "threads", "Threads in force, by what reports them.", "of", "source")
KERNELS = _of_contestant(
    "kernels",
    "",
    "The processor that the kernels of a numerical library in the worker are for; unknown where it does not say.",
    "of",
    "api",
    "version",
    values=(str,),
)
SLICE = _of_contestant("slice", "s", "A timed slice: `steps` training steps.", "cpu_s", "steps", "block", "position")
LATENCY = _of_contestant(
    "latency", "s", "The median of some calls of `predict`, from host to host.", "rows", "block", "calls"
)
TIMED_CHECK = _of_contestant(
    "timed_check",
    "",
    "Whether the timed worker agrees with the oracle: passed, or why it has no speed; the largest error in floors.",
    "when",
    "floors",
    values=(str,),
)
SPINNING_CORES = Figure(
    "speed", "spinning_cores", "cores", "Cores that were kept from idling between slices.", keys=("round",)
)
PEAK_MEMORY = _of_contestant("peak_memory", "bytes", "The largest resident size of the worker process.")
PEAK_DEVICE_MEMORY = _of_contestant("peak_device_memory", "bytes", "The most that the framework held on its device.")
COLD_START = _of_contestant(
    "cold_start",
    "s",
    "From the start of the worker process to the end of the first steps, compilation included.",
    "steps",
)
BLOCKS = Figure(
    "speed", "blocks", "blocks", "Blocks in a round, as worked out from the time budget.", keys=("block_s", "budget_s")
)
STOPPED = Figure(
    "speed",
    "stopped",
    "rounds",
    "Rounds after which timing with `--until` stopped, and why: precision, time limit, or nothing timed.",
    (int,),
    ("reason",),
)
FAILED = Figure("speed", "failed", "", "The worker failed while it was timed: why.", (str,), CONTESTANT, ("traceback",))

_TIMED = (
    PEAK_RATE,
    IMPORT,
    BUILD,
    TRANSFER,
    FIRST_CALL,
    SLICE_STEPS,
    WARM_UP_SLICE,
    STEADY,
    THREADS,
    KERNELS,
    SLICE,
    LATENCY,
    TIMED_CHECK,
    SPINNING_CORES,
    PEAK_MEMORY,
    PEAK_DEVICE_MEMORY,
    COLD_START,
    FAILED,
)
SWEEP = {figure.name: figure.with_keys(*POINT, measure="sweep") for figure in _TIMED}
"""The same figures at a point of a sweep, by name."""
SWEEP_UNSUPPORTED = Figure(
    "sweep",
    "unsupported",
    "",
    "The backend does not support the network of this point: why.",
    (str,),
    ("backend", "variant", *POINT),
)
PASSED = "passed"
"""The value of TIMED_CHECK where the worker agrees with the oracle."""
SUITE = {figure.name: figure.with_keys("workload", measure="suite") for figure in (*_TIMED, BLOCKS)}
"""The same figures in a workload of a suite, by name."""
SUITE_UNSUPPORTED = Figure(
    "suite",
    "unsupported",
    "",
    "The backend does not support the network of this workload: why.",
    (str,),
    ("backend", "variant", "workload"),
)
HOST = Figure(
    "suite",
    "host",
    "",
    "The host of a cluster that trained all variants (`what`: train) or timed them on the workload; its address, its "
    "machine as in run.json, and by variant the environment variables in force.",
    (str,),
    ("what", "workload", "address", "machine", "variables"),
)
_VARIANT = ("backend", "variant")
NEW_SIZE = Figure(
    "shapes",
    "first_call",
    "s",
    "The first call of `train` at a batch size that is new to the worker; `position`: which of the new sizes it is. "
    "Where the variant rejects the size, the network is built again for it, and its building counts (`rebuilt`).",
    keys=(*_VARIANT, "batch_size", "position", "steps", "rebuilt"),
)
SIZE_SLICE = Figure(
    "shapes",
    "slice",
    "s",
    "A timed slice. `worker`: whether it trains at many batch sizes or has seen one; `when`: before the new sizes, at "
    "each, at the last one again, or at the first one again after all.",
    keys=(*_VARIANT, "worker", "when", "batch_size", "block", "steps", "cpu_s"),
)
SIZE_REJECTED = Figure(
    "shapes",
    "rejected",
    "",
    "The variant does not train at another batch size than it was built for: what it said.",
    (str,),
    (*_VARIANT, "batch_size"),
)
SIZES_FAILED = Figure(
    "shapes", "failed", "", "The cost of a new batch size was not measured: why.", (str,), (*_VARIANT, "traceback")
)
SHAPES = (NEW_SIZE, SIZE_SLICE, SIZE_REJECTED, SIZES_FAILED)
FIGURES = (
    *_TIMED,
    BLOCKS,
    STOPPED,
    *SWEEP.values(),
    SWEEP_UNSUPPORTED,
    *SUITE.values(),
    SUITE_UNSUPPORTED,
    HOST,
    *SHAPES,
)
