"""Bakeoff's harness: drives backends in their own interpreters; imports no framework.

From Python: `run = bakeoff.load("results/...")` reads a run, `bakeoff.run(...)` and `bakeoff.check(...)` are the
commands as functions (docs/reference/python.md). Each is imported when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import check, load, run

__all__ = ["check", "load", "run"]


def __getattr__(name: str) -> Any:
    """Return a function of the Python interface. The import of this package alone takes no time."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from . import api  # noqa: PLC0415  # pandas and SciPy take a second
    except ModuleNotFoundError as error:
        from .common.extras import describe_install  # noqa: PLC0415  # as above

        raise ImportError(f"bakeoff.{name} needs {error.name}. {describe_install('run')}") from error

    return getattr(api, name)


def __dir__() -> "list[str]":  # quoted: Python 3.6 imports this package too
    return sorted([*globals(), *__all__])
