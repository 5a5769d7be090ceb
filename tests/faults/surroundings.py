"""Odd surroundings of a command: signals, variables, limits, closed descriptors, other users, full and read-only disks.

`run_case(command, circumstance, folder)` carries a command out in them and returns what is wrong with how it ended: ""
where it did its work, or said in a sentence why it cannot. Some circumstances need root: as another user the tests say
so.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.faults.kills import DRIVER, SPEC
from tests.paths import ROOT, SAVED_RUN

LIMIT_S = 120

COMMANDS = {
    "table": ["table", "RUN"],
    "ease": ["ease", "numpy_plain"],
    "data": ["data", "FILE.csv", "--target", "label"],
    "backends": ["backends"],
    "run": ["run", "SPEC", "--backends", "numpy_plain", "--quick", "--results", "RESULTS"],
}


class Circumstance(NamedTuple):
    """What is odd, and which ends are right."""

    prefix: tuple[str, ...] = ()
    """What the command is started with: a shell, another user."""
    variables: dict[str, str] = {}
    codes: tuple[int, ...] = (0, 3)
    """Exit codes that are right: 0 where the command must do its work all the same, 3 where the machine is too busy."""
    around: Callable[[Path], contextlib.AbstractContextManager[None]] | None = None
    """What is done to the folder meanwhile."""
    signal: int = 0
    """The signal that is sent to the command."""


def shell(words: str) -> tuple[str, ...]:
    """Return a prefix that executes shell code before the command, and redirects it after `--`."""
    before, _, after = words.partition("--")
    return ("/bin/sh", "-c", f'{before or ":"}; exec "$0" "$@" {after}')


def user(*more: str) -> tuple[str, ...]:
    """Return a prefix that makes the command another user's, one without a name and a home, who may read everything."""
    return (
        *("setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"),
        *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
        *more,
    )


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Put the cache on a disk of 64 kB."""
    place = folder / "cache"
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], check=True)
    try:
        with contextlib.suppress(OSError), (place / "filler").open("wb") as file:
            file.write(bytes(1 << 20))
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@contextlib.contextmanager
def for_others(folder: Path) -> Iterator[None]:
    """Let others write into the cache and the results, and nowhere else."""
    for name in ("cache", "results", "state", "temporary"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)
    yield


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let others write into the results alone: the cache is an administrator's."""
    for name in ("results", "state", "temporary"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name).chmod(0o777)
    (folder / "cache").mkdir(exist_ok=True)
    (folder / "cache").chmod(0o755)
    yield


REFUSED = (0, 1, 2, 3)
"""1 where the command works and no worker can be started: then that is the reason of the backend's failure."""
CIRCUMSTANCES = {
    "HOME does not exist": Circumstance(variables={"HOME": "/nonexistent"}),
    "HOME is a file": Circumstance(variables={"HOME": "/etc/passwd"}),
    "HOME is relative": Circumstance(variables={"HOME": "somewhere"}),
    "LANG is nonsense": Circumstance(variables={"LANG": "xx_XX.nonsense", "LC_ALL": "nonsense"}),
    "the locale is C, without UTF-8": Circumstance(variables={"LC_ALL": "C", "PYTHONUTF8": "0"}),
    "the output is Latin-1": Circumstance(variables={"PYTHONIOENCODING": "latin-1"}),
    "TZ is nonsense": Circumstance(variables={"TZ": "Mars/Olympus"}),
    "umask 000": Circumstance(shell("umask 000")),
    "umask 777": Circumstance(shell("umask 777")),
    "another user, umask 777": Circumstance((*shell("umask 777"), *user()), codes=REFUSED, around=for_others),
    "30 open files": Circumstance(shell("ulimit -n 30"), codes=REFUSED),
    "12 open files": Circumstance(shell("ulimit -n 12"), codes=REFUSED),
    "2 GB of memory": Circumstance(shell("ulimit -v 2000000"), codes=REFUSED),
    "files of at most 0 bytes": Circumstance(shell("ulimit -f 0"), codes=REFUSED),
    "standard input closed": Circumstance(shell("--<&-")),
    "standard output closed": Circumstance(shell("-->&-")),
    "standard error closed": Circumstance(shell("--2>&-")),
    "all three closed": Circumstance(shell("--<&- >&- 2>&-")),
    "standard output on a full disk": Circumstance(shell("-->/dev/full"), codes=(0, 2, 3)),
    "the current folder is removed": Circumstance(shell("mkdir gone; cd gone; rmdir ../gone")),
    "another user without a name": Circumstance(user(), around=for_others),
    "another user, a cache that can only be read": Circumstance(user(), codes=REFUSED, around=read_only),
    "a cache on a full disk": Circumstance(codes=REFUSED, around=full_disk),
    "SIGINT": Circumstance(codes=(0, 3, 130), signal=signal.SIGINT),
    "SIGTERM": Circumstance(codes=(0, 3, 143, -signal.SIGTERM), signal=signal.SIGTERM),
    "SIGHUP": Circumstance(codes=(0, 3, 129, -signal.SIGHUP), signal=signal.SIGHUP),
}
NEED_ROOT = {name for name, each in CIRCUMSTANCES.items() if each.around is not None}


def run_case(command: str, circumstance: str, folder: Path) -> str:
    """Carry the command out in the circumstance; return what is wrong with how it ended."""
    odd = CIRCUMSTANCES[circumstance]
    prepare(folder)
    words = [word.replace("RUN", str(folder / "run")) for word in COMMANDS[command]]
    words = [
        {"FILE.csv": str(folder / "file.csv"), "SPEC": str(folder / "spec.toml")}.get(word, word) for word in words
    ]
    words = [word.replace("RESULTS", str(folder / "results")) for word in words]
    with odd.around(folder) if odd.around else contextlib.nullcontext():
        program = ["-c", DRIVER] if command == "run" else ["-m", "bakeoff"]
        process = subprocess.Popen(
            [*odd.prefix, sys.executable, *program, *words],
            cwd=folder,
            env=variables(folder) | odd.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if odd.signal:
            # A run's driver imports half of the harness before the command line takes over.
            time.sleep(random.Random(f"{command} {circumstance}").uniform(0.5, 3) + 6 * (command == "run"))
            process.send_signal(odd.signal)
        try:
            out, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"it took over {LIMIT_S} s"
    said = (out + err).decode(errors="replace")
    if "Traceback" in said:
        return said[-500:]
    if process.returncode not in odd.codes:
        return f"exit code {process.returncode}: {said[-400:]}"
    if process.returncode == 2 and not err.strip() and "2>&-" not in " ".join(odd.prefix):
        return "it failed without a word"
    return ""


def prepare(folder: Path) -> None:
    """Lay what the commands read and where they write; only the four folders are for others to write."""
    shutil.copytree(SAVED_RUN, folder / "run")
    (folder / "spec.toml").write_text(SPEC)
    rows = [f"{number},{number * 7 % 11},{'ab'[number % 2]}" for number in range(600)]
    (folder / "file.csv").write_text("\n".join(["p,q,label", *rows]) + "\n")
    (folder / "temporary").mkdir()
    folder.chmod(0o755)


def variables(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "BAKEOFF_CACHE": str(folder / "cache"),
        "BAKEOFF_STATE": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
    }
