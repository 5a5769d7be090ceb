"""One interpreter environment per backend, or per part of it, built from its pins with the right venv and pip.

An environment is built aside and renamed when it is whole, so that a folder with its final name is always usable.
Renaming breaks the first line of the scripts in its `bin`: everything here and in the workers runs `bin/python -m ...`.
"""

import contextlib
import errno
import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name

from harness import downloads
from harness.cache import cache_folder
from harness.interpreters import Missing, find_interpreter, given, interrogate
from harness.registry import NOT_PINNED, Entry, pinned_version

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
    "lacking_program",
    "requires_python",
    "status",
]

RECORD = "built.json"
TAIL = 30
"""How many of the last lines of output a failure shows."""

REACHING_PACKAGES = {
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
}
"""The caller's settings of pip that say where packages come from; the others could change what is installed."""

Say = Callable[[str], None]


class BuildFailed(Exception):
    """An environment could not be built: why, in pip's own words where it was pip.

    `reason` is one sentence, `errors` are the lines in which pip says ERROR, `tail` the last lines of all output, and
    `log` is the file of the whole of it. The message has them all.
    """

    def __init__(self, reason: str, log: Path, output: Sequence[str] = ()) -> None:
        self.reason = reason
        self.log = log
        self.tail = tuple(output[-TAIL:])
        self.errors = tuple(line for line in output if line.startswith("ERROR"))
        said = [*(line for line in self.errors if line not in self.tail), *self.tail]
        super().__init__("\n".join([reason, *(f"  {line}" for line in said), f"The whole output: {log}"]))


class Environment(NamedTuple):
    """A whole environment, and what building it cost."""

    python: Path
    """The interpreter to start a worker with."""
    folder: Path
    seconds: float
    """How long the build took."""
    bytes: int
    """The sum of the sizes of its files."""
    packages: dict[str, str]
    """Version by normalised name of every distribution in it."""
    download_bytes: int | None = None
    """What pip installed from, together, as pip says; None where that was not written down, or pip did not say."""
    interpreters: tuple[str, ...] | None = None
    """Versions of Python, of those asked after, that the framework's pinned version has a wheel for; None as above."""

    def in_words(self) -> str:
        """Return that it is ready, and what it cost."""
        return f"ready ({len(self.packages)} packages, {self.bytes / 1e9:.2f} GB, built in {self.seconds:.0f} s)"


def environments_folder() -> Path:
    """Return the folder that the environments are built in."""
    return cache_folder() / "environments"


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


def requires_python(environment: Environment, package: str) -> str | None:
    """Return which versions of Python a distribution in it says that it needs: ">=3.11"; None where it says nothing."""
    paths = [str(path) for path in environment.folder.glob("lib/python*/site-packages")]
    for found in importlib.metadata.distributions(name=package, path=paths):
        return found.metadata["Requires-Python"]
    return None


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


def lacking_program(entry: Entry, variant: str) -> str | None:
    """Return why `variant` of `entry` cannot run for want of a program on PATH, None where it lacks none."""
    programs = entry.description.environment.programs.get(variant, ())
    if not programs or any(shutil.which(program) for program in programs):
        return None
    return f"{entry.name}:{variant} needs one of these programs on PATH, and found none: {', '.join(programs)}"


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


class Commands:
    """The commands that run now, in whichever thread, so that all can be stopped at once."""

    def __init__(self) -> None:
        self.stopped = False
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()

    def run(self, command: Sequence[str | Path], say: Say, folder: Path, environment: Mapping[str, str]) -> int:
        """Run `command` in `folder`, tell `say` each line of its output, return its exit code; leave no process."""
        with self._start(command, folder, environment) as process:
            try:
                for line in process.stdout or ():
                    say(line.rstrip())
                return process.wait()
            except BaseException:
                _kill(process)
                raise
            finally:
                with self._lock:
                    self._running.discard(process)

    def stop(self) -> None:
        """Kill what runs, and let nothing start any more."""
        with self._lock:
            self.stopped = True
            for process in self._running:
                _kill(process)

    def _start(
        self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self.stopped:
                raise InterruptedError("stopped")
            # A session of its own is a process group of its own: pip's children can be killed with it.
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
            return process


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill `process` and its children, unless it has ended: its number may be another's by then."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Log:
    """The output of a build: kept in a file and in `lines`, and told to `say` as it comes."""

    def __init__(self, path: Path, say: Say) -> None:
        self.path = path
        self.lines: list[str] = []
        self._say = say
        path.write_text("", encoding="utf-8")

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._say(line)


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


def _pip(folder: Path) -> list[str | Path]:
    return [
        folder / "bin" / "python",
        "-I",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "--no-color",
    ]


def _supported(entry: Entry, folder: Path, commands: "Commands") -> list[str] | None:
    """Ask the package index which interpreters the framework has a wheel for; None where it does not say."""

    def ask(arguments: list[str]) -> str | None:
        said: list[str] = []
        code = commands.run([*_pip(folder), *arguments], said.append, entry.folder, _clean(os.environ))
        return "\n".join(said) if code == 0 else None

    version = pinned_version(entry)
    return None if version == NOT_PINNED else downloads.supported_interpreters(entry.description.package, version, ask)


def _install(entry: Entry, interpreter: Path, aside: Path, log: _Log, commands: Commands) -> None:
    # pip unpacks here and not in the system's folder, which may be small, and where a killed pip would leave gigabytes.
    temporary = aside / "tmp"
    temporary.mkdir()
    environment = {**_clean(os.environ), "TMPDIR": str(temporary), "PIP_USER": "0"}
    steps: list[tuple[str, list[str | Path]]] = [
        (f"make an environment with {interpreter}", [interpreter, "-I", "-m", "venv", aside]),
        (
            f"install {entry.requirements}",
            [*_pip(aside), "install", "--progress-bar", "off", "-r", entry.requirements.absolute()],
        ),
    ]
    for purpose, command in steps:
        log(f"{entry.label}: {purpose}")
        code = commands.run(command, log, entry.folder, environment)
        if code != 0:
            raise BuildFailed(f"{entry.label}: could not {purpose}{_cause(log.lines, code)}", log.path, log.lines)
    shutil.rmtree(temporary)


def _clean(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `variables` without those that lead Python or pip astray; index, proxies and certificates stay."""
    return {
        name: value
        for name, value in variables.items()
        if not name.startswith(("PYTHON", "PIP_", "VIRTUAL_ENV", "__PYVENV")) or name in REACHING_PACKAGES
    }


def _packages(folder: Path) -> dict[str, str]:
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    found = importlib.metadata.distributions(path=paths)
    return dict(sorted((canonicalize_name(each.metadata["Name"]), each.version) for each in found))


def _cause(output: Sequence[str], code: int) -> str:
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        if any(f"[Errno {number}]" in line for line in output):
            return f": {_in_plain_words(OSError(number, os.strerror(number)))}"
    return f" (exit code {code})"


def _in_plain_words(error: OSError) -> str:
    elsewhere = "set BAKEOFF_CACHE to a folder on another disk"
    where = error.filename or cache_folder()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {cache_folder()}: make room or {elsewhere}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"no permission to write {where}: change it or {elsewhere}"
    return f"{where} cannot be used ({error}): mend it or {elsewhere}"
