"""Runs a command, and kills it with all its children when whoever started this program ends, however it ends.

    python -I guard.py COMMAND ARGUMENT...

Standard input is a pipe of which the starter holds the other end: it ends with the starter. This program is the leader
of its process group. It imports nothing of the harness, so that it starts at once.
"""

import os
import signal
import subprocess
import sys
import threading


def wait_for_the_starter() -> None:
    """Wait until the starter is gone; then kill the whole process group, with this program."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> int:
    """Return the exit code of the command, or 128 and the number of the signal that ended it."""
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL) as process:
        threading.Thread(target=wait_for_the_starter, daemon=True).start()
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the thread still reads standard input
