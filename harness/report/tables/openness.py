"""The table of openness: the stated facts of each backend, with their sources."""

import pandas as pd

from ...measures.openness.figures import FACTS
from ...records.query import Query


def tabulate_openness(query: Query) -> pd.DataFrame:
    """Return every stated fact with its source and the date of that source."""
    names = ["backend", "figure", "value", "source", "asof"]
    facts = pd.concat([query.columns(figure, names) for figure in FACTS.values()]).sort_index()
    return facts.rename(columns={"figure": "fact"})
