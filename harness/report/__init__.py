"""TODO: harness/report."""
