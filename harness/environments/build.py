"""Builds the environment of each backend from its pinned requirements, or finds it where it is built.

An environment is built in a temporary folder and renamed when it is complete, so a folder with its final name is always
usable. Renaming breaks the first line of the scripts in its `bin`: the harness runs `bin/python -m ...` instead.
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
from ..common.futures import result_of
from ..registry.entries import Entry
from ..registry.pins import built_from_source, is_hashed, read_pins
from . import native
from .commands import Commands
from .downloads import sum_downloads
from .environment import (
    RECORD,
    BuildFailed,
    BuildLog,
    Environment,
    Say,
    describe_os_error,
    environments_folder,
    read_record,
)
from .interpreters import Missing, find_interpreter, query_interpreter, require_interpreters
from .pip import BUILDER, INSTALLER, install_requirements, list_packages, query_supported_interpreters
from .sources import read_sources
from .verify import write_manifest


def environment_key(entry: Entry, interpreter: Path) -> str:
    """Return twelve hexadecimal digits: others for other pins, another interpreter or other package indexes."""
    identity = query_interpreter(interpreter)
    if identity is None:
        raise Missing(f"{interpreter} is no longer a working Python interpreter.")
    # Resolved, so that two paths of one interpreter share an environment.
    # Bytes that are no UTF-8 are pip's to report: the backend then has a row that says so.
    pins = entry.requirements.read_text(encoding="utf-8", errors="surrogateescape")
    parts = [pins, *identity[1:], str(identity.path.resolve())]
    parts += native.read_inputs(entry)
    lines = read_pins(entry.requirements)
    parts += [INSTALLER.read_text(encoding="utf-8")] if is_hashed(lines) else []
    parts += [BUILDER.read_text(encoding="utf-8")] if built_from_source(lines) else []
    parts.append(read_sources(os.environ)["sha256"])
    if entry.build:
        parts += [entry.build_name, entry.build.index or ""]
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:12]


def find(entry: Entry, extra: Sequence[Path] = ()) -> Environment | None:
    """Return the environment of `entry`; None where it is not built. Raises Missing and InputError."""
    native.require_tools(entry)
    return read_environment(environment_folder(entry, find_interpreter(entry.description.python, extra)))


def build(
    entry: Entry,
    extra: Sequence[Path] = (),
    progress: Say = lambda line: None,
    commands: Commands | None = None,
) -> Environment:
    """Return the environment of `entry`, building it first where necessary; pass each line of output to `progress`.

    Waits where another process builds the same environment. `commands.stop()`, from another thread, ends the build.
    Raises Missing, BuildFailed and InputError.
    """
    commands = commands or Commands()
    native.require_tools(entry)
    interpreter = find_interpreter(entry.description.python, extra)
    folder = environment_folder(entry, interpreter)
    log = cache_folder() / "logs" / f"{folder.name}.log"
    # Before anything is written: the cache may be an administrator's, which can only be read.
    found = read_environment(folder)
    if found is not None and not describe_damage(found):
        return found
    try:
        for parent in (folder.parent, log.parent, lock_path(folder).parent):
            parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned_builds()
        with hold_lock(lock_path(folder), progress, commands):
            found = read_environment(folder)
            damage = describe_damage(found) if found is not None else ""
            if damage:
                progress(f"{damage}: building it anew")
                found = None
            return found or _build_and_rename(entry, interpreter, folder, BuildLog(log, progress), commands)
    except OSError as error:
        raise BuildFailed(describe_os_error(error), log) from error


def build_all(
    entries: Sequence[Entry],
    extra: Sequence[Path] = (),
    jobs: int = 2,
    on_event: Callable[[str, str], None] = lambda name, line: None,
) -> dict[str, Environment | Missing | BuildFailed]:
    """Build the environments of `entries`, `jobs` at a time; return each environment, or why there is none, by label.

    Calls `on_event(label, line)` from threads; the last line is "ready (...)" or the reason for the failure. A failure
    does not stop the others. Raises InputError for a path in `extra` that is not an interpreter.
    """
    require_interpreters(extra)
    commands = Commands()

    def build_one(entry: Entry) -> Environment | Missing | BuildFailed:
        say = functools.partial(on_event, entry.label)
        try:
            environment = build(entry, extra, say, commands)
        except Missing as missing:
            say(str(missing))
            return missing
        except BuildFailed as failed:
            say(failed.reason)
            return failed
        say(environment.describe())
        return environment

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {entry.label: pool.submit(build_one, entry) for entry in entries}
        try:
            return {label: result_of(future) for label, future in futures.items()}
        except BaseException:
            # Only the main thread receives Ctrl-C: it stops the commands of the other threads, which then clean up.
            pool.shutdown(wait=False, cancel_futures=True)
            commands.stop()
            raise


def status(entry: Entry, extra: Sequence[Path] = ()) -> str:
    """Return a line that says whether the environment of `entry` is ready, not built or not available here."""
    try:
        environment = find(entry, extra)
    except Missing as missing:
        return str(missing)
    if environment is not None:
        return environment.describe()
    return f"not built: run `bakeoff setup {entry.folder if entry.outside else entry.name}`"


def environment_folder(entry: Entry, interpreter: Path) -> Path:
    """Return the folder of the environment of `entry` with `interpreter`, whether built or not."""
    return environments_folder() / f"{entry.label}-{environment_key(entry, interpreter)}"


def read_environment(folder: Path) -> Environment | None:
    """Return the environment in `folder`, by the record of its build; None where it is absent or incomplete."""
    found = read_record(folder)
    if found is None:
        return None
    of_record = (found.seconds, found.bytes, found.packages, found.download_bytes, found.interpreters)
    return Environment(folder / "bin" / "python", folder, *of_record)


def describe_damage(environment: Environment) -> str:
    """Return what an environment lacks of what was built; "" where nothing is known to be missing."""
    if not environment.python.exists():
        return f"{environment.python} is gone"
    try:
        packages = list_packages(environment.folder)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # the metadata of a package are damaged
        packages = {}
    changed = sorted(name for name, version in environment.packages.items() if packages.get(name) != version)
    return f"{environment.folder} lacks {', '.join(changed[:5])}" if changed else ""


def lock_path(folder: Path) -> Path:
    """Return the file that is locked while the environment of that folder is built."""
    return cache_folder() / "locks" / f"{folder.name}.lock"


@contextlib.contextmanager
def hold_lock(path: Path, say: Say, commands: Commands) -> Iterator[None]:
    """Hold the lock of an environment; wait, and say so, where another process builds it."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        say("waiting for another process that builds it")
        lock.acquire(cancel_check=lambda: commands.stopped)
    try:
        yield
    finally:
        lock.release()


