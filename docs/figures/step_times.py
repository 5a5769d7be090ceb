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
TARGET = HERE / "step_times.svg"
WIDTH, LEFT, RIGHT, TOP, ROW = 720, 190, 120, 48, 28


def round_down(seconds: float) -> float:
    """Return the next number below that has one digit, which is 1, 2 or 5."""
    decade = 10.0 ** math.floor(math.log10(seconds))
    return max(decade * digit for digit in (1, 2, 5) if decade * digit <= seconds)


def draw(rows: pd.DataFrame) -> str:
    """Return the figure: one bar for each variant, the fastest first, with its interval."""
    rows = rows.dropna(subset=["step_s"]).sort_values("step_s")
    # On a logarithmic axis a bar has no natural beginning: the fastest gets a bar of some length.
    least, most = round_down(rows["step_s"].min() / 1.5), rows["step_s_high"].max()

    def place(seconds: float) -> float:
        """Return where a time lies on the axis, in pixels from the left."""
        return LEFT + math.log(seconds / least) / math.log(most / least) * (WIDTH - LEFT - RIGHT)

    bottom = TOP + ROW * len(rows)
    parts = [text(LEFT, 26, "Time of one training step (shorter is better)", "title")]
    for exponent in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1):
        x, words = place(10.0**exponent), f"{1e3 * 10.0**exponent:g} ms"
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
            f"Logarithmic axis; bars begin at {1e3 * least:g} ms. The thin line on a bar is the 95 % interval.",
            "small",
        )
    )
    return document(WIDTH, bottom + 50, "Time of one training step of each variant", parts)


def draw_all() -> dict[Path, str]:
    """Return the figure by the file that it stands in."""
    return {TARGET: draw(pd.read_csv(SUMMARY))}


if __name__ == "__main__":
    for path, content in draw_all().items():
        path.write_text(content, encoding="utf-8")
        print(path)
