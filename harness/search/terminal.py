"""What a search found, on the terminal."""

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from ..measures.agreement.case import NOT_CONFORMING
from . import results
from .ledger import Ledger

SHOWN = 10
"""The trials that are printed: the best ones."""


def print_search(console: Console, ledger: Ledger, importances: dict[str, float]) -> None:
    """Print the best trials, the importance of each hyperparameter, the prices, and the agreement."""
    found = results.trials(ledger)
    finished = len(found)
    console.print(f"{finished} of {ledger.plan.trials} trials, {ledger.plan.sampler} sampler: {ledger.folder}\n")
    if finished:
        _print_best(console, found, list(ledger.plan.file.space))
    if importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in importances.items())
        console.print(f"Importance (fANOVA, share of the variance): {shares}\n", highlight=False, soft_wrap=True)
    _print_prices(console, results.prices(ledger))
    machines = {each.machine for each in ledger.results.values() if each.machine}
    if len(machines) > 1:
        console.print(
            f"The trials ran on different machines ({'; '.join(sorted(machines))}), so the prices are not comparable.",
            style="yellow",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    _print_agreement(console, results.agreement(ledger))
    for sentence in results.wrong(ledger):
        console.print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
    console.print("The value is the accuracy on the validation rows. The test rows were not used.", highlight=False)


def _print_best(console: Console, found: pd.DataFrame, names: list[str]) -> None:
    table = Table(title=f"The best {min(SHOWN, len(found))} trials")
    for name in ("trial", *(name.partition(".")[2] for name in names), "value", "outcome"):
        table.add_column(name, justify="right")
    for row in found.sort_values("value", ascending=False, kind="stable").head(SHOWN).to_dict("records"):
        value = "-" if pd.isna(row["value"]) else f"{row['value']:.1%}"
        table.add_row(str(row["trial"]), *(shorten(row[name]) for name in names), value, str(row["outcome"]))
    console.print(table)


def shorten(value: Any) -> str:
    """Return a value of a hyperparameter with three digits."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _print_prices(console: Console, found: pd.DataFrame) -> None:
    if not len(found):
        return
    table = Table(title="The price of a search")
    for name in ("backend", "trials", "trials an hour and worker", "time spent training"):
        table.add_column(name, justify="right" if name != "backend" else "left")
    for row in found.sort_values("trials_per_hour", ascending=False).to_dict("records"):
        pace, share = f"{row['trials_per_hour']:,.0f}", f"{row['training_share']:.0%}"
        table.add_row(str(row["contestant"]), str(row["trials"]), pace, share)
    console.print(table)


def _print_agreement(console: Console, found: pd.DataFrame) -> None:
    if not len(found):
        return
    floors = f"{found['floors'].max():.1f}"
    console.print(
        f"The same trial in several backends: the first steps are at most {floors} floors from the oracle, allowed "
        f"{NOT_CONFORMING:g}. At the end, validation accuracies differ by at most {found['value_range'].max():.1%}, "
        f"and at most {found['changed_predictions'].max():.1%} of the predictions.",
        highlight=False,
        soft_wrap=True,
    )
