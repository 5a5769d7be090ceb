"""Sessions with real workers: the contract, failures, noise, surroundings, stopping. Adapters: tests/misbehaving."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from bakeoff.portable import spec as portable
from bakeoff.registry import entries
from bakeoff.workers.cores import first_cores, reserve_cores
from bakeoff.workers.known_failures import KnownFailure
from bakeoff.workers.place import THREAD_VARIABLES, worker_environment
from bakeoff.workers.process import read_last_lines
from bakeoff.workers.session import Session, WorkerFailed

SPEC = portable.Spec((5, 7, 4), "relu", True, 0.9, 1e-5, "adam", 0.001, 0.9, 0.999, 1e-8, 9, "float64")
ORDER = np.zeros((3, 9), "int64")
X, Y = np.zeros((20, 5)), np.zeros(20, "int64")

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: prctl, /proc")


@pytest.fixture
def built(open_session):
    """Return a way to start a worker of by_variant and build it: built(variant, **fields of Place)."""

    def build(variant, spec=SPEC, **fields):
        session = open_session("by_variant", **fields)
        session.build(spec, "cpu", variant)
        return session

    return build


def ended(process_id):
    """Return whether the process is gone, or is a zombie that nobody has waited for yet."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def becomes_true(condition, within_s=30):
    """Wait for the condition; return whether it became true."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@linux
def test_every_thread_of_the_harness_leaves_reserved_cores():
    free = os.sched_getaffinity(0)
    if len(free) < 2:
        pytest.skip("one core: there is nowhere else to go")
    over, ids = threading.Event(), []
    thread = threading.Thread(target=lambda: (ids.append(threading.get_native_id()), over.wait(60)))
    thread.start()
    try:
        with reserve_cores([min(free)]):
            assert os.sched_getaffinity(0) == os.sched_getaffinity(ids[0]) == free - {min(free)}
        assert os.sched_getaffinity(0) == os.sched_getaffinity(ids[0]) == free
    finally:
        over.set()
        thread.join()


# Workers that keep the contract


def test_every_call_of_the_contract_is_answered(built):
    session = built("obedient")
    shapes = portable.shapes(SPEC)
    session.load(portable.initial_arrays(SPEC, "he", 0))
    assert session.put(X, Y) >= 0
    assert session.train(ORDER).tolist() == [0, 0, 0]
    assert {name: array.shape for name, array in session.dump().items()} == shapes
    assert list(session.gradients(X, Y)) == portable.parameters(SPEC)
    assert session.predict(X).shape == (20, 4)
    assert session.aliases(portable.initial_arrays(SPEC, "he", 0), X, Y, ORDER) == ([], [])
    assert session.versions() == {"obedient": "1.0"}
    assert session.peak_bytes() > 1 << 20
    assert session.device_peak_bytes() is None
    trained = session.train_timed(ORDER)
    assert trained.wall_s >= 0
    assert trained.left_s is None
    assert session.python_version == sys.version.split()[0]


def test_a_session_can_build_again_for_another_spec(built):
    session = built("obedient")
    session.build(SPEC._replace(sizes=(5, 3), dtype="float32"), "cpu", "obedient")
    assert {name: (array.shape, str(array.dtype)) for name, array in session.dump().items()} == {
        "dense0/kernel": ((5, 3), "float32"),
        "dense0/bias": ((3,), "float32"),
    }


def test_import_s_is_how_long_the_import_took(open_session):
    assert 0.2 <= open_session("at_import", variables={"AT_IMPORT": "slow"}).import_s < 30


def declared_failures(open_session, **fields):
    """Return what a session says of one declared fault."""
    declared = json.dumps([{"reason": "no", "checks": ["updates"], **fields}])
    return open_session("at_import", variables={"AT_IMPORT": "", "KNOWN": declared}).known_failures


def test_known_failures_are_declared_by_the_adapter(open_session):
    session = open_session("at_import", variables={"AT_IMPORT": ""})
    expected = KnownFailure("the bias correction is in float32", ("updates", "losses"), 1e9)
    assert session.known_failures == (expected,)


def test_a_known_failure_can_be_limited_to_some_specs(open_session):
    (known,) = declared_failures(open_session, dtype="float64")
    holds = [known.applies_to("updates", SPEC._replace(dtype=dtype)) for dtype in ("float32", "float64")]
    assert holds == [False, True]
    assert not known.applies_to("losses", SPEC._replace(dtype="float64"))


def test_a_known_failure_can_list_several_values(open_session):
    (known,) = declared_failures(open_session, optimiser=["adam", "momentum"])
    optimisers = ("sgd", "momentum", "rmsprop", "adam")
    assert [known.applies_to("updates", SPEC._replace(optimiser=name)) for name in optimisers] == [
        False,
        True,
        False,
        True,
    ]


def test_a_known_failure_can_have_alternatives(open_session):
    either = [{"batch_norm": True}, {"activation": "tanh"}]
    (known,) = declared_failures(open_session, dtype="float64", either=either)
    asked = [(norm, activation) for norm in (True, False) for activation in ("relu", "tanh")]
    specs = [SPEC._replace(batch_norm=norm, activation=activation, dtype="float64") for norm, activation in asked]
    assert [known.applies_to("updates", spec) for spec in specs] == [True, True, False, True]
    assert [known.applies_to("updates", spec._replace(dtype="float32")) for spec in specs] == [False] * 4


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ('{"updates": "the old form"}', "KNOWN_FAILURES: expected a list of dictionaries, one for each fault"),
        ('["no"]', r"KNOWN_FAILURES\[0\]: expected a list of dictionaries"),
        ('[{"reason": "no"}]', r"KNOWN_FAILURES\[0\]: expected a list of dictionaries"),
        ('[{"checks": ["updates"]}]', r"KNOWN_FAILURES\[0\]: expected a list of dictionaries"),
        ('[{"reason": "no", "checks": []}]', r"KNOWN_FAILURES\[0\]: expected a list of dictionaries"),
        ('[{"reason": "no", "checks": "updates"}]', r"KNOWN_FAILURES\[0\]: expected a list of dictionaries"),
        ('[{"reason": "no", "checks": ["updates"], "max_floors": "many"}]', "`max_floors` .a number."),
        ('[{"reason": "no", "checks": ["updates"], "max_floors": true}]', "`max_floors` .a number."),
        ('[{"reason": "no", "checks": ["updates"], "dytpe": "float64"}]', "expected fields of the spec .*got dytpe"),
        ('[{"reason": "no", "checks": ["updates"], "either": [{"dytpe": 1}]}]', "expected fields of the spec"),
        ('[{"reason": "no", "checks": ["updates"], "either": [{}]}]', "expected a list of dictionaries"),
        ('[{"reason": "no", "checks": ["updates"], "either": {"dtype": "float64"}}]', "expected a list"),
    ],
)
def test_a_malformed_known_failure_is_explained(open_session, declared, sentence):
    with pytest.raises(WorkerFailed, match=f"broke the contract: .*{sentence}"):
        open_session("at_import", variables={"AT_IMPORT": "", "KNOWN": declared})


def test_a_table_inside_the_class_is_an_error(open_session):
    with pytest.raises(WorkerFailed, match="KNOWN_FAILURES is inside the class Backend: move it to the top level"):
        open_session("at_import", variables={"AT_IMPORT": "table_in_class"})


def test_left_s_is_the_time_of_work_that_wait_did_not_wait_for(built):
    """The work takes 0.2 s."""
    assert built("wait_returns_at_once").train_timed(ORDER, drain=True).left_s > 0.1
    waited = built("waits").train_timed(ORDER, drain=True)
    assert waited.wall_s >= 0.2
    assert waited.left_s < waited.wall_s / 4


# Workers that die or hang


def test_a_segmentation_fault_is_named(built):
    session = built("segfault")
    with pytest.raises(WorkerFailed, match="died: the worker was ended by SIGSEGV during train"):
        session.train(ORDER)
    assert not session.alive()


@pytest.mark.parametrize(
    ("variant", "printed"),
    [
        ("failed_check", "Check failed: shape[i] >= 0 (-1 vs. 0)"),
        ("virtual_machine_crash", "# A fatal error has been detected by the Java Runtime Environment:"),
    ],
)
def test_what_a_library_printed_before_it_aborted_is_kept(built, tmp_path, monkeypatch, variant, printed):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "worker.log").write_text("printed by a worker before\n")
    with pytest.raises(WorkerFailed, match="died: the worker was ended by SIGABRT during train") as caught:
        built(variant).train(ORDER)
    assert printed in caught.value.traceback
    assert "a worker before" not in caught.value.traceback


def test_of_what_a_worker_printed_only_the_last_lines_are_kept(tmp_path):
    log = tmp_path / "log"
    assert read_last_lines(log, 0) == ""
    log.write_bytes(b"before\n" + b"".join(b"line %d \xff\n" % number for number in range(100)))
    assert read_last_lines(log, 7).splitlines() == [f"line {number} \ufffd" for number in range(80, 100)]


def test_an_exit_code_is_named(built):
    with pytest.raises(WorkerFailed, match="died: the worker ended itself with exit code 4 during train"):
        built("os_exit").train(ORDER)


def test_a_worker_that_does_not_answer_is_killed_at_its_time_limit(built):
    session = built("hang")
    session.place = session.place._replace(timeout_s=1)
    with pytest.raises(WorkerFailed, match="hung: train gave no answer within 1 s"):
        session.train(ORDER)
    assert not session.alive()
    assert ended(session.process.pid)


def test_a_worker_that_closes_its_pipe_is_ended(built):
    session = built("close_the_pipe")
    with pytest.raises(WorkerFailed) as caught:
        session.train(ORDER)
    assert str(caught.value) == "died: the worker closed its pipe during train"
    assert ended(session.process.pid)


def test_a_worker_killed_between_two_calls_is_noticed(built):
    session = built("obedient")
    os.kill(session.process.pid, signal.SIGKILL)
    with pytest.raises(WorkerFailed, match="died: the worker was ended by SIGKILL during versions"):
        session.versions()


def test_a_program_left_by_a_dead_worker_does_not_hide_its_death(built):
    session = built("die_with_a_program")
    with pytest.raises(WorkerFailed, match="exit code 5"):
        session.train(ORDER)


def test_a_child_that_holds_the_pipe_hides_the_death_of_its_worker_until_the_time_limit_only(built):
    session = built("die_with_a_child")
    session.place = session.place._replace(timeout_s=1)
    with pytest.raises(WorkerFailed, match="exit code 5"):
        session.train(ORDER)


@linux
@pytest.mark.parametrize("variant", ["die_with_a_child", "die_with_a_program"])
def test_the_children_of_a_worker_die_with_it(built, variant):
    session = built(variant)
    session.place = session.place._replace(timeout_s=1)
    group = session.process.pid
    with pytest.raises(WorkerFailed):
        session.train(ORDER)

    def left():
        return [p.pid for p in psutil.process_iter() if not ended(p.pid) and process_group(p.pid) == group]

    assert becomes_true(lambda: not left())


def process_group(process_id):
    """Return the process's group, or None where there is no such process."""
    try:
        return os.getpgid(process_id)
    except ProcessLookupError:
        return None


