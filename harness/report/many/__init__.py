"""Many runs together: an index page of them, and where their machines disagree.

`index` writes one self-contained page; `merge` compares the rankings of runs of one spec and data.
"""
