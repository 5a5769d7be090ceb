"""The command line: one file per command; parsing and exit codes, nothing else."""

from .app import main

__all__ = ["main"]
