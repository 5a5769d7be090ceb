"""Common mistakes, tried deliberately: whether a framework notices them, when, and with which message.

`catalogue.py` lists the mistakes and `run.py` tries them in workers; `judge.py` says what became of each; `records.py`
writes and reads the figures; `tables.py` shows them.
"""
