"""Progress names the stage, shows how far it is, and the time left from what the finished jobs took."""

import io
import re
import types

from bakeoff.common import progress
from bakeoff.common.progress import BAR, LEAST_BAR, Board, Stages
from rich.console import Console


def test_a_stage_with_its_bar():
    stages = Stages()
    stages.expect("checks", 4, parallel=2)
    stages.expect("none", 0)
    stages.expect("rounds", 2)
    assert stages.describe() == f"stage 1 of 2, checks: [{'.' * BAR}] 0 of 4"
    stages.finish("checks", 10)
    assert stages.describe() == (f"stage 1 of 2, checks: [{'=' * 5}{'.' * 15}] 1 of 4, about 20 s left, and rounds")


def test_the_time_left_is_that_of_the_jobs_left():
    stages = Stages()
    stages.expect("rounds", 5)
    for seconds in (100, 140):
        stages.finish("rounds", seconds)
    assert stages.describe().endswith("2 of 5, about 6 min left")


def test_nothing_is_left_at_the_end():
    stages = Stages()
    stages.expect("rounds", 1)
    stages.finish("rounds", 1)
    stages.finish("unknown", 1)
    assert stages.describe() == ""


def test_a_terminal_shows_the_stage_above_the_jobs():
    file = io.StringIO()
    with Board(Console(file=file, force_terminal=True, width=100)) as board:
        board.expect("checks", 2)
        with board.job("a:b: conformance", "checks") as job:
            job.outcome = "passes"
            board._live.refresh()
    text = file.getvalue()
    assert "stage 1 of 1, checks: [" in text
    assert "a:b: conformance: passes (" in text


def test_a_narrow_line_has_a_shorter_bar_then_no_further_stage_then_no_bar():
    stages = Stages()
    stages.expect("cases", 288)
    stages.expect("rounds", 2)
    stages.finish("cases", 6)
    start, end = "stage 1 of 2, cases: ", "1 of 288, about 29 min left"
    whole = stages.describe()
    assert whole == f"{start}[{'.' * BAR}] {end}, and rounds"
    assert stages.describe(len(whole)) == whole
    assert stages.describe(len(whole) - 5) == f"{start}[{'.' * (BAR - 5)}] {end}, and rounds"
    shortest = f"{start}[{'.' * LEAST_BAR}] {end}, and rounds"
    assert stages.describe(len(shortest)) == shortest
    assert stages.describe(len(shortest) - 1) == f"{start}[{'.' * (LEAST_BAR + 11)}] {end}"
    assert stages.describe(20) == f"{start}{end}"


def test_in_80_columns_the_count_and_the_time_left_are_whole():
    file = io.StringIO()
    with Board(Console(file=file, force_terminal=True, width=80)) as board:
        board.expect("cases", 288)
        board.expect("rounds", 2)
        board.advance("cases", 6)
        with board.job("tensorflow:gradient_tape: conformance") as job:
            job.say("stress-tanh-adam-float64: update of the parameters after 100 steps, one of many")
            board._live.refresh()
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", file.getvalue())]
    stages = [line for line in lines if "stage 1 of 2, cases: [" in line]
    assert stages
    assert stages[-1].rstrip().endswith("] 1 of 288, about 29 min left, and rounds")
    assert any("tensorflow:gradient_tape: conformance" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_without_a_terminal_there_are_only_lines():
    file = io.StringIO()
    with Board(Console(file=file)) as board:
        board.expect("checks", 1)
        with board.job("a:b", "checks"):
            pass
    assert file.getvalue().splitlines() == ["a:b ...", "a:b: stopped (0.0 s)"]


def test_without_a_terminal_a_long_job_says_now_and_then_what_it_does(monkeypatch):
    file = io.StringIO()
    seconds = iter([0.0, 0.0, 0.0, 10.0, 31.0, 31.0, 40.0, 60.9, 61.0, 61.0, 70.0])
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(monotonic=lambda: next(seconds)))
    board = Board(Console(file=file))
    board._stages.expect("cases", 4)
    job = board.begin("a:b")
    for line in ("case 1", "case 2", "case 3", "case 4", "case 5"):
        job.say(line)
    bar = f"[{'.' * BAR}]"
    assert file.getvalue().splitlines() == [
        "a:b ...",
        f"a:b: case 2; stage 1 of 1, cases: {bar} 0 of 4",
        f"a:b: case 5; stage 1 of 1, cases: {bar} 0 of 4",
    ]


def test_a_part_of_a_stage_counts_without_a_job():
    board = Board(Console(file=io.StringIO()))
    board.expect("cases", 3)
    board.advance("cases", 20)
    assert board._stages.describe().endswith("1 of 3, about 40 s left")
