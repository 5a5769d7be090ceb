"""The environment variables of a worker: which it inherits, which are set, and which are recorded."""

import os
from pathlib import Path

import pytest
from bakeoff.workers.place import (
    INHERITED,
    THREAD_VARIABLES,
    Place,
    home_folder,
    variables_in_force,
    worker_environment,
)

HOSTILE = {
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_VERBOSE": "2",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_DEBUG_CPU_TYPE": "5",
    "OMP_PROC_BIND": "spread",
    "OMP_WAIT_POLICY": "active",
    "KMP_AFFINITY": "compact",
    "KMP_BLOCKTIME": "infinite",
    "GOMP_CPU_AFFINITY": "0",
    "GOMP_SPINCOUNT": "0",
    "BLIS_ARCH_TYPE": "generic",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "ATEN_CPU_CAPABILITY": "default",
    "TORCH_LOGS": "all",
    "TORCHINDUCTOR_MAX_AUTOTUNE": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
    "JAX_DISABLE_JIT": "1",
    "JAX_ENABLE_X64": "1",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "FLAGS_cudnn_deterministic": "1",
    "PYTENSOR_FLAGS": "optimizer=None",
    "NUMBA_DISABLE_JIT": "1",
    "MALLOC_ARENA_MAX": "1",
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "LD_PRELOAD": "libjemalloc.so",
    "LD_LIBRARY_PATH": "/opt/mkl",
    "PYTHONPATH": "/elsewhere",
    "PYTHONHOME": "/elsewhere",
    "PYTHONHASHSEED": "0",
    "PYTHONOPTIMIZE": "2",
    "VIRTUAL_ENV": "/elsewhere",
    "NVIDIA_TF32_OVERRIDE": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "KERAS_BACKEND": "torch",
    "CC": "slowcc",
    "CFLAGS": "-O0",
}
"""Variables that steer numerical libraries, compilers or Python, each with a value that would change the results."""

USERS = {
    "PATH": "/usr/bin",
    "USER": "user",
    "LOGNAME": "user",
    "TMPDIR": "/scratch",
    "LANG": "de_DE.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "XDG_CACHE_HOME": "/scratch/cache",
    "CUDA_VISIBLE_DEVICES": "1",
}

PLACE = Place(Path("python"), Path("folder"), Path("log"))
FIXED = {"HOME": str(home_folder()), "PYTHONDONTWRITEBYTECODE": "1", **dict.fromkeys(THREAD_VARIABLES, "1")}
RECORDED = {name: value for name, value in FIXED.items() if name != "HOME"}


def test_no_hostile_variable_is_inherited():
    assert worker_environment(PLACE, HOSTILE) == FIXED
    assert variables_in_force(PLACE, HOSTILE) == RECORDED


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_variable_can_be_passed_on_by_name(name):
    place = PLACE._replace(inherit=(name,))
    assert worker_environment(place, HOSTILE) == {**FIXED, name: HOSTILE[name]}
    assert variables_in_force(place, HOSTILE) == {**RECORDED, name: HOSTILE[name]}


def test_a_pattern_passes_on_every_variable_that_matches():
    passed = worker_environment(PLACE._replace(inherit=("JAX_*",)), HOSTILE)
    assert set(passed) - set(FIXED) == {"JAX_DISABLE_JIT", "JAX_ENABLE_X64"}


def test_the_variables_of_the_user_and_the_locale_are_inherited():
    assert worker_environment(PLACE, {**HOSTILE, **USERS}) == {**FIXED, **USERS}


def test_a_variable_that_the_caller_lacks_is_not_set():
    assert worker_environment(PLACE._replace(inherit=("MISSING",)), {}) == FIXED


def test_every_inherited_variable_has_a_reason():
    assert all(reason for reason in INHERITED.values())


def test_variables_of_the_backend_replace_those_of_the_caller():
    place = PLACE._replace(variables={"XLA_FLAGS": "the backend's", "HOME": "/nowhere"}, inherit=("XLA_FLAGS",))
    environment = worker_environment(place, {**HOSTILE, **USERS})
    assert (environment["XLA_FLAGS"], environment["HOME"]) == ("the backend's", "/nowhere")


def test_thread_counts_replace_every_other_value():
    place = PLACE._replace(
        threads=3,
        thread_variables=("FRAMEWORK_THREADS",),
        variables={"OMP_NUM_THREADS": "7"},
        inherit=("MKL_NUM_THREADS",),
    )
    environment = worker_environment(place, {"MKL_NUM_THREADS": "9", "FRAMEWORK_THREADS": "9"})
    assert {environment[name] for name in (*THREAD_VARIABLES, "FRAMEWORK_THREADS")} == {"3"}


def test_by_default_the_caller_is_this_process(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("XLA_FLAGS", "--hostile")
    assert worker_environment(PLACE) == worker_environment(PLACE, dict(os.environ))
    assert worker_environment(PLACE)["TZ"] == "Asia/Tokyo"
    assert "XLA_FLAGS" not in worker_environment(PLACE)


def test_the_record_leaves_out_the_user_and_their_folders():
    assert variables_in_force(PLACE, USERS) == {
        **RECORDED,
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "CUDA_VISIBLE_DEVICES": "1",
    }


def test_the_record_keeps_a_personal_variable_that_is_set_deliberately():
    place = PLACE._replace(variables={"HOME": "/nowhere"}, inherit=("PATH",))
    recorded = variables_in_force(place, USERS)
    assert (recorded["HOME"], recorded["PATH"]) == ("/nowhere", "/usr/bin")


def test_the_record_is_sorted():
    assert list(variables_in_force(PLACE, USERS)) == sorted(variables_in_force(PLACE, USERS))
