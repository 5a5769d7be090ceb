"""The charts of the agreement: whether all compute the same, in words, with the rounding errors behind them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ...measures.agreement.case import LOSES_PRECISION, NOT_CONFORMING
from ...measures.agreement.figures import FLOORS
from ..notes import describe_convention_effects
from ..report import Report
from .chart import NAME, Chart, Spec, band, tooltip

EXACT, ROUNDING, DIGITS, DIFFERENT = "as exact as NumPy", "rounding only", "digits are lost", "not the same result"
WORDS = (EXACT, ROUNDING, DIGITS, DIFFERENT)
"""How well an array agrees, the best first."""
COLOURS = ("#bfdbf7", "#6aa9e0", "#f0b429", "#b42318")

QUANTITIES = {
    "forward": "first prediction",
    "gradient": "gradients",
    "loss": "loss",
    "update": "parameters",
    "running statistics": "running statistics",
    "test mode": "predictions later",
}
"""The phases of a training, in words."""

CIRCUMSTANCES = {
    " with zeros before the activation": "start, zeros",
    " by ten steps at once": "10 in one call",
    " of ten steps at once": "10 in one call",
}
"""The ends of an array's name that say how it was computed, and the column in which it then stands."""
PLACES = {"loss": 0, "probabilities": 1, "gradient": 3}
"""The order of the rows, by the first word of their names; parameters come between."""

LEGEND = (
    f"Light blue: at most the rounding error of plain NumPy. Blue: rounding only, up to {LOSES_PRECISION:g} times "
    f"that. Yellow, ~: digits are lost, up to {NOT_CONFORMING:g} times. Red, x: more than that, so another result."
)


def choose_word(floors: float) -> str:
    """Return in words what a rounding error in floors says."""
    if not floors <= NOT_CONFORMING:
        return DIFFERENT
    if floors > LOSES_PRECISION:
        return DIGITS
    return ROUNDING if floors > 1 else EXACT


def describe_agreement(report: Report) -> Iterator[str]:
    """Yield what was compared, and the conventions that explain differences by design."""
    if not len(report.query.values(FLOORS)):
        return
    yield (
        "Every variant starts from the same parameters, sees the same rows in the same order, and is compared with a "
        "reference in double precision: every array, at several points of the training. Two correct programs still "
        "differ in their last digits, so an error is counted in floors: 1 is the rounding error that plain NumPy makes "
        "in the same place."
    )
    yield from describe_convention_effects(report)


def chart_overview(report: Report) -> Chart | None:
    """Return the worst rounding error by variant and phase, in words; the reader picks the dtype."""
    found = _read_floors(report)
    if found is None:
        return None
    floors = found.assign(quantity=found["phase"].map(lambda phase: QUANTITIES.get(phase, phase)))
    worst = floors.groupby(["dtype", NAME, "quantity"], sort=False, as_index=False)[["floors"]].max()
    table = _put_first(worst.assign(agreement=worst["floors"].map(choose_word)), "dtype", _run_dtype(report))
    spec = _heat_map("quantity", list(QUANTITIES.values()), NAME, list(dict.fromkeys(table[NAME])), 0)
    return Chart(
        "agreement",
        "Does every variant compute the same?",
        f"One row a variant, one column for each kind of result. {LEGEND}",
        table,
        spec,
        f"{FLOORS.measure}/{FLOORS.name}",
        {"floors": "floors"},
        "dtype",
    )


