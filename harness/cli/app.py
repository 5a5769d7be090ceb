"""The Typer application: registers the commands, and turns errors into messages and exit codes."""

import inspect
import os
import sys
from collections.abc import Callable
from importlib.metadata import version as distribution_version
from typing import Annotated, NoReturn

import typer

from ..common.errors import InputError
from ..common.extras import describe_install, find_extra
from ..common.foreign import make_safe
from . import completion
from .agreement import check_backends, measure_precision, run_selftest
from .backends import build_environments, create_backend, list_backends
from .data import describe_source
from .deploy import deploy_networks
from .ease import measure_ease
from .machine import examine_machine
from .many import index_runs, merge_runs
from .mistakes import try_mistakes
from .openness import show_openness
from .options import BAD_INPUT, EXIT_CODES, INTERRUPTED, err, out, print_note
from .report import add_run, compare_runs, list_runs, pack_run, print_run_table, rank_frameworks, write_report
from .run import run_backends
from .search import search_hyperparameters
from .study import run_study

MOST_MESSAGE = 5_000
"""Characters of an error."""
BROKEN_PIPE = 141
"""Exit code: as a shell gives it for SIGPIPE."""
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Run and read": {
        "run": run_backends,
        "runs": list_runs,
        "table": print_run_table,
        "report": write_report,
        "compare": compare_runs,
        "verdict": rank_frameworks,
        "pack": pack_run,
        "add": add_run,
        "index": index_runs,
        "merge": merge_runs,
    },
    "Check": {
        "check": check_backends,
        "selftest": run_selftest,
        "precision": measure_precision,
        "doctor": examine_machine,
        "data": describe_source,
    },
    "Search and learn": {
        "search": search_hyperparameters,
        "study": run_study,
    },
    "Look into": {
        "ease": measure_ease,
        "deploy": deploy_networks,
        "mistakes": try_mistakes,
        "openness": show_openness,
    },
    "Set up": {
        "backends": list_backends,
        "setup": build_environments,
        "new": create_backend,
    },
}
"""The commands by panel of `bakeoff --help`, in the order of the help."""


def format_help(function: Callable[..., None]) -> str:
    """Return the docstring with each paragraph on one line, but for examples, so that it fits any terminal."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(each if each.startswith("\b") else " ".join(each.split()) for each in paragraphs)


app = typer.Typer(
    name="bakeoff",
    help="Compare deep-learning frameworks on one network: ease, speed, numerical agreement and openness.",
    epilog=f"Start with `bakeoff run`: it builds an environment for each framework on first use.\n\n{EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _panel, _commands in COMMANDS.items():
    for _name, _function in _commands.items():
        app.command(_name, help=format_help(_function), rich_help_panel=_panel)(_function)


def _print_version(asked: bool) -> None:
    if asked:
        from ..common.machine import commit  # imports libraries that no other option needs

        known = commit()
        out.print(f"bakeoff {distribution_version('bakeoff')}{f' (commit {known})' if known else ''}", highlight=False)
        raise typer.Exit


@app.callback()
def _bakeoff(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def prepare_streams() -> None:
    """Open what is closed, and write what the terminal cannot encode as an escape, in place of an error."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # otherwise the next file that is opened would get this number, and the output
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def discard_output() -> None:
    """Lead what is still to be written to the null device where it cannot be: the interpreter would try again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def fail(message: str) -> NoReturn:
    """Print a message, safe for a terminal, and end with the exit code of bad input."""
    err.print(f"bakeoff: {make_safe(message, MOST_MESSAGE)}", style="red", highlight=False, soft_wrap=True)
    sys.exit(BAD_INPUT)


def main() -> None:
    """Run the command line. Bad input becomes one line on standard error and exit code 2, Ctrl-C exit code 130."""
    prepare_streams()
    try:
        try:
            if completion.is_asked_by_bash():
                completion.complete_in_bash(app)
            app()
        finally:
            sys.stdout.flush()  # here a full disk is an error with a message, and not where the interpreter ends
    except InputError as error:
        fail(str(error))
    except ModuleNotFoundError as error:
        if (extra := find_extra(error.name)) is None:
            raise
        fail(f"this command needs {error.name}, which is not installed here. {describe_install(extra)}")
    except BrokenPipeError:
        # Whoever read the output has enough of it, as `head` has.
        discard_output()
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        discard_output()
        where = f"{error.filename}: " if error.filename is not None else ""
        fail(f"{where}{error.strerror or error}. Check that the path is there, is yours, and has room.")
    except MemoryError:
        fail("There is not enough memory for this. Use a smaller input, or a machine with more.")
    except KeyboardInterrupt:
        print_note("bakeoff: interrupted.")
        sys.exit(INTERRUPTED)
