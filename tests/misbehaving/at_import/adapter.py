"""Misbehaves while it is imported, as the variable AT_IMPORT says."""

import ctypes
import importlib
import json
import os
import sys
import time

misbehaviour = os.environ["AT_IMPORT"]

if misbehaviour == "raise":
    raise ImportError("libframework.so.1: cannot open shared object file")
elif misbehaviour == "no_such_module":
    importlib.import_module("no_such_framework")
elif misbehaviour == "sys_exit":
    sys.exit("this framework needs AVX-512")
elif misbehaviour == "os_exit":
    os._exit(9)
elif misbehaviour == "hang":
    time.sleep(600)
elif misbehaviour == "slow":
    time.sleep(0.2)
elif misbehaviour == "noise":
    print("noise from print")
    print("noise from stderr", file=sys.stderr, flush=True)
    os.write(1, b"noise from C\n")
    ctypes.CDLL(None).puts(b"noise from puts")

if misbehaviour != "no_class":

    class Backend:
        """Declares what AT_IMPORT says, and can do nothing."""

        conventions = {"adam": "epsilon-squared"} if misbehaviour == "convention_value" else {}
        if misbehaviour == "convention_name":
            conventions = {"weight_decay": "coupled"}
        variants = ("eager",)
        if misbehaviour == "table_in_class":
            KNOWN_FAILURES = []

        def versions(self):
            return {}


DECLARED = [{"reason": "the bias correction is in float32", "checks": ["updates", "losses"], "max_floors": 1e9}]
KNOWN_FAILURES = json.loads(os.environ["KNOWN"]) if "KNOWN" in os.environ else DECLARED
