"""The figures of ease, read back from the records of a run."""

import pandas as pd

from .figures import CHANGE, FIGURES, STYLE


def read(records: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each backend and a column for each figure of its model's file; empty where none was counted.

    What a change costs is a column of its own, `change: NAME`. A missing value was not counted or is not possible.
    """
    mine = records[records["measure"].eq(CHANGE.measure) & records["figure"].ne(STYLE.name)]
    if "variant" in mine:  # the files of single variants are not the backend's
        mine = mine[mine["variant"].isna()]
    if not len(mine):
        return pd.DataFrame()
    changes = mine["figure"].eq(CHANGE.name)
    columns = mine["figure"].astype(str)
    if changes.any():
        columns = columns.mask(changes, CHANGE.name + ": " + mine["change"].astype(str))
    table = mine.assign(column=columns, value=pd.to_numeric(mine["value"])).drop_duplicates(
        ["backend", "column"], keep="last"
    )
    order = [figure.name for figure in FIGURES]
    table = table.pivot_table(index="backend", columns="column", values="value", sort=False, dropna=False)
    return table[sorted(table.columns, key=lambda name: order.index(str(name).partition(":")[0]))].rename_axis(
        columns=None
    )
