"""Learning-rate rules: reduce on plateau, and by hand."""

import pytest
from bakeoff.search.schedule import Change, Schedule
from pydantic import ValidationError


def rates_of(schedule, losses, first=1.0):
    rates = [first]
    for epoch in range(1, len(losses)):
        rates.append(schedule.next_rate(rates, losses[:epoch]))
    return rates


def test_the_rate_falls_after_epochs_without_improvement():
    rule = Schedule(rule="plateau", factor=0.5, patience=2)
    assert rates_of(rule, [1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]) == [1, 1, 1, 1, 0.5, 0.5, 0.25]


def test_the_rate_stays_while_the_loss_falls():
    assert set(rates_of(Schedule(rule="plateau"), [1 / n for n in range(1, 20)])) == {1.0}


def test_the_rate_never_falls_below_the_minimum():
    assert min(rates_of(Schedule(rule="plateau", patience=1, minimum=0.1), [1.0] * 30)) == 0.1


def test_an_improvement_that_is_too_small_does_not_count():
    rule = Schedule(rule="plateau", patience=1, improvement=0.1)
    assert rates_of(rule, [1.0, 0.95, 0.95]) == [1, 1, 0.5]


def test_changes_by_hand_come_after_their_epochs():
    rule = Schedule(
        rule="by-hand", changes=(Change(after_epoch=1, learning_rate=0.3), Change(after_epoch=3, learning_rate=0.1))
    )
    assert rates_of(rule, [1.0] * 5) == [1.0, 0.3, 0.3, 0.1, 0.1]


def test_changes_must_be_in_order():
    changes = (Change(after_epoch=3, learning_rate=0.3), Change(after_epoch=1, learning_rate=0.1))
    with pytest.raises(ValidationError, match="increasing epochs"):
        Schedule(rule="by-hand", changes=changes)
