"""TODO: harness/common."""
