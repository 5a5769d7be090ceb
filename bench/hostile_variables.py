"""What variables of the caller's environment change in what a run measures: nothing, if workers are isolated.

    python bench/hostile_variables.py collect FOLDER [--inherit]
    python bench/hostile_variables.py report FOLDER

`collect` makes `bakeoff run --quick` of the default backends in FOLDER under each of ten variables, and without any of
them before, in the middle and after; it goes on where it was interrupted. With --inherit it passes the variable on to
the workers (`--inherit-environment`), which shows what it would have done. `report` prints the table of
bench/hostile_variables.md: of each run the step times of its variants as ratios to the run without, at their median
and at their worst, and whether the variable was in force in a worker, by run.json.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from bakeoff.records import read
from bakeoff.report.report import Report

VARIABLES = {
    "ATEN_CPU_CAPABILITY": "default",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1:glibc.malloc.trim_threshold=1",
    "JAX_DISABLE_JIT": "1",
    "MALLOC_PERTURB_": "165",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "PYTHONMALLOC": "debug",
    "TORCH_COMPILE_DISABLE": "1",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}
ORDER = ("without-1", *list(VARIABLES)[:5], "without-2", *list(VARIABLES)[5:], "without-3")
"""The order of the runs: the runs without a variable show how much the machine changes meanwhile."""


def run_folder(folder, name):
    """Return the complete run of that name, or None."""
    states, _ = read.list_runs(folder / name)
    return next((state.folder for state in states if state.complete), None)


def collect(options):
    """Make the runs that the folder lacks."""
    folder = Path(options.folder)
    for name in ORDER:
        if run_folder(folder, name):
            continue
        variables = {name: VARIABLES[name]} if name in VARIABLES else {}
        environment = {key: value for key, value in os.environ.items() if key not in VARIABLES} | variables
        passed_on = ["--inherit-environment", name] if options.inherit and variables else []
        command = [sys.executable, "-m", "bakeoff", "run", "--quick", "--results", str(folder / name), *passed_on]
        code = subprocess.run(command, env=environment, check=False).returncode
        # 1: with --inherit a variable can make a backend wrong. 3: the self-test failed; both runs are complete.
        if code not in (0, 1, 3):
            sys.exit(f"`{' '.join(command)}` ended with exit code {code}.")


def step_times(folder):
    """Return by variant the seconds a step of a run."""
    times = Report(folder).step_times
    return {":".join(each): times.step(each).estimate for each in times.variants}


def report(options):
    """Print what each run took a step, as ratios to the first run without a variable."""
    folder = Path(options.folder)
    first = step_times(run_folder(folder, ORDER[0]))
    print("| variable | variants timed | median ratio | lowest | highest | in force |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in ORDER:
        found = run_folder(folder, name)
        if not found or name == ORDER[0]:
            continue
        ratios = {each: seconds / first[each] for each, seconds in step_times(found).items() if each in first}
        low, high = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
        in_force = {key for variables in Report(found).header["variables"].values() for key in variables}
        shown = f"`{name}={VARIABLES[name]}`" if name in VARIABLES else "none"
        print(
            f"| {shown} | {len(ratios)} of {len(first)} | {np.median(list(ratios.values())):.3f} "
            f"| {ratios[low]:.3f} ({low}) | {ratios[high]:.3f} ({high}) | {'yes' if name in in_force else 'no'} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("collect")
    command.add_argument("folder")
    command.add_argument("--inherit", action="store_true", help="pass the variable on to the workers")
    command.set_defaults(act=collect)
    command = commands.add_parser("report")
    command.add_argument("folder")
    command.set_defaults(act=report)
    options = parser.parse_args()
    options.act(options)


if __name__ == "__main__":
    main()
