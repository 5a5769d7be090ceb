"""Servers of frameworks: one of the standard library alone stands for them, started as they are."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from bakeoff import environments
from bakeoff.common.errors import InputError
from bakeoff.environments import Environment, Missing
from bakeoff.measures.deployment import figures, guard, servers
from bakeoff.measures.deployment import http as measure
from bakeoff.measures.deployment.http import Load, measure_http
from bakeoff.measures.deployment.measure import prepare_places, try_path
from bakeoff.measures.deployment.paths import list_paths, script_of
from bakeoff.measures.deployment.records import value_of
from bakeoff.measures.deployment.requirements import find_undeclared
from bakeoff.measures.deployment.servers import build_http, build_server, list_servers, own_host, running_server
from bakeoff.measures.deployment.tables import describe_failures, tabulate_http
from bakeoff.registry import entries
from bakeoff.runner.deployment import Recorder
from bakeoff.runner.deployment_oracle import find_truth, make_training

from tests.measures.deployment import liars
from tests.measures.deployment.liars import make_path

TRAINING = make_training("float32")
DESK = """
[[server]]
name = "desk"
title = "Desk 1"
documentation = "https://abacus.example/desk"
exports = ["npz"]
requirements = "server-desk.txt"
imports = ["desk"]
"""
SCRIPT = """
import importlib, json, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

config = json.loads(sys.argv[1])
sys.path.insert(0, config["folder"])
import numpy as np

