"""One interpreter environment per backend, or per part of it, built from its pins with the right venv and pip.

An environment is built aside and renamed when it is whole, so that a folder with its final name is always usable.
Renaming breaks the first line of the scripts in its `bin`: everything here and in the workers runs `bin/python -m ...`.
"""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock, Timeout

from ..common.cache import cache_folder
from ..registry.entries import Entry
from . import downloads
from .commands import Commands
from .environment import BuildFailed, Environment, Say, _Log, environments_folder
from .interpreters import Missing, find_interpreter, given, interrogate
from .pip import _in_plain_words, _install, _packages, _supported

__all__ = [
    "BuildFailed",
    "Environment",
    "Missing",
    "build",
    "build_all",
    "cache_folder",
    "environments_folder",
    "find",
    "find_interpreter",
    "key",
    "status",
]

RECORD = "built.json"


def key(entry: Entry, interpreter: Path) -> str:
    """Return twelve hexadecimal digits that change when the backend's pins or the interpreter do."""
    identity = interrogate(interpreter)
    if identity is None:
        raise Missing(f"{interpreter} is no longer a working Python interpreter.")
    # Resolved, so that two names of one interpreter share an environment.
    parts = [entry.requirements.read_text(encoding="utf-8"), *identity[1:], str(identity.path.resolve())]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def find(entry: Entry, extra: Sequence[Path] = ()) -> Environment | None:
    """Return the environment of `entry`, None where it is not built. Raises Missing and InputError."""
    return _read(_folder(entry, find_interpreter(entry.description.python, extra)))


def build(
    entry: Entry,
    extra: Sequence[Path] = (),
    progress: Say = lambda line: None,
    commands: "Commands | None" = None,
) -> Environment:
    """Return the environment of `entry`, built if it is not yet; `progress` is told each line of output.

    Where another process is building the same, waits for that. `commands.stop()`, from another thread, ends the build.
    Raises Missing, BuildFailed and InputError.
    """
    return _build(entry, extra, progress, commands or Commands())


def build_all(
    entries: Sequence[Entry],
    extra: Sequence[Path] = (),
    jobs: int = 2,
    on_event: Callable[[str, str], None] = lambda name, line: None,
) -> dict[str, Environment | Missing | BuildFailed]:
    """Build the environments of `entries`, `jobs` at a time; return by name what became of each.

    `on_event(name, line)` is called from threads, at last with "ready (...)" or the reason why there is none. One that
    fails does not stop the others. Their names are those of `Entry.label`. Raises InputError for a path in `extra` that
    is no interpreter.
    """
    list(given(extra))
    commands = Commands()

    def one(entry: Entry) -> Environment | Missing | BuildFailed:
        say = functools.partial(on_event, entry.label)
        try:
            environment = _build(entry, extra, say, commands)
        except Missing as missing:
            say(str(missing))
            return missing
        except BuildFailed as failed:
            say(failed.reason)
            return failed
        say(environment.in_words())
        return environment

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {entry.label: pool.submit(one, entry) for entry in entries}
        try:
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            # Only the main thread hears Ctrl-C: it ends the others' commands, and they clean up after themselves.
            pool.shutdown(wait=False, cancel_futures=True)
            commands.stop()
            raise


def status(entry: Entry, extra: Sequence[Path] = ()) -> str:
    """Return in words whether the environment of `entry` is ready, can be built, or why it cannot be."""
    try:
        environment = find(entry, extra)
    except Missing as missing:
        return str(missing)
    return (
        environment.in_words()
        if environment
        else f"not built: run `bakeoff setup {entry.folder if entry.outside else entry.name}`"
    )


def _folder(entry: Entry, interpreter: Path) -> Path:
    return environments_folder() / f"{entry.label}-{key(entry, interpreter)}"


def _read(folder: Path) -> Environment | None:
    """Return the environment in `folder` from the record of its build, None where there is no whole one."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        asked = record.get("interpreters")  # absent from records of before it was asked
        return Environment(
            folder / "bin" / "python",
            folder,
            record["seconds"],
            record["bytes"],
            record["packages"],
            record.get("download_bytes"),
            None if asked is None else tuple(asked),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _build(entry: Entry, extra: Sequence[Path], say: Say, commands: "Commands") -> Environment:
    interpreter = find_interpreter(entry.description.python, extra)
    folder = _folder(entry, interpreter)
    log = cache_folder() / "logs" / f"{folder.name}.log"
    try:
        for parent in (folder.parent, log.parent, _lock(folder).parent):
            parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers()
        with _held(_lock(folder), say, commands):
            return _read(folder) or _build_aside(entry, interpreter, folder, _Log(log, say), commands)
    except OSError as error:
        raise BuildFailed(_in_plain_words(error), log) from error


def _lock(folder: Path) -> Path:
    return cache_folder() / "locks" / f"{folder.name}.lock"


@contextlib.contextmanager
def _held(path: Path, say: Say, commands: "Commands") -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say("waiting for another process that is building it")
        lock.acquire(cancel_check=lambda: commands.stopped)
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers() -> None:
    """Remove what builds that were killed left behind: what nobody holds the lock of."""
    for leftover in environments_folder().glob("*.building-*"):
        folder = leftover.with_name(leftover.name.rpartition(".building-")[0])
        with contextlib.suppress(Timeout), FileLock(_lock(folder), blocking=False):
            shutil.rmtree(leftover, ignore_errors=True)


def _build_aside(entry: Entry, interpreter: Path, folder: Path, log: _Log, commands: Commands) -> Environment:
    """Build in a folder beside `folder`, then give it that name. Whatever happens, no half-built one is left."""
    aside = folder.with_name(f"{folder.name}.building-{os.getpid()}")
    try:
        start = time.perf_counter()
        aside.mkdir()
        _install(entry, interpreter, aside, log, commands)
        seconds = time.perf_counter() - start
        record = {
            "interpreter": str(interpreter),
            "seconds": round(seconds, 3),
            "download_bytes": downloads.downloaded_bytes(log.lines),
            "interpreters": _supported(entry, aside, commands),
            "bytes": sum(path.lstat().st_size for path in aside.rglob("*") if not path.is_dir()),
            "packages": _packages(aside),
        }
        (aside / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        # What has the final name here is no whole environment: somebody took its record away.
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    environment = _read(folder)
    if environment is None:
        raise BuildFailed(f"{folder} was built, and then could not be read", log.path, log.lines)
    return environment
