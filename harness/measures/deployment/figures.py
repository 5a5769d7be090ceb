"""The figures of the measure "deployment"."""

from ...records.vocabulary import Figure

BACKEND, VARIANT = ("backend",), ("variant",)
UNKNOWN = type(None)


def _of_environment(name: str, unit: str, meaning: str, *values: type, keys: tuple[str, ...] = ()) -> Figure:
    """Declare a figure of a backend's environment; `variant` is a key where some variants have one of their own."""
    return Figure("deployment", name, unit, meaning, values or (float, int), (*BACKEND, *keys), VARIANT)


DEVICES = Figure("deployment", "devices", "", "Devices that the backend can be asked for.", (str,), BACKEND)
PYTHON = Figure(
    "deployment", "python", "", "Python versions that the backend's pins can be installed in.", (str,), BACKEND
)
INSTALL_TIME = _of_environment("install_time", "s", "To build the environment.")
INSTALL_SIZE = _of_environment("install_size", "bytes", "Of the environment on disk.")
PACKAGES = _of_environment("packages", "packages", "Packages installed.", int, keys=("installed",))
DOWNLOAD_SIZE = _of_environment("download_size", "bytes", "What pip downloaded.", float, int, UNKNOWN)
INTERPRETERS = _of_environment("interpreters", "", "Python versions that the package has wheels for.", str, UNKNOWN)
REQUIRES_PYTHON = _of_environment(
    "requires_python", "", "Python versions that the framework's own package asks for.", str, UNKNOWN
)
VERSION = Figure("deployment", "version", "", "Version of a package in the worker.", (str,), ("of", *BACKEND, *VARIANT))
FAILED = Figure("deployment", "failed", "", "There is no environment: why.", (str,), BACKEND, VARIANT)
UNAVAILABLE = Figure(
    "deployment",
    "unavailable",
    "",
    "This machine lacks something that the backend needs: what, and what to do. That is no failure.",
    (str,),
    BACKEND,
    VARIANT,
)
PATH = ("backend", "path", "served_with")


def _of_path(
    name: str, unit: str, meaning: str, *values: type, keys: tuple[str, ...] = (), **more: tuple[str, ...]
) -> Figure:
    """Declare a figure of one way to deploy a trained network."""
    return Figure("deployment", name, unit, meaning, values or (float, int), (*PATH, *keys), more.get("optional", ()))