def chart_arrays(report: Report) -> Chart | None:
    """Return the rounding error of every array at every checkpoint, of one variant that the reader picks."""
    found = _read_floors(report)
    if found is None:
        return None
    floors = found[found["dtype"].eq(_run_dtype(report))]
    # A run has many rounding errors of each array at each point.
    kinds = floors.groupby(["phase", "array", "step"], sort=False, dropna=False).ngroup().to_numpy()
    first = floors[~pd.Series(kinds).duplicated().to_numpy()].to_dict("records")
    floors = floors.assign(
        result=pd.array([_name_array(row) for row in first], dtype="str").take(kinds),
        checkpoint=pd.array([_name_checkpoint(row) for row in first], dtype="str").take(kinds),
    )
    table = (
        floors.sort_values("floors")
        .groupby([NAME, "result", "checkpoint"], sort=False, as_index=False)[["floors", "error", "floor", "case"]]
        .last()
    )
    table = table.assign(agreement=table["floors"].map(choose_word))
    order = list(dict.fromkeys(floors.sort_values(["step", "checkpoint"])["checkpoint"]))
    results = sorted(set(table["result"]), key=lambda name: (PLACES.get(name.split()[0], 2), name))
    spec = _heat_map("checkpoint", order, "result", results, 260)
    return Chart(
        "arrays",
        "Array by array, step by step",
        f"One row an array, one column a point of the training; the worst of all test networks counts. {LEGEND}",
        table,
        spec,
        f"{FLOORS.measure}/{FLOORS.name}",
        {"floors": "floors"},
        NAME,
    )


def _read_floors(report: Report) -> pd.DataFrame | None:
    names = ["backend", "variant", "dtype", "case", "phase", "array", "step", "value", "error", "floor"]
    rows = report.query.columns(FLOORS, names)
    if not len(rows):
        return None
    return pd.DataFrame(
        {
            NAME: rows["backend"] + ":" + rows["variant"],
            "dtype": rows["dtype"],
            "case": rows["case"],
            "phase": rows["phase"],
            "array": rows["array"],
            "step": rows["step"].astype(float),
            "floors": rows["value"].astype(float),
            "error": rows["error"].astype(float),
            "floor": rows["floor"].astype(float),
        }
    )


def _run_dtype(report: Report) -> str:
    return str(report.header["spec"]["training"]["dtype"])


def _put_first(table: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    """Return the rows with those of one value first: the page shows the first that it finds."""
    first = table[column].eq(value)
    return pd.concat([table[first], table[~first]])


def _name_array(row: Mapping[Any, Any]) -> str:
    """Return the name of an array as people read it: the phase where the array alone does not say it."""
    phase, array = str(row["phase"]), _strip_circumstance(str(row["array"]))
    return f"{phase} {array}" if phase in ("loss", "gradient") else array


def _name_checkpoint(row: Mapping[Any, Any]) -> str:
    """Return the point of the training: the step, or the circumstance in which the array was computed."""
    array, step = str(row["array"]), row["step"]
    found = [words for ending, words in CIRCUMSTANCES.items() if array.endswith(ending)]
    return found[0] if found else "at the start" if step == 0 else f"step {step:.0f}"


def _strip_circumstance(array: str) -> str:
    for ending in CIRCUMSTANCES:
        array = array.removesuffix(ending)
    return array


def _heat_map(x: str, columns: list[str], y: str, rows: list[str], label_px: int) -> Spec:
    fields = {
        "x": {
            "field": x,
            "type": "nominal",
            "sort": columns,
            "title": None,
            "axis": {"orient": "top", "labelAngle": 0, "labelLimit": 130, "grid": False},
        },
        "y": {
            "field": y,
            "type": "nominal",
            "sort": rows,
            "title": None,
            "axis": {"labelLimit": label_px or 220, "grid": False},
        },
    }
    told = tooltip((y, y, ""), (x, x, ""), ("agreement", "agreement", ""), ("floors", "floors", ",.3s"))
    return {
        **band(len(rows)),
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 2},
                "encoding": {
                    **fields,
                    "color": {
                        "field": "agreement",
                        "type": "nominal",
                        "scale": {"domain": list(WORDS), "range": list(COLOURS)},
                        "legend": {"title": None, "symbolType": "square"},
                    },
                    "tooltip": told,
                },
            },
            {
                "transform": [{"calculate": f"{SIGNS_EXPRESSION}", "as": "sign"}],
                "mark": {"type": "text", "fontWeight": "bold", "color": "#1b1f24", "fontSize": 12},
                "encoding": {**fields, "text": {"field": "sign", "type": "nominal"}},
            },
        ],
        "config": {"axisX": {"labelPadding": 6}, "scale": {"bandPaddingInner": 0.06}},
    }


SIGNS_EXPRESSION = f"datum.agreement === '{DIGITS}' ? '~' : datum.agreement === '{DIFFERENT}' ? 'x' : ''"
"""What stands in a field, so that the colour is not alone in saying it."""
