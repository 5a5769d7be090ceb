"""The end of a run: the answer with its ties, and a table that fits any terminal, from the published runs."""

import io
import re
from dataclasses import replace

import pytest
from bakeoff.common import statistics
from bakeoff.common.statistics import Interval
from bakeoff.report.report import Report
from bakeoff.report.summary import Standing, VariantSummary, summarise
from bakeoff.report.terminal.bar import LogScale
from bakeoff.report.terminal.summary import PIPED_WIDTH, ROWS, print_summary
from rich.console import Console

from tests.paths import ROOT, SAVED_RUN

WIDTHS = (60, 80, 100, 120)


@pytest.fixture(scope="module", params=["reference", "all"])
def summary(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        return summarise(Report(ROOT / "results" / request.param))


@pytest.fixture(scope="module")
def alone():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "RESAMPLES", 200)
        return summarise(Report(SAVED_RUN))


def rendered(summary, width, terminal=True, encoding="utf-8"):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    options = {"color_system": None} if terminal else {}
    print_summary(Console(file=file, width=width, force_terminal=terminal, **options, _environ={}), summary)
    file.seek(0)
    return [line.rstrip("\n") for line in file.read().splitlines()]


def table_of(lines):
    start = next(number for number, line in enumerate(lines) if line.startswith("variant"))
    return lines[start : start + 1 + ROWS]


def test_the_variants_are_sorted_by_time_and_the_others_follow(summary):
    times = [each.times_fastest.estimate for each in summary.timed]
    assert times == sorted(times)
    assert summary.variants == summary.timed + summary.untimed
    assert summary.variants[0] is summary.fastest
    assert summary.fastest.times_fastest == Interval(1, 1, 1)


def test_a_tie_is_a_variant_whose_interval_contains_the_fastest(summary):
    for each in summary.timed[1:]:
        inside = each.times_fastest.low <= 1 <= each.times_fastest.high
        assert (each.standing is Standing.TIE) == inside
        assert (each in summary.ties) == inside


def test_the_answer_names_the_fastest_its_ties_and_the_next(summary):
    slower = next(each for each in summary.timed if each.standing is Standing.SLOWER)
    for name in (summary.fastest.name, slower.name, *(each.name for each in summary.ties[:3])):
        assert name in summary.answer
    assert summary.answer.count(".  ") == 0
    assert summary.answer.endswith(".")


def test_the_values_are_those_of_the_table(summary):
    table = Report(ROOT / summary.folder).summary().set_index(["backend", "variant"])
    for each in summary.variants:
        row = table.loc[each.backend, each.variant]
        assert each.peak_memory_bytes == pytest.approx(row["peak_memory_bytes"], nan_ok=True)
        assert each.tokens == row["tokens"]
        assert each.correct == (row["correct"] if isinstance(row["correct"], str) else None)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_end_of_a_run_fits_the_terminal(summary, width):
    lines = rendered(summary, width)
    commands = [line for line in lines if "bakeoff " in line]
    assert all(len(line) <= width for line in lines if line not in commands)
    assert all(len(line) <= width for line in lines if width >= 80)


SHORT = "results/2026-11-30T034025-host-0123456789ab"
LONG = f"results/2026-11-30T034025-{'h' * 24}-0123456789ab"
"""A default name has 24 characters of the machine's name."""


@pytest.mark.parametrize(("folder", "beside"), [(SHORT, True), (LONG, False)], ids=["short", "long"])
def test_the_commands_at_the_end_fit_80_columns(summary, folder, beside):
    lines = rendered(replace(summary, folder=folder), 80)
    last = [line for line in lines if line.strip().startswith("bakeoff ")]
    assert [line.split()[1] for line in last] == ["table", "verdict", "report"]
    assert max(map(len, lines)) <= 80
    assert all(folder in line for line in last)
    assert sum(folder in line for line in lines) == 3 + (beside and len(summary.timed) > ROWS)
    assert (last[1].endswith("rank by weights"), "Rank by weights:" in lines) == (beside, not beside)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_row_of_the_table_stands_on_one_line(summary, width):
    table = table_of(rendered(summary, width))
    assert [line.split()[0] for line in table[1:]] == [each.name for each in summary.timed[:ROWS]]


def test_the_columns_at_80(summary):
    heading = table_of(rendered(summary, 80))[0].split()
    assert [heading[0], *heading[-4:]] == ["variant", "memory", "start", "correct", "code"]
    assert "step" in heading
    assert "ratio" in heading
    assert "log" in heading