EXPORTED = _of_path(
    "exported",
    "",
    "Whether the trained network was exported, loaded in a clean process, and gave the oracle's probabilities.",
    bool,
    keys=("dtype",),
    optional=("reason", "seconds"),
)
EXPORT_LINES = _of_path("export_lines", "lines", "Logical lines of the export's function, imports included.", int)
EXPORT_TOKENS = _of_path("export_tokens", "tokens", "Tokens of the export's function, without docstring.", int)
EXTRA_BYTES = _of_path(
    "extra_bytes", "bytes", "Of the exported files, beyond the arrays themselves.", int, keys=("dtype",)
)
EXPORT_PACKAGES = _of_path("export_packages", "packages", "Packages in the environment that exports.", int)
EXPORT_SIZE = _of_path("export_size", "bytes", "Of the environment that exports.", int)
CONVERTER_PACKAGES = _of_path(
    "converter_packages", "packages", "Packages that exporting needs beside those of training.", int, keys=("names",)
)
CONVERTER_SIZE = _of_path(
    "converter_size", "bytes", "Of the packages that exporting needs beside those of training.", int
)
UNDECLARED = _of_path(
    "undeclared_packages",
    "packages",
    "Packages that exporting needs and that the metadata of neither framework nor converter requires.",
    int,
    keys=("names",),
)
SERVE_PACKAGES = _of_path("serve_packages", "packages", "Packages in the environment that serves.", int)
SERVE_SIZE = _of_path("serve_size", "bytes", "Of the environment that serves.", int)
NEEDS_COMPILER = _of_path("needs_compiler", "", "Whether exporting starts a compiler.", bool)
NEEDS_MODEL = _of_path("needs_model", "", "Whether serving needs the model's own code beside the file.", bool)
DYNAMIC_BATCH = _of_path(
    "dynamic_batch", "", "Whether one file serves 1 row, 2 rows and all rows.", bool, keys=("claimed",)
)
FLOAT64 = _of_path(
    "float64",
    "",
    "What becomes of a network in float64: exact, reduced, refused or wrong.",
    str,
    keys=("claimed",),
    optional=("reason", "error", "what"),
)
SERVED_FLOORS = _of_path(
    "served_floors",
    "floors",
    "The error of the served probabilities of all rows, over plain NumPy's rounding error.",
    keys=("dtype", "error", "floor"),
    optional=("from_exporter",),
)
SERVE_COLD_START = _of_path(
    "serve_cold_start",
    "s",
    "From the start of a fresh process to its first answer: the median.",
    float,
    keys=("calls",),
)
SERVE_LATENCY = _of_path(
    "serve_latency",
    "s",
    "Of one call, from host to host: the median of a block.",
    float,
    keys=("rows", "round", "block", "calls", "self_test"),
)
SERVE_PEAK_MEMORY = _of_path("serve_peak_memory", "bytes", "The largest resident size of the serving process.", int)
BY = ("by",)
"""Which server of the framework's documentation answers; without it, the common one."""
HTTP_CORRECT = _of_path(
    "http_correct",
    "",
    "Whether every answer over HTTP, under load, is the oracle's; `by` is a server that the framework documents, "
    "or the common one with a lock.",
    bool,
    optional=("reason", *BY),
)
HTTP_START = _of_path(
    "http_start", "s", "From the start of a server to its first answer over HTTP: one start.", float, optional=BY
)
HTTP_RATE = _of_path(
    "http_rate",
    "requests/s",
    "Requests of one row that are answered, over the loopback.",
    float,
    keys=("clients",),
    optional=BY,
)
HTTP_LATENCY = _of_path(
    "http_latency",
    "s",
    "Of one request of one row; `of` is p50, p95 or p99.",
    float,
    keys=("clients", "of"),
    optional=BY,
)
SERVER_PACKAGES = _of_path("server_packages", "packages", "Packages of a server, beside those below it.", int, keys=BY)
SERVER_SIZE = _of_path("server_size", "bytes", "Of the packages of a server, beside those below it.", int, keys=BY)
SERVER_UNDECLARED = _of_path(
    "server_undeclared_packages",
    "packages",
    "Packages that a server needs and that its metadata does not require.",
    int,
    keys=(*BY, "names"),
)
CHECKPOINT = Figure(
    "deployment",
    "checkpoint",
    "",
    "How training goes on after a restart from a checkpoint: same bits, to rounding, differently, or failed.",
    (str,),
    (*BACKEND, *VARIANT),
    ("error", "floor", "array", "reason", "seconds"),
)
BLUNDER = _of_path(
    "blunder",
    "",
    "What becomes of a mistake in deploying: noticed, silent and right, or silent and wrong.",
    str,
    keys=("mistake",),
    optional=("message", "probabilities_off", "changed_predictions"),
)
FILE_FORMAT = _of_path(
    "file_format", "", "What a reader must know: the version of the format and of the operators in an ONNX file.", str
)
READS = _of_path(
    "reads_file",
    "",
    "Whether a version of the runtime loads the file and gives the oracle's probabilities.",
    bool,
    keys=("version", "of"),
    optional=("reason",),
)
SERVER = Figure(
    "deployment",
    "documented_server",
    "",
    "The server that the framework documents: why `bakeoff deploy` measures none, or what to know of it.",
    (str,),
    BACKEND,
    ("source", "asof"),
)
NO_EXPORT = Figure(
    "deployment",
    "no_documented_export",
    "",
    "The framework documents no export: why.",
    (str,),
    BACKEND,
    ("source", "asof"),
)
MACHINE = Figure(
    "deployment",
    "machine",
    "",
    "The machine that the task ran on: its processor, and the cores that Bakeoff could use.",
    (str,),
)
SERVING_TIMES = (SERVE_COLD_START, SERVE_LATENCY, SERVE_PEAK_MEMORY)
HTTP_TIMES = (HTTP_START, HTTP_RATE, HTTP_LATENCY)
"""Figures that are compared between paths, and therefore only where one machine measured them all."""
FIGURES = (
    EXPORTED,
    EXPORT_LINES,
    EXPORT_TOKENS,
    EXTRA_BYTES,
    EXPORT_PACKAGES,
    EXPORT_SIZE,
    CONVERTER_PACKAGES,
    CONVERTER_SIZE,
    UNDECLARED,
    SERVE_PACKAGES,
    SERVE_SIZE,
    NEEDS_COMPILER,
    NEEDS_MODEL,
    DYNAMIC_BATCH,
    FLOAT64,
    SERVED_FLOORS,
    SERVE_COLD_START,
    SERVE_LATENCY,
    SERVE_PEAK_MEMORY,
    HTTP_CORRECT,
    HTTP_START,
    HTTP_RATE,
    HTTP_LATENCY,
    SERVER_PACKAGES,
    SERVER_SIZE,
    SERVER_UNDECLARED,
    CHECKPOINT,
    BLUNDER,
    FILE_FORMAT,
    READS,
    SERVER,
    NO_EXPORT,
    DEVICES,
    PYTHON,
    INSTALL_TIME,
    INSTALL_SIZE,
    PACKAGES,
    DOWNLOAD_SIZE,
    INTERPRETERS,
    REQUIRES_PYTHON,
    VERSION,
    FAILED,
    UNAVAILABLE,
    MACHINE,
)
