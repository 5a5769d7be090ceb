"""The run folder: what a run planned, and every value as it was measured, each a record of a declared figure.

`vocabulary` declares figures, `header` declares run.json, `store` writes, `read` reads and validates, and `query`
answers questions to the records that were read. The modules are imported by name: some of them need pandas.
"""

__all__ = ["header", "query", "read", "reference", "store", "vocabulary"]
