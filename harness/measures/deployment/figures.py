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
FIGURES = (
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
)
