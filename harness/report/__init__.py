"""The report: turns the records of a run into what people read.

`report` makes the tables and notes of one run, `tables/` and `notes` say how, and `files` writes them. `compare`
compares two runs, `figures` draws, and `terminal/` prints. Import the modules themselves: they need pandas, and
`bakeoff --help` does not.
"""
