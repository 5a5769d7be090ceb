"""A command of a build ends with the process that started it, however that ends, and takes its children with it."""

import os
import signal
import subprocess
import sys

import psutil
import pytest
from bakeoff.environments.commands import Commands

from tests.paths import ROOT

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
time.sleep(300)
"""
STARTER = f"""
import os, signal, sys
from pathlib import Path
from bakeoff.environments.commands import Commands

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the tests ignore it, and so would this program
Commands().run([sys.executable, "-c", {FAMILY!r}], lambda line: print(line, flush=True), Path(), dict(os.environ))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_command_and_its_children_end_with_who_started_it(number):
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        family = [psutil.Process(int(process.stdout.readline()))]
        family += psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        process.wait(30)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert len(family) >= 3
    assert not alive


def run(*command, variables=None):
    lines = []
    return Commands().run(command, lines.append, ROOT, variables or dict(os.environ)), lines


def test_the_exit_code_and_the_output_are_the_commands_own():
    code, lines = run(sys.executable, "-c", "print('beads'); raise SystemExit(5)")
    assert (code, lines) == (5, ["beads"])


def test_a_command_that_a_signal_ended_has_the_exit_code_of_a_shell():
    assert run(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")[0] == 137


def test_a_command_that_is_not_there_is_an_error_with_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run("no-such-program")
    with pytest.raises(FileNotFoundError, match="beads"):
        run(str(tmp_path / "beads"))


def test_a_command_is_searched_for_on_its_own_path(tmp_path):
    with pytest.raises(FileNotFoundError):
        run("sh", variables={"PATH": str(tmp_path)})