def test_a_dead_worker_fails_every_further_call(built):
    session = built("os_exit")
    with pytest.raises(WorkerFailed):
        session.train(ORDER)
    for _ in range(2):
        with pytest.raises(WorkerFailed, match="died: the worker was gone before train"):
            session.train(ORDER)


def test_other_workers_continue_when_one_dies(built, tmp_path):
    first, second, third = (built(variant, log=tmp_path / variant) for variant in ("obedient", "segfault", "obedient"))
    with pytest.raises(WorkerFailed):
        second.train(ORDER)
    assert [session.train(ORDER).tolist() for session in (first, third)] == [[0, 0, 0]] * 2


def test_a_missing_interpreter_is_named(open_session, tmp_path):
    with pytest.raises(WorkerFailed, match=r"died: .*no-python could not be started"):
        open_session("by_variant", python=tmp_path / "no-python")


# Workers that raise an exception, and live on


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("raise_error", "raised: train raised ZeroDivisionError: the learning rate vanished"),
        ("sys_exit", "raised: train raised SystemExit: 4"),
        ("out_of_memory", "MemoryError: Unable to allocate 1.00 EiB"),
        ("late_error", "raised: train raised RuntimeError: the device ran out of memory a while ago"),
        ("unsendable", "raised: train raised TypeError: cannot pickle"),
    ],
)
def test_an_exception_is_reported_with_its_traceback_and_the_worker_lives(built, variant, sentence):
    session = built(variant)
    with pytest.raises(WorkerFailed) as caught:
        session.train(ORDER)
    assert sentence in str(caught.value)
    assert caught.value.kind == "raised"
    assert "Traceback (most recent call last)" in caught.value.traceback
    assert session.versions() == {"obedient": "1.0"}


