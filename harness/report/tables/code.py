"""What speed costs in code: tokens and step times of idiomatic and tuned variants, beside each other."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...common.statistics import Interval
from ...measures.ease.figures import STYLE, TOKENS
from ...records.query import Query
from ..text import format_count, format_interval, format_or_dash, format_time
from .speed import Key, Row, StepTimes
from .suite import SuiteResults

CAPTION = (
    "Idiomatic: as the linked documentation teaches. Tuned: changed to be faster, by whom and how. Faster, and tokens: "
    "against the idiomatic variant of the same backend. Tokens for twice the speed: times how many, if each doubling "
    "of the speed cost the same. In a run with a suite, times are geometric means over its workloads."
)
IDIOMATIC = "idiomatic"


def tabulate_code(query: Query, times: StepTimes, results: SuiteResults, entries: Sequence[Key]) -> pd.DataFrame:
    """Return one row for each variant that says how its code is, with raw values; NaN where it was not timed."""
    styles = {
        (str(row["backend"]), str(row["variant"])): row for row in query.rows(STYLE).to_dict("records")
    }  # fmt: skip
    plain = {key[0]: key for key in entries if key in styles and styles[key]["value"] == IDIOMATIC}
    rows: list[Row] = []
    for key in entries:
        if key not in styles:
            continue
        base = plain.get(key[0])
        tokens, step = _count_tokens(query, key), _time(times, results, key)
        faster = Interval(np.nan, np.nan, np.nan)
        if base is not None and base in times and key in times:
            faster = results.compare(base, key) if results else times.ratio(base, key)
        tokens_ratio = tokens / _count_tokens(query, base) if base is not None else np.nan
        rows.append(
            {
                "backend": ":".join(key),
                "style": styles[key]["value"],
                "tokens": tokens,
                "step_s": step.estimate,
                "step_s_low": step.low,
                "step_s_high": step.high,
                "faster": faster.estimate,
                "faster_low": faster.low,
                "faster_high": faster.high,
                "tokens_ratio": tokens_ratio,
                "doubling_ratio": compute_doubling(faster, tokens_ratio),
                "by": styles[key]["by"],
                "how": styles[key]["how"],
            }
        )
    return pd.DataFrame(rows)


def compute_doubling(faster: Interval, tokens_ratio: float) -> float:
    """Return by what factor the tokens grow for twice the speed; NaN where the variant is not distinguishably faster.

    The tokens are taken to grow by the same factor with each doubling: 4 times as fast for 9 times the tokens is 3.
    """
    return float(tokens_ratio ** (1 / np.log2(faster.estimate))) if faster.low > 1 else np.nan


def _count_tokens(query: Query, key: Key) -> float:
    return float(query.value_of(TOKENS, *key))


def _time(times: StepTimes, results: SuiteResults, key: Key) -> Interval:
    return results.mean_seconds(key) if results else times.step(key)


def format_code(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table for people."""
    rows = []
    for row in table.to_dict("records"):
        faster = Interval(row["faster"], row["faster_low"], row["faster_high"])
        shown = format_or_dash(faster.estimate, lambda _, faster=faster: format_interval(faster, decimals=2))  # type: ignore[misc]
        rows.append(
            {
                "backend": row["backend"],
                "code": row["style"],
                "tokens": format_or_dash(row["tokens"], format_count),
                "time per step": format_or_dash(row["step_s"], format_time),
                "times as fast [95 %]": shown,
                "times the tokens": format_or_dash(row["tokens_ratio"], "{:.2f}".format),
                "for twice the speed": format_or_dash(row["doubling_ratio"], "x {:.2f}".format),
                "how": row["how"],
            }
        )
    return pd.DataFrame(rows)