def _remove_abandoned_builds() -> None:
    """Remove the folders of builds that were killed: no process holds their locks."""
    for abandoned in environments_folder().glob("*.building-*"):
        folder = abandoned.with_name(abandoned.name.rpartition(".building-")[0])
        with contextlib.suppress(Timeout), FileLock(lock_path(folder), blocking=False):
            shutil.rmtree(abandoned, ignore_errors=True)


def _build_and_rename(entry: Entry, interpreter: Path, folder: Path, log: BuildLog, commands: Commands) -> Environment:
    """Build in a temporary folder, then rename it to `folder`. Never leaves an incomplete environment behind."""
    temporary = folder.with_name(f"{folder.name}.building-{os.getpid()}")
    try:
        start = time.perf_counter()
        temporary.mkdir()
        installed = install_requirements(entry, interpreter, temporary, log, commands)
        native.add_to_environment(entry, temporary, log, commands)
        write_manifest(temporary)
        seconds = time.perf_counter() - start
        record = {
            "interpreter": str(interpreter),
            "hashes": installed.unverified is not None,
            "unverified": installed.unverified or {},
            "sources": read_sources(os.environ),
            "seconds": round(seconds, 3),
            "download_bytes": sum_downloads(installed.output),
            "interpreters": query_supported_interpreters(entry, temporary, commands),
            "bytes": sum(path.lstat().st_size for path in temporary.rglob("*") if not path.is_dir()),
            "packages": list_packages(temporary),
        }
        (temporary / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        # A folder with the final name is incomplete here: its record is gone or damaged.
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    environment = read_environment(folder)
    if environment is None:
        raise BuildFailed(f"{folder} was built, but cannot be read", log.path, log.lines)
    return environment