@pytest.mark.parametrize(
    ("misbehaviour", "sentence"),
    [
        ("raise", "raised: import raised ImportError: libframework.so.1: cannot open shared object file"),
        ("no_such_module", "raised: import raised ModuleNotFoundError: No module named 'no_such_framework'"),
        ("sys_exit", "raised: import raised SystemExit: this framework needs AVX-512"),
        ("no_class", "raised: import raised AttributeError: module 'bakeoff_backend.adapter' has no attribute"),
        ("os_exit", "died: the worker ended itself with exit code 9 during import"),
        ("convention_value", "broke the contract: convention adam: expected one of algorithm-1, epsilon-hat, got"),
        ("convention_name", "broke the contract: unknown convention 'weight_decay': expected one of"),
    ],
)
def test_an_adapter_that_cannot_be_imported_is_explained(open_session, misbehaviour, sentence):
    with pytest.raises(WorkerFailed) as caught:
        open_session("at_import", variables={"AT_IMPORT": misbehaviour})
    assert str(caught.value).startswith(sentence)
    if caught.value.kind == "raised":
        assert "Traceback (most recent call last)" in caught.value.traceback


def test_an_import_that_never_ends_is_killed(open_session):
    with pytest.raises(WorkerFailed, match="hung: import gave no answer within 1 s"):
        open_session("at_import", variables={"AT_IMPORT": "hang"}, timeout_s=1)


