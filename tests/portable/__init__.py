"""Tests of harness/portable: written in Python 3.6, and run by the oldest interpreter and NumPy it must work in."""
