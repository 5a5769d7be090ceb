"""Studies that teach: each trains in several frameworks with seeds, keeps its records, and writes a page from them.

`catalogue` lists the studies, one module each with its spec in `specs/`. `run` carries one out, `records` is its file,
`page` writes the page and the pictures. No study promises a winner: its page says what its records show.
"""

__all__ = ["catalogue", "page", "records", "run"]