@linux
@pytest.mark.parametrize("misbehaviour", ["raise", "os_exit", "convention_value", "hang"])
def test_a_failed_import_leaves_no_descriptor_open(open_session, misbehaviour):
    before = os.listdir("/proc/self/fd")
    with pytest.raises(WorkerFailed):
        open_session("at_import", variables={"AT_IMPORT": misbehaviour}, timeout_s=2)
    assert os.listdir("/proc/self/fd") == before


# Answers that break the contract


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("nan", "not finite: dump: dense0/kernel[1, 2] is nan"),
        ("wrong_shape", "broke the contract: dump: dense0/kernel has shape (7, 5), expected (5, 7)"),
        ("wrong_dtype", "broke the contract: dump: dense0/kernel has dtype float32, expected float64"),
        ("missing", "broke the contract: dump: missing ['norm0/gamma'], extra nothing"),
        ("extra", "broke the contract: dump: missing nothing, extra ['norm0/momentum']"),
    ],
)
def test_a_dump_that_breaks_the_contract_is_rejected(built, variant, sentence):
    session = built(variant)
    with pytest.raises(WorkerFailed) as caught:
        session.dump()
    assert str(caught.value) == sentence
    assert session.alive()


def test_a_gradient_that_breaks_the_contract_is_rejected(built):
    session = built("obedient")
    session.spec = SPEC._replace(batch_norm=False)
    with pytest.raises(WorkerFailed) as caught:
        session.gradients(X, Y)
    expected = "broke the contract: gradients: missing ['dense0/bias'], extra ['norm0/beta', 'norm0/gamma']"
    assert str(caught.value) == expected


