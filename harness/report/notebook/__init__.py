"""Runs as objects for Python and notebooks: tidy tables with documented columns, and figures.

`bakeoff.load(RUN)` returns a `LoadedRun`. `frames` declares its tables, and docs/reference/python.md is made from that.
"""
