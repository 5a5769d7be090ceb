"""A program that runs another one until it ends, or until standard input ends, and then ends all that it started.

Started as `python guard.py LIMIT COMMAND ...`, where LIMIT is how many seconds the command gets to end by itself after
SIGTERM. Standard input is a pipe from the harness: it ends with the harness, however that ends, so no server stays.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command; return its exit code, or that of a command that was ended."""
    limit = float(sys.argv[1])
    server = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        sys.stdin.read()
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=limit)
        kill()

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)

    threading.Thread(target=end, daemon=True).start()
    try:
        return server.wait()
    finally:
        kill()  # what it started, and did not end


if __name__ == "__main__":
    sys.exit(main())
