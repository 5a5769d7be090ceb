"""Ease: what the text of a model costs to write and to read. docs/reference/ease.md defines each figure.

Nothing is imported or run, so no framework needs to be installed. `measure.py` yields the figures of a backend and
`tables.py` reads them back; `count.py` counts one file, `changes.py` what small changes cost, `explained.py` shows why.
"""
