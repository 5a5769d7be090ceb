"""Rules that change the learning rate of one model while it is trained."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..workload.spec import STRICT, Fraction, Positive, Section


class Change(Section):
    """One change of a by-hand schedule."""

    after_epoch: Annotated[int, Field(ge=1)]
    """The epoch after which the learning rate changes."""
    learning_rate: Positive
    """The learning rate from then on."""


class Schedule(Section):
    """The rule: `plateau` reduces the learning rate when the validation loss stops falling; `by-hand` lists changes."""

    rule: Literal["plateau", "by-hand"]
    """plateau or by-hand."""
    factor: Fraction = 0.5
    """plateau: what the learning rate is multiplied by."""
    patience: Annotated[int, Field(ge=1)] = 2
    """plateau: the number of epochs without improvement before the learning rate is reduced."""
    improvement: Annotated[float, Field(ge=0, lt=1)] = 1e-3
    """plateau: the share by which the validation loss must fall below its best value to be an improvement."""
    minimum: Positive = 1e-6
    """plateau: the learning rate is never reduced below this."""
    changes: Annotated[tuple[Change, ...], STRICT] = ()
    """by-hand: the changes, in the order of their epochs."""

    @model_validator(mode="after")
    def _check_changes(self) -> "Schedule":
        epochs = [change.after_epoch for change in self.changes]
        if (self.rule == "by-hand") != bool(self.changes):
            raise ValueError("by-hand needs `changes`, and plateau takes none")
        if epochs != sorted(set(epochs)):
            raise ValueError(f"expected changes after increasing epochs, got {epochs}")
        return self

    def next_rate(self, rates: Sequence[float], losses: Sequence[float]) -> float:
        """Return the learning rate of the next epoch, from the rates and the validation losses of all epochs so far."""
        if self.rule == "by-hand":
            return next((each.learning_rate for each in self.changes if each.after_epoch == len(rates)), rates[-1])
        best, waited = losses[0], 0
        for epoch in range(1, len(losses)):
            # A reduction begins a new count, so that each learning rate gets its own patience.
            waited = 0 if rates[epoch] != rates[epoch - 1] else waited
            better = losses[epoch] < best * (1 - self.improvement)
            best, waited = (losses[epoch], 0) if better else (best, waited + 1)
        reduced = max(rates[-1] * self.factor, self.minimum)
        return reduced if waited >= self.patience else rates[-1]
