"""Prints results on the terminal: one module for each command that prints.

Import the module that is needed: some import pandas, which `bakeoff --help` must not wait for.
"""