predict = getattr(importlib.import_module("serve"), config["function"])(config["folder"])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["rows"]
        body = json.dumps({"probabilities": predict(np.asarray(rows, config["dtype"])).tolist()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("helper", "w").write(str(helper.pid))
open(config["address"], "w").write(f"http://127.0.0.1:{server.server_port}/")
server.serve_forever()
"""
ENDS_ITSELF = "raise SystemExit('the desk is closed')"
NEVER_ANSWERS = """
import json, sys, time
open(json.loads(sys.argv[1])["address"], "w").write("http://127.0.0.1:9/")
time.sleep(600)
"""


def make_server(folder, script, *edits):
    """Return a network that passed the gate, its documented server, and an empty folder."""
    path, places = make_path(folder, *edits)
    home = path.entry.folder
    with (home / "backend.toml").open("a") as file:
        file.write(DESK)
    (home / "server_desk.py").write_text(script)
    (home / "server-desk.txt").write_text("")
    (path,) = list_paths([entries.read_entry(home)])
    contestant = try_path(path, places, TRAINING, find_truth, folder / "out", Recorder("deploy"))
    assert contestant is not None
    (server,) = list_servers(path)
    scratch = folder / "scratch"
    scratch.mkdir()
    environment = Environment(contestant.place.python, Path("none"), 0.0, 0, {})
    return contestant, own_host(path, server, environment), scratch


def ask(url, row):
    with contextlib.closing(http.client.HTTPConnection(url.split("/")[2], timeout=30)) as connection:
        connection.request("POST", "/", json.dumps({"rows": [TRAINING.x[row].tolist()]}))
        return json.loads(connection.getresponse().read())["probabilities"][0]


def ask_by_threads(environment, url, x, classes, clients, cores, scratch):
    """Stand for the clients, which run in an environment of their own."""
    answers = []

    def one_client(first):
        for row in range(first, first + 5):
            started = time.perf_counter()
            answer = ask(url, row)
            answers.append((row, time.perf_counter() - started, answer))

    threads = [threading.Thread(target=one_client, args=(5 * client,)) for client in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    rows, seconds, probabilities = zip(*answers, strict=True)
    return Load(np.array(seconds), np.array(rows), np.array(probabilities), 1.0)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path(f"/proc/{pid}/stat").exists() else True


def wait_until(holds):
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_server_answers_and_ends_with_what_it_started(tmp_path):
    contestant, host, scratch = make_server(tmp_path, SCRIPT)
    with running_server(contestant, host, None, scratch, TRAINING.x) as server:
        right = contestant.exported.truth.probabilities[3]
        assert ask(server.url, 3) == pytest.approx(right.tolist(), abs=1e-5)
        assert 0 < server.start_s < 60
        helper = int((scratch / "helper").read_text())
        assert is_alive(helper)
    wait_until(lambda: not is_alive(helper))
    with pytest.raises(OSError, match="refused"):
        ask(server.url, 3)


def test_no_server_outlives_a_killed_harness(tmp_path):
    served = "import os, time; open('server', 'w').write(str(os.getpid())); time.sleep(600)"
    harness = (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, {guard.__file__!r}, '5', sys.executable, '-c', {served!r}]\n"
        "subprocess.Popen(command, stdin=subprocess.PIPE)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", harness], cwd=tmp_path)
    try:
        wait_until(lambda: (tmp_path / "server").is_file() and (tmp_path / "server").read_text())
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not is_alive(int((tmp_path / "server").read_text())))


@pytest.mark.parametrize(
    ("script", "said"),
    [(ENDS_ITSELF, "the server ended itself: the desk is closed"), (NEVER_ANSWERS, "did not answer within 1 s")],
    ids=["ends itself", "never answers"],
)
def test_a_server_that_does_not_start_is_a_record(tmp_path, script, said, monkeypatch):
    monkeypatch.setattr(servers, "START_LIMIT_S", 1.0 if script == NEVER_ANSWERS else 60.0)
    contestant, host, scratch = make_server(tmp_path, script)
    write = Recorder("deploy")
    assert said in measure_http(contestant, host, None, TRAINING.x, None, scratch, write)
    (row,) = [row for row in write.records if row["figure"] == figures.HTTP_CORRECT.name]
    assert (row["value"], row["by"]) == (False, "desk")
    assert said in row["reason"]


@pytest.mark.parametrize("lies", [False, True], ids=["honest", "mixes up"])
def test_a_documented_server_is_measured_and_a_mixed_up_answer_is_caught(tmp_path, lies, monkeypatch):
    monkeypatch.setattr(measure, "run_clients", ask_by_threads)
    monkeypatch.setattr(measure, "CLIENTS", (1, 8))
    contestant, host, scratch = make_server(tmp_path, SCRIPT, *([liars.MIXES_UP] if lies else []))
    write = Recorder("deploy")
    write(figures.EXPORTED, True, dtype="float32", **contestant.path.keys)
    problem = measure_http(contestant, host, None, TRAINING.x, None, scratch, write)
    keys = {**contestant.path.keys, "by": "desk"}
    assert value_of(write.records, figures.HTTP_CORRECT, **keys) is not lies
    (row,) = tabulate_http(write.records).to_dict("records")
    if lies:
        assert "with 8 clients" in problem
        assert "the answer to row" in problem
        assert value_of(write.records, figures.HTTP_RATE, clients=8, **keys) is None
        assert row["answers"] == "NO"
        (sentence,) = describe_failures(write.records)
        assert sentence.startswith("abacus:npz over HTTP, desk server: with 8 clients")
    else:
        assert problem == ""
        assert (row["path"], row["server"], row["answers"]) == ("abacus:npz", "desk", "correct")
        assert row["1 client"].startswith("5/s, ")
        assert row["8 clients"].startswith("40/s, ")
        assert describe_failures(write.records) == []


def test_what_a_server_lacks_is_a_sentence(tmp_path):
    path, _ = make_path(tmp_path)
    home = path.entry.folder
    with (home / "backend.toml").open("a") as file:
        file.write(DESK + 'programs = ["no-such-program"]\n')
    with pytest.raises(InputError, match=r"server_desk\.py: `server\.desk` of abacus needs this file"):
        list_paths([entries.read_entry(home)])
    for name in ("server_desk.py", "server-desk.txt"):
        (home / name).write_text("")
    (path,) = list_paths([entries.read_entry(home)])
    (server,) = list_servers(path)
    with pytest.raises(Missing, match="Desk 1 needs one of these programs on PATH, and found none: no-such-program"):
        build_server(path, server, None, print)


def test_a_server_of_an_unknown_export_is_a_sentence(tmp_path):
    path, _ = make_path(tmp_path)
    file = path.entry.folder / "backend.toml"
    file.write_text(file.read_text(encoding="utf-8") + DESK.replace('"npz"', '"npy"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"server\.desk\.exports"):
        entries.read_entry(path.entry.folder)


def add_package(folder, name, *lines):
    home = folder / "lib/python3.11/site-packages" / f"{name}-1.dist-info"
    home.mkdir(parents=True)
    head = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1"]
    (home / "METADATA").write_text("\n".join([*head, *lines]) + "\n")
    (home / "RECORD").write_text(f"{name}/__init__.py,,\n{name}-1.dist-info/RECORD,,\n")
    # importlib_metadata, where something has imported it, leaves out recorded files that are not there.
    (home.parent / name).mkdir()
    (home.parent / name / "__init__.py").touch()


def test_a_package_that_no_metadata_requires_is_undeclared_and_one_of_an_extra_is_asked_for(tmp_path):
    add_package(tmp_path, "desk", "Requires-Dist: lamp", 'Requires-Dist: bell ; extra == "loud"')
    for name in ("lamp", "bell", "clerk"):
        add_package(tmp_path, name)
    below = Environment(Path(sys.executable), tmp_path / "below", 0.0, 0, {})
    layer = below._replace(folder=tmp_path, packages=dict.fromkeys(("desk", "lamp", "bell", "clerk"), "1"))
    assert find_undeclared(layer, below, ["desk"], "abacus") == ["bell", "clerk"]
    assert find_undeclared(layer, below, ["desk"], "abacus", ["loud"]) == ["clerk"]


REAL = [(path, server) for path in list_paths(list(entries.read_all().values())) for server in list_servers(path)]


@pytest.mark.conformance
@pytest.mark.full
@pytest.mark.parametrize(("path", "server"), REAL, ids=[f"{path.label} {server.name}" for path, server in REAL])
def test_a_real_server_gives_the_right_answers(path, server, tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 1.0)
    assert (path.entry.folder / script_of(server)).is_file()
    base = environments.build(path.entry)
    write = Recorder("deploy")
    places = prepare_places(path, base, tmp_path, None, write, lambda line: None)
    contestant = try_path(path, places, TRAINING, find_truth, tmp_path / "out", write)
    host = own_host(path, server, build_server(path, server, base, lambda line: None))
    scratch = tmp_path / "s"
    scratch.mkdir()
    assert measure_http(contestant, host, build_http(lambda line: None), TRAINING.x, None, scratch, write) == ""
