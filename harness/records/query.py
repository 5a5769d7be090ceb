"""Questions to a table of records, by declared figure: no reader spells the name of a figure or filters by itself.

For example:

    query = Query(read_records(folder, VOCABULARY))
    query.values(LOSS, backend="abacus", variant="eager")      # a Series of numbers
    query.last(TEST_ACCURACY, backend="abacus")                # the value recorded last, NaN where there is none
    query.rows(SLICE, self_test=False)                         # a DataFrame: HEAD and the figure's own keys
    query.columns(SLICE, ("round", "value"))                   # the same with two columns: much quicker
    query.of(INSTALL_TIME, "abacus", "eager")                  # rows of the variant, or of its backend as a whole
    query.value_of(INSTALL_TIME, "abacus", "eager")            # the last value of these rows
    INSTALL_TIME in query                                      # whether there is any record of a figure
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from .vocabulary import HEAD, Figure

INDEXED = ("backend", "variant")
"""The keys by which the rows of a figure are looked up, and not searched."""
NUMBERS = {float, int, type(None)}
Places = npt.NDArray[np.intp]
Rows = TypeVar("Rows", pd.DataFrame, pd.Series)
NOWHERE: Places = np.array([], dtype=np.intp)


class FigureColumns(Protocol):
    """The records of a figure, a column a key, in the order in which they were written."""

    @property
    def index(self) -> pd.Index:
        """The place of each record in the whole table."""

    def column(self, name: str) -> pd.Series | None:
        """Return the values of a key, under `index`; None where no record has it."""


class FigureTables(Protocol):
    """Records by figure, wherever they are kept."""

    def of_figure(self, figure: Figure) -> FigureColumns | None:
        """Return the records of a figure; None where there are none."""


class Query:
    """The records of a run, by figure."""

    def __init__(self, records: pd.DataFrame | FigureTables) -> None:
        self._tables = _SplitFrame(records) if isinstance(records, pd.DataFrame) else records
        self._figures: dict[Figure, _FigureRows] = {}

    def rows(self, figure: Figure, **where: Any) -> pd.DataFrame:
        """Return the records of a figure whose keys equal `where`, in the order in which they were written.

        The columns are those of HEAD and the keys that the figure declares; an optional key is NaN where a record does
        not have it. A figure of numbers has a column `value` of numbers. The index is that of the whole table.
        Raises KeyError for a key that the figure does not declare.
        """
        found = self._of_figure(figure)
        return _select(found.frame, found.find(where))

    def columns(self, figure: Figure, names: Sequence[str], **where: Any) -> pd.DataFrame:
        """Return some columns of the `rows`. Where there are many records, that is much quicker than all columns."""
        found = self._of_figure(figure)
        return found.tabulate(names, found.find(where))

    def values(self, figure: Figure, **where: Any) -> pd.Series:
        """Return the values of those records: numbers where the figure is one of numbers."""
        found = self._of_figure(figure)
        return _select(found.column("value"), found.find(where))

    def last(self, figure: Figure, default: Any = np.nan, **where: Any) -> Any:
        """Return the value recorded last, of the type it was recorded with; `default` where there is none or null."""
        found = self._of_figure(figure)
        places = found.find(where)
        if places is None:
            return _to_plain(found.written.iloc[-1], default) if len(found.written) else default
        return _to_plain(found.written.iloc[places[-1]], default) if len(places) else default

    def of(
        self, figure: Figure, backend: str, variant: str, names: Sequence[str] | None = None, **where: Any
    ) -> pd.DataFrame:
        """Return the records that speak of this variant, or of its backend as a whole; none of the self-test's copy.

        Where there are `names`, they have these columns alone.
        """
        found = self._of_figure(figure)
        places = found.find_of(backend, variant, where)
        return _select(found.frame, places) if names is None else found.tabulate(names, places)

    def value_of(
        self, figure: Figure, backend: str, variant: str, absent: Any = np.nan, null: Any = np.nan, **where: Any
    ) -> Any:
        """Return the last value in the rows `of` this variant, of the type it was recorded with.

        `absent` where there is no row, `null` where the value is null.
        """
        found = self._of_figure(figure)
        places = found.find_of(backend, variant, where)
        return _to_plain(found.written.iloc[places[-1]], null) if len(places) else absent

    def __contains__(self, figure: Figure) -> bool:
        return len(self._of_figure(figure).written) > 0

    def _of_figure(self, figure: Figure) -> "_FigureRows":
        if figure not in self._figures:
            self._figures[figure] = _FigureRows(figure, self._tables.of_figure(figure))
        return self._figures[figure]


def _select(rows: Rows, places: Places | None) -> Rows:
    """Return a table or a column at these places; the whole of it where they are None."""
    return rows if places is None else rows.iloc[places]


def _to_plain(value: Any, default: Any) -> Any:
    """Return a value as Python has it; `default` where it is null."""
    value = value.item() if isinstance(value, np.generic) else value
    return default if pd.isna(value) else value


class _FigureRows:
    """The records of a figure. A column is converted when it is first asked for: most questions need a few of them."""

    def __init__(self, figure: Figure, source: FigureColumns | None) -> None:
        self.names = list(dict.fromkeys((*HEAD, *figure.keys, *figure.optional)))
        self._source = source
        self._of_numbers = set(figure.values) <= NUMBERS
        self._columns: dict[str, pd.Series] = {}
        self._plain: dict[str, npt.NDArray[np.object_]] = {}
        self._places: dict[tuple[str, ...], dict[Any, Places]] = {}

    @cached_property
    def written(self) -> pd.Series:
        """The values, of the types that they were recorded with."""
        return self._read("value")

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns."""
        return pd.DataFrame({name: self.column(name) for name in self.names})

    def column(self, name: str) -> pd.Series:
        """Return the values of a key. Raises KeyError where the figure does not declare it."""
        if name not in self._columns:
            numbers = name == "value" and self._of_numbers
            self._columns[name] = pd.to_numeric(self.written) if numbers else self._read(name)
        return self._columns[name]

    def _read(self, name: str) -> pd.Series:
        if name not in self.names:
            raise KeyError(name)
        if self._source is None:
            return pd.Series([], dtype=object, index=pd.RangeIndex(0))
        found = self._source.column(name)
        return pd.Series(np.nan, index=self._source.index) if found is None else found

    def find(self, where: Mapping[str, Any]) -> Places | None:
        """Return the places of the records whose keys equal `where`; None for all."""
        indexed = tuple(key for key in INDEXED if key in where and key in self.names)
        places = None
        if indexed:
            wanted = tuple(where[key] for key in indexed)
            places = self._index(indexed).get(wanted if len(wanted) > 1 else wanted[0], NOWHERE)
        for key, value in where.items():
            if key not in indexed:
                column = self.column(key) if places is None else self.column(key).iloc[places]
                met = np.flatnonzero(column.eq(value).to_numpy(bool))
                places = met if places is None else places[met]
        return places

    def find_of(self, backend: str, variant: str, where: Mapping[str, Any]) -> Places:
        """Return the places of the records of a variant, or of its backend as a whole; none of the self-test's copy."""
        places = self.find({"backend": backend, **where})
        assert places is not None
        if "variant" in self.names:
            mine = self._objects("variant")[places]
            places = places[(mine == variant) | pd.isna(mine)]
        if "self_test" in self.names:
            places = places[~np.equal(self._objects("self_test")[places], True).astype(bool)]
        return places

    def _objects(self, name: str) -> npt.NDArray[np.object_]:
        """Return a column as Python's own values: of a few of them, a question is answered much quicker."""
        if name not in self._plain:
            self._plain[name] = self.column(name).to_numpy(object)
        return self._plain[name]

    def _index(self, keys: tuple[str, ...]) -> dict[Any, Places]:
        """Return the places of the records by the values of some keys: it is asked of every variant in turn."""
        if keys not in self._places:
            by = pd.DataFrame({key: self.column(key) for key in keys})
            indices: Any = by.groupby(list(keys) if len(keys) > 1 else keys[0], sort=False).indices if len(by) else {}
            self._places[keys] = dict(indices)
        return self._places[keys]

    def tabulate(self, names: Sequence[str], places: Places | None) -> pd.DataFrame:
        """Return some columns at these places."""
        columns = {name: self.column(name) for name in names}
        if places is None:
            return pd.DataFrame(columns)
        index = next(iter(columns.values())).index.take(places)
        taken = {name: column.array.take(places) for name, column in columns.items()}
        return pd.DataFrame(taken, index=index, copy=False)


class _SplitFrame:
    """A table of all records, split by figure."""

    def __init__(self, records: pd.DataFrame) -> None:
        self._records = records
        self._places: dict[Any, Any] = {}
        if len(records):
            self._places = dict(records.groupby(["measure", "figure"], sort=False).indices)

    def of_figure(self, figure: Figure) -> FigureColumns | None:
        places = self._places.get((figure.measure, figure.name))
        return None if places is None else _FrameColumns(self._records, places)


class _FrameColumns:
    """The records of a figure in a table of all."""

    def __init__(self, records: pd.DataFrame, places: Places) -> None:
        self._records, self._places = records, places
        self.index = records.index[places]

    def column(self, name: str) -> pd.Series | None:
        return self._records[name].iloc[self._places] if name in self._records else None
