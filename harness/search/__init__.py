"""Hyperparameter search: draws settings on the right scale, trains each in every chosen backend, and keeps a record.

`space` reads what is searched, `scales` draws values, `driver` carries a search out. `jobs` trains one setting in one
backend: a job is JSON and its result is JSON. `engine` runs jobs on this machine or on a cluster, `ledger` is the
folder of a search, `study` the sampler with its SQLite file. The modules are imported by name: some need an extra.
"""

__all__ = ["driver", "engine", "jobs", "ledger", "scales", "space", "study"]
