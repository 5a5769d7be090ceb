"""What runs on a host: other code is refused, a result is kept, and a host can be taken for one job alone."""

import threading
import time

import pytest
from bakeoff.cluster import nodes
from bakeoff.common.errors import InputError


def test_a_node_with_other_code_refuses_a_job():
    with pytest.raises(InputError, match="another version"):
        nodes.run_on_node(str, "{}", "0123", False)


def test_a_node_keeps_a_result_until_it_is_asked_again(monkeypatch, tmp_path):
    """The scheduler was lost before it delivered the result."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    calls = []

    def run(job):
        calls.append(job)
        return "result"

    digest = nodes.code_digest()
    assert [nodes.run_on_node(run, "job", digest, False) for _ in range(3)] == ["result"] * 3
    assert calls == ["job"]
    nodes.run_on_node(run, "another job", digest, False)
    assert len(calls) == 2


def test_a_problem_of_the_host_is_not_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path))
    said = iter(['{"problem": "no environment"}', '{"problem": ""}', "never"])
    found = [nodes.run_on_node(lambda job: next(said), "job", nodes.code_digest(), False) for _ in range(3)]
    assert found == ['{"problem": "no environment"}', '{"problem": ""}', '{"problem": ""}']


@pytest.mark.parametrize(("first", "second", "together"), [
    (False, False, True), (False, True, False), (True, False, False), (True, True, False),
])  # fmt: skip
def test_a_host_is_shared_or_taken_alone(monkeypatch, tmp_path, first, second, together):
    monkeypatch.setattr(nodes.tempfile, "gettempdir", lambda: str(tmp_path))
    inside = threading.Event()

    def enter():
        with nodes.occupy_host(second):
            inside.set()

    with nodes.occupy_host(first):
        thread = threading.Thread(target=enter)
        thread.start()
        assert inside.wait(10 if together else 0.3) is together
    thread.join()
    assert inside.is_set()


def test_a_job_that_waits_to_be_alone_is_not_overtaken(monkeypatch, tmp_path):
    monkeypatch.setattr(nodes.tempfile, "gettempdir", lambda: str(tmp_path))
    order = []

    def enter(name, alone):
        with nodes.occupy_host(alone):
            order.append(name)

    with nodes.occupy_host(False):
        timing = threading.Thread(target=enter, args=("timing", True))
        timing.start()
        time.sleep(0.2)
        trial = threading.Thread(target=enter, args=("trial", False))
        trial.start()
        time.sleep(0.2)
        assert order == []
    timing.join()
    trial.join()
    assert order == ["timing", "trial"]


def test_the_host_of_a_worker_is_its_address():
    assert nodes.host_of("tls://127.0.0.2:41000") == "127.0.0.2"
    assert nodes.host_name() == nodes.platform.node()
