"""Draw docs/figures/speed_and_code.svg: tokens and step time of idiomatic and tuned variants of the published run.

    python docs/figures/speed_and_code.py

The values come from results/idiomatic/tables/code.csv. A line leads from a backend's idiomatic variant to each tuned
one.
"""

import math
from pathlib import Path

import pandas as pd
from svg import document, line, text

HERE = Path(__file__).resolve().parent
CODE = HERE.parent.parent / "results" / "idiomatic" / "tables" / "code.csv"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 70, 150, 52, 60
TIMES = {1e-4: "0.1 ms", 1e-3: "1 ms", 1e-2: "10 ms", 1e-1: "0.1 s"}
TOKENS = (200, 500, 1000, 2000, 5000)
RADIUS = 5


def read() -> pd.DataFrame:
    """Return the rows of the published run that have a time; none where it has no such table."""
    columns = ["backend", "style", "tokens", "step_s"]
    return pd.read_csv(CODE).dropna(subset=["step_s"]) if CODE.exists() else pd.DataFrame(columns=columns)


def draw(rows: pd.DataFrame) -> str:
    """Return the figure: a point a variant, an open one where it is idiomatic; both axes are logarithmic."""
    across = _scale(rows["tokens"], LEFT, WIDTH - RIGHT)
    down = _scale(rows["step_s"], HEIGHT - BOTTOM, TOP)
    parts = [text(LEFT, 26, "What speed costs in code (down is faster, left is less code)", "title")]
    for tokens in TOKENS:
        x = across(tokens)
        if LEFT <= x <= WIDTH - RIGHT:
            parts += [line(x, TOP, x, HEIGHT - BOTTOM, "grid")]
            parts += [text(x, HEIGHT - BOTTOM + 18, f"{tokens:,}", "small", "middle")]
    for seconds, words in TIMES.items():
        y = down(seconds)
        if TOP <= y <= HEIGHT - BOTTOM:
            parts += [line(LEFT, y, WIDTH - RIGHT, y, "grid"), text(LEFT - 8, y + 4, words, "small", "end")]
    places = {row["backend"]: (across(row["tokens"]), down(row["step_s"])) for row in rows.to_dict("records")}
    plain = {row["backend"].partition(":")[0]: row["backend"] for row in rows.to_dict("records") if _is_plain(row)}
    for row in rows.to_dict("records"):
        start = plain.get(row["backend"].partition(":")[0])
        if start is not None and not _is_plain(row):
            parts.append(line(*places[start], *places[row["backend"]], "axis"))
    for row in rows.to_dict("records"):
        x, y = places[row["backend"]]
        style = 'class="page" stroke="#2f6fb2" stroke-width="2"' if _is_plain(row) else 'class="first"'
        parts.append(f'<circle {style} cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/>')
    for name, (x, y) in zip(places, _spread(list(places.values())), strict=True):
        parts.append(text(x + RADIUS + 4, y + 4, name, "small"))
    parts.append(
        text(
            LEFT,
            HEIGHT - 14,
            "Tokens of the model file; time per step. Open: idiomatic. Both axes are logarithmic.",
            "small",
        )
    )
    return document(WIDTH, HEIGHT, "Time per step by tokens of code, idiomatic and tuned", parts)


def _is_plain(row: dict[str, object]) -> bool:
    return row["style"] == "idiomatic"


def _scale(values: "pd.Series[float]", start: float, end: float):
    """Return a logarithmic scale from the values, with a margin, to pixels."""
    low, high = (math.log(values.min() / 1.2), math.log(values.max() * 1.2)) if len(values) else (0.0, 1.0)
    return lambda value: start + (math.log(value) - low) / (high - low) * (end - start)


def _spread(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return places for the labels: one that would cover another moves down."""
    taken: list[tuple[float, float]] = []
    found = {}
    for place in sorted(places, key=lambda each: each[1]):
        x, y = place
        while any(abs(x - other) < 130 and abs(y - lower) < 12 for other, lower in taken):
            y += 3
        taken.append((x, y))
        found.setdefault(place, []).append((x, y))
    return [found[place].pop(0) for place in places]


if __name__ == "__main__":
    target = HERE / "speed_and_code.svg"
    target.write_text(draw(read()), encoding="utf-8")
    print(target)
