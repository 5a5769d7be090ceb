"""Shell completion: what an interactive bash inserts, and what each function offers."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time

import pytest
from bakeoff.cli import completion
from bakeoff.registry import entries as registry_entries

from tests.paths import SAVED_RUN

SCRIPT = "import sys, bakeoff.cli; sys.argv[0] = 'bakeoff'; bakeoff.cli.main()"


def imports(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def test_backends_and_their_variants_are_completed():
    assert "numpy_plain" in completion.complete_backend("numpy")
    assert set(completion.complete_backend("")) == {*registry_entries.read_all(), "lecture", "all"}
    assert completion.complete_backend("numpy_plain:") == ["numpy_plain:plain", "numpy_plain:idiomatic"]
    assert completion.complete_backend("nobody:") == []
    assert completion.complete_backend_list("jax_pure,numpy_pl") == ["jax_pure,numpy_plain"]


def test_mistakes_are_completed():
    assert completion.complete_mistake("wrong_w") == ["wrong_width"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("table sav", "saved"), ("table results/", "results/saved"), ("setup numpy_pl", "numpy_plain")],
)
def test_the_shell_gets_completions_without_pandas(words, expected, tmp_path):
    shutil.copytree(SAVED_RUN, tmp_path / "results" / "saved")
    script = f"import atexit, sys\natexit.register(lambda: print('PANDAS' * ('pandas' in sys.modules)))\n{SCRIPT}"
    shell = {"_BAKEOFF_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    more = {**shell, "_TYPER_COMPLETE_ARGS": f"bakeoff {words}"}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, env=imports(**more), check=False, cwd=tmp_path)
    assert ended.stdout.split() == [expected], ended.stderr


@pytest.mark.parametrize(
    ("pieces", "words", "kept"),
    [
        (["check", "numpy_pl"], ["check", "numpy_pl"], ""),
        (["check", "pytorch", ":"], ["check", "pytorch:"], "pytorch:"),
        (["check", "pytorch", ":", "e"], ["check", "pytorch:e"], "pytorch:"),
        (["check", "pytorch", ":", ""], ["check", "pytorch:", ""], ""),
        (["check", "a", ":", "b", "pytorch", ":", "e"], ["check", "a:b", "pytorch:e"], "pytorch:"),
        (["check", "pytorch:e"], ["check", "pytorch:e"], ""),  # without : in COMP_WORDBREAKS
        (["run", "--backends", "a,b", ":", "c"], ["run", "--backends", "a,b:c"], "a,b:"),
        (["run", "--backends", "=", "a,b", ":", "c"], ["run", "--backends=a,b:c"], "a,b:"),
        (["run", "--backends", "=", "a"], ["run", "--backends=a"], ""),
    ],
)
@pytest.mark.parametrize("separator", [" ", "\n"])
def test_the_words_that_bash_has_split_are_joined(pieces, words, kept, separator):
    environment = {"COMP_WORDS": separator.join(["bakeoff", *pieces, "more"]), "COMP_CWORD": str(len(pieces))}
    assert completion.join_words(environment) == kept
    assert environment == {"COMP_WORDS": separator.join(["bakeoff", *words]), "COMP_CWORD": str(len(words))}


def test_bash_without_a_current_word_gets_an_empty_one():
    environment = {"COMP_WORDS": "bakeoff check", "COMP_CWORD": "2"}
    assert completion.join_words(environment) == ""
    assert environment["COMP_CWORD"] == "2"


ANSWERS = f"""#!/bin/sh
if [ -n "$_BAKEOFF_COMPLETE" ]; then exec "{sys.executable}" -c "{SCRIPT}"; fi
printf '%s\\n' "$@" > called.new && mv called.new called
"""


class Bash:
    """An interactive bash in a terminal of its own, with the completion that `bakeoff` writes for it."""

    def __init__(self, folder):
        self.called = folder / "called"
        command = folder / "bakeoff"
        command.write_text(ANSWERS, encoding="utf-8")
        command.chmod(0o755)
        path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        more = {"PATH": path, "TERM": "dumb", "INPUTRC": os.devnull, "HISTFILE": os.devnull}
        source = imports(**more, _BAKEOFF_COMPLETE="source_bash")
        done = subprocess.run([command], capture_output=True, text=True, env=source, check=True, cwd=folder)
        (folder / "complete.sh").write_text(done.stdout, encoding="utf-8")
        self.terminal, inner = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=folder,
            env=imports(**more),
            start_new_session=True,
        )
        os.close(inner)
        self.send(". ./complete.sh\n")

    def send(self, text):
        os.write(self.terminal, text.encode())

    def complete(self, line):
        """Return the arguments with which bash calls `bakeoff` when TAB and Enter follow the line."""
        self.called.unlink(missing_ok=True)
        self.send(f"bakeoff {line}\t\n")
        shown, deadline = b"", time.monotonic() + 60
        while not self.called.exists():
            assert time.monotonic() < deadline, shown
            if select.select([self.terminal], [], [], 0.05)[0]:
                shown += os.read(self.terminal, 65536)
        return self.called.read_text(encoding="utf-8").splitlines()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


@pytest.fixture
def bash(tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("this machine has no bash")
    opened = Bash(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("check numpy_pl", ["check", "numpy_plain"]),
        ("check numpy_plain:pl", ["check", "numpy_plain:plain"]),
        ("check numpy_plain:plain pytorch:e", ["check", "numpy_plain:plain", "pytorch:eager"]),
        ("check numpy_plain:", ["check", "numpy_plain:"]),  # two variants: no file in their place
        ("run --backends numpy_plain,pytorch:e", ["run", "--backends", "numpy_plain,pytorch:eager"]),
        ("run --backends=numpy_plain,pytorch:e", ["run", "--backends=numpy_plain,pytorch:eager"]),
        ("run --backends=numpy_pl", ["run", "--backends=numpy_plain"]),
    ],
)
def test_bash_completes_what_it_splits_into_words(bash, line, expected):
    assert bash.complete(line) == expected


def test_bash_completes_variants_where_its_words_are_not_split_at_colons(bash):
    bash.send("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n")
    assert bash.complete("check pytorch:e") == ["check", "pytorch:eager"]


@pytest.mark.parametrize(("shell", "words"), [("zsh", "#compdef bakeoff"), ("fish", "complete --command bakeoff")])
def test_the_script_of_another_shell_is_printed(shell, words):
    more = imports(_BAKEOFF_COMPLETE=f"source_{shell}")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=more, check=True)
    assert words in done.stdout