def test_probabilities_of_another_shape_are_rejected(built):
    session = built("obedient")
    session.spec = SPEC._replace(sizes=(5, 7, 3))
    with pytest.raises(WorkerFailed, match=r"predict: probabilities has shape \(20, 4\), expected \(20, 3\)"):
        session.predict(X)


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("nan_loss", "not finite: train: losses[1] is nan"),
        ("wrong_length", "broke the contract: train: losses has shape (4,), expected (3,)"),
    ],
)
def test_losses_that_break_the_contract_are_rejected(built, variant, sentence):
    with pytest.raises(WorkerFailed) as caught:
        built(variant).train(ORDER)
    assert str(caught.value) == sentence


def test_pickled_objects_are_rejected(built):
    with pytest.raises(WorkerFailed, match="broke the contract: the answer to train cannot be read: Object arrays"):
        built("objects").train(ORDER)


def test_a_call_before_build_is_rejected(open_session):
    session = open_session("by_variant")
    with pytest.raises(RuntimeError, match="build"):
        session.dump()
    with pytest.raises(WorkerFailed, match="came before `build`"):
        session.train(ORDER)


# Noise and surroundings


def noises(log):
    text = log.read_text()
    return {line for line in text.splitlines() if line.startswith("noise from")}


LOUD = {"noise from print", "noise from stderr", "noise from C", "noise from puts"}


def test_output_during_training_goes_to_the_log_and_not_into_the_pipe(built, tmp_path):
    session = built("noise")
    for _ in range(3):
        assert session.train(ORDER).tolist() == [0, 0, 0]
    session._requests.close()  # at the end of the requests the worker flushes its output and ends
    session.process.wait(timeout=30)
    assert noises(tmp_path / "worker.log") == LOUD


def test_output_during_the_import_goes_to_the_log_and_not_into_the_pipe(open_session, tmp_path):
    session = open_session("at_import", variables={"AT_IMPORT": "noise"})
    session._requests.close()
    session.process.wait(timeout=30)
    assert noises(tmp_path / "worker.log") == LOUD


def test_output_is_appended_to_the_log(open_session, tmp_path):
    (tmp_path / "worker.log").write_text("what an earlier worker said\n")
    session = open_session("at_import", variables={"AT_IMPORT": "noise"})
    session.close()
    assert (tmp_path / "worker.log").read_text().startswith("what an earlier worker said\n")


def test_standard_input_is_empty(built):
    assert built("read_stdin").train(ORDER).tolist() == [0, 0, 0]


def inspect_worker(open_session, **fields):
    session = open_session("looks_around", **fields)
    session.build(SPEC, "cpu", "eager")
    return {name: json.loads(value) for name, value in session.versions().items()}


def test_threads_are_set_in_every_variable_before_numpy_is_imported(open_session):
    seen = inspect_worker(open_session, threads=3, thread_variables=("FRAMEWORK_NUM_THREADS",))
    assert not seen["numpy_was_there"]
    for variable in (*THREAD_VARIABLES, "FRAMEWORK_NUM_THREADS"):
        if variable.endswith("_THREADS"):
            assert seen["threads"][variable] == "3"


def test_a_framework_tells_which_kernels_of_its_own_it_chose(open_session):
    session = open_session("plain", folder=entries.read_all()["numpy_plain"].folder)
    session.build(SPEC, "cpu", "plain")
    assert "NumPy" in {each["prefix"] for each in session.threads().kernels}


@linux
def test_a_worker_runs_on_its_cores_from_before_the_import(open_session):
    cores = first_cores(1)
    assert inspect_worker(open_session, cores=cores)["cores"] == list(cores)


