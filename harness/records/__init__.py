"""TODO: harness/records."""
