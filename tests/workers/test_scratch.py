"""A worker's folder for temporary files goes with it, or with the next worker where its process was killed."""

import subprocess
import sys
import tempfile

import pytest
from bakeoff.workers import scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch._remove_abandoned.cache_clear()
    return tmp_path


def test_a_folder_is_made_and_removed(temporary):
    folder = scratch.make()
    (folder / "file").write_text("")
    assert list(temporary.iterdir()) == [folder]
    scratch.remove(folder)
    assert list(temporary.iterdir()) == []
    assert folder not in scratch._held


def test_a_folder_of_a_process_that_was_killed_is_removed_and_that_of_a_living_one_is_not(temporary):
    code = "from bakeoff.workers import scratch; print(scratch.make(), flush=True); import time; time.sleep(300)"
    with subprocess.Popen(
        [sys.executable, "-c", code], env={"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, text=True
    ) as other:
        theirs = other.stdout.readline().strip()
        mine = scratch.make()
        assert {str(path) for path in temporary.iterdir()} == {theirs, str(mine)}
        other.kill()
    scratch._remove_abandoned.cache_clear()
    third = scratch.make()
    assert {*temporary.iterdir()} == {mine, third}
    for folder in (mine, third):
        scratch.remove(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="a process is found by its environment in /proc")
def test_a_daemon_of_the_worker_is_killed_and_another_process_is_not(temporary):
    mine, other = scratch.make(), scratch.make()
    code = "import os, time; os.setsid(); print('ready', flush=True); time.sleep(300)"
    started = [
        subprocess.Popen([sys.executable, "-c", code], env={"TMPDIR": str(folder)}, stdout=subprocess.PIPE)
        for folder in (mine, other)
    ]
    for each in started:
        assert each.stdout.readline() == b"ready\n"
    scratch.kill_users(mine)
    assert started[0].wait(10) == -9
    assert started[1].poll() is None
    started[1].kill()
    for each, folder in zip(started, (mine, other)):
        each.communicate()
        scratch.remove(folder)


def test_what_only_has_such_a_name_stays(temporary):
    (temporary / "elsewhere").mkdir()
    (temporary / "bakeoff-worker-link").symlink_to(temporary / "elsewhere")
    (temporary / "bakeoff-worker-file").write_text("precious")
    scratch.remove(scratch.make())
    assert len(list(temporary.iterdir())) == 3


def test_where_none_can_be_made_there_is_none(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    assert scratch.make() is None