def test_a_worker_does_not_inherit_the_callers_python_path(open_session, monkeypatch, tmp_path):
    (tmp_path / "smuggled.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    seen = inspect_worker(open_session, variables={"ADDED": "by the backend"})
    assert "smuggled" not in seen["importable"]
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & set(seen["environment"])
    assert seen["environment"]["ADDED"] == "by the backend"


def test_a_settings_file_of_the_user_does_not_reach_a_worker(open_session, monkeypatch, tmp_path):
    (tmp_path / ".abacusrc").write_text("[global]\nfloatX = float16\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert not inspect_worker(open_session)["settings"]
    # Handed on deliberately it does: the test would fail to find it otherwise.
    assert inspect_worker(open_session, inherit=("HOME",))["settings"]


def test_a_worker_has_exactly_the_variables_of_worker_environment(open_session, place, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("JAX_DISABLE_JIT", "1")
    monkeypatch.setenv("PASSED_ON", "yes")
    fields = {"threads": 2, "variables": {"ADDED": "1"}, "inherit": ("PASSED_ON",)}
    seen = inspect_worker(open_session, **fields)["environment"]
    seen.pop("LC_CTYPE", None)  # Python itself sets it in the C locale
    assert Path(seen.pop("TMPDIR")).name.startswith("bakeoff-worker-")
    expected = worker_environment(place("looks_around", **fields))
    expected.pop("TMPDIR", None)
    assert seen == expected
    assert seen["PASSED_ON"] == "yes"


def test_the_portable_modules_are_not_on_an_adapter_s_path(open_session):
    assert inspect_worker(open_session)["importable"] == []


@linux
def test_a_worker_inherits_no_descriptor_but_its_own_two(open_session, tmp_path):
    with (tmp_path / "open").open("w") as other:
        os.set_inheritable(other.fileno(), True)
        first = inspect_worker(open_session, log=tmp_path / "1")
        second = inspect_worker(open_session, log=tmp_path / "2")
    assert len(first["descriptors"]) == len(second["descriptors"]) == 3 + 2 + 1  # the standard three, two, /proc's


# Stopping


def status(session):
    return psutil.Process(session.process.pid).status()


def test_a_paused_worker_is_stopped_until_it_is_resumed(built):
    session = built("obedient")
    session.pause()
    assert becomes_true(lambda: status(session) == psutil.STATUS_STOPPED)
    session.resume()
    assert becomes_true(lambda: status(session) != psutil.STATUS_STOPPED)
    assert session.train(ORDER).tolist() == [0, 0, 0]


def test_a_call_resumes_a_paused_worker(built):
    session = built("obedient")
    session.pause()
    assert session.alive()
    assert session.train(ORDER).tolist() == [0, 0, 0]


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_close_leaves_no_process(built, paused):
    session = built("obedient")
    if paused:
        session.pause()
    session.close()
    assert ended(session.process.pid)
    assert not session.alive()


def test_closing_twice_is_harmless_and_signals_nobody(built, monkeypatch):
    session = built("obedient")
    session.close()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("the number may be another process's by now"))
    session.close()
    session.pause()
    session.resume()
    assert not session.alive()


def test_the_end_of_a_with_block_ends_the_worker(place):
    with Session(place("by_variant")) as session:
        assert session.alive()
    assert ended(session.process.pid)


HARNESS = """
import json, sys, time
from pathlib import Path
from bakeoff.workers import Place, Session

place = Place(Path(sys.executable), Path(sys.argv[1]), Path(sys.argv[2]))
sessions = [Session(place) for _ in range(2)]
sessions[1].pause()
print(json.dumps([session.process.pid for session in sessions]), flush=True)
time.sleep(600)
"""


@linux
def test_workers_end_with_a_killed_harness_even_when_paused(place):
    given = place("by_variant")
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(given.folder), str(given.log)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    ) as harness:
        try:
            workers = json.loads(harness.stdout.readline())
            assert not any(ended(worker) for worker in workers)
        finally:
            harness.send_signal(signal.SIGKILL)
    assert becomes_true(lambda: all(ended(worker) for worker in workers))
