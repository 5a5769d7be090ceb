"""The cost of new shapes: what the first call at another batch size takes, and whether a variant is slower after it."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from ...common.statistics import Interval
from ...measures.speed.size_costs import NEW_SIZES, SLOWER, SizeCost
from ..text import format_interval, format_number, format_or_dash, format_time
from .speed import Row

CAPTION = (
    f"{NEW_SIZES} new batch sizes in turn. A new size: what its first call takes beyond its steps in steady state. At "
    "the last size: the step time over that of a worker that has seen no other size. At the first size again: the step "
    "time over that before the new sizes. A slower path: one of the two intervals lies above "
    f"{SLOWER:g}, so the variant runs by slower code after the new sizes."
)


def tabulate_costs(costs: Sequence[SizeCost]) -> pd.DataFrame:
    """Return one row a variant, with raw values: seconds, rows a second, ratios."""
    rows: list[Row] = []
    for cost in costs:
        sizes = cost.sizes
        rates = sizes["batch_size"] / sizes["step_s"]
        row: Row = {"backend": cost.backend, "variant": cost.variant, "new_sizes": len(sizes)}
        row |= {"new_size_s": sizes["extra_s"].median(), "new_size_s_most": sizes["extra_s"].max()}
        row |= {"total_s": sizes["extra_s"].sum() if len(sizes) else np.nan}
        row |= {"rows_per_s_least": rates.min(), "rows_per_s_most": rates.max()}
        row |= dict(zip(("at_last", "at_last_low", "at_last_high"), cost.at_last, strict=True))
        row |= dict(zip(("at_first", "at_first_low", "at_first_high"), cost.at_first, strict=True))
        row |= {"slower_path": cost.slower_path, "rebuilt": bool(cost.rejected)}
        rows.append({**row, "rejected": cost.rejected, "failure": cost.failed})
    return pd.DataFrame(rows)


def tabulate_sizes(costs: Sequence[SizeCost]) -> pd.DataFrame:
    """Return one row a variant and new size: seconds of the first call, beyond its steps, and of a step."""
    parts = [cost.sizes.assign(backend=cost.backend, variant=cost.variant) for cost in costs if len(cost.sizes)]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=["backend", "variant"])
    return table[["backend", "variant", *(name for name in table if name not in ("backend", "variant"))]]


def format_costs(costs: Sequence[SizeCost]) -> pd.DataFrame:
    """Return the costs for people."""
    rows = []
    for row, cost in zip(tabulate_costs(costs).to_dict("records"), costs, strict=True):
        rows.append(
            {
                "backend": cost.name,
                "a new size: median": format_or_dash(row["new_size_s"], format_time),
                "most": format_or_dash(row["new_size_s_most"], format_time),
                f"all {NEW_SIZES}": format_or_dash(row["total_s"], format_time),
                "rows/s at the sizes": _format_rates(row["rows_per_s_least"], row["rows_per_s_most"]),
                "at the last size [95 %]": _format_ratio(cost.at_last),
                "at the first size again [95 %]": _format_ratio(cost.at_first),
                "a slower path": _describe_path(cost),
            }
        )
    return pd.DataFrame(rows)


def _format_rates(least: float, most: float) -> str:
    return "-" if math.isnan(least) else f"{format_number(least)} to {format_number(most)}"


def _format_ratio(ratio: Interval) -> str:
    return "-" if math.isnan(ratio.estimate) else format_interval(ratio, decimals=2)


def _describe_path(cost: SizeCost) -> str:
    if cost.slower_path is None:
        return "not measured"
    words = "yes" if cost.slower_path else "no"
    return f"{words}; built anew for each size" if cost.rejected else words


def describe_slower_paths(costs: Sequence[SizeCost]) -> Iterator[str]:
    """Yield a sentence for each variant that runs by a slower path after the new sizes, or could not be measured."""
    for cost in costs:
        if cost.failed:
            yield f"{cost.name}: the cost of new batch sizes was not measured: {cost.failed.splitlines()[0]}"
        elif cost.slower_path:
            if cost.at_last.low > SLOWER:
                found = f"at the last, {format_interval(cost.at_last, decimals=2)} times that of a process without them"
            else:
                found = f"at the first one again, {format_interval(cost.at_first, decimals=2)} times that before"
            yield (
                f"{cost.name} falls back to a slower path after {NEW_SIZES} batch sizes: a step takes, {found}. Keep "
                "to a few batch sizes, or pad batches to them."
            )
