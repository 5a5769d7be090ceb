"""The verdict: ranks the frameworks of a run by the user's weights, with reasons, uncertainty and sensitivity.

`criteria` reads what counts from the records, `scores` does the arithmetic, `verdict` ranks, and `terminal` prints.
docs/explanation/verdict.md explains the method. Import the modules themselves: they need NumPy, and `bakeoff --help`
does not.
"""
