"""Which framework to choose, from the records of a run, by what its user values: docs/verdict.md."""