def test_a_wider_terminal_has_more_columns_and_the_intervals_of_the_ratios(summary):
    lines = {width: table_of(rendered(summary, width)) for width in WIDTHS}
    assert "test acc." in lines[120][0]
    assert "test acc." not in lines[80][0]
    interval = re.compile(r"\d \[\d[\d.]*, \d[\d.]*\]")
    assert not any(interval.search(line) for line in lines[80])
    assert sum(bool(interval.search(line)) for line in lines[120]) == ROWS - 1


@pytest.mark.parametrize("width", WIDTHS)
def test_no_command_and_no_name_is_broken(summary, width):
    lines = rendered(summary, width)
    for command in (f"bakeoff table {summary.folder}", f"bakeoff verdict {summary.folder}"):
        assert any(command in line for line in lines)
    text = " ".join(lines)
    for line in lines:
        for name in re.findall(r"\w+:\w*", line):
            assert name.endswith(":") or name in text
    assert not any(line.startswith(":") or line.endswith("`bakeoff") for line in lines)


def test_the_number_of_other_variants_is_given_with_the_command_that_prints_them(summary):
    more = len(summary.timed) - ROWS
    found = [line for line in rendered(summary, 80) if line.startswith("...")]
    assert found == ([f"... {more} more: bakeoff table {summary.folder}"] if more else [])


def test_the_output_of_a_pipe_is_plain_and_no_wider_than_100(summary):
    file = io.StringIO()
    print_summary(Console(file=file, width=300, _environ={}), summary)
    assert "\x1b" not in file.getvalue()
    assert max(map(len, file.getvalue().splitlines())) <= PIPED_WIDTH == 100


def test_a_terminal_without_unicode_gets_bars_of_ascii(summary):
    assert "#" in "".join(table_of(rendered(summary, 80, encoding="ascii")))


def test_nothing_is_told_by_colour_alone(summary):
    """The plain text names the fastest, the ties and the outcome of the checks."""
    table = table_of(rendered(summary, 80, terminal=False))
    assert "fastest" in table[1]
    for each, line in zip(summary.timed, table[1:]):
        assert ("tie" in line.split()) == (each.standing is Standing.TIE)
        assert {"yes": "yes", "reduced precision": "reduced"}[each.correct] in line


def test_a_run_of_one_variant_has_no_rival(alone):
    assert "no other variant was timed" in alone.answer
    assert "The checked variant computes the same" in alone.agreement
    assert rendered(alone, 80)


def test_a_failed_self_test_makes_ties_of_what_it_cannot_resolve(summary):
    from bakeoff.report import summary as module

    ratio = Interval(1.03, 1.02, 1.04)
    assert module._find_standing(False, ratio, 1.0) is Standing.SLOWER
    assert module._find_standing(False, ratio, module._find_resolution(Interval(1.03, 1.01, 1.05))) is Standing.TIE
    assert module._find_resolution(Interval(1.0, 0.9, 1.1)) == 1.0


def test_an_incorrect_and_an_untimed_variant_are_named(summary):
    first = summary.variants[0]
    wrong = replace(first, variant="wrong", correct="no", standing=Standing.NOT_TIMED, failure="forward: off\nmore")
    changed = replace(summary, variants=(*summary.timed, wrong))
    assert f"Not correct: {wrong.name}." in changed.agreement
    assert f"{len(changed.timed)} of {len(changed.variants)} checked variants" in changed.agreement
    assert any(line.startswith(f"Not timed: {wrong.name}: forward: off") for line in rendered(changed, 100))


def test_a_doubt_about_a_shown_time_is_marked_and_explained(summary):
    first = replace(summary.variants[0], doubts=("it did not reach steady state.",))
    lines = rendered(replace(summary, variants=(first, *summary.variants[1:])), 80)
    assert "us ?" in table_of(lines)[1]
    assert "? it did not reach steady state." in lines


def test_warnings_come_first(summary):
    assert rendered(replace(summary, warnings=("UNFINISHED: this run was interrupted.",)), 80)[0].startswith("UNFI")


def test_every_summary_field_has_a_type(summary):
    assert isinstance(summary.variants[0], VariantSummary)
    assert summary.layers == [64, 128, 64, 10]


def test_a_bar_on_a_log_scale_grows_by_the_logarithm():
    scale = LogScale([1e-4, 1e-3, 1e-2], 20)
    lengths = [len(scale.draw(value).rstrip()) for value in (1e-4, 1e-3, 1e-2)]
    assert lengths[2] == 20
    assert abs((lengths[1] - lengths[0]) - (lengths[2] - lengths[1])) <= 1
    assert len(scale.heading) == 20
    assert LogScale([5.0], 6).draw(5.0) == "█" * 6
