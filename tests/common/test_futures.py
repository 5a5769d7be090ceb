import subprocess
import sys

SIGNALLED_IN_A_THREAD = """
import signal, threading, time
from concurrent.futures import ThreadPoolExecutor
from bakeoff.common.futures import result_of

def interrupt():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    time.sleep(600)

result_of(ThreadPoolExecutor(1).submit(interrupt))
"""


def test_ctrl_c_that_another_thread_receives_interrupts_the_wait():
    command = [sys.executable, "-c", SIGNALLED_IN_A_THREAD]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        lines = iter(process.stderr.readline, "")
        assert any(line.startswith("KeyboardInterrupt") for line in lines)
        process.kill()
