"""Common mistakes, tried deliberately: does a framework notice them, when, and what does it say?

`catalogue.py` lists the mistakes and `run.py` tries them in workers; `judge.py` says what became of each; `records.py`
writes and reads the figures; `tables.py` shows them.
"""
