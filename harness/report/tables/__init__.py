"""The tables of a report: functions of a run's records, one module for each measure.

A table exists twice: with raw values for programs (seconds, bytes, shares), and written out for people.
"""
