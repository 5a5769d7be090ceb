"""The command line: one file per command; parsing and exit codes, nothing else."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    try:
        # Importing takes a moment, in which Ctrl-C is no error either.
        from .app import main as run
    except KeyboardInterrupt:
        print("bakeoff: interrupted.", file=sys.stderr)
        sys.exit(130)
    run()
