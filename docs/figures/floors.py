"""Draw docs/figures/floors.svg: how far backends, legitimate arithmetic and mistakes are from the oracle, in floors.

    python docs/figures/floors.py

From results/all/check.csv.gz and results/reference/selftest.json, as `bakeoff check --records` and
`bakeoff selftest --json` wrote them. Needs altair and vl-convert-python.
"""

import json
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent.parent / "results"
LEAST, MOST = 0.1, 1e18


def points():
    """Return one row a point: what it belongs to, floors, and a kind for its colour."""
    checked = pd.read_csv(RESULTS / "all" / "check.csv.gz")
    checked = checked[checked["required"] & checked["floors"].notna()]
    backends = pd.DataFrame(
        {
            "row": checked["backend"] + ":" + checked["variant"],
            "floors": checked["floors"],
            "kind": np.where(checked["status"].eq("known failure"), "of a declared failure", "a backend's arrays"),
        }
    )
    selftest = json.loads((RESULTS / "reference" / "selftest.json").read_text())

    def judged(key, row, kind):
        floors = [each["floors"] for each in selftest[key] if each["floors"] and each["floors"] == each["floors"]]
        return pd.DataFrame({"row": f"{row} ({len(selftest[key])})", "floors": floors, "kind": kind})

    found = pd.concat(
        [
            backends,
            judged("legitimate", "legitimate arithmetic", "mutants of the oracle"),
            judged("lost_precision", "1 - beta**t in float32", "mutants of the oracle"),
            judged("mistakes", "mistakes", "mutants of the oracle"),
        ]
    )
    # Ticks that no eye can tell apart are one.
    places = found["floors"].clip(LEAST, MOST).map(np.log10).round(2)
    return found.assign(floors=10**places).drop_duplicates()


def chart(table):
    """Return the figure: rows of ticks on a logarithmic axis, with the two limits."""
    rows = list(dict.fromkeys(table["row"]))
    axis = alt.X("floors:Q", title="error / floor").scale(type="log", domain=[LEAST, MOST], nice=False)
    ticks = (
        alt.Chart(table)
        .mark_tick(thickness=1.5, height=14, opacity=0.6)
        .encode(
            x=axis.axis(values=[10**power for power in range(-1, 18, 3)], format="~e"),
            y=alt.Y("row:N", sort=rows, title=None),
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=list(dict.fromkeys(table["kind"])), range=["#1f6feb", "#6b7280", "#c2410c"]),
            ).legend(orient="bottom"),
        )
    )
    limits = pd.DataFrame({"floors": [16, 128], "meaning": ["16", "128"]})
    lines = alt.Chart(limits).mark_rule(color="#555", strokeDash=[4, 3]).encode(x="floors:Q")
    words = [
        alt.Chart(pd.DataFrame({"floors": [floors], "meaning": [meaning]}))
        .mark_text(align=align, baseline="bottom", y=y, fontSize=11, color="#333")
        .encode(x="floors:Q", text="meaning:N")
        # "loses precision" has little room between the limits, and stands over the others.
        for floors, meaning, align, y in (
            (12, "rounding", "right", -4),
            (45, "loses precision", "center", -18),
            (170, "computes something else", "left", -4),
        )
    ]
    return (
        alt.layer(ticks, lines, *words)
        .properties(width=560, height=26 * len(rows))
        .configure(background="white")
        .configure_view(stroke=None)
    )


if __name__ == "__main__":
    figure = chart(points())
    figure.save(HERE / "floors.svg")
    print(HERE / "floors.svg")
