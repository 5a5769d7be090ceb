"""Questions to a table of records, by declared figure: no reader spells the name of a figure or filters by itself.

For example:

    query = Query(read_records(folder, VOCABULARY))
    query.values(LOSS, backend="abacus", variant="eager")      # a Series of numbers
    query.last(TEST_ACCURACY, backend="abacus")                # the value recorded last, NaN where there is none
    query.rows(SLICE, self_test=False)                         # a DataFrame: HEAD and the figure's own keys
    query.of(INSTALL_TIME, "abacus", "eager")                  # rows of the variant, or of its backend as a whole
"""

from typing import Any, Protocol

import numpy as np
import pandas as pd

from .vocabulary import HEAD, Figure

INDEXED = ("backend", "variant")
"""The keys by which the rows of a figure are looked up, and not searched."""
NUMBERS = {float, int, type(None)}


class FigureTables(Protocol):
    """Records by figure, wherever they are kept."""

    def frame(self, figure: Figure) -> pd.DataFrame | None:
        """Return the records of a figure in the order in which they were written; None where there are none."""


class Query:
    """The records of a run, by figure."""

    def __init__(self, records: pd.DataFrame | FigureTables) -> None:
        self._tables = _SplitFrame(records) if isinstance(records, pd.DataFrame) else records
        self._rows: dict[Figure, pd.DataFrame] = {}
        self._written: dict[tuple[str, str], pd.Series] = {}
        """The values of a figure, of the types that they were recorded with."""
        self._places: dict[Any, dict[Any, Any]] = {}

    def rows(self, figure: Figure, **where: Any) -> pd.DataFrame:
        """Return the records of a figure whose keys equal `where`, in the order in which they were written.

        The columns are those of HEAD and the keys that the figure declares; an optional key is NaN where a record does
        not have it. A figure of numbers has a column `value` of numbers. The index is that of the whole table.
        Raises KeyError for a key that the figure does not declare.
        """
        rows = self._all_rows(figure)
        indexed = [key for key in INDEXED if key in where and key in rows]
        if indexed and len(rows):
            wanted = tuple(where[key] for key in indexed)
            places = self._find_places(figure, rows, indexed).get(wanted if len(wanted) > 1 else wanted[0], [])
            rows = rows.iloc[places]
        for key, value in where.items():
            if key not in indexed:
                rows = rows[rows[key].eq(value)]
        return rows

    def values(self, figure: Figure, **where: Any) -> pd.Series:
        """Return the values of those records: numbers where the figure is one of numbers."""
        return self.rows(figure, **where)["value"]

    def last(self, figure: Figure, default: Any = np.nan, **where: Any) -> Any:
        """Return the value recorded last, of the type it was recorded with; `default` where there is none or null."""
        rows = self.rows(figure, **where)
        return self.value_of(rows, default)

    def of(self, figure: Figure, backend: str, variant: str, **where: Any) -> pd.DataFrame:
        """Return the records that speak of this variant, or of its backend as a whole; none of the self-test's copy."""
        rows = self.rows(figure, backend=backend, **where)
        if "variant" in rows:
            rows = rows[rows["variant"].isna() | rows["variant"].eq(variant)]
        if "self_test" in rows:
            rows = rows[rows["self_test"].ne(True)]
        return rows

    def value_of(self, rows: pd.DataFrame, default: Any = np.nan) -> Any:
        """Return the last value in `rows`, of the type it was recorded with; `default` where there is none or null."""
        if not len(rows):
            return default
        last = rows.iloc[-1]
        value: Any = self._written[last["measure"], last["figure"]].at[rows.index[-1]]
        value = value.item() if isinstance(value, np.generic) else value
        return default if pd.isna(value) else value

    def _find_places(self, figure: Figure, rows: pd.DataFrame, keys: list[str]) -> dict[Any, Any]:
        """Return the places of a figure's rows by the values of some keys: it is asked of every variant in turn."""
        name = (figure, *keys)
        if name not in self._places:
            self._places[name] = dict(rows.groupby(keys if len(keys) > 1 else keys[0], sort=False).indices)
        return self._places[name]

    def _all_rows(self, figure: Figure) -> pd.DataFrame:
        if figure not in self._rows:
            columns = list(dict.fromkeys((*HEAD, *figure.keys, *figure.optional)))
            found = self._tables.frame(figure)
            rows = pd.DataFrame(columns=columns) if found is None else found.reindex(columns=columns)
            self._written[figure.measure, figure.name] = rows["value"]
            if set(figure.values) <= NUMBERS:
                rows = rows.assign(value=pd.to_numeric(rows["value"]))
            self._rows[figure] = rows
        return self._rows[figure]


class _SplitFrame:
    """A table of all records, split by figure."""

    def __init__(self, records: pd.DataFrame) -> None:
        self._records = records
        self._places: dict[Any, Any] = {}
        if len(records):
            self._places = dict(records.groupby(["measure", "figure"], sort=False).indices)

    def frame(self, figure: Figure) -> pd.DataFrame | None:
        places = self._places.get((figure.measure, figure.name))
        return None if places is None else self._records.iloc[places]
