"""The current folder is not code: no interpreter that is started executes a file because of its name."""

import os
import subprocess
import sys
from pathlib import Path

TRAPS = (
    *(
        "ctypes",
        "signal",
        "types",
        "json",
        "os",
        "io",
        "zipfile",
        "subprocess",
        "struct",
        "random",
        "socket",
    ),
    *(
        "select",
        "logging",
        "platform",
        "sysconfig",
        "typing",
        "numpy",
        "threadpoolctl",
        "psutil",
        "venv",
        "pip",
    ),
    *(
        "ensurepip",
        "site",
        "sitecustomize",
        "usercustomize",
        "wire",
        "host",
        "spec",
        "adapter",
        "model",
    ),
)
TRAP = "import os\nos.open({marker!r}, os.O_CREAT | os.O_WRONLY)\nraise SystemExit('the current folder was executed')\n"

PROGRAM = """
import sys
from pathlib import Path

from bakeoff.environments import interpreters
from bakeoff.environments.commands import Commands
from bakeoff.environments.pip import _pip_command
from bakeoff.measures.speed import peak
from bakeoff.portable import spec
from bakeoff.registry import entries
from bakeoff.workers import launch
from bakeoff.workers.cores import reserve_cores, first_cores
from bakeoff.workers.session import Session

SPEC = spec.Spec((5, 7, 4), "relu", True, 0.9, 1e-5, "adam", 0.001, 0.9, 0.999, 1e-8, 9, "float64")

here = Path(sys.executable)
assert interpreters.query_interpreter(here) is not None
assert interpreters._can_make_environments(here)
with reserve_cores(first_cores(1)) as spinners:
    assert spinners.alive() == 1
assert peak.measure(None, 1, "float32") > 0
entry = entries.read_entry(entries.backends_folder() / "numpy_plain")
with Session(launch.place_of(entry, "plain", here)._replace(log=Path(sys.argv[1]))) as session:
    session.build(SPEC, "cpu", "plain")
    assert session.threads()
command = _pip_command(here.parent.parent)
assert command[1] == "-I"
print("done")
"""


def lay_traps(folder):
    marker = folder / "executed"
    for name in TRAPS:
        (folder / f"{name}.py").write_text(TRAP.format(marker=str(marker)))
    return marker


def test_no_helper_process_executes_a_file_of_the_current_folder(tmp_path):
    traps, log = tmp_path / "traps", tmp_path / "log"
    traps.mkdir()
    marker = lay_traps(traps)
    environment = {"PATH": os.environ["PATH"], "BAKEOFF_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(log)],
        cwd=traps,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr + (log.read_text() if log.exists() else "")
    assert not marker.exists()


def test_the_traps_work(tmp_path):
    """Otherwise the test above shows nothing: an interpreter without -I or -P does execute them."""
    marker = lay_traps(tmp_path)
    subprocess.run([sys.executable, "-c", "import ctypes"], cwd=tmp_path, capture_output=True, check=False)
    assert marker.exists()


def test_every_interpreter_of_the_harness_is_started_without_the_current_folder():
    """A script has its own folder on the path; -c and -m have the current one, but for -I and -P."""
    harness = Path(__file__).resolve().parents[2] / "harness"
    for path in harness.rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if '"-c"' in line or '"-m"' in line:
                assert '"-I"' in line or '"-P"' in line, f"{path}:{number}: {line.strip()}"
