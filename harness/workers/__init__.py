"""TODO: harness/workers."""
