"""Draw docs/figures/step_times.svg: the step time of each variant of the published run, on a logarithmic axis.

    python docs/figures/step_times.py

The values and their 95 % intervals come from results/reference/tables/summary.csv.
"""

import math
from pathlib import Path

import pandas as pd
from svg import bar, document, line, text

HERE = Path(__file__).resolve().parent
SUMMARY = HERE.parent.parent / "results" / "reference" / "tables" / "summary.csv"
WIDTH, LEFT, RIGHT, TOP, ROW = 720, 190, 120, 48, 28
TICKS = {1e-4: "0.1 ms", 1e-3: "1 ms", 1e-2: "10 ms"}
LEAST, MOST = 5e-5, 1.6e-2


def place(seconds: float) -> float:
    """Return where a time lies on the axis, in pixels from the left."""
    share = math.log(seconds / LEAST) / math.log(MOST / LEAST)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def draw(rows: pd.DataFrame) -> str:
    """Return the figure: one bar for each variant, the fastest first, with its interval."""
    rows = rows.dropna(subset=["step_s"]).sort_values("step_s")
    bottom = TOP + ROW * len(rows)
    parts = [text(LEFT, 26, "Time of one training step (shorter is better)", "title")]
    for seconds, words in TICKS.items():
        x = place(seconds)
        parts += [line(x, TOP - 6, x, bottom, "grid"), text(x, bottom + 18, words, "small", "middle")]
    for number, row in enumerate(rows.to_dict("records")):
        y, end = TOP + ROW * number, place(row["step_s"])
        middle = y + ROW / 2 - 2
        parts += [
            text(LEFT - 10, middle + 5, f"{row['backend']}:{row['variant']}", anchor="end"),
            bar(LEFT, y + 4, end - LEFT, ROW - 12, "first"),
            line(place(row["step_s_low"]), middle, place(row["step_s_high"]), middle),
            text(place(row["step_s_high"]) + 8, middle + 5, f"{1e3 * row['step_s']:.3g} ms"),
        ]
    parts.append(
        text(
            LEFT,
            bottom + 38,
            "Logarithmic axis; bars begin at 0.05 ms. A thin line at the end of a bar is the 95 % interval.",
            "small",
        )
    )
    return document(WIDTH, bottom + 50, "Time of one training step of each variant", parts)


if __name__ == "__main__":
    target = HERE / "step_times.svg"
    target.write_text(draw(pd.read_csv(SUMMARY)), encoding="utf-8")
    print(target)
