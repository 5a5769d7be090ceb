"""TODO: harness/report/terminal."""
