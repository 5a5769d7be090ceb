"""The table of openness: the stated facts of each backend, with their sources."""

import pandas as pd

from ...measures.openness.figures import FACTS
from ...records.query import Query


def tabulate_openness(query: Query) -> pd.DataFrame:
    """Return every stated fact with its source and the date of that source."""
    facts = pd.concat([query.rows(figure) for figure in FACTS.values()]).sort_index()
    return facts[["backend", "figure", "value", "source", "asof"]].rename(columns={"figure": "fact"})
