"""Progress names the stage, shows how far it is, and the time left from what the finished jobs took."""

import io

from bakeoff.common.progress import BAR, Board, Stages
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


def test_without_a_terminal_there_are_only_lines():
    file = io.StringIO()
    with Board(Console(file=file)) as board:
        board.expect("checks", 1)
        with board.job("a:b", "checks"):
            pass
    assert file.getvalue().splitlines() == ["a:b ...", "a:b: stopped (0.0 s)"]
