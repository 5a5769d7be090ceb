"""The report as one HTML file: it opens from disk, asks nothing of a network, and lets its reader explore a run.

Python selects the rows and describes each chart in Vega-Lite; the scripts in `assets/` draw them, rank and filter.
"""
