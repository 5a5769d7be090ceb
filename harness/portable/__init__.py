"""The code that runs in the interpreter of every backend: the worker, its protocol, the spec and the oracle.

Python 3.6 syntax and standard library; NumPy is the only dependency.
"""
