"""A chart: rows of raw values, a Vega-Lite description without data, and the records that the rows come from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

Spec = dict[str, Any]

NAME = "variant"
"""The column with the variant's name, `backend:variant`: the page draws the rows of the chosen variants alone."""
SECONDS = "datum.label && replace(datum.label, '\u00b5', 'u') + 's'"
"""Labels an axis of seconds with its unit, 200us, as the tables do. An empty label is one that has no room."""


class Chart(NamedTuple):
    """A chart of the page."""

    name: str
    """Its identifier, and the name of its downloads."""
    title: str
    """What it shows."""
    reading: str
    """How to read it, in a sentence or two: it is also the description for a screen reader."""
    rows: pd.DataFrame
    """Raw values: seconds, bytes, shares, floors."""
    spec: Spec
    """Vega-Lite, without data, colours and size."""
    records: str
    """The records that the rows are made of, as `measure/figure`."""
    units: Mapping[str, str] = MappingProxyType({})
    """The unit of each column that has one."""
    pick: str = ""
    """A column of which the reader chooses one value at a time; "" for none."""


def seconds_axis(title: str, log: bool = True, **more: Any) -> Spec:
    """Return an encoding of seconds, logarithmic by default."""
    scale = {"type": "log", "nice": False, "padding": 14} if log else {}
    return {
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"format": "~s", "labelExpr": SECONDS, "labelSeparation": 8, "tickCount": 8, **more},
    }


def variant_axis(order: list[str]) -> Spec:
    """Return an encoding of variants down the page, in this order."""
    axis = {"labelLimit": 220, "title": None, "grid": False}
    return {"field": NAME, "type": "nominal", "sort": order, "axis": axis}


def variant_colour() -> Spec:
    """Return an encoding of lines by variant: the page gives a hue to a backend, and a dash to each of its variants."""
    return {"field": NAME, "type": "nominal", "legend": {"title": None, "labelLimit": 240, "symbolType": "stroke"}}


TEXT = {"type": "nominal"}


def tooltip(*fields: tuple[str, str, str]) -> list[Spec]:
    """Return a tooltip: (field, title, format) each; an empty format is text."""
    return [
        {"field": field, "title": title, **({"format": form, "type": "quantitative"} if form else TEXT)}
        for field, title, form in fields
    ]


def band(rows: int) -> Spec:
    """Return the height of a chart with a line for each row; the page adapts it to the rows that are chosen."""
    return {"height": ROW_PX * rows}


ROW_PX = 26
"""The height of a row. assets/charts.js has it, too."""
