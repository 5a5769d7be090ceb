"""Kills of runs and of builds at random moments: nothing that was finished is lost, and nothing is left behind.

`kill_run(seed, folder)` and `kill_build(seed, folder)` begin one, end it by a signal, and go on with it; they return
what is wrong with how that ended: "" where nothing is.
"""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import psutil
from bakeoff.measures import VOCABULARY
from bakeoff.records import read

from tests.paths import ROOT

KILLS = {"kills": 5, "builds": 4}
"""How often bench/faults.py kills each run, and each build, before it lets it end."""
LIMIT_S = 240
"""For what goes on after a kill."""

SPEC = """
[data]
source = "synthetic:300x6x3"
[network]
hidden = [8]
[training]
batch_size = 16
epochs = 20
"""

# The backend runs in this interpreter, one case is checked, and a worker has little time to become steady. That nobody
# works in this checkout meanwhile is not what is tested, and Ctrl-C while this program imports is its own affair.
DRIVER = """
import sys
from pathlib import Path

sys.argv[0] = sys.executable  # a path, as that of the program `bakeoff` is
try:
    from bakeoff import cli, environments
    from bakeoff.cli import app
    from bakeoff.common import machine, statistics
    from bakeoff.environments.environment import Environment
    from bakeoff.measures.speed import rounds
    from bakeoff.runner import start
    from bakeoff.workload import networks

    rounds.WARM_LIMIT_S = 0.1
    statistics.RESAMPLES = 100
    machine.commit = lambda: "0" * 12
    required = networks.required_networks
    networks.required_networks = lambda own=None: required()[1:2]
    environments.build = lambda entry, *_: Environment(
        Path(sys.executable), Path("numpy_plain-0123456789ab"), 1.0, 2, {"numpy": "2"}
    )
except KeyboardInterrupt:
    sys.exit(130)
cli.main()
"""

BUILDER = """
import sys
from pathlib import Path
from bakeoff import environments
from tests.environments.test_build import make_entry

folder = Path(sys.argv[1])
print(environments.build(make_entry(folder, (folder / "requirements.txt").read_text())).folder)
"""

SIGNALS = [signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def start(code: str, arguments: list[str], folder: Path) -> subprocess.Popen:
    """Start Python with the code; its temporary files, cache and state are in the folder."""
    (folder / "temporary").mkdir(exist_ok=True)
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "temporary"),
        "BAKEOFF_CACHE": str(folder / "cache"),
        "BAKEOFF_STATE": str(folder / "state"),
        "PYTHONPATH": str(ROOT),
    }
    with (folder / "output").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments], cwd=folder, env=variables, stdout=output, stderr=output
        )


def kill(process: subprocess.Popen, number: int) -> list[psutil.Process]:
    """End a process by a signal; return it with the children that it had."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(number)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return [*family]
    return family


def survivors(family: list[psutil.Process], within_s: float = 15) -> list[int]:
    """Return those of the processes that still run after some seconds."""
    _, alive = psutil.wait_procs(family, timeout=within_s)
    return [each.pid for each in alive if each.status() != psutil.STATUS_ZOMBIE]


class Lost(Exception):
    """What a kill lost, or left."""


def kill_run(seed: int, folder: Path, times: int = KILLS["kills"]) -> str:
    """Kill a run and its resumptions, each at a random moment; then let it end."""
    rng = random.Random(seed)
    (folder / "spec.toml").write_text(SPEC)
    results = folder / "results"
    arguments = ["run", str(folder / "spec.toml"), "--backends", "numpy_plain", "--quick", "--results", str(results)]
    before = b""
    try:
        for _ in range(times):
            process = start(DRIVER, arguments, folder)
            wait(process, rng.choice([rng.uniform(0.2, 3), rng.uniform(1, 12)]))
            if alive := survivors(kill(process, rng.choice(SIGNALS))):
                raise Lost(f"processes {alive} were left")
            if runs := sorted(results.glob("*/run.json")):
                arguments = ["run", "--resume", str(runs[0].parent)]
                before = require_kept(before, records_of(runs[0].parent), "a kill")
        process = start(DRIVER, arguments, folder)
        if not wait(process, LIMIT_S):
            process.kill()
            raise Lost(f"the resumed run took over {LIMIT_S} s")
        (run,) = results.glob("*/run.json")
        # 3: the machine is too busy for the self-test of the timing, which is no loss.
        if process.returncode not in (0, 3):
            raise Lost(f"the resumed run ended with {process.returncode}: {(folder / 'output').read_text()[-400:]}")
        require_kept(before, records_of(run.parent), "resuming")
        records = read.read_records(run.parent, VOCABULARY)
        finished = set(records[records["figure"].eq("finished")]["task"])
        if not read.is_complete(finished, json.loads(run.read_text())):
            raise Lost("the resumed run is not complete")
    except Lost as lost:
        return str(lost)
    return leftovers(folder)


def require_kept(before: bytes, after: bytes, by: str) -> bytes:
    """Return the records after something; raise Lost where those that were whole before are not their beginning."""
    if not after.startswith(before[: before.rfind(b"\n") + 1]):
        raise Lost(f"finished records were lost by {by}")
    return after


def records_of(run: Path) -> bytes:
    path = run / "records.jsonl"
    return path.read_bytes() if path.is_file() else b""


def leftovers(folder: Path) -> str:
    """Return what is wrong with what is left: temporary folders of workers, tracebacks in the output."""
    left = [path.name for path in (folder / "temporary").iterdir()]
    if left:
        return f"left behind: {left[:5]}"
    return "a traceback" if "Traceback" in (folder / "output").read_text(errors="replace") else ""


def wait(process: subprocess.Popen, seconds: float) -> bool:
    """Wait for the end of a process; return whether it came."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill_build(seed: int, folder: Path, times: int = KILLS["builds"]) -> str:
    """Kill a build and its repetitions, each at a random moment; then let it end."""
    from tests.environments.test_build import make_wheel

    rng = random.Random(seed)
    home, environments = folder / "abacus", folder / "cache" / "environments"
    home.mkdir()
    (home / "requirements.txt").write_text(f"{make_wheel(folder)}\n")
    try:
        for _ in range(times):
            process = start(BUILDER, [str(home)], folder)
            wait(process, rng.uniform(0.3, 9))
            if alive := survivors(kill(process, rng.choice(SIGNALS))):
                raise Lost(f"processes {alive} were left")
            whole = [path for path in environments.glob("*") if ".building-" not in path.name]
            if any(not (path / "built.json").is_file() for path in whole):
                raise Lost("an incomplete environment has its final name")
        process = start(BUILDER, [str(home)], folder)
        if not wait(process, LIMIT_S) or process.returncode != 0:
            raise Lost(f"it could not be built again: {(folder / 'output').read_text()[-400:]}")
        if len(left := [path.name for path in environments.iterdir()]) != 1:
            raise Lost(f"left behind: {left}")
    except Lost as lost:
        return str(lost)
    # Ctrl-C in the middle of the program that builds here is a traceback of that program.
    return said if (said := leftovers(folder)) != "a traceback" else ""
